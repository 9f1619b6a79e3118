"""Compilation of the loops: once for each dtype, cached on disk, and announced to the user.

Numba compiles a function when it is first called with arrays of a new dtype. That takes seconds, so the result is
cached on disk: for a printed loop in the user's cache directory, with its text; for a function of this package in
the folder of its file, if that is writable. The environment variable ``NUMBA_CACHE_DIR`` names another folder for
both. The next process loads the result in milliseconds.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba import njit
from numba.core import caching, config, event

# IEEE arithmetic: NaN and ±∞ propagate as in NumPy. The only relaxation is that a · b + c may be rounded once.
OPTIONS: dict[str, Any] = {"error_model": "numpy", "fastmath": {"contract"}}

log = logging.getLogger("minigrad_numba")

_loops: dict[Any, str] = {}  # each compiled loop, and its name in the message

# Functions that only compiled functions call need no entry for Python and C.
INTERNAL = {**OPTIONS, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}

INLINED = {**INTERNAL, "forceinline": True}  # calls prevent vector instructions


def inlined(function: Callable[..., Any]) -> Any:
    """Compile a function that only compiled functions call; it is inlined into them."""
    return njit(**INLINED)(function)


def noalias(function: Callable[..., Any]) -> Any:
    """Compile a function as `inlined` does, under the assumption that its arrays do not overlap in memory.

    Numba has no public option for that; its ufuncs set the same flag. Without it, a loop over the units is a third
    slower.
    """
    made = inlined(function)
    made._compiler._customize_flags = _no_alias
    return made


def _no_alias(flags: Any) -> Any:
    flags.noalias = True
    return flags


def substituted(function: Callable[..., Any]) -> Any:
    """Substitute a function's lines for its calls in compiled functions; it is not compiled separately."""
    return njit(**INTERNAL, inline="always")(function)


def helper(function: Callable[..., Any]) -> Any:
    """Compile a function that only compiled functions call, without forcing it inline."""
    return njit(**INTERNAL)(function)


def compiled(what: str) -> Callable[[Callable[..., Any]], Any]:
    """Compile a function at its first call, and cache the result on disk.

    Args:
        what: the function's name in the message to the user.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        loop = njit(nogil=True, **OPTIONS)(function)  # several threads may run it at once
        loop._cache = _Cache(function)
        _loops[loop] = what
        return loop

    return decorate


def compilations() -> int:
    """Return the number of compilations of loops in this process."""
    return sum(sum(loop.stats.cache_misses.values()) for loop in _loops)


def _fingerprint() -> str:
    """Return a hash of this package's files."""
    sources = [path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))]
    return hashlib.sha256(b"".join(sources)).hexdigest()


FINGERPRINT = _fingerprint()


class _Cache(caching.FunctionCache):  # type: ignore[misc]
    """Numba's cache, which also checks the helpers' files for changes, not only the loop's own file."""

    def _index_key(self, sig: Any, codegen: Any) -> Any:
        return (*super()._index_key(sig, codegen), FINGERPRINT)


def cache_folder() -> Path:
    """Return the folder for printed loops: in ``NUMBA_CACHE_DIR``, or else in the user's cache directory."""
    of_user = getattr(caching, "UserWideCacheLocator", None) or caching._UserWideCacheLocator  # Numba before 0.63
    own = None if config.CACHE_DIR else of_user.from_function(_fingerprint, __file__)
    return Path(_Cache(_fingerprint).cache_path if own is None else own.get_cache_path())


class _Announcer(event.Listener):  # type: ignore[misc]
    """A listener that logs a message before a loop is compiled."""

    def on_start(self, event: Any) -> None:
        what = _loops.get(event.data["dispatcher"])
        if what:
            dtype = next(argument.dtype for argument in event.data["args"] if hasattr(argument, "dtype"))
            log.warning("numba: compiling %s for %s, once; the result is cached on disk.", what, dtype)

    def on_end(self, event: Any) -> None:
        """Ignore the end of a compilation; Numba requires the method."""


event.register("numba:compile", _Announcer())
