"""What is said when memory is full: how much is in use, how much was wanted, and which batch would fit."""

from __future__ import annotations

from contextlib import suppress
from typing import NamedTuple

from minigrad.engine.errors import OutOfMemoryError
from minigrad.engine.protocol import BackendModule

MIB = 2**20


class Shortage(NamedTuple):
    """What a backend tells of a full memory, in bytes."""

    asked: int  # by what failed
    used: int
    room: int  # all that can be had, what is in use included


def out_of_memory(where: str, backend: BackendModule, error: MemoryError) -> OutOfMemoryError:
    """Returns the error to raise in place of a library's own.

    Args:
        where: the operation.
        backend: whose memory is full.
        error: what the library raised.
    """
    if isinstance(error, OutOfMemoryError):
        return error
    found = _shortage(backend, error)
    said = str(error) if found is None else _told(found, found.used)
    return OutOfMemoryError(
        f"{where}: the memory of the backend {backend.name!r} is full: {said.rstrip('.')}. Make the batch, the "
        "sequences or the model smaller."
    )


def with_advice(where: str, backend: BackendModule, error: MemoryError, rows: int) -> OutOfMemoryError:
    """Returns the error for a step that did not fit, with the batch size that would.

    What the step had taken when it failed, and what it asked for then, is reckoned to grow with the batch; what is left
    in use once the step has been forgotten (weights, the optimizer's numbers, data) is not. That says how many rows
    would have come as far. The rest of the step wants memory too, so the advice is the next lower power of two.

    Args:
        where: the place in the training.
        backend: whose memory is full.
        error: what was raised. The frames that it came through are cleared, so that what they held is free again.
        rows: the batch size.
    """
    cause = error
    while isinstance(cause, OutOfMemoryError) and isinstance(cause.__cause__, MemoryError):
        cause = cause.__cause__
    full = _shortage(backend, cause)
    for failed in (error, cause):
        _forget(failed)
    rest = _shortage(backend, cause)
    if full is None or rest is None:
        half = f"Try batch_size={rows // 2}." if rows > 1 else _fitting(0)
        return OutOfMemoryError(f"{where}: not enough memory for a batch of {rows} rows. {half} {cause}")
    taken = full.asked + full.used - rest.used
    fit = min(rows - 1, max(0, (full.room - rest.used) * rows // max(taken, 1)))
    return OutOfMemoryError(
        f"{where}: the memory of the backend {backend.name!r} is full at a batch of {rows} rows: "
        f"{_told(full, rest.used)}. {_fitting(fit)}"
    )


def _forget(error: BaseException) -> None:
    """Clears the frames that an error came through, as `traceback.clear_frames` does, which takes long to import."""
    step = error.__traceback__
    while step is not None:
        with suppress(RuntimeError):  # of a frame that still runs
            step.tb_frame.clear()
        step = step.tb_next


def _shortage(backend: BackendModule, error: MemoryError) -> Shortage | None:
    told = getattr(backend, "shortage", None)
    found = None if told is None else told(error)
    return None if found is None else Shortage(*found)


def _told(full: Shortage, rest: int) -> str:
    step = f" and {_mib(full.used - rest)} by this step" if full.used > rest else ""
    return f"of {_mib(full.room)} are {_mib(rest)} in use{step}, and {_mib(full.asked)} more were wanted"


def _mib(size: int) -> str:
    return f"{size / MIB:,.4g} MiB"


def _fitting(rows: int) -> str:
    """The advice, where so many rows would come as far."""
    if not rows:
        return "Not one row fits: make the sequences or the model smaller."
    return (
        f"At most {rows} rows would have come so far, and the rest of the step wants memory too: try batch_size="
        f"{1 << rows.bit_length() - 1} or less."
    )
