"""Messages for a full memory: how much is in use, how much was requested, and which batch size would fit."""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

from minigrad.engine.errors import OutOfMemoryError
from minigrad.engine.protocol import BackendModule

MIB = 2**20


class Shortage(NamedTuple):
    """Memory in bytes when an allocation failed."""

    requested: int  # by the allocation that failed
    used: int
    room: int  # in all, including the used bytes


def out_of_memory(where: str, backend: BackendModule, error: MemoryError) -> OutOfMemoryError:
    """Return the error to raise in place of a library's own.

    Args:
        where: the operation.
        backend: the backend whose memory is full.
        error: the library's error.
    """
    if isinstance(error, OutOfMemoryError):
        return error
    found = _shortage(backend, error)
    said = str(error) if found is None else _summary(found, found.used)
    return OutOfMemoryError(
        f"{where}: the memory of the backend {backend.name!r} is full: {said.rstrip('.')}. Make the batch, the "
        "sequences or the model smaller."
    )


def with_advice(where: str, backend: BackendModule, error: MemoryError, rows: int) -> OutOfMemoryError:
    """Return the error for a training step that did not fit into memory, with a batch size that would.

    Memory that the step used or requested is assumed to grow with the batch. Memory still in use after the step's
    frames are cleared (weights, the optimizer's slots, data) does not. From these follows how many rows would have fit
    up to this point. The rest of the step needs memory too, so the advice is the next lower power of two.

    Args:
        where: the place in the training.
        backend: the backend whose memory is full.
        error: the error that was raised. Its frames are cleared, so that the arrays in them are released.
        rows: the batch size.
    """
    cause = error
    while isinstance(cause, OutOfMemoryError) and isinstance(cause.__cause__, MemoryError):
        cause = cause.__cause__
    full = _shortage(backend, cause)
    for failed in (error, cause):
        _clear_frames(failed)
    rest = _shortage(backend, cause)
    if full is None or rest is None:
        half = f"Try batch_size={rows // 2}." if rows > 1 else _batch_advice(0)
        return OutOfMemoryError(f"{where}: not enough memory for a batch of {rows} rows. {half} {cause}")
    taken = full.requested + full.used - rest.used
    fit = min(rows - 1, max(0, (full.room - rest.used) * rows // max(taken, 1)))
    return OutOfMemoryError(
        f"{where}: the memory of the backend {backend.name!r} is full at a batch of {rows} rows: "
        f"{_summary(full, rest.used)}. {_batch_advice(fit)}"
    )


def _clear_frames(error: BaseException) -> None:
    """Clear the frames of an error, as `traceback.clear_frames` does; importing `traceback` would take long."""
    step = error.__traceback__
    while step is not None:
        with suppress(RuntimeError):  # of a frame that still runs
            step.tb_frame.clear()
        step = step.tb_next


def _shortage(backend: BackendModule, error: MemoryError) -> Shortage | None:
    report = getattr(backend, "shortage", None)
    found = None if report is None else report(error)
    return None if found is None else Shortage(*found)


def _summary(full: Shortage, rest: int) -> str:
    step = f" and {_mib(full.used - rest)} by this step" if full.used > rest else ""
    return f"of {_mib(full.room)} are {_mib(rest)} in use{step}, and {_mib(full.requested)} more were requested"


def _mib(size: int) -> str:
    return f"{size / MIB:,.4g} MiB"


def _batch_advice(rows: int) -> str:
    """Return the advice for a step where this number of rows would have fit up to the error."""
    if not rows:
        return "Not one row fits: make the sequences or the model smaller."
    return (
        f"At most {rows} rows would have fit up to here, and the rest of the step needs memory too: try batch_size="
        f"{1 << rows.bit_length() - 1} or less."
    )
