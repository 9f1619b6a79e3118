"""NumPy's arrays and functions, and recurrent layers in loops that Numba compiles.

``mg.use("numba")`` takes this backend; it is never taken by itself. It is faster than NumPy's, small layers by a
factor of ten, but `import numba` costs half a second, and the first call with a layer of a new kind and dtype some
five seconds more, for the compiler, once on each machine: too much for whoever only wants to look at something.

Arrays and functions are those of `minigrad_numpy`. This package's own are the loops over time, a few operations that
NumPy makes in many passes, and the threads on which matrices are multiplied. It knows nothing of minigrad.
"""

from __future__ import annotations

import minigrad_numpy
from minigrad_numba.compile import compile as of_any_cell
from minigrad_numba.compile import text
from minigrad_numba.fused import fused
from minigrad_numba.threads import matmul as on_our_threads
from minigrad_numpy import *  # noqa: F403

compile = of_any_cell  # noqa: A001  (the protocol's name)
name = "numba"  # the rest is the NumPy backend's
matmul = on_our_threads

__all__ = minigrad_numpy.__all__ + ["fused", "text"]
