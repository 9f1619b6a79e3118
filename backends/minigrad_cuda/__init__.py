"""The step of any recurrent cell as CUDA text, printed from its description; in Python alone, so no GPU is needed.

`minigrad_cupy` runs what is printed here, and ``python -m minigrad show lstm --as cuda`` shows it. The package knows
nothing of minigrad: it reads the attributes of a description, and the expressions of its lines with `ast`.
"""

from __future__ import annotations

from minigrad_cuda.expressions import RefusedError
from minigrad_cuda.plan import Argument, Array, Kernel, Multiply, Plan
from minigrad_cuda.printer import printed, text

__all__ = ["Argument", "Array", "Kernel", "Multiply", "Plan", "RefusedError", "printed", "text"]
