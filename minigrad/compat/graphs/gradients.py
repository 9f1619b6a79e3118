"""`gradients` in a graph: a recorded call that runs the tape of the replayed ones."""

from __future__ import annotations

from typing import Any

from minigrad.compat.graphs.tensors import GraphCall, GraphTensor, record
from minigrad.engine import functional as F
from minigrad.engine import tree
from minigrad.engine.autograd import grad
from minigrad.engine.dtypes import is_floating
from minigrad.engine.errors import GradientError, shown
from minigrad.engine.tensor import Tensor
from minigrad.layers.symbol import Symbol, calls_of, run


class _Gradient:
    """∂(Σ ys)/∂x for some xs, of tensors that a replay has computed.

    Attributes:
        create_graph: whether a gradient of the gradient is asked for.
    """

    def __init__(self) -> None:
        self.create_graph = False

    def __call__(self, ys: list[Tensor], xs: list[Tensor], seeds: list[Any]) -> list[Tensor | None]:
        """Return the gradients; None where no y depends on an x."""
        pairs = [(y, F.ones_like(y) if s is None else s) for y, s in zip(ys, seeds, strict=True) if y.requires_grad]
        if not pairs:
            return [None] * len(xs)
        return grad([y for y, _ in pairs], xs, [s for _, s in pairs], self.create_graph)


def gradients(
    ys: Any, xs: Any, grad_ys: Any = None, name: str = "gradients", *_: Any, unconnected_gradients: Any = "none",
    stop_gradients: Any = None, **without_effect: Any,
) -> list[Any]:  # fmt: skip
    """Return the symbols of ∂(Σ ys)/∂x for each x; None where no y depends on it.

    Args:
        ys: one tensor of the graph or several.
        xs: tensors or variables of the graph.
        grad_ys: ∂loss/∂y for each y, ones by default.
        name: the name of the symbols.
        unconnected_gradients: where no y depends on x, ``"none"`` gives None, ``"zero"`` zeros.
        stop_gradients: not supported; use `stop_gradient`.
        without_effect: TensorFlow's other arguments.

    Raises:
        GradientError: a y is not a tensor of a graph, or an x neither that nor a variable.
    """
    many, wanted = _listed(ys), _listed(xs)
    seeds = [None] * len(many) if grad_ys is None else _listed(grad_ys)
    if stop_gradients is not None:
        raise GradientError("gradients: `stop_gradients` is not supported. Write tf.stop_gradient(x) in the graph.")
    for y in many:
        if not isinstance(y, GraphTensor):
            raise GradientError(f"gradients: expected `ys`, tensors of a graph, got {shown(y)}.")
    for x in wanted:
        if not isinstance(x, (GraphTensor, Tensor)):
            raise GradientError(f"gradients: expected `xs`, tensors of a graph or variables, got {shown(x)}.")
        if isinstance(x, GraphTensor):
            x.watched = True
    calls = calls_of(many, [])
    for call in calls:
        if isinstance(call.function, _Gradient):
            call.function.create_graph = True
    return _recorded(many, wanted, seeds, name, unconnected_gradients)


def _listed(given: Any) -> list[Any]:
    return list(given) if isinstance(given, (list, tuple)) else [given]


def _recorded(ys: list[Any], xs: list[Any], seeds: list[Any], name: str, unconnected: Any) -> list[Any]:
    function = _Gradient()
    found = function(*_examples(ys, xs, seeds))
    call = GraphCall(function, (ys, xs, seeds), {})
    outputs: list[Any] = []
    for x, dx in zip(xs, found, strict=True):
        like = x.examples if isinstance(x, Symbol) else (x.detach(), x.detach())
        outputs.append(None if dx is None else GraphTensor(call, like, name))
    call.outputs = outputs  # type: ignore[assignment]
    if "zero" not in str(unconnected).lower():
        return list(outputs)
    return [record(F.zeros_like, (x,), {}, "zeros") if dx is None else dx for x, dx in zip(xs, outputs, strict=True)]


def _examples(ys: list[Any], xs: list[Any], seeds: list[Any]) -> tuple[list[Tensor], list[Tensor], list[Any]]:
    """Return the first examples of ys, xs and seeds, with the tape that connects them."""
    symbols = [s for s in [*ys, *xs, *seeds] if isinstance(s, Symbol)]
    calls = calls_of(symbols, [])
    known: dict[Symbol, Any] = {}
    inputs = {s for call in calls for s in call.inputs if s.call is None} | {s for s in symbols if s.call is None}
    for symbol in inputs:
        value = symbol.examples[0].detach()
        if getattr(symbol, "watched", False) and is_floating(value.dtype):
            value.requires_grad = True
        known[symbol] = value
    for call in calls:
        if getattr(call, "updates", False):
            known |= {s: s.examples[0] for s in tree.leaves(call.outputs) if isinstance(s, Symbol)}
            continue
        call_values = run(call.outputs, known)
        for symbol, value in zip(tree.leaves(call.outputs), tree.leaves(call_values), strict=True):
            if isinstance(symbol, Symbol):
                watched = getattr(symbol, "watched", False) and is_floating(value.dtype) and not value.requires_grad
                known[symbol] = value.detach() if watched else value
                if watched:
                    known[symbol].requires_grad = True

    def value_of(x: Any) -> Any:
        return known[x] if isinstance(x, Symbol) else x

    return [value_of(y) for y in ys], [value_of(x) for x in xs], [value_of(s) for s in seeds]
