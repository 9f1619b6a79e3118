"""Other right answers, made from a solution: the same numbers in another form, or with the arguments overwritten."""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from lessons.builder.percent import Cell

Function = Callable[..., Any]


def as_list(a: Any) -> Any:
    """An array as nested lists of Python's numbers."""
    return a.tolist()


def as_float32(a: Any) -> Any:
    """An array of floats in single precision."""
    return a.astype(np.float32) if a.dtype.kind == "f" else a


def as_integers(a: Any) -> Any:
    """An array of whole numbers as integers."""
    return a.astype(np.int64) if a.dtype.kind == "f" and (a == np.round(a)).all() else a


def as_view(a: Any) -> Any:
    """An array that lies in memory in another order."""
    return np.repeat(a, 2, axis=-1)[..., ::2] if a.ndim else a


FORMS = {"lists": as_list, "float32": as_float32, "integers": as_integers, "a view": as_view}


def in_another_form(form: Function, function: Function) -> Function:
    """Return a function with the same answers, each array of them in another form."""

    @functools.wraps(function)
    def answer(*args: Any, **kwargs: Any) -> Any:
        return mapped(form, function(*args, **kwargs))

    return answer


def spoiling(function: Function) -> Function:
    """Return a function with the same answers that overwrites every array among its arguments."""

    @functools.wraps(function)
    def answer(*args: Any, **kwargs: Any) -> Any:
        found = mapped(np.copy, function(*args, **kwargs))
        for value in (*args, *kwargs.values()):
            mapped(lambda a: a.fill(7), value)
        return found

    return answer


def mapped(form: Function, x: Any) -> Any:
    """Apply a function to every array and float in a value; return the new value."""
    if isinstance(x, (np.ndarray, np.floating, float)):
        return form(np.asarray(x))
    if isinstance(x, dict) and type(x) is dict:
        return {key: mapped(form, value) for key, value in x.items()}
    if isinstance(x, (list, tuple)):
        parts = [mapped(form, part) for part in x]
        return type(x)(*parts) if hasattr(x, "_fields") else type(x)(parts)
    return x


def made_from(exercise: Cell, names: dict[str, Any]) -> Iterator[tuple[str, dict[str, Function]]]:
    """Yield variants of a solution that has run: the name of each, and its functions."""
    defined = [one.name for one in ast.parse(exercise.text).body if isinstance(one, ast.FunctionDef)]
    functions = {name: names[name] for name in defined}
    if functions:
        yield "arguments written over", {name: spoiling(f) for name, f in functions.items()}
        for label, form in FORMS.items():
            yield label, {name: in_another_form(form, f) for name, f in functions.items()}
