"""A description run on arrays: the four functions of a step.

The lines of a description become two Python functions that keep the file and the line of the body, so a breakpoint in
`lstm.py` hits and a traceback shows the equation. The products around them are the same for every cell:

    project        x W + b, for all steps at once
    step           z = x W + b + h U, split into columns; then forward's lines
    step_backward  backward's lines; then dz Uᵀ, added to ∂loss/∂h
    gather         dx = dz Wᵀ, dW = xᵀ dz, dU = hᵀ dz, db = Σ dz, for all steps at once

Run on Tensors (``xp = minigrad.functional``), the same lines are recorded on the tape, for second derivatives.
"""

from __future__ import annotations

import ast
from collections import namedtuple
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from minigrad.engine.protocol import Array, Xp
from minigrad.recurrent.description import Description, Line
from minigrad.recurrent.protocol import State, Weights


class ArrayStep:
    """The four functions of a step, of a cell with plain products and elementwise lines.

    Args:
        d: the description of the cell.
        words: by name, the functions and numbers that the lines use: σ, φ, their derivatives, the cell's options.
        place: by name, the place of each weight in the tuple of weights.
        files: the source files of forward and backward.
    """

    def __init__(
        self, d: Description, words: Mapping[str, Any], place: Mapping[str, int], files: Sequence[str]
    ) -> None:
        self.output, self.products, end = d.states.index(d.output), list[Placed](), 0
        for p in d.products:
            columns, end = slice(end, end + len(p.columns)), end + len(p.columns)
            of_x = [place[t.matrix] for t in p.terms if t.source == "x"]
            of_states = [(d.states.index(t.source), place[t.matrix]) for t in p.terms if t.source != "x"]
            self.products.append(Placed(columns, len(p.columns), of_x, of_states, place.get(p.bias)))
        gradient, namespace = dict(d.gradients), {**words, "Cache": namedtuple("Cache", d.cache, rename=True)}  # noqa: PYI024
        new = f"({', '.join(d.new)},), Cache({', '.join(d.cache)})"
        dnew = ", ".join(gradient[c] for c in d.columns), ", ".join(gradient.get(s, "None") for s in d.states)
        self._forward = function("forward", (*d.columns, *d.states), d.forward, new, namespace, files[0])
        given = (*d.upstream, *d.cache, *d.states)
        self._backward = function("backward", given, d.backward, "[{}], [{}]".format(*dnew), namespace, files[1])

    def project(self, xp: Xp, x: Array, weights: Weights) -> Array:
        """Return x W + b."""
        (p,) = [p for p in self.products if p.of_x]  # one product of a cell reads x
        parts: list[Any] = [rows_matmul(xp, x, weights[W]) for W in p.of_x]
        first, *others = parts if p.bias is None else [*parts, weights[p.bias]]
        return sum(others, start=first)

    def timesteps(self, xp: Xp, x: Array, weights: Weights) -> Sequence[Array]:
        """Return x W + b of each time step."""
        return xp.unstack(self.project(xp, x, weights))  # type: ignore[no-any-return]

    def step(self, xp: Xp, z: Array, state: State, weights: Weights) -> tuple[State, Any]:
        """Return the new state, and the cache: a named tuple of arrays (batch, width)."""
        columns: list[Array] = []
        for _, size, of_x, of_states, bias in self.products:
            total = z if of_x else None if bias is None else weights[bias]
            for h, U in of_states:
                hU = xp.matmul(state[h], weights[U])
                total = hU if total is None else total + hU
            columns += [total] if size == 1 else xp.split(total, size, -1)
        return self._forward(*columns, *state)  # type: ignore[no-any-return]

    def step_backward(self, xp: Xp, dstate: State, cache: Any, state: State, weights: Weights) -> tuple[Any, State]:
        """Return dz, for each product the gradients of its columns side by side, and ∂loss/∂state."""
        dcolumns, dbefore = self._backward(*dstate, *cache, *state)
        dz = []
        for columns, size, _, of_states, _ in self.products:
            d = dcolumns[columns.start] if size == 1 else xp.concat(dcolumns[columns], -1)
            for h, U in of_states:
                dh = xp.matmul(d, xp.transpose(weights[U]))
                dbefore[h] = dh if dbefore[h] is None else dbefore[h] + dh
            dz.append(d)
        return tuple(dz), tuple(dbefore)

    def gather(
        self, xp: Xp, x: Array, states: Sequence[State], caches: Sequence[Any], dz: Sequence[Any], weights: Weights
    ) -> tuple[Array, Weights]:
        """Return dx, and one gradient for each weight; None for absent ones."""
        dx, dweights = None, list[Array | None]([None] * len(weights))
        for (_, _, of_x, of_states, bias), d in zip(self.products, map(xp.stack, zip(*dz, strict=True)), strict=True):
            for W in of_x:
                dweights[W] = xp.matmul(xp.transpose(rows(xp, x)), rows(xp, d))
                dx_W = rows_matmul(xp, d, xp.transpose(weights[W]))
                dx = dx_W if dx is None else dx + dx_W
            for h, U in of_states:
                before = xp.stack([state[h] for state in states])
                dweights[U] = xp.matmul(xp.transpose(rows(xp, before)), rows(xp, d))
            if bias is not None:
                dweights[bias] = xp.sum(d, (0, 1))
        return dx, tuple(dweights)


class Placed(NamedTuple):
    """A product of the description, with places in tuples instead of names."""

    columns: slice  # its columns among those of all products
    size: int  # the number of its columns
    of_x: list[int]  # the place of each W in the tuple of weights
    of_states: list[tuple[int, int]]  # for each term with a state, the places of that state and of its U
    bias: int | None  # the place of b


def rows(xp: Xp, x: Array) -> Array:
    """Return (time, batch, n) as (time · batch, n): one product of many rows is faster than many products of few."""
    return xp.reshape(x, (-1, x.shape[-1])) if x.ndim == 3 else x


def rows_matmul(xp: Xp, x: Array, W: Array) -> Array:
    """Return x W for x (batch, n) or (time, batch, n)."""
    y = xp.matmul(rows(xp, x), W)
    return xp.reshape(y, (*x.shape[:-1], W.shape[1])) if x.ndim == 3 else y


def function(
    name: str, arguments: Sequence[str], lines: Sequence[Line], result: str, namespace: dict[str, Any], file: str
) -> Any:
    """Return the function of these lines, each at its number in the file."""
    definition: Any = ast.parse(f"def {name}({', '.join(arguments)}): return {result}").body[0]
    numbers = [line.number for line in lines] or [1]
    definition.lineno = definition.end_lineno = max(1, numbers[0] - 1)  # of `def`: a debugger can break on the name
    definition.body[:0] = [ast.parse(f"{line.name} = {line.text}").body[0] for line in lines]
    for statement, number in zip(definition.body, [*numbers[: len(lines)], numbers[-1]], strict=True):
        for part in ast.walk(statement):
            if hasattr(part, "lineno"):
                part.lineno = part.end_lineno = number  # type: ignore[attr-defined]
    exec(compile(ast.Module([definition], []), file, "exec"), namespace)  # noqa: S102  (the reader's own text)
    return namespace[name]
