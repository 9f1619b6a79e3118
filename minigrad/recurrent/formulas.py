"""The four functions of a step, made from a cell's equations, for any array namespace.

The elementwise lines of a description become two Python functions that keep the file and the line of the body, so a
breakpoint in `lstm.py` hits and a traceback shows the equation. The products are the same for every cell:

    project        x W + b, for all steps at once
    step           … + h U, then forward's lines
    step_backward  backward's lines, then dz Uᵀ
    gather         dx = dz Wᵀ, dW = xᵀ dz, dU = hᵀ dz, db = Σ dz, for all steps at once

Run on Tensors (``xp = minigrad.functional``), the same lines are recorded on the tape, for second derivatives and for
the comparison of the hand-derived gradient with the tape's.
"""

from __future__ import annotations

import ast
from collections import namedtuple
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from operator import itemgetter
from typing import Any

from minigrad.engine.errors import unknown_name
from minigrad.engine.ops.op import Op
from minigrad.engine.ops.pointwise import Sigmoid, Tanh
from minigrad.engine.protocol import Array, Xp
from minigrad.recurrent.arrays import ArrayStep
from minigrad.recurrent.compiler import describe
from minigrad.recurrent.compiler.body import source_file
from minigrad.recurrent.compiler.widths import UNITS
from minigrad.recurrent.description import Description
from minigrad.recurrent.dropout import product_dW
from minigrad.recurrent.equations import Equations
from minigrad.recurrent.lines import (
    Layout,
    cut_masks,
    definition_of,
    first_masks,
    function,
    step_backward_text,
    step_text,
    summands_text,
    words,
)
from minigrad.recurrent.multiplied import H_MASKS, X_MASKS, Multiplied, parts
from minigrad.recurrent.protocol import State, Weights
from minigrad.recurrent.reader import names
from minigrad.recurrent.spread import words as spreading
from minigrad.recurrent.step import Same, Step
from minigrad.recurrent.syntax import parse_expression, reading


class Formulas(Step):
    """A cell's step and its gradient, as pure functions of arrays.

    Args:
        equations: the cell.
        sigma: σ, the gates' activation.
        phi: φ, the other activation.
        separate: make one small product for each column (Keras' ``implementation=1``) rather than one large one.
        values: the cell's options by name, where they differ from their defaults, None for absent; and its widths, such
            as ``units=4, blocks=2``, where the columns of a product differ in width.

    Attributes:
        whole: the description of the cell with all of its weights and options.
        Weights: a named tuple of all weights and dropout masks, None by default.
    """

    def __init__(
        self, equations: type[Equations], sigma: type[Op] = Sigmoid, phi: type[Op] = Tanh, separate: bool = False,
        **values: Any,
    ) -> None:  # fmt: skip
        self.equations, self.recurrent_activation, self.activation = equations, sigma, phi
        self.separate, self.whole = separate, describe(equations)
        defaults = equations.forward.__kwdefaults__ or {}
        self.options = {name: values.pop(name, defaults.get(name)) for name in self.whole.options}
        widths = [UNITS, *dict.fromkeys(width for _, width in self.whole.widths)]
        self.sizes: dict[str, int] = {name: values.pop(name) for name in widths if name in values}
        if values:
            raise unknown_name(f"{equations.__qualname__}: option", next(iter(values)), [*self.options, *widths])
        self.name, self.states = self.whole.name, self.whole.states
        self.output = self.states.index(self.whole.output)
        places = [*self.whole.weights, X_MASKS, H_MASKS]
        weights = namedtuple("Weights", places, defaults=[None] * len(places))  # type: ignore[misc]  # noqa: PYI024
        self.Weights: Any = weights
        self.compiled: dict[Any, Any] = {}  # the loops that backends compiled; see `minigrad.recurrent.backend_loop`
        self._bound: dict[Any, _Bound] = {}
        self._steps: dict[Any, ArrayStep | _Bound] = {}
        self._namespaces: list[Xp] = []  # kept, so that no other object gets the same id

    @property
    def recomputes(self) -> bool:
        """True if only z is cached and `step` is rerun in the backward pass, since a derivative needs its argument."""
        return not (self.activation.from_output and self.recurrent_activation.from_output)

    @cached_property
    def gates(self) -> tuple[str, ...]:  # type: ignore[override]
        """Names of the gates, one for each column of x."""
        columns = next(p.columns for p in self.whole.products if any(t.source == "x" for t in p.terms))
        return tuple(map(self.gate, columns))

    def gate(self, column: str) -> str:
        """Return the gate of a column: the first activation computed from it; the column itself where there is none."""
        return _squashed(self.whole, column)

    @cached_property
    def inner(self) -> tuple[str, ...]:  # type: ignore[override]
        """Names of the other cached values, which a trace shows."""
        d = self.whole
        return tuple(n for n in d.cache if not n.startswith("_") and n not in {*self.gates, *d.new, *d.columns})

    def description(self, weights: Weights) -> Description:
        """Return the description of the cell with these weights, in which None is absent."""
        absent = {name for name, w in zip(self.whole.weights, weights, strict=False) if w is None}
        absent |= {name for name, value in self.options.items() if value is None}
        of = {"sigma": self.recurrent_activation, "phi": self.activation}
        return describe(self.equations, frozenset(absent), frozenset(n for n, op in of.items() if not op.from_output))

    def definitions(self, xp: Xp, weights: Weights) -> list[ast.FunctionDef]:
        """Return the definitions of a step's two functions as syntax trees; of the weights, only None or not counts."""
        bound = self._for(xp, weights)
        texts = {"step": step_text(bound.layout), "step_backward": step_backward_text(bound.layout)}
        return [definition_of(name, text, bound.space) for name, text in texts.items()]

    def project(self, xp: Xp, x: Array, weights: Weights) -> Array:
        """Return x W + b of all products that read x, side by side."""
        return self._running(xp, weights).project(xp, x, weights)

    def step(self, xp: Xp, z: Array, state: State, weights: Weights) -> tuple[State, Any]:
        """Return the new state, and the cache: a named tuple of arrays (batch, width)."""
        return self._running(xp, weights).step(xp, z, state, weights)

    def step_backward(
        self, xp: Xp, dstate: State, cache: Any, state: State, weights: Weights
    ) -> tuple[tuple[Array, ...], State]:
        """Return dz as `gather` takes it, the products' gradients first, and ∂loss/∂state."""
        return self._running(xp, weights).step_backward(xp, dstate, cache, state, weights)

    def gather(
        self, xp: Xp, x: Array, states: Sequence[State], caches: Sequence[Any], dz: Sequence[Any], weights: Weights
    ) -> tuple[Array, Weights]:
        """Return dx, and one gradient for each weight; None for absent weights, and for the dropout masks."""
        dx, dweights = self._running(xp, weights).gather(xp, x, states, caches, dz, weights)
        named: Any = type(weights)
        return dx, named(*dweights) if hasattr(weights, "_fields") else dweights

    def step_values(
        self, xp: Xp, x: Array, state: State, weights: Weights, letters: tuple[str, ...]
    ) -> tuple[Array, ...]:
        """Return the values of some names in one step, for x (batch, features)."""
        return self._for(xp, weights).step_values(x, state, weights, letters)

    def dgates(self, xp: Xp, dz: Sequence[Array]) -> Sequence[Array]:
        """Return the gradients of the columns of x from a step's dz, one for each of `gates`."""
        width, d = dict(self.whole.widths), self.whole
        k = next(k for k, p in enumerate(d.products) if any(t.source == "x" for t in p.terms))
        groups = [(width.get(c, UNITS),) for c in d.products[k].columns]
        return [dz[k]] if len(groups) == 1 else parts(xp, dz[k], groups, self.sizes)

    def summands(
        self, xp: Xp, dstate: State, dz: Sequence[Array], cache: Any, state: State, weights: Weights
    ) -> list[tuple[str, str, Array]]:
        """Return the summands of ∂loss/∂state, for a trace: (state, path, summand).

        A path is the column whose gradient the summand comes through, or "" for the direct path.
        """
        return self._for(xp, weights).summands(dstate, dz, cache, state, weights)

    looked, ways = step_values, summands  # the earlier names

    def _running(self, xp: Xp, weights: Weights) -> ArrayStep | _Bound:
        """Return the step for an array namespace and these weights; the plain one where it can run the cell."""
        key = id(xp), *[w is None for w in weights]
        found = self._steps.get(key)
        if found is None:
            found = self._steps[key] = self._plain(xp, weights) or self._for(xp, weights)
        return found

    def _plain(self, xp: Xp, weights: Weights) -> ArrayStep | None:
        """Return the plain step; None for a cell, or weights, with more than it runs."""
        d, names = self.description(weights), self.Weights._fields
        if self.separate or any(w is not None for w in weights[len(names) - 2 :]) or not is_plain(d):
            return None
        space = {**words(xp, self.recurrent_activation, self.activation), **self.options}
        for word, op in (("dsigma", self.recurrent_activation), ("dphi", self.activation)):
            if op.from_output:  # the lines call dsigma(dy, y): its third argument is None
                space[word] = partial(op.backward, xp, **{op.backward.__code__.co_varnames[3]: None})
        self._namespaces.append(xp)
        with reading:
            return ArrayStep(d, space, {name: k for k, name in enumerate(names)}, files_of(self.equations))

    def _for(self, xp: Xp, weights: Weights) -> _Bound:
        key = id(xp), *[w is None for w in weights]  # `bound` holds xp, so that no other object takes its id
        bound = self._bound.get(key)
        if bound is None:
            bound = self._bound[key] = _Bound(self, xp, weights)
        return bound


class _Bound:
    """A cell's step for one array namespace and one choice of absent weights."""

    def __init__(self, cell: Formulas, xp: Xp, weights: Weights) -> None:
        d, self.xp, self.sizes = cell.description(weights), xp, cell.sizes
        fields = cell.Weights._fields
        place = {name: k for k, name in enumerate(fields)}
        self.absent, self.masks = (None,) * (len(fields) - len(weights)), place[H_MASKS]
        self.products = _multiplied(xp, d, place, cell.separate)
        self.of_x = [p for p in self.products if p.inputs]
        self.inner = [(place[i.matrix], at) for i, at in zip(d.inner, _inner_masks(d), strict=True)]
        self.parameters = [place[n] for n in d.parameters]
        zs = iter(["_z"] if len(self.of_x) == 1 else [f"_z{k}" for k in range(len(self.of_x))])
        z = tuple(next(zs) if p.inputs else "" for p in self.products)
        layout = Layout(d, len(weights) > self.masks and weights[self.masks] is not None, cell.separate, z)
        cache = namedtuple("Cache", d.cache, rename=True)  # type: ignore[misc]  # noqa: PYI024  (for a field such as _1)
        space = {**words(xp, cell.recurrent_activation, cell.activation), **spreading(xp, cell.sizes), **cell.options}
        space |= {"Cache": cache, "_parts": lambda total, groups: parts(xp, total, groups, self.sizes)}
        of, at_hand = cell.equations, [*d.states, *fields[:-1], "_h_masks"]
        self.files = files_of(of)
        self.layout, self.space = layout, space
        self.names_forward = [*(name for name in z if name), *at_hand]
        self.names_backward = [*d.upstream, *d.cache, *at_hand]
        self.forward, reads = function("step", step_text(layout), dict(space), self.files[0])
        self.read_forward = _picked(reads, self.names_forward)
        self.backward, reads = function("step_backward", step_backward_text(layout), dict(space), self.files[1])
        self.read_backward = _picked(reads, self.names_backward)
        self._step_values: dict[tuple[str, ...], Any] = {}

    def project(self, xp: Xp, x: Array, weights: Weights) -> Array:
        zs = [p.of_input(x, weights) for p in self.of_x]
        return zs[0] if len(zs) == 1 else self.xp.concat(zs, -1)

    def step(self, xp: Xp, z: Array, state: State, weights: Weights) -> tuple[State, Any]:
        zs = (z,) if len(self.of_x) == 1 else parts(self.xp, z, [p.widths for p in self.of_x], self.sizes)
        new: tuple[State, Any] = self.forward(*self.read_forward((*zs, *state, *weights, *self.absent)))
        return new

    def step_backward(
        self, xp: Xp, dstate: State, cache: Any, state: State, weights: Weights
    ) -> tuple[tuple[Array, ...], State]:
        found: tuple[Any, State] = self.backward(*self.read_backward((*dstate, *cache, *state, *weights, *self.absent)))
        return found

    def summands(
        self, dstate: State, dz: Sequence[Array], cache: Any, state: State, weights: Weights
    ) -> list[tuple[str, str, Array]]:
        run, reads, paths = self._summands
        values = _picked(reads, self.names_backward)((*dstate, *cache, *state, *weights, *self.absent))
        found = [(s, path, d) for (s, path), d in zip(paths, run(*values), strict=True)]
        for p, d in zip(self.products, dz, strict=False):
            found += p.summands(d, weights, self.sizes)
        return found

    @cached_property
    def _summands(self) -> tuple[Callable[..., Any], list[str], list[tuple[str, str]]]:
        text, paths = summands_text(self.layout)
        return (*function("summands", text, dict(self.space), self.files[1]), paths)

    def step_values(self, x: Array, state: State, weights: Weights, letters: tuple[str, ...]) -> tuple[Array, ...]:
        if letters not in self._step_values:
            self._step_values[letters] = function(
                "step_values", step_text(self.layout, letters), dict(self.space), self.files[0]
            )
        (run, reads), z = self._step_values[letters], self.project(self.xp, x, weights)
        zs = (z,) if len(self.of_x) == 1 else parts(self.xp, z, [p.widths for p in self.of_x], self.sizes)
        values = _picked(reads, self.names_forward)((*zs, *state, *weights, *self.absent))
        found: tuple[Array, ...] = run(*values)
        return found

    def gather(
        self, xp: Xp, x: Array, states: Sequence[State], caches: Sequence[Any], dz: Sequence[Any], weights: Weights
    ) -> tuple[Array, Weights]:
        found = [None] * len(weights)
        dzs = [xp.stack([v.value if isinstance(v, Same) else v for v in d]) for d in zip(*dz, strict=True)]
        before = [xp.stack(s) for s in zip(*states, strict=True)]
        dx = None
        for p, d in zip(self.products, dzs, strict=False):
            part = p.gather(x, before, d, weights, found)
            dx = part if dx is None else dx if part is None else dx + part
        n, k = len(self.products), len(self.inner)
        masks = weights[self.masks] if self.masks < len(weights) else None
        for (m, at), dv, source in zip(self.inner, dzs[n : n + k], dzs[n + k :], strict=False):
            own = None if at is None else cut_masks(xp, masks, at, at + 1)
            found[m] = product_dW(xp, source, dv, own, 1)
        for m, d in zip(self.parameters, dzs[n + 2 * k :], strict=True):
            found[m] = xp.sum(d, 0)
        return xp.zeros(x.shape, x.dtype) if dx is None else dx, tuple(found)


def is_plain(d: Description) -> bool:
    """Return whether a cell has products of x and states, elementwise lines, and a gradient for each of them alone."""
    gradient, terms = dict(d.gradients), [t for p in d.products for t in p.terms]
    with_x = sum(any(t.source == "x" for t in p.terms) for p in d.products)
    reached = {*gradient, *(t.source for t in terms)}
    return (
        not (d.inner or d.parameters or d.widths)
        and with_x == 1
        and all(t.flows for t in terms)
        and {*d.columns, *d.states} <= reached
    )


def files_of(equations: type[Equations]) -> list[str]:
    """Return the source files of both bodies; a derived backward is in forward's."""
    return [source_file(f) for f in (equations.forward, equations.backward or equations.forward)]


def _multiplied(xp: Xp, d: Description, place: dict[str, int], separate: bool) -> list[Multiplied]:
    """The products, each with the place of its dropout masks among those of all columns."""
    width, first = dict(d.widths), [first_masks(d, "x"), first_masks(d, d.output)]
    return [
        Multiplied(
            xp, p, tuple(width.get(c, UNITS) for c in p.columns), d.states, d.output, place,
            (first[0][k], first[1][k]), separate,
        )
        for k, p in enumerate(d.products)
    ]  # fmt: skip


def _squashed(d: Description, column: str) -> str:
    """Return the gate of a column: the first activation of the column, or of a value computed from it."""
    reached = {column}
    for line in d.forward:
        e = parse_expression(line.text)
        if reached & set(names(e)):
            squashed = isinstance(e, ast.Call) and ast.unparse(e.func) in ("sigma", "phi")
            if squashed and line.name.startswith("_"):  # for example the line that names 2 σ(z) − 1
                named = [other.name for other in d.forward if names(parse_expression(other.text)) == [line.name]]
                return named[0] if named else column
            if squashed:
                return line.name
            reached.add(line.name)
    return column


def _inner_masks(d: Description) -> list[int | None]:
    """Return for each inner product the place of the recurrent dropout mask of its source, or None."""
    first = first_masks(d, d.output)[len(d.products) :]
    return [at if i.recurrent else None for i, at in zip(d.inner, first, strict=True)]


def _picked(wanted: Sequence[str], there: Sequence[str]) -> Callable[[tuple[Any, ...]], Sequence[Any]]:
    """Return a function that selects the values of some names from a tuple of all values."""
    places = [there.index(name) for name in wanted]
    if len(places) > 1:
        return itemgetter(*places)
    return lambda values: [values[k] for k in places]
