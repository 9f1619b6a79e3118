"""A cell's step as CUDA: one kernel for each stage between two products, and for each width; forward and backward.

For the LSTM a step is

    forward     z_all += h U, by cuBLAS; the kernel `forward`
    backward    the kernel `backward`; d_state_h += d_z_all Uᵀ, by cuBLAS

A kernel loads its inputs, computes the lines of the cell, and stores the values that others read. A masked row keeps
its states, and its gradients pass through unchanged. The text is deterministic: the same for the same cell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from minigrad_cuda.dropout import WithDropout, with_dropout
from minigrad_cuda.expressions import UnsupportedError, functions_text
from minigrad_cuda.kernel_writer import KernelWriter, commented
from minigrad_cuda.program import UNITS, Argument, Gemm, KernelLaunch, Program
from minigrad_cuda.storage import Location, Storage

REAL = {"float32": "float", "float64": "double"}
Launches = list[KernelLaunch | Gemm]


@cache
def printed(description: Any, dtype: str, sigma: Any, phi: Any, h_masks: int = 0) -> Program:
    """Return a cell's kernels, and the order in which a step launches them.

    Args:
        description: `minigrad.recurrent.description.Description`.
        dtype: "float32" or "float64".
        sigma: σ, a `minigrad.recurrent.description.Rule`.
        phi: φ, a `Rule` too.
        h_masks: the number of recurrent dropout masks.

    Raises:
        UnsupportedError: the cell cannot be written as such kernels; the message gives the reason.
    """
    if dtype not in REAL:
        raise UnsupportedError(f"the kernel supports no {dtype}")
    return _Printer(with_dropout(description, h_masks)).program(dtype, sigma, phi)


def text(description: Any, dtype: str, options: Any) -> str:
    """Return a cell's kernels as text; or a comment with the reason why there are none.

    Args:
        description: `minigrad.recurrent.description.Description`.
        dtype: "float32" or "float64".
        options: `minigrad.engine.optional.LoopOptions`.
    """
    try:
        return printed(description, str(dtype), options.sigma, options.phi, options.h_masks).text
    except UnsupportedError as error:
        return f"// {_title(description)}: {error}\n"


def _title(d: Any) -> str:
    title: str = d.name.rpartition(".")[2]
    return title


class _Printer:
    """The printer of a cell's kernels."""

    def __init__(self, cell: WithDropout) -> None:
        self.cell, self.d, self.storage = cell, cell.d, Storage(cell)
        self.c_names = self.storage.c_names()
        self.text: list[str] = []

    def program(self, dtype: str, sigma: Any, phi: Any) -> Program:
        storage, forward, backward = self.storage, self._forward(), self._backward()
        functions = functions_text(self.text, sigma, phi)
        comment = [c for line in self._comment(dtype, sigma, phi, forward, backward) for c in commented(line)]
        head = [*comment, "", f"typedef {REAL[dtype]} real;", "", *functions]
        dropped = tuple("" if n is None else storage.dropped[n] for n in self.cell.products)
        return Program(
            description=self.d,
            text="\n".join([*head, *self.text]) + "\n",
            arrays=storage.arrays,
            products=tuple(storage.products),
            states=tuple(storage.states.values()),
            sources=tuple((source.array, dv.array) for source, dv in zip(storage.sources, storage.dv, strict=True)),
            sums=tuple(storage.sums.items()),
            weights=tuple(storage.weights.items()),
            dropout_masks=tuple(storage.dropout_masks.items()),
            dropped=dropped,
            forward=tuple(forward),
            backward=tuple(backward),
        )

    # --- forward ------------------------------------------------------------------------------------------------------

    def _forward(self) -> Launches:
        d, storage = self.d, self.storage
        writers = _KernelWriters(lambda width: KernelWriter(storage, self.c_names, storage.forward_reads, width))
        for line in d.forward:
            if " @ " not in line.text:
                writer = writers[storage.forward[line.name], storage.body(line.name)]
                writer.line(line.name, line.text)
        for name, locations in storage.forward_stores.items():
            writer = writers[storage.forward.get(name, 0), storage.body(name)]
            for location in locations:
                writer.store(location, name)
        for state, new in zip(d.states, d.new, strict=True):
            writers[storage.forward.get(new, 0), storage.body(new)].new_state(state, new)
        inner = [
            (
                storage.forward.get(i.source, 0),
                Gemm(source, i.matrix, storage.forward_reads[i.v].argument, False, False),
            )
            for i, source in zip(d.inner, storage.sources, strict=True)
        ]
        products = [
            Gemm(self._source(t.source, number), t.matrix, Argument(z), False, True)
            for p, (z, _), number in zip(d.products, storage.products, self.cell.products, strict=True)
            for t in p.terms
            if t.source != "x"
        ]
        return [*self._dropout(), *products, *self._launches("forward", writers, inner, {})]

    def _source(self, source: str, number: int | None) -> Argument:
        """Return the array of a state that a product reads: the output after dropout, under recurrent dropout."""
        if number is None or source != self.d.output:
            return Argument(self.storage.states[source][0])
        return Argument(self.storage.dropped[number])

    def _dropout(self) -> Iterator[KernelLaunch]:
        """Write the kernel that applies recurrent dropout to the output before a step."""
        if self.storage.dropped:
            h = self.d.output
            writer = KernelWriter(
                self.storage, self.c_names, self.storage.forward_reads, self.storage.width.get(h, UNITS)
            )
            for number, array in self.storage.dropped.items():
                writer.store(Location(array, dropout_mask=self.storage.dropout_masks[number]), h)
            self.text += ["", *writer.text_of("dropout")]
            yield writer.kernel("dropout")

    # --- backward -----------------------------------------------------------------------------------------------------

    def _backward(self) -> Launches:
        d, storage = self.d, self.storage
        writers = _KernelWriters(lambda width: KernelWriter(storage, self.c_names, storage.backward_reads, width))
        for line in d.backward:
            if " @ " not in line.text:
                writers[storage.backward[line.name], storage.body(line.name)].line(line.name, line.text)
        for name, locations in storage.backward_stores.items():
            writer = writers[storage.backward.get(name, 0), storage.body(name)]
            for location in locations:
                writer.store(location, name, "0" if location.array in {dv.array for dv in storage.dv} else "")
        sums = _KernelWriters(lambda width: KernelWriter(storage, self.c_names, {}, width))
        for name, gradient in d.gradients:
            self._store_gradient(writers, sums, name, gradient)
        for state in (s for s in d.states if s not in dict(d.gradients)):
            width = storage.width.get(state, UNITS)
            (sums if width in d.shared else writers)[0, width].gradient(state, "")
        inner = []
        for i, dv in zip(d.inner, storage.dv, strict=True):
            made = [line.name for line in d.backward if line.text == f"{i.dv} @ {i.matrix}.T"]
            stage = storage.backward.get(i.dv, 0)
            inner += [(stage, Gemm(dv, i.matrix, storage.backward_reads[ds].argument, True, False)) for ds in made]
        return [*self._launches("backward", writers, inner, sums), *self._products_backward()]

    def _products_backward(self) -> Iterator[KernelLaunch | Gemm]:
        """Yield the products that compute the gradients of states, then the backward of dropout."""
        d, storage = self.d, self.storage
        written: dict[str, int] = {}  # array that a product has written to: number of its dropout mask
        for p, (_, dz), number in zip(d.products, storage.products, self.cell.products, strict=True):
            for t in (t for t in p.terms if t.source != "x" and t.flows):
                to, adds = storage.states[t.source][1], True
                if number is not None and t.source == d.output:
                    to = storage.d_dropped[number]
                    adds = to in written
                    written[to] = number
                yield Gemm(Argument(dz), t.matrix, Argument(to), True, adds)
        yield from self._dropout_backward(written)

    def _dropout_backward(self, written: Mapping[str, int]) -> Iterator[KernelLaunch]:
        """Write the backward kernel of dropout: gradients times their masks are added to the output's gradient."""
        storage, d = self.storage, self.d
        if written:
            writer = KernelWriter(storage, self.c_names, {}, storage.width.get(d.output, UNITS))
            gradient = writer.text(Location(storage.states[d.output][1]), True)
            locations = [
                Location(array, dropout_mask=storage.dropout_masks[number]) for array, number in written.items()
            ]
            writer.stores.append(
                f"{gradient} += {' + '.join(writer.text(p) + writer.dropout_factor(p) for p in locations)};"
            )
            self.text += ["", *writer.text_of("dropout_backward")]
            yield writer.kernel("dropout_backward")

    def _store_gradient(self, writers: _KernelWriters, sums: _KernelWriters, name: str, gradient: str) -> None:
        """Store ∂loss/∂(an argument of forward); of a shared width, a later kernel sums it over a block's units."""
        storage, stage = self.storage, self.storage.backward.get(gradient, 0)
        writer = writers[stage, storage.body(gradient)]
        if name in storage.weights:
            writer.store(Location(storage.sums[name]), gradient, "", "+=")
        elif name in storage.shares:
            writer.store(Location(storage.shares[name]), gradient)
            self._sum_over_block(sums[stage, storage.width[name]], name)
        elif name in storage.states:
            writer.gradient(name, writer.read(gradient))
        else:
            writer.store(storage.dz[name], gradient, "0")

    def _sum_over_block(self, writer: KernelWriter, name: str) -> None:
        """Sum the gradients of a shared value over the units of each block."""
        storage, share, total = self.storage, self.storage.shares[name], self.c_names[name]
        writer.pointers[Argument(share)] = False
        per = writer.per_block(storage.width[name])
        writer.lines += [
            f"real {total} = 0;",
            f"for (int nth = 0; nth < {per}; ++nth) {total} += {share}[at * {per} + nth];",
        ]
        writer.computed.add(name)
        if name in storage.states:
            writer.gradient(name, total)
        else:
            writer.store(storage.dz[name], name, "0")

    # --- assembly -----------------------------------------------------------------------------------------------------

    def _launches(
        self,
        direction: str,
        writers: _KernelWriters,
        inner: Sequence[tuple[int, Gemm]],
        sums: Mapping[tuple[int, str], KernelWriter],
    ) -> Launches:
        """Write the kernels; return their launches and the inner products, stage by stage."""
        launches: Launches = []
        count = len(writers) + len(sums)
        for stage in sorted({stage for stage, _ in (*writers, *sums, *inner)}):
            for (at, _), writer in (*writers.items(), *sums.items()):
                if at == stage:
                    number = sum(isinstance(launch, KernelLaunch) for launch in launches) + 1
                    name = direction if count == 1 else f"{direction}_{number}"
                    self.text += ["", *writer.text_of(name)]
                    launches.append(writer.kernel(name))
            launches += [product for at, product in inner if at == stage]
        return launches

    def _comment(self, dtype: str, sigma: Any, phi: Any, forward: Launches, backward: Launches) -> Iterator[str]:
        """Yield the lines of the comment at the top."""
        d, storage = self.d, self.storage
        yield f"// {_title(d)}: a step as CUDA kernels in {dtype}, printed from {d.name}."
        used = [(name, rule) for name, rule in (("sigma", sigma), ("phi", phi)) if self._calls(name)]
        if used:
            yield f"// {'; '.join(f'{name} is {rule.name}' for name, rule in used)}."
        for direction, launches in (("forward", forward), ("backward", backward)):
            yield "//"
            yield f"// A step {direction}:"
            yield from (f"//     {_described(launch, storage)}" for launch in launches)
        yield "//"
        for p, (z, _) in zip(d.products, storage.products, strict=True):
            ready = [*(f"x {t.matrix}" for t in p.terms if t.source == "x"), *([p.bias] if p.bias else [])]
            columns = ", ".join(self.c_names[c] for c in p.columns)
            columns += ", concatenated" if len(p.columns) > 1 else ""
            yield f"// {z} holds {columns}; before the step it is {' + '.join(ready) or '0'}."
            cached = [
                (n, c)
                for n, locations in storage.forward_stores.items()
                for c in p.columns
                if storage.forward_reads[c] in locations
            ]
            if cached:
                text = ", ".join(f"{self.c_names[n]} in the columns of {self.c_names[c]}" for n, c in cached)
                yield f"// Cached there for the backward pass: {text}."
        h, upstream = self.c_names[d.output], storage.after[storage.states[d.output][1]]
        state, gradient = storage.states[d.output]
        yield (
            f"// {state} is {h} before the step, {storage.after[state]} after it; {gradient} and {upstream} are the"
            " gradients of both. `mask` is the mask at this step, or null: where it is false, a row keeps its states,"
            " and its gradients pass through unchanged. A thread computes one number of one row."
        )

    def _calls(self, name: str) -> bool:
        return any(f"{name}(" in line for line in self.text)


class _KernelWriters(dict[tuple[int, str], KernelWriter]):
    """The writers of the kernels, by stage and width."""

    def __init__(self, make: Callable[[str], KernelWriter]) -> None:
        self.make = make

    def __missing__(self, key: tuple[int, str]) -> KernelWriter:
        self[key] = self.make(key[1])
        return self[key]


def _described(launch: KernelLaunch | Gemm, storage: Storage) -> str:
    """Return a launch as a line of the comment."""
    if isinstance(launch, KernelLaunch):
        return f"{launch.name}, {storage.variable[launch.width]} threads a row"

    def c_name(a: Argument) -> str:
        return storage.after[a.array] if a.step else a.array

    sign, matrix = "+=" if launch.adds else "=", f"{launch.matrix}^T" if launch.transposed else launch.matrix
    return f"{c_name(launch.out)} {sign} {c_name(launch.a)} {matrix}"
