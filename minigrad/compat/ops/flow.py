"""Loops and choices, which run at once: `while_loop`, `cond`, `scan`, `map_fn`; `function`, which changes nothing."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from functools import wraps
from typing import Any

from minigrad.compat.graphs.recordable import recordable
from minigrad.compat.ops.arrays import convert
from minigrad.engine import functional as F
from minigrad.engine import tree
from minigrad.engine.errors import OptionError, ShapeError, shown

_said: list[str] = []


def function(func: Any = None, input_signature: Any = None, **without_effect: Any) -> Any:
    """Return the function: it runs eagerly, as everything here. The first use says so in a warning."""
    if func is None:
        return lambda inner: function(inner, input_signature)
    if not callable(func):
        raise OptionError(f"tf.function: expected a function, got {shown(func)}.")
    if not _said:
        _said.append("tf.function")
        warnings.warn("tf.function runs the function eagerly here, and says so once.", stacklevel=2)

    @wraps(func)
    def call(*args: Any, **kwargs: Any) -> Any:
        return func(*args, **kwargs)

    call.python_function = func  # type: ignore[attr-defined]
    return call


def cond(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any], name: Any = None) -> Any:
    """true_fn() if the condition holds, else false_fn()."""
    return _chosen(pred, _Branches(true_fn, false_fn))


class _Branches:
    """Two functions, which a recorded call holds without a look inside."""

    def __init__(self, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> None:
        self.true_fn, self.false_fn = true_fn, false_fn


@recordable
def _chosen(pred: Any, branches: _Branches) -> Any:
    return tree.map(convert, branches.true_fn() if bool(pred) else branches.false_fn())


@recordable
def while_loop(
    cond: Callable[..., Any], body: Callable[..., Any], loop_vars: Any, shape_invariants: Any = None,
    parallel_iterations: int = 10, back_prop: bool = True, swap_memory: bool = False, maximum_iterations: Any = None,
    return_same_structure: bool = True,
) -> Any:  # fmt: skip
    """body(*body(… loop_vars)) as long as cond(*…) holds. Gradients pass through every round."""
    many = isinstance(loop_vars, (list, tuple))
    state = tree.map(_as_state, loop_vars if many else (loop_vars,))
    rounds, limit = 0, None if maximum_iterations is None else int(maximum_iterations)
    while (limit is None or rounds < limit) and bool(cond(*state)):
        new = body(*state)
        new = new if isinstance(new, (list, tuple)) and not _is_single(state, new) else (new,)
        if not tree.alike(list(state), list(new)):
            raise ShapeError(
                f"while_loop: expected `body` to return the structure of `loop_vars`, got {shown(new)} in round "
                f"{rounds + 1}."
            )
        state = type(state)(tree.map(_as_state, list(new))) if type(state) in (list, tuple) else new
        rounds += 1
    return state if many and (return_same_structure or len(state) > 1) else state[0]


def _is_single(state: Any, new: Any) -> bool:
    """Return whether `new` is the only loop variable itself, a nested one."""
    return len(state) == 1 and tree.alike(state[0], new) and not tree.alike(list(state), list(new))


def _as_state(x: Any) -> Any:
    return x if hasattr(x, "stack") else convert(x)


@recordable
def scan(
    fn: Callable[..., Any], elems: Any, initializer: Any = None, parallel_iterations: int = 10, back_prop: bool = True,
    swap_memory: bool = False, infer_shape: bool = True, reverse: bool = False,
) -> Any:  # fmt: skip
    """fn(fn(a₀, x₀), x₁) …, all of them stacked: over the first axis of `elems`, which may be nested.

    Args:
        fn: a function of the accumulated value and of an entry.
        elems: a tensor, or nested tensors.
        initializer: a₀; by default the first entry, with which the loop then does not begin.
        parallel_iterations: without effect, as the next three.
        back_prop: without effect.
        swap_memory: without effect.
        infer_shape: without effect.
        reverse: whether the loop runs from the last entry to the first.
    """
    entries = _entries("scan", elems)
    entries = entries[::-1] if reverse else entries
    if initializer is None:
        a, found, entries = entries[0], [entries[0]], entries[1:]
    else:
        a, found = tree.map(convert, initializer), []
    for x in entries:
        a = tree.map(convert, fn(a, x))
        found.append(a)
    return _stacked("scan", found[::-1] if reverse else found)


@recordable
def map_fn(fn: Callable[..., Any], elems: Any, dtype: Any = None, **without_effect: Any) -> Any:
    """fn of each entry along the first axis of `elems`, the results stacked."""
    return _stacked("map_fn", [tree.map(convert, fn(x)) for x in _entries("map_fn", elems)])


@recordable
def foldl(fn: Callable[..., Any], elems: Any, initializer: Any = None, **without_effect: Any) -> Any:
    """fn(fn(a₀, x₀), x₁) …, the last one only."""
    entries = _entries("foldl", elems)
    a = entries.pop(0) if initializer is None else tree.map(convert, initializer)
    for x in entries:
        a = tree.map(convert, fn(a, x))
    return a


def _entries(where: str, elems: Any) -> list[Any]:
    tensors = tree.map(convert, elems)
    columns = [F.unstack(t) for t in tree.leaves(tensors)]
    if not columns or not columns[0]:
        raise ShapeError(f"{where}: expected `elems` with at least one entry, got none.")
    return [tree.unflatten(tensors, list(row)) for row in zip(*columns, strict=True)]


def _stacked(where: str, found: list[Any]) -> Any:
    if any(not tree.alike(found[0], one) for one in found[1:]):
        raise ShapeError(f"{where}: expected `fn` to return one structure for every entry, got {shown(found)}.")
    return tree.map(lambda *parts: F.stack(list(parts)), found[0], *found[1:])
