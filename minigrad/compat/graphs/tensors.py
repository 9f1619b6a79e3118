"""Symbols of graphs: placeholders, results of recorded calls, and variables that record what reads them."""

from __future__ import annotations

import operator
import warnings
from collections.abc import Callable
from types import TracebackType
from typing import Any, ClassVar

from minigrad.compat.graphs import state
from minigrad.compat.graphs.options import with_options
from minigrad.engine import functional as F
from minigrad.engine.creation import as_tensor, tensor
from minigrad.engine.dtypes import is_floating
from minigrad.engine.errors import ShapeError
from minigrad.engine.flow import FlowStack
from minigrad.engine.tensor import Tensor
from minigrad.layers import symbol as symbols
from minigrad.layers.symbol import Call, Symbol, SymbolError
from minigrad.layers.tensor_shape import TensorShape
from minigrad.layers.weight import Weight

controls: FlowStack[control_dependencies] = FlowStack("v1.control_dependencies")
run_in_default_session: list[Callable[..., Any]] = []  # set by the module of sessions


class GraphCall(Call):
    """A call recorded in a graph.

    Attributes:
        controls: the symbols that must be computed before, besides those among the arguments.
        updates: whether it changes variables.
    """

    def __init__(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        super().__init__(function, args, kwargs)
        self.controls = [needed for block in controls.entries() for needed in block.needed]
        self.updates = bool(getattr(function, "updates", False))

    @property
    def inputs(self) -> list[Symbol]:
        """The symbols among the arguments, and those of `control_dependencies`."""
        return [*super().inputs, *self.controls]


class GraphTensor(Symbol):
    """A placeholder, or the result of a call that a session runs."""

    call_class: ClassVar[type[Call]] = GraphCall

    def __init__(self, call: Call | None, examples: tuple[Tensor, Tensor], name: str, layer: Any = None) -> None:
        super().__init__(call, examples, state.current().unique_name(name), layer)
        self.graph, self.watched, self.any_shape = state.current(), False, False
        self.graph.named[self.name] = self

    op = property(lambda self: self)

    def get_shape(self) -> TensorShape:
        """Return the shape."""
        return TensorShape(self.shape)

    def set_shape(self, shape: Any) -> None:
        """Accept a shape, without effect: shapes follow from the calls."""

    def eval(self, feed_dict: Any = None, session: Any = None) -> Any:
        """Return the numbers in a session, the default one by default."""
        return run_in_default_session[0](self, feed_dict, session)

    def run(self, feed_dict: Any = None, session: Any = None) -> None:
        """Run the operation in a session, the default one by default."""
        self.eval(feed_dict, session)

    def record_call(self, layer: Any, inputs: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Record the call of a layer."""
        return record(layer, (inputs, *args), kwargs, layer.name)

    def _has_no_numbers(self, *_: Any, **__: Any) -> Any:
        raise SymbolError(
            f"{self!r}, of a graph, has no numbers before a session runs it. Use functions of tf.*, such as tf.cond "
            f"for `if`, or read its numbers: session.run({self.name}, feed_dict)."
        )

    __bool__ = __int__ = __float__ = __index__ = __len__ = __iter__ = __contains__ = _has_no_numbers
    __array__ = __array_function__ = numpy = item = tolist = backward = _has_no_numbers


class Operation:
    """A recorded operation without a result: an update, an initialization, a group.

    Attributes:
        done: the symbol that is computed when it has run.
    """

    def __init__(self, done: GraphTensor) -> None:
        self.done = done
        self.graph, self.name = done.graph, done.name

    def run(self, feed_dict: Any = None, session: Any = None) -> None:
        """Run the operation in a session, the default one by default."""
        run_in_default_session[0](self, feed_dict, session)


class control_dependencies:  # noqa: N801  (TensorFlow's name)
    """A `with` block whose calls run after the given operations and tensors."""

    def __init__(self, control_inputs: Any) -> None:
        given = control_inputs if isinstance(control_inputs, (list, tuple)) else [control_inputs]
        found = [each.done if isinstance(each, Operation) else each for each in given if each is not None]
        self.needed = [each for each in found if isinstance(each, GraphTensor)]

    def __enter__(self) -> None:
        controls.push(self)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        controls.drop(self)


def record(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], name: str) -> Any:
    """Record a call in the current graph, or of a functional model; inside a replay, run it."""
    found = Call(function, args, kwargs).inputs
    if symbols.replayed.get() is not None or (found and not isinstance(found[0], GraphTensor)):
        return symbols.record(function, args, kwargs, name)
    function, args = with_options(function, args, kwargs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of the examples
        try:
            return symbols.record(function, args, kwargs, name, GraphTensor)
        except ShapeError as error:
            shapes = ", ".join(f"{s.name} {s.shape}" for s in found)
            raise ShapeError(
                f"{name}: {error} The graph is made with 2 and 3 in place of None, in "
                f"{shapes or 'no symbol'}: write a number for a size that is fixed."
            ) from error


def placeholder(dtype: Any, shape: Any = None, name: str | None = None) -> GraphTensor:
    """Return a symbol that `feed_dict` gives numbers: of the dtype, None where a size may be any.

    A placeholder without a shape takes numbers of any shape, and counts as a single number while the graph is made.
    """
    state.current().begun = True
    sizes = () if shape is None else tuple(shape) if isinstance(shape, (list, tuple)) else (shape,)
    named = {"float": "float32", "int": "int32", "double": "float64"}.get(dtype, dtype)
    floating = is_floating(named)
    pair = []
    for size in symbols.SIZES:
        fill = (0.5 if sizes else 1.0) if floating else 0 if sizes or named == "bool" else size
        pair.append(tensor(F.full([size if n is None else int(n) for n in sizes], fill, "float64"), named))
    found = GraphTensor(None, (pair[0], pair[1]), name or "Placeholder")
    found.any_shape = shape is None
    return found


def placeholder_with_default(input: Any, shape: Any, name: str | None = None) -> GraphTensor:  # noqa: A002
    """Return a symbol with the numbers of the input, unless `feed_dict` gives others."""
    state.current().begun = True
    found = record(_as_given, (input,), {}, name or "PlaceholderWithDefault")
    one = placeholder(found.dtype, shape, found.name)
    one.call, one.any_shape = found.call, shape is None
    one.call.outputs = one
    return one


def _as_given(x: Any) -> Tensor:
    return as_tensor(x) if isinstance(x, Tensor) or not isinstance(x, float) else tensor(x, "float32")


class GraphVariable(Weight):
    """A weight whose operators are recorded in a graph that has begun."""

    __slots__ = ()

    def eval(self, session: Any = None) -> Any:
        """Return the numbers."""
        return self.numpy()

    def value(self) -> Any:
        """Return the numbers, through which gradients pass to the variable."""
        return record(_read, (self,), {}, "read") if state.building() else _read(self)

    read_value = value

    def get_shape(self) -> TensorShape:
        """Return the shape."""
        return TensorShape(self.shape)

    def load(self, value: Any, session: Any = None) -> None:
        """Replace the numbers at once."""
        Weight.assign(self, value)

    def initialized_value(self) -> Any:
        """Return the numbers."""
        return self.value()


def value_of(value: Any) -> Any:
    """Return the first numbers of a variable, those of a symbol by a run without `feed_dict`."""
    return symbols.run(value, {}) if isinstance(value, GraphTensor) else value


def _read(variable: Tensor) -> Tensor:
    return F.linear(variable) if is_floating(variable.dtype) else F.getitem(variable, ...)


def _operator(name: str, reflected: bool) -> Callable[..., Any]:
    function = getattr(operator, name)
    own = getattr(Weight, f"__{'r' if reflected else ''}{name}__")

    def method(self: GraphVariable, *args: Any) -> Any:
        if state.building():
            return record(function, (*args, self) if reflected else (self, *args), {}, name)
        return own(self, *args)

    return method


for _name in ("add", "sub", "mul", "truediv", "matmul", "pow"):
    setattr(GraphVariable, f"__{_name}__", _operator(_name, False))
    setattr(GraphVariable, f"__r{_name}__", _operator(_name, True))
for _name in ("neg", "abs", "getitem", "lt", "le", "gt", "ge"):
    setattr(GraphVariable, f"__{_name}__", _operator(_name, False))
