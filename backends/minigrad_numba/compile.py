"""The loop of any cell: printed from its description, compiled by Numba at its first call."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad_numba.loops import CompiledLoop
from minigrad_numba.places import RefusedError
from minigrad_numba.printer import Printed, printed, title_of
from minigrad_numba.source import module_of
from minigrad_numba.thinned import Thinned, thinned
from minigrad_numpy.compile import DTYPES


def compile(description: Any, dtype: str, options: Any) -> CompiledLoop | str:  # noqa: A001  (the protocol's name)
    """Returns a cell's loop over time, or in a few words why there is none.

    Args:
        description: `minigrad.recurrent.description.Description`.
        dtype: "float32" or "float64".
        options: `minigrad.engine.optional.LoopOptions`.
    """
    try:
        of, loop_text = _printed(description, dtype, options)
        real = np.dtype(dtype).type
        module = module_of(title_of(description), loop_text.text)
        return CompiledLoop(of, loop_text, module.forward, module.backward, real, options)
    except RefusedError as refused:
        return str(refused)


def text(description: Any, dtype: str, options: Any) -> str:
    """Returns the loop of a cell as text, a module that can be imported; or in a comment why there is none."""
    try:
        return _printed(description, dtype, options)[1].text
    except RefusedError as refused:
        return f"# {title_of(description)}: {refused}\n"


def _printed(description: Any, dtype: str, options: Any) -> tuple[Thinned, Printed]:
    if str(dtype) not in DTYPES:
        raise RefusedError(f"the kernel supports no {dtype}")
    of = thinned(description, options.x_masks, options.h_masks)
    return of, printed(of, str(dtype), options)
