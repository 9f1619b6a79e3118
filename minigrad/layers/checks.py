"""What a layer is handed by its user, looked at: shapes, what functions of one's own return, what a call is given.

Each of these raises an error that begins with `where` if what came is not what was expected.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from inspect import signature
from typing import Any

from minigrad.engine.errors import DTypeError, MinigradError, ShapeError
from minigrad.engine.tensor import Tensor
from minigrad.layers.options import OptionTypeError, unexpected


def is_shape(shape: Any) -> bool:
    """Is it one shape, a tuple or list of whole numbers and None, rather than several?"""
    return isinstance(shape, (tuple, list)) and all(n is None or hasattr(n, "__index__") for n in shape)


def input_shape(where: str, shape: Any, whole: Any = None) -> None:
    """Looks at what `build` is given, or at a part of the whole of it."""
    whole = shape if whole is None else whole
    if is_shape(shape) and all(n is None or n >= 0 for n in shape):
        return
    if is_shape(shape) or not isinstance(shape, (tuple, list, dict)):
        raise ShapeError(
            f"{where}: expected `input_shape`, whole numbers with None for what is not known such as (None, 8), or a "
            f"list of such shapes, got {whole!r}."
        )
    for part in shape.values() if isinstance(shape, dict) else shape:
        if part is not None:
            input_shape(where, part, whole)


def weight_shape(where: str, shape: Any) -> tuple[int, ...]:
    """Returns the shape of a new weight."""
    sizes = tuple(shape) if isinstance(shape, Iterable) else (shape,)
    if not all(hasattr(n, "__index__") and n >= 0 for n in sizes):
        way = " Build the layer with the number of features, e.g. (None, None, 8)." if None in sizes else ""
        raise ShapeError(f"{where}: expected `shape` to be whole numbers, got {sizes}.{way}")
    return tuple(map(int, sizes))


def returned(where: str, value: Any, shape: tuple[int, ...]) -> Any:
    """Returns what a function of one's own made, which must have this shape."""
    came = getattr(value, "shape", None) if not isinstance(value, (int, float)) else ()
    if came is None:
        raise DTypeError(f"{where}: expected a tensor of shape {shape}, got {value!r}.")
    if tuple(came) != shape:
        hint = " Sum it: (w * w).sum()." if shape == () else ""
        raise ShapeError(f"{where}: expected a tensor of shape {shape}, got {tuple(came)}.{hint}")
    return value


def one_tensor(where: str, inputs: Any) -> None:
    """Looks at the inputs of a layer that takes one tensor."""
    if not isinstance(inputs, Tensor):
        many = isinstance(inputs, (list, tuple, dict))
        came = f"a {type(inputs).__name__} of {len(inputs)}" if many else repr(inputs)
        hint = " A layer with return_state=True gives [output, *states]: hand on the first." if many else ""
        raise MinigradError(f"{where}: it takes one tensor, got {came}.{hint}")


class Call:
    """What a layer's `call` takes behind its first argument, the inputs.

    Attributes:
        takes: the names; `training` among them if it takes any.
        one_tensor: does it say that its inputs are one Tensor?
        required, accepted: what must and what may be given; `__call__` sees to `training` and `mask`.
    """

    def __init__(self, call: Callable[..., Any]) -> None:
        self._signature = signature(call)
        first, *rest = list(self._signature.parameters.values())[1:]
        self._by_place = [p.name for p in rest if p.kind is p.POSITIONAL_OR_KEYWORD]
        named = [*self._by_place, *(p.name for p in rest if p.kind is p.KEYWORD_ONLY)]
        self.takes = (*named, *("training" for p in rest if p.kind is p.VAR_KEYWORD))
        self.one_tensor = first.annotation in ("Tensor", Tensor)
        self.required = {p.name for p in rest if p.default is p.empty and p.name in named} - {"training", "mask"}
        self.accepted = {*named, "training"}

    def by_name(self, where: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Returns (args, kwargs) all by name, where that can be; an OptionTypeError if `call` does not take them."""
        given = dict(zip(self._by_place, args, strict=False))
        if len(given) == len(args) and not given.keys() & kwargs.keys():
            args, kwargs = (), given | kwargs
            if self.required <= kwargs.keys() <= self.accepted:
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
