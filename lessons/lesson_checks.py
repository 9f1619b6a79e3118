"""Checks of your answers: each calls your function, compares, and says how a wrong answer differs from a right one."""

from __future__ import annotations

import inspect
import linecache
import re
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import permutations
from typing import Any, NoReturn
from weakref import WeakSet

import numpy as np

from lesson_diagnosis import Pair, diagnose, diagnose_shape, not_finite
from lesson_mistakes import CheckError, check, fail, fail_in_words

__all__ = ["CheckError", "ask", "attempt", "check", "check_gradients", "gate_orders", "returned", "same", "same_parts"]

# --- your function ----------------------------------------------------------------------------------------------------

_WRITERS: WeakSet[Callable[..., Any]] = WeakSet()  # functions already reported to write into their arguments
_ASKED: dict[str, Any] = {}  # the arrays among the arguments of the last call, by their names


def ask(
    function: Callable[..., Any],
    *arguments: Any,
    parts: Sequence[str] = (),
    shape: Sequence[Any] | None = None,
    tensors: bool = False,
    called: str = "",
    unchanged: bool = False,
    **options: Any,
) -> Any:
    """Return the answer of your function, if it has the required form.

    The function gets copies of all arrays, so it may write into them. If it does, a sentence says so, once.

    Args:
        function: yours.
        *arguments: its arguments; arrays in them, also those inside lists, tuples and dictionaries, are copied.
        parts: the names of the things that it returns, if there are several.
        shape: the shape of the array that it returns, or of each part; None for any.
        tensors: whether it may return Tensors where it is given arrays.
        called: the function's name in messages, where it is not that of its `def`.
        unchanged: whether the exercise forbids to write into arguments.
        **options: its keyword arguments.

    Raises:
        CheckError: the function takes other arguments, stops with an error, returns None, returns another form, or
            returns NaN; or it writes into an argument where that is forbidden.
    """
    name = called or _name(function)
    answer, given = _called(name, function, arguments, options, unchanged)
    answer = returned(name, answer, *parts, shape=shape)
    _require_arrays(name, answer, parts, given, tensors)
    return answer


def attempt(function: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """Return the answer of your function or layer, of any form; an error in it becomes a sentence with your line.

    Raises:
        CheckError: it takes other arguments, or stops with an error.
    """
    return _called(_name(function), function, arguments, options)[0]


def _name(function: Any) -> str:
    return getattr(function, "__name__", type(function).__name__)


def _called(
    name: str, function: Any, arguments: Sequence[Any], options: Mapping[str, Any], unchanged: bool = False
) -> tuple[Any, dict[str, Any]]:
    """Return the answer of a function that was given copies, and its arguments by their names."""
    try:
        call = _signature(function).bind(*arguments, **options)
    except TypeError as error:
        raise CheckError(f"{name} should take the arguments that the exercise names: {error}.") from None
    given = dict(call.arguments)
    call.arguments.update({key: _copied(value) for key, value in given.items()})
    handed = dict(call.arguments)
    try:
        answer = function(*call.args, **call.kwargs)
    except CheckError:
        raise
    except NotImplementedError as gap:  # Jupyter shows its sentence, and no lines of this file
        shown = [f"NotImplementedError: {gap}"]
        vars(gap)["_render_traceback_"] = lambda: shown
        raise
    except Exception as error:  # noqa: BLE001  (each error of a student's function becomes a sentence)
        stopped(name, function, error)
    written = [f"`{key}`" for key in given if _contents(given[key]) != _contents(handed[key])]
    if written and unchanged:
        fail_in_words(f"{name} writes into its argument {', '.join(written)}. Here it should leave it as it was.")
    if written and inspect.isfunction(function) and function not in _WRITERS:
        _WRITERS.add(function)
        print(
            f"{name} writes into its argument {', '.join(written)}. That costs no points: a check passes copies. "
            "But a caller who still needs the old numbers has lost them."
        )
    _ASKED.clear()
    for key, value in given.items():
        named = value._asdict() if hasattr(value, "_asdict") else {}
        inside = {f"{key}.{part}": one for part, one in named.items()}
        _ASKED.update({k: v for k, v in {key: value, **inside}.items() if isinstance(v, np.ndarray)})
    return answer, given


def _signature(function: Any) -> inspect.Signature:
    """Return a function's signature; that of any function where Python cannot tell, as for some of NumPy's."""
    try:
        return inspect.signature(function)
    except ValueError:
        return inspect.signature(lambda *arguments, **options: None)


def stopped(name: str, function: Any, error: Exception) -> NoReturn:
    """Raise `CheckError` with the line of the student's code at which an error arose, and the error."""
    cell = getattr(getattr(inspect.unwrap(function), "__code__", None), "co_filename", None)
    lines = [
        (frame.f_code.co_filename, n, frame.f_globals.get("__name__"))
        for frame, n in traceback.walk_tb(error.__traceback__)
    ]
    mine = [line for line in lines if line[0] == cell] or [line for line in lines if line[2] == "__main__"]
    line = linecache.getline(*mine[-1][:2]).strip() if mine else ""
    where = f" in line {mine[-1][1]} of its cell, `{line}`" if line else ""
    said = "it calls itself too many times" if isinstance(error, RecursionError) else f"{type(error).__name__}: {error}"
    said = re.sub(r"matmul: .*gufunc signature \S+ ", "the shapes of a matrix product do not fit ", said)
    if "do not fit" in said or "broadcast together" in said:
        said = f"{said.rstrip(' .')}. Print the shapes of both sides"
    says = f"{name} stops with an error{where}: {said.rstrip(' .')}."
    fail_in_words(says, f"{name}, {re.sub('_[0-9]+[.]', '.', said)}")  # a layer's name counts the layers before it


def _require_arrays(name: str, answer: Any, parts: Sequence[str], given: Mapping[str, Any], tensors: bool) -> None:
    """Raise if an answer holds a Tensor where arrays were given, or NaN where none was given."""
    several = dict(zip(parts, answer, strict=True)) if parts else {name: answer}
    plain = not tensors and not any(type(x).__module__.startswith("minigrad") for x in _leaves(given))
    clean = not any(np.isnan(x).any() for x in _leaves(given) if isinstance(x, np.ndarray) and x.dtype.kind == "f")
    for part, value in several.items():
        for x in _leaves(value):
            if plain and hasattr(x, "numpy"):
                raise CheckError(
                    f"{part} is a Tensor of {type(x).__module__.partition('.')[0]}; this exercise computes with NumPy "
                    "arrays. Use NumPy's functions, or return `.numpy()` of it."
                )
            x = np.asarray(x) if isinstance(x, (np.ndarray, np.floating, float)) else np.zeros(())
            if clean and x.dtype.kind == "f" and np.isnan(x).any():
                fail(f"{part}: {not_finite(Pair(x, x, 0.0))}", f"NaN in {part}", np.isnan(x))


def _copied(x: Any) -> Any:
    """Return the same value with a copy of every array in it."""
    if isinstance(x, np.ndarray):
        return x.copy()
    if isinstance(x, dict):
        return {key: _copied(value) for key, value in x.items()}
    if isinstance(x, (list, tuple)):
        parts = [_copied(part) for part in x]
        return type(x)(*parts) if hasattr(x, "_fields") else type(x)(parts)  # a NamedTuple takes them one by one
    return x


def _contents(x: Any) -> list[tuple[Any, ...]]:
    """Return the shape, dtype and bytes of every array in a value: equal for NaN too."""
    return [(a.shape, a.dtype.str, a.tobytes()) for a in _leaves(x) if isinstance(a, np.ndarray)]


def _leaves(x: Any) -> Iterator[Any]:
    """Yield the things in nested lists, tuples and dictionaries."""
    if isinstance(x, (list, tuple, dict)):
        for part in x.values() if isinstance(x, dict) else x:
            yield from _leaves(part)
    else:
        yield x


def returned(what: str, answer: Any, *parts: str, shape: Sequence[Any] | None = None) -> Any:
    """Return an answer if it has the required form; lists of numbers become arrays.

    Args:
        what: the function's name.
        answer: the value that it returned.
        *parts: the names of the things that it returns, if there are several.
        shape: the shape of the array that it returns, or of each part; None for any.

    Raises:
        CheckError: it is None, or has another form.
    """
    if answer is None:
        raise CheckError(f"{what} returned None. Is there a `return` at its end?")
    if inspect.isgenerator(answer) or isinstance(answer, (map, zip, filter)):
        raise CheckError(f"{what} returned a {type(answer).__name__} object. Put `tuple(…)` around it.")
    if parts:
        several = isinstance(answer, (tuple, list)) or (
            isinstance(answer, np.ndarray) and answer.shape[:1] == (len(parts),)
        )
        count = len(answer) if several else 1
        came = "one thing" if count == 1 else f"{count} things"
        if count != len(parts):
            fail_in_words(f"{what} should return {', '.join(parts)}; yours returned {came}.")
        missing = [part for part, one in zip(parts, answer, strict=True) if one is None]
        if missing:
            raise CheckError(f"{what}: {', '.join(missing)} of what yours returned is None.")
        shapes = [None] * len(parts) if shape is None else shape
        return tuple(_in_form(*one) for one in zip(parts, answer, shapes, strict=True))
    return answer if shape is None else _in_form(what, answer, shape)


def _in_form(name: str, x: Any, shape: Any) -> Any:
    """Return one part of an answer if it has the required shape; None allows any form."""
    if shape is not None and isinstance(x, tuple) and any(isinstance(part, np.ndarray) and part.ndim for part in x):
        raise CheckError(f"{name} should be one array; yours is a tuple of {len(x)} things.")
    x = _array(name, x)
    if shape is None:
        return x
    kind = "fiub" if isinstance(x, (np.ndarray, np.generic, int, float)) else ""
    if not hasattr(x, "numpy") and np.asarray(x).dtype.kind not in kind:
        raise CheckError(f"{name} should be {'an array of numbers' if shape else 'a number'}; yours is {_kind(x)}.")
    came = tuple(x.shape) if hasattr(x, "shape") else np.shape(x)  # a Tensor will not be NumPy's
    if came != tuple(shape):
        form = f"an array of shape {tuple(shape)}" if len(shape) else "one number"
        numbers = np.asarray(x) if not hasattr(x, "numpy") else ()
        hint = diagnose_shape(np.zeros(came), np.full(shape, np.nan), 0.0)
        fail(f"{name} should be {form}; yours has the shape {came}.", f"{name} {shape} {came}", numbers, hint)
    return x


def _kind(x: Any) -> str:
    """Return the type of a value in words."""
    if isinstance(x, np.ndarray):
        return f"an array of {x.dtype}"
    return "a function" if callable(x) else f"of type {type(x).__name__}"


def _array(name: str, x: Any) -> Any:
    """Return a list of numbers as an array, and any other value unchanged."""
    if not isinstance(x, (list, tuple)):
        return x
    try:
        return np.asarray(x)
    except ValueError:
        raise CheckError(
            f"{name} should be one array; yours is a {type(x).__name__} of parts that do not fit."
        ) from None


# --- comparisons ------------------------------------------------------------------------------------------------------


def same(
    name: str,
    yours: Any,
    expected: Any,
    rtol: float = 1e-5,
    atol: float = 1e-9,
    *,
    axes: str = "",
    masked: Any = None,
    terms: Mapping[str, Any] | None = None,
    others: Mapping[str, Any] | None = None,
) -> None:
    """Compare two numbers, arrays or Tensors, and report the difference, its place, its size and its likely cause.

    A right answer that was computed in float32 is right.

    Args:
        name: of the quantity, such as ``"dx"``.
        yours: the result of your code.
        expected: the right one.
        rtol: the difference allowed, relative to the largest of the expected numbers.
        atol: the difference allowed besides.
        axes: a word for each axis, ``"step row unit"``; ``gates`` for columns in the order i, f, g, o.
        masked: where steps (and rows) are masked, True or 1; of the shape of the first axes.
        terms: where the expected numbers are a sum, its terms by their names.
        others: arrays for which yours may have been taken, by their names.

    Raises:
        CheckError: they differ.
    """
    mine, want = _host(name, yours), _host(name, expected)
    slack = rtol * np.abs(want).max(initial=0.0) + atol
    place = f"{name} {want.shape}"
    if mine.shape != want.shape:
        says = f"{name} should have shape {want.shape}; yours has {mine.shape}."
        fail(says, f"{place} {mine.shape}", mine, diagnose_shape(mine, want, slack))
    pair = Pair(mine, want, slack, tuple(axes.split()), masked, **_facts(want, terms, others))
    wrong = pair.wrong()  # where there is NaN, too
    difference = np.abs(mine - want)
    if wrong.any():
        at = np.unravel_index(np.nan_to_num(np.where(wrong, difference, -1.0), nan=np.inf).argmax(), mine.shape)
        most = f" at {name}[{', '.join(map(str, at))}]" if mine.ndim else ""
        says = (
            f"{name}: {int(wrong.sum())} of {wrong.size} numbers differ, most{most}: yours {mine[at]:.6g}, "
            f"expected {want[at]:.6g}."
        )
        bools = getattr(getattr(yours, "dtype", None), "kind", "") == "b" and not np.isin(want, (0, 1)).all()
        fail(says, place, mine, "Yours is True and False, not numbers." if bools else diagnose(pair), rtol, atol)
    print(f"{name}: as expected (largest difference {difference.max(initial=0.0):.1e})")


def same_parts(
    names: Sequence[str], yours: Sequence[Any], expected: Sequence[Any], rtol: float = 1e-5, **facts: Mapping[str, Any]
) -> None:
    """Compare several results, and report which of them are right; yours may have been exchanged.

    Args:
        names: of the quantities.
        yours: the results of your code.
        expected: the right ones.
        rtol: as in `same`.
        **facts: `axes`, `masked`, `terms` as in `same`, for each name that has one: ``axes={"dz": "row gates"}``.

    Raises:
        CheckError: some differ; the first of them is reported, after the names of those that are right.
    """
    right, first = [], None
    wants = {f"the expected {name}": _host(name, want) for name, want in zip(names, expected, strict=True)}
    for name, mine, want in zip(names, yours, expected, strict=True):
        others = {key: value for key, value in wants.items() if key != f"the expected {name}"}
        known = {fact: given[name] for fact, given in facts.items() if name in given}
        try:
            same(name, mine, want, rtol, others=others, **known)
        except CheckError as error:
            first = first or error
        else:
            right.append(name)
    if first is None:
        return
    before = f"{', '.join(right)}: right. " if right else ""
    raise CheckError(f"{before}{first}", first.place, first.mark, first.known)


def check_gradients(name: str, function: Callable[..., Any], *inputs: Any, **options: Any) -> None:
    """Compare the gradients of a function with finite differences, as `mg.testing.check_gradient` does.

    Raises:
        CheckError: they differ.
    """
    import minigrad as mg

    try:
        mg.testing.check_gradient(function, *inputs, **options)
    except mg.errors.GradientCheckError as error:
        fail_in_words(f"{name}: {error}")
    print(f"{name}: the gradients agree with finite differences")


def gate_orders(function: Callable[..., Any], *weights: Any) -> dict[str, Any]:
    """Return the results of a function of weights with the columns of the gates in each other order, for `others`.

    Args:
        function: returns the right result from right weights.
        *weights: arrays whose columns are in the order i, f, g, o.
    """
    found = {}
    for order in permutations("ifgo"):
        moved = [np.split(w, 4, axis=-1) for w in weights]
        moved = [np.concatenate([parts[order.index(k)] for k in "ifgo"], axis=-1) for parts in moved]
        found[f"the result with the gates in the order {', '.join(order)}"] = function(*moved)
    return dict(list(found.items())[1:])  # the first one is i, f, g, o


def _facts(want: Any, terms: Any, others: Any) -> dict[str, Any]:
    """Return what `Pair` needs besides: terms, other quantities, the last call's arguments and their lengths."""
    plain = {key: _host(key, value) for key, value in (terms or {}).items()}
    known = {key: _host(key, value) for key, value in (others or {}).items()}
    sizes: dict[int, str] = {}
    for key, array in _ASKED.items():
        known.setdefault(f"the argument `{key}`, unchanged", array)
        for k, n in enumerate(array.shape):
            sizes.setdefault(n, f"the length of axis {k} of `{key}`")
        if array.ndim > 2:
            sizes.setdefault(int(np.prod(array.shape[:-1])), f"the number of rows in `{key}`")
    numbers = {f"`{key}`": array for key, array in _ASKED.items() if array.dtype.kind == "f"}
    fitting = {key: value for key, value in known.items() if np.shape(value) == want.shape}
    return {"terms": plain, "others": fitting, "inputs": numbers, "sizes": sizes}


def _host(name: str, x: Any) -> Any:
    """Return a value as a float64 array."""
    if x is None or x is Ellipsis:
        raise CheckError(f"{name} is {x}. Does your function return it?")
    array = np.asarray(_array(name, x.numpy() if hasattr(x, "numpy") else x))
    if array.dtype.kind not in "fiub":
        raise CheckError(f"{name} should be numbers; yours is {_kind(x)}.")
    return array.astype(np.float64)
