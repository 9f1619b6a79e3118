"""Wording of the errors of tensors and functions, quoted once for all tests."""

from __future__ import annotations

DIFFERENT_AXES = " to name different axes of "
EACH_AXIS = "expected `axes` to name each of the 2 axes of x once"
INTEGERS = "expected integers from 0 to "
LABELS = "expected `labels` from 0 to "
LOSES_GRADIENT = "NumPy would lose the gradient"
SUBSCRIPTS = "einsum: expected subscripts such as "
TOO_MANY_ROWS = "not enough memory for a batch of "
WHOLE_SIZES = "expected `shape`, whole numbers from"
WOULD_FIT = "rows would have fit up to here, and the rest"


def full_memory(backend: str) -> str:
    """Return the beginning of the error for full memory."""
    return f"the memory of the backend {backend!r} is full"
