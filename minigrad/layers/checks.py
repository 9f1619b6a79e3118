"""Checks of a user's input to a layer: shapes, results of custom functions, arguments of a call.

Each raises an error that begins with `where`.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from operator import index
from typing import Any

from minigrad.engine import tree
from minigrad.engine.arguments import entries, is_index
from minigrad.engine.creation import as_tensor
from minigrad.engine.errors import DTypeError, MinigradError, ShapeError, shown
from minigrad.engine.foreign import with_name
from minigrad.engine.tensor import Tensor
from minigrad.layers.options import OptionTypeError, unexpected


def is_shape(shape: Any) -> bool:
    """Return whether this is one shape, a tuple or list of whole numbers and None, rather than several."""
    return isinstance(shape, (tuple, list)) and all(n is None or _is_size(n) for n in shape)


def _is_size(n: Any) -> bool:
    return type(n) is int or is_index(n)


def check_input_shape(where: str, shape: Any, whole: Any = None, one: bool = False) -> None:
    """Check the shape, or unless `one` nested shapes, given to `build`; `whole` is the value that messages show."""
    if whole is None:
        whole = shape
        leaves(f"{where}: `input_shape`", shape)  # raises for a shape that contains itself
    if is_shape(shape) and all(n is None or n >= 0 for n in shape):
        return
    if one or is_shape(shape) or not isinstance(shape, (tuple, list, dict)) or not shape:
        raise ShapeError(
            f"{where}: expected `input_shape`, whole numbers with None for unknown sizes such as (None, 8), or a "
            f"list of such shapes, got {shown(whole)}."
        )
    for part in shape.values() if isinstance(shape, dict) else shape:
        if part is not None:
            check_input_shape(where, part, whole)


def read_weight_shape(where: str, shape: Any) -> tuple[int, ...]:
    """Return the shape of a new weight."""
    several = entries(shape)
    sizes = (shape,) if several is None else tuple(several)
    if len(sizes) > 64 or not all(_is_size(n) and 0 <= index(n) < 2**31 for n in sizes):
        hint = (
            " Build the layer with the number of features, e.g. (None, None, 8)."
            if any(n is None for n in sizes)
            else ""
        )
        raise ShapeError(f"{where}: expected `shape` to be whole numbers, got {shown(shape)}.{hint}")
    return tuple(map(index, sizes))


def leaves(where: str, structure: Any) -> list[Any]:
    """Return the leaves of nested lists; `where` names the argument in the error for a list that contains itself."""
    return tree.leaves(structure, where)


def is_list_of_numbers(where: str, structure: Any) -> bool:
    """Return whether nested lists hold numbers, and so are one array; `where` names the argument in errors."""
    return isinstance(next(iter(leaves(where, structure)), None), (int, float))


def penalty(regularizer: Callable[[Tensor], Any], x: Tensor, where: str) -> Tensor:
    """Return the penalty of a tensor, a single number; `where` names the regularizer's argument in errors."""
    try:
        return as_tensor(check_result("the penalty", regularizer(x), ()))
    except MinigradError as error:
        raise with_name(error, where) from error.__cause__


def check_result(where: str, value: Any, shape: tuple[int, ...]) -> Any:
    """Return the result of a custom function, which must have this shape."""
    given = getattr(value, "shape", None) if not isinstance(value, (int, float)) else ()
    if given is None:
        raise DTypeError(f"{where}: expected a tensor of shape {shape}, got {shown(value)}.")
    if tuple(given) != shape:
        hint = " Sum it: (w * w).sum()." if shape == () else ""
        raise ShapeError(f"{where}: expected a tensor of shape {shape}, got {tuple(given)}.{hint}")
    return value


def check_one_tensor(where: str, inputs: Any) -> None:
    """Check the inputs of a layer that takes one tensor."""
    if not isinstance(inputs, Tensor):
        many = isinstance(inputs, (list, tuple, dict))
        given = f"a {type(inputs).__name__} of {len(inputs)}" if many else repr(inputs)
        hint = " A layer with return_state=True returns [output, *states]: pass the first." if many else ""
        raise MinigradError(f"{where}: expected `inputs`, one tensor, got {given}.{hint}")


class CallSignature:
    """The parameters of a layer's `call` after the first, the inputs.

    Attributes:
        takes: the names; `training` is among them if `call` takes ``**kwargs``.
        one_tensor: whether the inputs are annotated as one Tensor.
        required: the names that a call must give; `__call__` fills in `training` and `mask`.
        accepted: the names that a call may give.
    """

    def __init__(self, call: Callable[..., Any]) -> None:
        self._signature = signature(call)
        first, *rest = list(self._signature.parameters.values())[1:]
        self._by_place = [p.name for p in rest if p.kind is p.POSITIONAL_OR_KEYWORD]
        named = [*self._by_place, *(p.name for p in rest if p.kind is p.KEYWORD_ONLY)]
        self.takes = (*named, *("training" for p in rest if p.kind is p.VAR_KEYWORD))
        self.one_tensor = first.annotation in ("Tensor", "TensorLike", Tensor)
        self.required = {p.name for p in rest if p.default is p.empty and p.name in named} - {"training", "mask"}
        self.accepted = {*named, "training"}
        self._known: set[tuple[int | str, ...]] = (
            set()
        )  # for calls accepted so far, how many by position, and the names

    def by_name(self, where: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Return (args, kwargs), all by name where that is possible.

        Raises:
            OptionTypeError: `call` does not take them.
        """
        given = dict(zip(self._by_place, args, strict=False))
        kind: tuple[int | str, ...] = (len(args), *kwargs)
        if kind in self._known:
            return (), given | kwargs
        if len(given) == len(args) and not given.keys() & kwargs.keys():
            args, kwargs = (), given | kwargs
            if self.required <= kwargs.keys() <= self.accepted:
                self._known.add(kind)
                return args, kwargs
        filled = {"training", "mask"}.intersection(self.takes).difference(self._by_place[: len(args)])
        known: dict[str, Any] = dict.fromkeys(filled)
        known |= {name: value for name, value in kwargs.items() if name in self.takes or name != "training"}
        try:
            self._signature.bind(None, None, *args, **known)
        except TypeError as error:
            wrong = [name for name in kwargs.keys() - self.accepted if repr(name) in str(error)]
            raise unexpected(where, wrong[0], self.takes) if wrong else OptionTypeError(f"{where}: {error}.") from None
        return args, kwargs
