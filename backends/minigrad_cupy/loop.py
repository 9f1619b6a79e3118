"""The loop over time of any cell on the GPU, from the kernels that `minigrad_cuda` prints for it.

    z = x W + b                 for all steps at once
    each step forward           h U by cuBLAS, then the kernels, with inner products between them
    each step backward          the kernels, then dz Uᵀ by cuBLAS
    dx, dW, dU, db              for all steps at once

The arrays of a step have fixed addresses; see `minigrad_cupy.workspace`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import cupy as cp
from cupy.cublas import gemm

from minigrad_cuda import Gemm, Program, UnsupportedError, printed
from minigrad_cupy.sizes import Sizes
from minigrad_cupy.workspace import Cache, Workspace, WorkspaceSpec

Array = Any
State = tuple[Array, ...]
Named = Mapping[str, Array]


def compile(description: Any, dtype: str, options: Any) -> Loop | str:  # noqa: A001  (the protocol's name)
    """Return a loop that launches the printed CUDA kernels of a cell, or the reason why the cell has none.

    Args:
        description: `minigrad.recurrent.description.Description`.
        dtype: "float32" or "float64".
        options: `minigrad.engine.optional.LoopOptions`.
    """
    try:
        program = printed(description, str(dtype), options.sigma, options.phi, options.h_masks)
        return Loop(description, program, str(dtype), options)
    except UnsupportedError as error:
        return str(error)


class Loop:
    """A cell's loop over time on the GPU, with the interface of `minigrad.engine.optional.Loop`.

    Args:
        d: `minigrad.recurrent.description.Description`.
        program: the kernels and launches of a step.
        dtype: "float32" or "float64".
        options: `minigrad.engine.optional.LoopOptions`.
    """

    def __init__(self, d: Any, program: Program, dtype: str, options: Any) -> None:
        self.description, self.d, self.program, self.dtype, self.options = (
            d,
            program.description,
            program,
            dtype,
            options,
        )
        self.output = d.states.index(d.output)
        self.sizes = Sizes(d, dict(options.sizes))
        if self.sizes.unknown:
            raise UnsupportedError(f"no array determines the width {self.sizes.unknown}")
        multiplied = (launch.matrix for launch in (*program.forward, *program.backward) if isinstance(launch, Gemm))
        self.matrices = tuple(dict.fromkeys(multiplied))

    def forward(
        self, x: Array, state: State, weights: State, mask: Array | None, zero_output: bool
    ) -> tuple[Array, State, Cache]:
        """Return the outputs (time, batch, width of the output), the final state, and the cache."""
        sizes = self._sizes(state, weights)
        named = self._named(weights, sizes)
        workspace = self._prepare(x, state, named, sizes, mask is not None)
        cache = Cache(workspace, zeroed_outputs(mask, zero_output))
        if workspace.mask is not None:
            workspace.mask[...] = mask
        for number, array in self.program.dropout_masks:
            workspace.arrays[array][...] = weights[-1][number]
        self._project(workspace, x, named, weights)
        workspace.forward()
        final = [workspace.arrays[array] for array, _ in self.program.states]
        h = final[self.output][1:]
        y = h.copy() if cache.zeroed is None else cp.where(cache.zeroed[:, :, None], 0, h)
        return y, tuple(array[-1].copy() for array in final), cache

    def backward(
        self, dy: Array | None, dstate: Sequence[Array | None], x: Array, weights: State, cache: Cache,
        needs_dx: bool,
    ) -> tuple[Array | None, State, State]:  # fmt: skip
        """Return dx, ∂loss/∂(initial state), and ∂loss/∂weights in the order of the description."""
        workspace: Workspace = cache.workspace
        for k, ((_, gradient), d) in enumerate(zip(self.program.states, dstate, strict=True)):
            array = workspace.arrays[gradient]
            if k == self.output:
                array[0] = 0
                array[1:] = _upstream(dy, cache.zeroed)
                array[-1] += 0 if d is None else d
            else:
                array[workspace.spec.time % 2] = 0 if d is None else d
        for _, total in self.program.sums:
            workspace.arrays[total][...] = 0
        workspace.backward()
        dx, dweights = self._x_and_weight_gradients(
            workspace, x, self._named(weights, workspace.size), weights, needs_dx
        )
        return dx, tuple(workspace.arrays[gradient][0].copy() for _, gradient in self.program.states), dweights

    def _sizes(self, state: State, weights: State) -> dict[str, int]:
        named = zip((*self.d.states, *self.description.weights), (*state, *weights), strict=False)
        return self.sizes({name: a.shape for name, a in named})

    def _named(self, weights: State, size: Mapping[str, int]) -> Named:
        """Return the weights by name, and the columns of those whose product was split."""
        named = dict(zip(self.description.weights, weights, strict=False))
        for name, (whole, columns) in self._column_slices(size).items():
            named[name] = named[whole][..., columns]
        return named

    def _column_slices(self, size: Mapping[str, int]) -> dict[str, tuple[str, slice]]:
        """Return, for each weight of a split product, the name of the whole weight and the slice of its columns."""
        found, width, own = {}, dict(self.d.widths), set(self.d.weights)
        for p in self.description.products:
            start = 0
            for j, column in enumerate(p.columns):
                stop = start + size[width.get(column, "units")]
                for name in (*(t.matrix for t in p.terms), p.bias):
                    if f"{name}:{j}" in own:
                        found[f"{name}:{j}"] = name, slice(start, stop)
                start = stop
        return found

    def _prepare(self, x: Array, state: State, named: Named, sizes: Mapping[str, int], masked: bool) -> Workspace:
        """Return a workspace for this sequence, filled with the initial state and the weights of a step."""
        matrices = tuple((name, named[name].shape) for name in self.matrices)
        time, batch, _ = x.shape
        options = self.options.values
        workspace = Workspace.acquire(
            WorkspaceSpec(self.program, self.dtype, options, time, batch, tuple(sizes.items()), matrices, masked)
        )
        for (array, _), s in zip(self.program.states, state, strict=True):
            workspace.arrays[array][0] = s
        for name, matrix in workspace.matrices.items():
            matrix[...] = named[name]
        for name, array in self.program.weights:
            workspace.arrays[array][...] = named[name]
        return workspace

    # --- before and after the loop ------------------------------------------------------------------------------------

    def _project(self, workspace: Workspace, x: Array, named: Named, weights: State) -> None:
        """Compute x W + b of all products: one matrix product each for all steps."""
        for k, (p, (array, _)) in enumerate(zip(self.d.products, self.program.products, strict=True)):
            z = workspace.arrays[array]
            of_x = [t for t in p.terms if t.source == "x"]
            if p.bias or not of_x:
                z[...] = named[p.bias] if p.bias else 0
            for n, t in enumerate(of_x):
                for mask, columns in self._x_masks(k, weights, workspace.size):
                    x_dropped, W = _rows(x if mask is None else x * mask), named[t.matrix]
                    adds = bool(p.bias) or n > 0
                    if columns is None:
                        x_contiguous, W = cp.ascontiguousarray(x_dropped), cp.ascontiguousarray(W)
                        gemm("N", "N", x_contiguous, W, out=_rows(z), beta=1.0 if adds else 0.0)
                    else:
                        part = (x_dropped @ W[:, columns]).reshape(*z.shape[:2], -1)
                        z[..., columns] = z[..., columns] + part if adds else part

    def _x_and_weight_gradients(
        self, workspace: Workspace, x: Array, named: Named, weights: State, needs_dx: bool
    ) -> tuple[Array | None, tuple[Array, ...]]:
        """Return dx and the gradients of all weights: one matrix product each for all steps."""
        found: dict[str, Array] = {}
        dx: Array | None = None
        for k, (p, (_, array)) in enumerate(zip(self.d.products, self.program.products, strict=True)):
            dz = _rows(workspace.arrays[array])
            if p.bias:
                found[p.bias] = dz.sum(0)
            for t in p.terms:
                if t.source != "x":
                    found[t.matrix] = self._source_states(workspace, k, t.source).T @ dz
                    continue
                parts = []
                for mask, columns in self._x_masks(k, weights, workspace.size):
                    own, W = (dz, named[t.matrix]) if columns is None else (dz[:, columns], named[t.matrix][:, columns])
                    parts.append(_rows(x if mask is None else x * mask).T @ own)
                    if needs_dx and t.flows:
                        part = (own @ W.T).reshape(x.shape)
                        part = part if mask is None else part * mask
                        dx = part if dx is None else dx + part
                found[t.matrix] = parts[0] if len(parts) == 1 else cp.concatenate(parts, axis=1)
        self._gather_inner(workspace, named, found)
        if needs_dx and dx is None:
            dx = cp.zeros_like(x)
        return dx, self._concatenated(found, workspace.size)

    def _gather_inner(self, workspace: Workspace, named: Named, found: dict[str, Array]) -> None:
        """Add the gradients of inner matrices and of parameters to `found`."""
        for i, (source, dv) in zip(self.d.inner, self.program.sources, strict=True):
            found[i.matrix] = _rows(workspace.arrays[source][: workspace.spec.time]).T @ _rows(workspace.arrays[dv])
        sums = dict(self.program.sums)
        for name in self.d.parameters:
            found[name] = workspace.arrays[sums[name]].sum(0) if name in sums else cp.zeros_like(named[name])

    def _concatenated(self, found: Named, size: Mapping[str, int]) -> tuple[Array, ...]:
        """Return the gradients of the whole weights; those of split products are concatenated."""
        parts = {name: [d] for name, d in found.items()}
        for name, (whole, _) in self._column_slices(size).items():
            parts.setdefault(whole, []).append(found[name])
        each = [parts[name] for name in self.description.weights]
        return tuple(own[0] if len(own) == 1 else cp.concatenate(own, axis=-1) for own in each)

    def _source_states(self, workspace: Workspace, k: int, state: str) -> Array:
        """Return the state before each step as product k read it, (time · batch, width)."""
        dropped = self.program.dropped[k] if state == self.d.output else ""
        if dropped:
            return _rows(workspace.arrays[dropped])
        return _rows(workspace.arrays[self.program.states[self.d.states.index(state)][0]][:-1])

    def _x_masks(self, k: int, weights: State, size: Mapping[str, int]) -> Iterator[tuple[Array | None, slice | None]]:
        """Yield the dropout masks of x for product k, each with the columns it applies to; None for all."""
        if self.options.x_masks < 2:
            yield weights[len(self.description.weights)][0] if self.options.x_masks else None, None
            return
        masks, width = weights[len(self.description.weights)], dict(self.d.widths)
        of_x = [len(p.columns) if any(t.source == "x" for t in p.terms) else 0 for p in self.d.products]
        start = 0
        for n, column in enumerate(self.d.products[k].columns, sum(of_x[:k])):
            stop = start + size[width.get(column, "units")]
            yield masks[n], slice(start, stop)
            start = stop


def zeroed_outputs(mask: Array | None, zero_output: bool) -> Array | None:
    """Return True where a row's output is the constant 0, (time, batch) of bools; None without a mask.

    A masked step repeats the output of the step before, which is the state that the row keeps. Before a row's first
    unmasked step there is no previous output: its output is zero, even if the initial state is not.
    """
    if mask is None:
        return None
    return ~mask if zero_output else cp.cumsum(mask, axis=0) == 0


def _upstream(dy: Array | None, zeroed: Array | None) -> Array:
    """Return ∂loss/∂outputs, 0 where an output is the constant 0."""
    if dy is None:
        return 0
    return dy if zeroed is None else cp.where(zeroed[:, :, None], 0, dy)


def _rows(a: Array) -> Array:
    """Reshape (time, batch, n) to (time · batch, n)."""
    return a.reshape(-1, a.shape[-1])
