"""One product of a step on arrays: its columns and its gradients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from minigrad.engine.protocol import Array, Xp
from minigrad.recurrent.compiler.widths import UNITS
from minigrad.recurrent.description import Product
from minigrad.recurrent.dropout import product, product_dW, product_dx
from minigrad.recurrent.protocol import Weights

X_MASKS, H_MASKS = "x_masks", "h_masks"  # the dropout masks of a sequence; their places follow the weights'
Widths = tuple[str, ...]


class Multiplied:
    """columns = x W + h U + b, for one product of a description.

    Args:
        xp: the array namespace.
        of: the product.
        widths: the width of each column.
        states: the names of the states.
        output: the state that recurrent dropout acts on.
        place: the place of each weight, and of the masks, in the tuple of weights.
        first: the numbers of columns of x, and of the output, in the products before: the places of its first masks.
        separate: make one small product for each column.
    """

    def __init__(
        self, xp: Xp, of: Product, widths: Widths, states: Sequence[str], output: str, place: Mapping[str, int],
        first: tuple[int, int], separate: bool,
    ) -> None:  # fmt: skip
        self.xp, self.widths, self.count, self.separate = xp, widths, len(of.columns), separate
        self.names, self.of_states = of.columns, states
        self.bias = place[of.bias] if of.bias else None
        self.inputs = [(place[t.matrix], t.flows) for t in of.terms if t.source == "x"]
        self.states = [
            (states.index(t.source), place[t.matrix], t.flows, t.source == output) for t in of.terms if t.source != "x"
        ]
        self._x_masks, self._h_masks = place[X_MASKS], place[H_MASKS]
        self._first_x, self._first_h = first

    def _masks(self, weights: Weights, of_x: bool, thinned: bool = True) -> Array | None:
        """This product's dropout masks, (1 or columns, batch, size); None without dropout."""
        k, first = (self._x_masks, self._first_x) if of_x else (self._h_masks, self._first_h)
        masks = weights[k] if thinned and k < len(weights) else None
        if masks is None or masks.shape[0] == 1:
            return masks
        return self.xp.getitem(masks, slice(first, first + self.count))

    def _seen(self, source: Array, flows: bool) -> Array:
        """Return the source of a term: ``stop(h)`` is a constant in the gradient of its matrix too."""
        return source if flows else getattr(self.xp, "stop_gradient", _as_it_is)(source)

    def of_input(self, x: Array, weights: Weights) -> Array | None:
        """Return x W + b, for all steps at once; None where the product does not read x."""
        z: Array | None = None
        for m, flows in self.inputs:
            part = product(
                self.xp, self._seen(x, flows), weights[m], self._masks(weights, True), self.count, self.separate
            )
            z = part if z is None else z + part
        return z if z is None or self.bias is None else z + weights[self.bias]

    def summands(self, dz: Array, weights: Weights, sizes: Mapping[str, int]) -> list[tuple[str, str, Array]]:
        """Return the gradient from each column to each state: (state, column, its part of ∂loss/∂state)."""
        found = []
        for k, m, flows, thinned in self.states:
            masks = self._masks(weights, False, thinned)
            cut = [parts(self.xp, v, [(w,) for w in self.widths], sizes) for v in (dz, weights[m])]
            for at, (column, d, W) in enumerate(zip(self.names, *cut, strict=True)):
                own = masks if masks is None or masks.shape[0] == 1 else self.xp.getitem(masks, slice(at, at + 1))
                if flows:
                    found.append((self.of_states[k], column, product_dx(self.xp, d, W, own, 1)))
        return found

    def gather(
        self, x: Array, states: Sequence[Array], dz: Array, weights: Weights, found: list[Array | None]
    ) -> Array | None:
        """Write the gradients of the weights into `found`, and return this product's part of dx.

        Args:
            x: (time, batch, features).
            states: each (time, batch, size), before the steps.
            dz: (time, batch, columns).
            weights: the cell's weights.
            found: one place for each weight.
        """
        dx: Array | None = None
        for m, flows in self.inputs:
            masks = self._masks(weights, True)
            found[m] = product_dW(self.xp, self._seen(x, flows), dz, masks, self.count)
            if flows:
                part = product_dx(self.xp, dz, weights[m], masks, self.count)
                dx = part if dx is None else dx + part
        for k, m, flows, thinned in self.states:
            masks = self._masks(weights, False, thinned)
            found[m] = product_dW(self.xp, self._seen(states[k], flows), dz, masks, self.count)
        if self.bias is not None:
            found[self.bias] = self.xp.sum(dz, (0, 1))
        return dx


def _as_it_is(x: Array) -> Array:
    """Return x: operations on arrays are not recorded."""
    return x


def parts(xp: Xp, total: Array, groups: Sequence[Widths], sizes: Mapping[str, int]) -> Sequence[Array]:
    """Cuts an array along its last axis into one part for each group of columns.

    Args:
        xp: the array namespace.
        total: (…, columns).
        groups: the widths of the columns of each part.
        sizes: the widths other than `units`, as numbers.
    """
    if len(set(groups)) == 1:
        found: Sequence[Array] = xp.split(total, len(groups), -1)
        return found
    flat = [w for group in groups for w in group]
    named = sum(sizes[w] for w in flat if w != UNITS)
    units = (total.shape[-1] - named) // max(1, flat.count(UNITS))
    cut, start = [], 0
    for group in groups:
        end = start + sum(units if w == UNITS else sizes[w] for w in group)
        cut.append(xp.getitem(total, (..., slice(start, end))))
        start = end
    return cut
