"""The step of any recurrent cell as CUDA text, printed from its description in plain Python; no GPU is needed.

`minigrad_cupy` runs the printed kernels, and ``python -m minigrad show lstm --as cuda`` shows them. The package imports
nothing from minigrad: it reads the attributes of a description, and parses the expressions of its lines with `ast`.
"""

from __future__ import annotations

from minigrad_cuda.expressions import UnsupportedError
from minigrad_cuda.printer import printed, text
from minigrad_cuda.program import Argument, ArraySpec, Gemm, KernelLaunch, Program

__all__ = ["Argument", "ArraySpec", "Gemm", "KernelLaunch", "Program", "UnsupportedError", "printed", "text"]
