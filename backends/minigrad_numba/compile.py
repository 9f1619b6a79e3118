"""The loop of any cell, printed from its description and compiled by Numba at its first call."""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad_numba.dropout import WithDropout, with_dropout
from minigrad_numba.locations import UnsupportedError
from minigrad_numba.loops import CompiledLoop
from minigrad_numba.printer import PrintedLoop, printed, title_of
from minigrad_numba.source import module_of
from minigrad_numpy.compile import DTYPES


def compile(description: Any, dtype: str, options: Any) -> CompiledLoop | str:  # noqa: A001  (the protocol's name)
    """Return the printed and compiled loop of a cell, or the reason why it cannot be printed.

    Args:
        description: `minigrad.recurrent.description.Description`.
        dtype: "float32" or "float64".
        options: `minigrad.engine.optional.LoopOptions`.
    """
    try:
        cell, printed_loop = _printed(description, dtype, options)
        real = np.dtype(dtype).type
        module = module_of(title_of(description), printed_loop.text)
        return CompiledLoop(cell, printed_loop, module.forward, module.backward, real, options)
    except UnsupportedError as error:
        return str(error)


def text(description: Any, dtype: str, options: Any) -> str:
    """Return the loop of a cell as text, an importable module; or a comment with the reason why there is none."""
    try:
        return _printed(description, dtype, options)[1].text
    except UnsupportedError as error:
        return f"# {title_of(description)}: {error}\n"


def _printed(description: Any, dtype: str, options: Any) -> tuple[WithDropout, PrintedLoop]:
    if str(dtype) not in DTYPES:
        raise UnsupportedError(f"the kernel supports no {dtype}")
    cell = with_dropout(description, options.x_masks, options.h_masks)
    return cell, printed(cell, str(dtype), options)
