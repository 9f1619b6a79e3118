"""How the loops are compiled: once for each dtype, kept on disk, and with a word to whoever waits.

Numba translates a function when it is first called with arrays of a new dtype. That takes seconds, so the result is
kept: of a printed loop in the user's own cache directory, with its text; of a function of this package beside its file,
if that folder can be written to. The environment variable ``NUMBA_CACHE_DIR`` names another folder for both. The next
process reads it in milliseconds.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from numba import njit
from numba.core import caching, config, event

# Loops of IEEE numbers: NaN and ±∞ go through as they do in NumPy. The one liberty is to round a · b + c once.
OPTIONS: dict[str, Any] = {"error_model": "numpy", "fastmath": {"contract"}}

log = logging.getLogger("minigrad_numba")

_loops: dict[Any, str] = {}  # each compiled loop, and what the user is to read about it

INLINED = {**OPTIONS, "forceinline": True}  # without a call there is no obstacle to vector instructions


def inlined(function: Callable[..., Any]) -> Any:
    """Compiles a function that only compiled ones call; it becomes part of them."""
    return njit(**INLINED)(function)


def apart(function: Callable[..., Any]) -> Any:
    """Compiles a function as `inlined` does, and tells the compiler that its arrays do not overlap in memory.

    Numba has no public option for that; its own ufuncs set the same flag. Without it a pass over the units is a third
    slower.
    """
    made = inlined(function)
    made._compiler._customize_flags = _no_alias
    return made


def _no_alias(flags: Any) -> Any:
    flags.noalias = True
    return flags


def called(function: Callable[..., Any]) -> Any:
    """Compiles a function that only compiled ones call, and calls it where it is large enough for that."""
    return njit(**OPTIONS)(function)


def compiled(what: str) -> Callable[[Callable[..., Any]], Any]:
    """Compiles a function at its first call, and keeps the result on disk.

    Args:
        what: the name by which the message calls it.
    """

    def decorate(function: Callable[..., Any]) -> Any:
        loop = njit(nogil=True, **OPTIONS)(function)  # several threads may be inside at once
        loop._cache = _Cache(function)
        _loops[loop] = what
        return loop

    return decorate


def compilations() -> int:
    """How many times this process has had to compile a loop."""
    return sum(sum(loop.stats.cache_misses.values()) for loop in _loops)


def _fingerprint() -> str:
    """What tells one state of this package's files from another."""
    sources = [path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))]
    return hashlib.sha256(b"".join(sources)).hexdigest()


FINGERPRINT = _fingerprint()


class _Cache(caching.FunctionCache):  # type: ignore[misc]
    """Numba's cache looks for changes in the loop's own file alone; this one in the helpers' files too."""

    def _index_key(self, sig: Any, codegen: Any) -> Any:
        return (*super()._index_key(sig, codegen), FINGERPRINT)


def cache_folder() -> Path:
    """Returns the folder for printed loops: in ``NUMBA_CACHE_DIR``, or else in the user's own cache directory."""
    of_user = getattr(caching, "UserWideCacheLocator", None) or caching._UserWideCacheLocator  # Numba before 0.63
    own = None if config.CACHE_DIR else of_user.from_function(_fingerprint, __file__)
    return Path(_Cache(_fingerprint).cache_path if own is None else own.get_cache_path())


class _Announcer(event.Listener):  # type: ignore[misc]
    """Says what is being compiled, before the wait."""

    def on_start(self, event: Any) -> None:
        what = _loops.get(event.data["dispatcher"])
        if what:
            dtype = next(argument.dtype for argument in event.data["args"] if hasattr(argument, "dtype"))
            log.warning("numba: compiling %s for %s, once; the result is kept on disk.", what, dtype)

    def on_end(self, event: Any) -> None:
        """Nothing more to say."""


event.register("numba:compile", _Announcer())
