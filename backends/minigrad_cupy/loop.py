"""The loop over time of any cell on the GPU, from the kernels that `minigrad_cuda` prints of it.

    z = x W + b                 for all steps at once
    each step forward           h U by cuBLAS, then the kernels, with inner products between them
    each step backward          the kernels, then dz Uᵀ by cuBLAS
    dx, dW, dU, db              for all steps at once

The arrays of a step stay where they are; see `minigrad_cupy.run`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import cupy as cp
from cupy.cublas import gemm

from minigrad_cuda import Multiply, Plan, RefusedError, printed
from minigrad_cupy.run import Kept, Run, Shape
from minigrad_cupy.sizes import Sizes

Array = Any
State = tuple[Array, ...]
Named = Mapping[str, Array]


def compile(description: Any, dtype: str, options: Any) -> Loop | str:  # noqa: A001  (the protocol's name)
    """Returns a cell's loop over time, or in a few words why there is none.

    Args:
        description: `minigrad.recurrent.description.Description`.
        dtype: "float32" or "float64".
        options: `minigrad.engine.optional.LoopOptions`.
    """
    try:
        plan = printed(description, str(dtype), options.sigma, options.phi, options.h_masks)
        return Loop(description, plan, str(dtype), options)
    except RefusedError as refused:
        return str(refused)


class Loop:
    """A cell's loop over time, as `minigrad.engine.optional.Loop` asks for it.

    Args:
        d: `minigrad.recurrent.description.Description`.
        plan: what a step launches.
        dtype: "float32" or "float64".
        options: `minigrad.engine.optional.LoopOptions`.
    """

    def __init__(self, d: Any, plan: Plan, dtype: str, options: Any) -> None:
        self.whole, self.d, self.plan, self.dtype, self.options = d, plan.description, plan, dtype, options
        self.output = d.states.index(d.output)
        self.sizes = Sizes(d, dict(options.sizes))
        if self.sizes.unknown:
            raise RefusedError(f"the width {self.sizes.unknown} can be told from no array")
        multiplied = (step.matrix for step in (*plan.forward, *plan.backward) if isinstance(step, Multiply))
        self.matrices = tuple(dict.fromkeys(multiplied))

    def forward(
        self, x: Array, state: State, weights: State, mask: Array | None, zero_output: bool
    ) -> tuple[Array, State, Kept]:
        """Returns the outputs (time, batch, width of the output), the final state, and the cache."""
        sizes = self._sizes(state, weights)
        named = self._named(weights, sizes)
        run = self._run(x, state, named, sizes, mask is not None)
        kept = Kept(run, silence(mask, zero_output))
        if run.mask is not None:
            run.mask[...] = mask
        for number, array in self.plan.masks:
            run.arrays[array][...] = weights[-1][number]
        self._project(run, x, named, weights)
        run.forward()
        final = [run.arrays[array] for array, _ in self.plan.states]
        h = final[self.output][1:]
        y = h.copy() if kept.silent is None else cp.where(kept.silent[:, :, None], 0, h)
        return y, tuple(array[-1].copy() for array in final), kept

    def backward(
        self, doutputs: Array | None, dstate: Sequence[Array | None], x: Array, weights: State, cache: Kept,
        needs_dx: bool,
    ) -> tuple[Array | None, State, State]:  # fmt: skip
        """Returns dx, ∂loss/∂(initial state), and ∂loss/∂weights in the order of the description."""
        run: Run = cache.run
        for k, ((_, gradient), d) in enumerate(zip(self.plan.states, dstate, strict=True)):
            array = run.arrays[gradient]
            if k == self.output:
                array[0] = 0
                array[1:] = _heard(doutputs, cache.silent)
                array[-1] += 0 if d is None else d
            else:
                array[run.of.time % 2] = 0 if d is None else d
        for _, total in self.plan.sums:
            run.arrays[total][...] = 0
        run.backward()
        dx, dweights = self._gathered(run, x, self._named(weights, run.size), weights, needs_dx)
        return dx, tuple(run.arrays[gradient][0].copy() for _, gradient in self.plan.states), dweights

    def _sizes(self, state: State, weights: State) -> dict[str, int]:
        named = zip((*self.d.states, *self.whole.weights), (*state, *weights), strict=False)
        return self.sizes({name: a.shape for name, a in named})

    def _named(self, weights: State, size: Mapping[str, int]) -> Named:
        """The weights by name; of a product that was taken apart, each column's own as well."""
        named = dict(zip(self.whole.weights, weights, strict=False))
        for name, (whole, columns) in self._parts(size).items():
            named[name] = named[whole][..., columns]
        return named

    def _parts(self, size: Mapping[str, int]) -> dict[str, tuple[str, slice]]:
        """For each weight of a product that was taken apart, of which it is a part, and which columns."""
        found, width, own = {}, dict(self.d.widths), set(self.d.weights)
        for p in self.whole.products:
            start = 0
            for j, column in enumerate(p.columns):
                stop = start + size[width.get(column, "units")]
                for name in (*(t.matrix for t in p.terms), p.bias):
                    if f"{name}:{j}" in own:
                        found[f"{name}:{j}"] = name, slice(start, stop)
                start = stop
        return found

    def _run(self, x: Array, state: State, named: Named, sizes: Mapping[str, int], masked: bool) -> Run:
        """A run for this sequence, with the initial state and the weights of a step in their places."""
        matrices = tuple((name, named[name].shape) for name in self.matrices)
        time, batch, _ = x.shape
        options = self.options.values
        run = Run.taken(Shape(self.plan, self.dtype, options, time, batch, tuple(sizes.items()), matrices, masked))
        for (array, _), s in zip(self.plan.states, state, strict=True):
            run.arrays[array][0] = s
        for name, matrix in run.matrices.items():
            matrix[...] = named[name]
        for name, array in self.plan.weights:
            run.arrays[array][...] = named[name]
        return run

    # --- before and after the loop ------------------------------------------------------------------------------------

    def _project(self, run: Run, x: Array, named: Named, weights: State) -> None:
        """x W + b of all products, for all steps at once: one product each, whatever the number of steps."""
        for k, (p, (array, _)) in enumerate(zip(self.d.products, self.plan.products, strict=True)):
            z = run.arrays[array]
            of_x = [t for t in p.terms if t.source == "x"]
            if p.bias or not of_x:
                z[...] = named[p.bias] if p.bias else 0
            for n, t in enumerate(of_x):
                for mask, columns in self._pieces(k, weights, run.size):
                    thinned, W = _rows(x if mask is None else x * mask), named[t.matrix]
                    adds = bool(p.bias) or n > 0
                    if columns is None:
                        whole, W = cp.ascontiguousarray(thinned), cp.ascontiguousarray(W)
                        gemm("N", "N", whole, W, out=_rows(z), beta=1.0 if adds else 0.0)
                    else:
                        part = (thinned @ W[:, columns]).reshape(*z.shape[:2], -1)
                        z[..., columns] = z[..., columns] + part if adds else part

    def _gathered(
        self, run: Run, x: Array, named: Named, weights: State, needs_dx: bool
    ) -> tuple[Array | None, tuple[Array, ...]]:
        """dx and all weights' gradients: one product each for all steps."""
        found: dict[str, Array] = {}
        dx: Array | None = None
        for k, (p, (_, array)) in enumerate(zip(self.d.products, self.plan.products, strict=True)):
            dz = _rows(run.arrays[array])
            if p.bias:
                found[p.bias] = dz.sum(0)
            for t in p.terms:
                if t.source != "x":
                    found[t.matrix] = self._before(run, k, t.source).T @ dz
                    continue
                parts = []
                for mask, columns in self._pieces(k, weights, run.size):
                    own, W = (dz, named[t.matrix]) if columns is None else (dz[:, columns], named[t.matrix][:, columns])
                    parts.append(_rows(x if mask is None else x * mask).T @ own)
                    if needs_dx and t.flows:
                        part = (own @ W.T).reshape(x.shape)
                        part = part if mask is None else part * mask
                        dx = part if dx is None else dx + part
                found[t.matrix] = parts[0] if len(parts) == 1 else cp.concatenate(parts, axis=1)
        self._gather_inner(run, named, found)
        if needs_dx and dx is None:
            dx = cp.zeros_like(x)
        return dx, self._together(found, run.size)

    def _gather_inner(self, run: Run, named: Named, found: dict[str, Array]) -> None:
        """Adds the gradients of inner matrices and of parameters."""
        for i, (source, dv) in zip(self.d.inner, self.plan.sources, strict=True):
            found[i.matrix] = _rows(run.arrays[source][: run.of.time]).T @ _rows(run.arrays[dv])
        sums = dict(self.plan.sums)
        for name in self.d.parameters:
            found[name] = run.arrays[sums[name]].sum(0) if name in sums else cp.zeros_like(named[name])

    def _together(self, found: Named, size: Mapping[str, int]) -> tuple[Array, ...]:
        """The gradients of the whole weights; those of products that were taken apart are put together."""
        parts = {name: [d] for name, d in found.items()}
        for name, (whole, _) in self._parts(size).items():
            parts.setdefault(whole, []).append(found[name])
        each = [parts[name] for name in self.whole.weights]
        return tuple(own[0] if len(own) == 1 else cp.concatenate(own, axis=-1) for own in each)

    def _before(self, run: Run, k: int, state: str) -> Array:
        """The state before each step as product k saw it, (time · batch, width)."""
        thin = self.plan.thins[k] if state == self.d.output else ""
        if thin:
            return _rows(run.arrays[thin])
        return _rows(run.arrays[self.plan.states[self.d.states.index(state)][0]][:-1])

    def _pieces(self, k: int, weights: State, size: Mapping[str, int]) -> Iterator[tuple[Array | None, slice | None]]:
        """The dropout masks of x for product k, each with the columns that it is for; None for all."""
        if self.options.x_masks < 2:
            yield weights[len(self.whole.weights)][0] if self.options.x_masks else None, None
            return
        masks, width = weights[len(self.whole.weights)], dict(self.d.widths)
        of_x = [len(p.columns) if any(t.source == "x" for t in p.terms) else 0 for p in self.d.products]
        start = 0
        for n, column in enumerate(self.d.products[k].columns, sum(of_x[:k])):
            stop = start + size[width.get(column, "units")]
            yield masks[n], slice(start, stop)
            start = stop


def silence(mask: Array | None, zero_output: bool) -> Array | None:
    """Returns where a row's output is a constant zero, (time, batch) of bools; None without a mask.

    A masked step repeats the output of the step before, which is the state that the row keeps; but before the first
    step of its own a row has put out nothing, whatever its initial state is, and then the output is zero.
    """
    if mask is None:
        return None
    return ~mask if zero_output else cp.cumsum(mask, axis=0) == 0


def _heard(dy: Array | None, silent: Array | None) -> Array:
    """∂loss/∂outputs, 0 where an output is a constant."""
    if dy is None:
        return 0
    return dy if silent is None else cp.where(silent[:, :, None], 0, dy)


def _rows(a: Array) -> Array:
    """(time, batch, n) as (time · batch, n)."""
    return a.reshape(-1, a.shape[-1])
