"""The Numba backend of minigrad: NumPy's arrays and functions, and recurrent layers in compiled loops.

``mg.use("numba")`` selects this backend; it is never the default. It is faster than the NumPy backend, ten times for
small layers. But `import numba` takes half a second, and the first call of a layer of a new kind and dtype takes about
four seconds to compile, once on each machine: too long for a quick look.

Arrays and functions come from `minigrad_numpy`. This package adds the loops over time, some operations that take many
passes in NumPy, and threads for matrix products. It imports nothing from minigrad.
"""

from __future__ import annotations

import minigrad_numpy
from minigrad_numba.compile import compile as compile_cell
from minigrad_numba.compile import text
from minigrad_numba.fused import fused
from minigrad_numba.threads import matmul as threaded_matmul
from minigrad_numpy import *  # noqa: F403

compile = compile_cell  # noqa: A001  (the protocol's name)
name = "numba"  # all other names come from the NumPy backend
matmul = threaded_matmul

__all__ = minigrad_numpy.__all__ + ["fused", "text"]
