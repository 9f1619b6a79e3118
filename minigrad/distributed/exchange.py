"""Exchanges between processes: sums of arrays, the weights of process 0, the parts of a batch.

Every process must make the same calls in the same order: one that does not leaves the others waiting. Arrays of a
device travel through the host.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from minigrad.distributed.world import DistributedError, world
from minigrad.engine import random, tree
from minigrad.engine.arguments import flag, listed, whole
from minigrad.engine.conversion import constant
from minigrad.engine.creation import as_tensor
from minigrad.engine.dtypes import dtype_name
from minigrad.engine.errors import OptionError, ShapeError, shown
from minigrad.engine.protocol import Array
from minigrad.engine.tensor import Tensor

HALF = ("float16", "bfloat16")  # MPI has no sums of them


def allreduce(values: Any, average: bool = False) -> Any:
    """Return Σ over all processes of tensors, arrays or numbers, or of lists and dictionaries of them.

    All values of one dtype travel as one array. Every process gets the same bits.

    Args:
        values: of the same structure and shapes in every process.
        average: whether to divide by the number of processes.

    Raises:
        ShapeError: a value cannot be an array, or has another shape in another process.
    """
    average = flag("allreduce: `average`", average)
    given = tree.map(lambda value: as_tensor(value, None, "allreduce: `values`"), values)
    tensors = tree.leaves(given)
    summed = sum_arrays([t.numpy() for t in tensors], "allreduce: `values`")
    if average:
        summed = [array / world().size for array in summed]
    return tree.unflatten(given, [_beside(t, array) for t, array in zip(tensors, summed, strict=True)])


def sum_arrays(arrays: Sequence[Array], where: str) -> list[Array]:
    """Return Σ over all processes of NumPy arrays; those of one dtype travel as one array."""
    comm = world().comm
    if comm is None:
        return list(arrays)
    places: dict[str, list[int]] = {}
    for k, array in enumerate(arrays):
        places.setdefault(dtype_name(array.dtype), []).append(k)
    summed: list[Any] = [None] * len(arrays)
    for name in sorted(places):
        flat = np.concatenate([arrays[k].ravel() for k in places[name]])
        total = _sum(comm, flat.astype("float32") if name in HALF else flat, where).astype(flat.dtype, copy=False)
        ends = np.cumsum([arrays[k].size for k in places[name]])
        for k, end in zip(places[name], ends, strict=True):
            summed[k] = total[end - arrays[k].size : end].reshape(arrays[k].shape)
    return summed


def _sum(comm: Any, flat: Array, where: str) -> Array:
    """Return Σ over all processes of a vector, a new array."""
    total = np.empty_like(flat)
    try:
        comm.Allreduce(flat, total)
    except Exception as error:  # MPI.Exception; for example of vectors whose lengths differ
        raise ShapeError(f"{where}: expected the same shapes in every process: {error}.") from error
    return total


def _beside(like: Tensor, array: Array) -> Tensor:
    return constant(np.asarray(array, dtype=dtype_name(like.dtype)), like.backend)


def broadcast(weights: Any, root: int = 0) -> None:
    """Set weights in all processes to those of one process.

    Args:
        weights: a list of weights, the same ones in every process.
        root: the rank of that process.

    Raises:
        OptionError: there is no such process, or no list of weights.
    """
    job, given = world(), listed("broadcast: `weights`", weights)
    root = whole("broadcast: `root`", root, 0, job.size - 1)
    for w in given:
        if not isinstance(w, Tensor):
            raise OptionError(f"broadcast: expected `weights`, a list of tensors, got {shown(w)} in it.")
    for w, array in zip(given, shared([w.numpy() for w in given], root), strict=True):
        if job.rank != root:
            w.array = _beside(w, array).array


def shared(value: Any, root: int = 0) -> Any:
    """Return a value of one process, of any picklable type, in all processes."""
    comm = world().comm
    return value if comm is None else comm.bcast(value, root=root)


def gathered(value: Any) -> list[Any]:
    """Return the values of all processes, by rank; of any picklable type."""
    comm = world().comm
    return [value] if comm is None else comm.allgather(value)


def allgather(array: Any) -> Tensor:
    """Return the rows of all processes, one after another: the opposite of `shard`.

    Args:
        array: (rows, …); the number of rows may differ between processes.
    """
    own = as_tensor(array, None, "allgather: `array`")
    if world().comm is None:
        return own
    return _beside(own, np.concatenate(gathered(own.numpy())))


def any_of(condition: bool) -> bool:
    """Return whether a condition holds in any process."""
    comm = world().comm
    return bool(condition) if comm is None else bool(sum_arrays([np.array([int(condition)])], "any_of")[0][0])


def synchronize(weights: Iterable[Any] = ()) -> None:
    """Set the random generator, and these weights, in all processes to those of process 0.

    `fit` calls this at its start: the order of the rows, the dropout masks and weights that are built later are then
    the same in every process.
    """
    if world().comm is not None:
        random.set_state(shared(random.get_state()))
        broadcast(list(weights))


def check_equal(what: str, value: Any) -> None:
    """Raise an error in every process unless all have the same value.

    Raises:
        DistributedError: they differ; the message names a process that does.
    """
    found = gathered(value)
    for other, theirs in enumerate(found):
        if theirs != found[0]:
            raise DistributedError(
                f"distributed: expected the same {what} in every process, got {shown(found[0])} in process 0 and "
                f"{shown(theirs)} in process {other}. Start all of them by the same command, on the same files."
            )
