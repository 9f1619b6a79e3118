"""Exclude backends whose library is not installed from the doctests."""

from importlib.util import find_spec

LIBRARIES = {"minigrad_cupy": "cupy", "minigrad_numba": "numba"}

collect_ignore = [package for package, library in LIBRARIES.items() if find_spec(library) is None]
