"""Symbols: tensors that are given later, and the calls recorded on them.

    x = Input((3,))             the symbol of an input
    y = Dense(4)(x)             a recorded call; y is the symbol of its output
    run(y, {x: numbers})        the calls replayed on tensors, each once

A call on symbols is recorded, and run at once on two *examples* of each symbol: zeros, with 2 and with 3 in place of
each size that is None. This builds the layers and raises for shapes that do not fit, and an output's size is None where
it differs between the examples. A replay is an ordinary eager call: engine and layers work with tensors only.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from typing import Any, ClassVar

from minigrad.engine import tree
from minigrad.engine.errors import MinigradError, ShapeError, shown
from minigrad.engine.functional.shaping import zeros
from minigrad.engine.recording import no_grad
from minigrad.engine.tensor import Tensor

UFUNCS = {
    "add": "add", "subtract": "sub", "multiply": "mul", "divide": "truediv", "power": "pow", "matmul": "matmul",
    "remainder": "mod", "floor_divide": "floordiv",
}  # fmt: skip
"""NumPy's name of an operator → Python's."""
SIZES = (2, 3)  # in place of None, in the first and in the second example
replayed: ContextVar[Callable[[Any], Any] | None] = ContextVar("the values of symbols in a replay", default=None)


class SymbolError(MinigradError, TypeError):
    """Raised where a symbol is used as if it had numbers, and where a symbol is expected."""


class Call:
    """A recorded call.

    Attributes:
        function: the layer or function.
        args: its positional arguments, symbols among them.
        kwargs: its named arguments.
        outputs: what it returned, with symbols in place of tensors.
    """

    def __init__(self, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.function, self.args, self.kwargs, self.outputs = function, args, kwargs, None

    @property
    def inputs(self) -> list[Symbol]:
        """The symbols among the arguments."""
        return [leaf for leaf in tree.leaves([self.args, self.kwargs]) if isinstance(leaf, Symbol)]

    def replay(self, values: Callable[[Symbol], Any]) -> Any:
        """Return the function's result on these values of the symbols, also of those in its closure."""
        args, kwargs = tree.map(
            lambda leaf: values(leaf) if isinstance(leaf, Symbol) else leaf, [self.args, self.kwargs]
        )
        before = replayed.set(values)
        try:
            return self.function(*args, **kwargs)
        finally:
            replayed.reset(before)


class Symbol:
    """A tensor that is given later: an input, or an output of a recorded call.

    Attributes:
        call: the call that returns it; None for an input.
        examples: two tensors of its form.
        name: for messages.
        layer: of an input, its `InputLayer`.
    """

    call_class: ClassVar[type[Call]] = Call

    def __init__(self, call: Call | None, examples: tuple[Tensor, Tensor], name: str, layer: Any = None) -> None:
        self.call, self.examples, self.name, self.layer = call, examples, name, layer

    @property
    def shape(self) -> tuple[int | None, ...]:
        """The shape, with None for sizes that are not known yet."""
        pairs = zip(self.examples[0].shape, self.examples[1].shape, strict=True)
        return tuple(n if n == other else None for n, other in pairs)

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.examples[0].ndim

    @property
    def dtype(self) -> Any:
        """The dtype of the numbers."""
        return self.examples[0].dtype

    def record_call(self, layer: Any, inputs: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Record the call of a layer on symbols, and return symbols for its outputs; `Layer.__call__` calls this."""
        before = [(part, part.states if part.built else None) for part in _stateful(layer)]
        outputs = record(layer, (inputs, *args), kwargs, layer.name)
        layer._forget_losses()
        for part, states in before:  # those of the examples are dropped
            part.reset_states(states)
        vars(layer).setdefault("_recorded", []).append((inputs, outputs))
        return outputs

    def __repr__(self) -> str:
        return f"<Symbol {self.name!r} {self.shape} {self.dtype}>"

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
        """Record NumPy's arithmetic with an array or number of NumPy on the left; all else needs numbers."""
        name = UFUNCS.get(ufunc.__name__)
        if name is None or method != "__call__" or options:
            return self._has_no_numbers()
        return record(getattr(operator, name), inputs, {}, name)

    def __tensor__(self) -> Any:
        """Return the value in a replay whose function holds the symbol in its closure."""
        values = replayed.get()
        return self._has_no_numbers() if values is None else values(self)

    def _has_no_numbers(self, *_: Any, **__: Any) -> Any:
        raise SymbolError(
            f"{self!r} stands for a tensor that is given later and has no numbers yet. Use layers in place of "
            "Python's and NumPy's functions, and read the numbers of a model's result."
        )

    __bool__ = __int__ = __float__ = __index__ = __len__ = __iter__ = __contains__ = _has_no_numbers
    __array__ = __array_function__ = numpy = item = tolist = backward = _has_no_numbers


def _stateful(layer: Any) -> list[Any]:
    """Return the layers that keep their states between calls, of a layer and those inside it."""
    inside = [part for sublayer in layer._sublayers() for part in _stateful(sublayer)]
    return [layer, *inside] if getattr(layer, "stateful", False) is True and hasattr(layer, "reset_states") else inside


def _recorded(function: Callable[..., Any], reflected: bool) -> Callable[..., Any]:
    def method(self: Symbol, *args: Any) -> Any:
        return record(function, (*args, self) if reflected else (self, *args), {}, function.__name__)

    return method


TWO_SIDED = ("add", "sub", "mul", "truediv", "pow", "matmul", "mod", "floordiv")
OPERATORS = (*TWO_SIDED, "neg", "abs", "getitem", "lt", "le", "gt", "ge")
for _name in OPERATORS:
    setattr(Symbol, f"__{_name}__", _recorded(getattr(operator, _name), False))
for _name in TWO_SIDED:
    setattr(Symbol, f"__r{_name}__", _recorded(getattr(operator, _name), True))


def input_symbol(shape: Iterable[int | None], dtype: Any, name: str, layer: Any = None) -> Symbol:
    """Return the symbol of an input, (batch, …), None where a size may be any."""
    sizes = tuple(shape)
    first, second = (zeros([n if size is None else size for size in sizes], dtype) for n in SIZES)
    return Symbol(None, (first, second), name, layer)


def record(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], name: str, kind: Any = None
) -> Any:
    """Record a call, and return its outputs with symbols in place of tensors, of a kind: that of its inputs."""
    if (values := replayed.get()) is not None:  # inside a replay: a closure holds the symbols
        return Call(function, args, kwargs).replay(values)
    call = Call(function, args, kwargs)
    kind = kind or (type(call.inputs[0]) if call.inputs else Symbol)
    call = kind.call_class(function, args, kwargs)
    with no_grad():
        first = call.replay(lambda symbol: symbol.examples[0])
        try:
            second = call.replay(lambda symbol: symbol.examples[1])
        except ShapeError as error:
            shapes = ", ".join(f"{s.name} {s.shape}" for s in call.inputs)
            raise ShapeError(f"{name}: `inputs`: a size that is None must be known here, in {shapes}.") from error

    if not any(isinstance(leaf, Tensor) for leaf in tree.leaves(first)):
        raise SymbolError(f"{name}: expected a result of tensors for symbols as `inputs`, got {shown(first)}.")

    def symbol(*pair: Any) -> Any:
        return kind(call, pair, name) if isinstance(pair[0], Tensor) else pair[0]

    call.outputs = tree.map(symbol, first, second)
    return call.outputs


def calls_of(symbols: Iterable[Symbol], given: Iterable[Symbol]) -> list[Call]:
    """Return the calls that lead from given symbols to others, each after those that it needs."""
    done, found, waiting = set(given), dict[Call, None](), list(symbols)[::-1]
    while waiting:
        symbol = waiting[-1]
        missing = [] if symbol.call is None or symbol in done else [s for s in symbol.call.inputs if s not in done]
        if missing:
            waiting += missing[::-1]
            continue
        waiting.pop()
        if symbol.call is not None and symbol not in done:
            found[symbol.call] = None
            done |= {leaf for leaf in tree.leaves(symbol.call.outputs) if isinstance(leaf, Symbol)}
        done.add(symbol)
    return list(found)


def run(fetches: Any, values: dict[Symbol, Any]) -> Any:
    """Return the numbers of symbols, by replaying the calls that lead to them from those that have values."""
    known = dict(values)

    def value(symbol: Symbol) -> Any:
        return known[symbol] if symbol in known else run(symbol, known)

    for call in calls_of([s for s in tree.leaves(fetches) if isinstance(s, Symbol)], known):
        result = call.replay(value)
        known |= zip(tree.leaves(call.outputs), tree.leaves_like(call.outputs, result), strict=True)
    return tree.map(lambda leaf: known[leaf] if isinstance(leaf, Symbol) else leaf, fetches)
