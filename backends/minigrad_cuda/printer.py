"""A cell's step as CUDA: one kernel for each stage between two products, and for each width; forward and backward.

For the LSTM a step is

    forward     z_all += h U, by cuBLAS; the kernel `forward`
    backward    the kernel `backward`; d_state_h += d_z_all Uᵀ, by cuBLAS

A kernel reads what it needs, computes the lines of the cell, and stores what others read. Where a row is masked, it
keeps its states, and its gradients pass by. The text is the same for the same cell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from minigrad_cuda.draft import Draft, commented
from minigrad_cuda.expressions import RefusedError, functions_text
from minigrad_cuda.layout import Layout, Place
from minigrad_cuda.plan import UNITS, Argument, Kernel, Multiply, Plan
from minigrad_cuda.thinned import Thinned, thinned

REAL = {"float32": "float", "float64": "double"}
Steps = list[Kernel | Multiply]


@cache
def printed(description: Any, dtype: str, sigma: Any, phi: Any, h_masks: int = 0) -> Plan:
    """Returns a cell's kernels, and in which order a step launches them.

    Args:
        description: `minigrad.recurrent.description.Description`.
        dtype: "float32" or "float64".
        sigma: σ, a `minigrad.recurrent.description.Rule`.
        phi: φ, likewise.
        h_masks: how many recurrent dropout masks there are.

    Raises:
        RefusedError: the cell cannot be written as such kernels; in a few words why.
    """
    if dtype not in REAL:
        raise RefusedError(f"the kernel supports no {dtype}")
    return _Printer(thinned(description, h_masks)).plan(dtype, sigma, phi)


def text(description: Any, dtype: str, options: Any) -> str:
    """Returns a cell's kernels as text; or in a comment why there are none.

    Args:
        description: `minigrad.recurrent.description.Description`.
        dtype: "float32" or "float64".
        options: `minigrad.engine.optional.LoopOptions`.
    """
    try:
        return printed(description, str(dtype), options.sigma, options.phi, options.h_masks).text
    except RefusedError as refused:
        return f"// {_title(description)}: {refused}\n"


def _title(d: Any) -> str:
    title: str = d.name.rpartition(".")[2]
    return title


class _Printer:
    """Writes the kernels of a cell."""

    def __init__(self, cell: Thinned) -> None:
        self.cell, self.d, self.of = cell, cell.d, Layout(cell)
        self.called = self.of.called()
        self.text: list[str] = []

    def plan(self, dtype: str, sigma: Any, phi: Any) -> Plan:
        of, forward, backward = self.of, self._forward(), self._backward()
        functions = functions_text(self.text, sigma, phi)
        comment = [c for line in self._head(dtype, sigma, phi, forward, backward) for c in commented(line)]
        head = [*comment, "", f"typedef {REAL[dtype]} real;", "", *functions]
        thins = tuple("" if n is None else of.thin[n] for n in self.cell.products)
        return Plan(
            self.d, "\n".join([*head, *self.text]) + "\n", of.arrays, tuple(of.products), tuple(of.states.values()),
            tuple((source.array, dv.array) for source, dv in zip(of.sources, of.dv, strict=True)),
            tuple(of.sums.items()), tuple(of.weights.items()), tuple(of.mask.items()), thins,
            tuple(forward), tuple(backward),
        )  # fmt: skip

    # --- forward ------------------------------------------------------------------------------------------------------

    def _forward(self) -> Steps:
        d, of = self.d, self.of
        drafts = _Drafts(lambda width: Draft(of, self.called, of.at, width))
        for line in d.forward:
            if " @ " not in line.text:
                draft = drafts[of.forward[line.name], of.body(line.name)]
                draft.line(line.name, line.text)
        for name, places in of.keeps.items():
            draft = drafts[of.forward.get(name, 0), of.body(name)]
            for place in places:
                draft.store(place, name)
        for state, new in zip(d.states, d.new, strict=True):
            drafts[of.forward.get(new, 0), of.body(new)].new_state(state, new)
        inner = [
            (of.forward.get(i.source, 0), Multiply(source, i.matrix, of.at[i.v].argument, False, False))
            for i, source in zip(d.inner, of.sources, strict=True)
        ]
        products = [
            Multiply(self._seen(t.source, number), t.matrix, Argument(z), False, True)
            for p, (z, _), number in zip(d.products, of.products, self.cell.products, strict=True)
            for t in p.terms
            if t.source != "x"
        ]
        return [*self._thin(), *products, *self._in_order("forward", drafts, inner, {})]

    def _seen(self, source: str, number: int | None) -> Argument:
        """The array of a state that a product reads: of the thinned output, where there is recurrent dropout."""
        if number is None or source != self.d.output:
            return Argument(self.of.states[source][0])
        return Argument(self.of.thin[number])

    def _thin(self) -> Iterator[Kernel]:
        """The kernel that thins the output before a step."""
        if self.of.thin:
            h = self.d.output
            draft = Draft(self.of, self.called, self.of.at, self.of.width.get(h, UNITS))
            for number, array in self.of.thin.items():
                draft.store(Place(array, thinned=self.of.mask[number]), h)
            self.text += ["", *draft.written("thin")]
            yield draft.kernel("thin")

    # --- backward -----------------------------------------------------------------------------------------------------

    def _backward(self) -> Steps:
        d, of = self.d, self.of
        drafts = _Drafts(lambda width: Draft(of, self.called, of.back, width))
        for line in d.backward:
            if " @ " not in line.text:
                drafts[of.backward[line.name], of.body(line.name)].line(line.name, line.text)
        for name, places in of.carries.items():
            draft = drafts[of.backward.get(name, 0), of.body(name)]
            for place in places:
                draft.store(place, name, "0" if place.array in {dv.array for dv in of.dv} else "")
        sums = _Drafts(lambda width: Draft(of, self.called, {}, width))
        for name, gradient in d.gradients:
            self._gradient(drafts, sums, name, gradient)
        for state in (s for s in d.states if s not in dict(d.gradients)):
            width = of.width.get(state, UNITS)
            (sums if width in d.shared else drafts)[0, width].gradient(state, "")
        inner = []
        for i, dv in zip(d.inner, of.dv, strict=True):
            made = [line.name for line in d.backward if line.text == f"{i.dv} @ {i.matrix}.T"]
            stage = of.backward.get(i.dv, 0)
            inner += [(stage, Multiply(dv, i.matrix, of.back[ds].argument, True, False)) for ds in made]
        return [*self._in_order("backward", drafts, inner, sums), *self._products_back()]

    def _products_back(self) -> Iterator[Kernel | Multiply]:
        """The gradients of states through the products; that of a thinned output passes its mask."""
        d, of = self.d, self.of
        heard: dict[str, int] = {}  # the arrays of thinned gradients that a product has written to, and their masks
        for p, (_, dz), number in zip(d.products, of.products, self.cell.products, strict=True):
            for t in (t for t in p.terms if t.source != "x" and t.flows):
                to, adds = of.states[t.source][1], True
                if number is not None and t.source == d.output:
                    to = of.d_thin[number]
                    adds = to in heard
                    heard[to] = number
                yield Multiply(Argument(dz), t.matrix, Argument(to), True, adds)
        yield from self._thin_back(heard)

    def _thin_back(self, heard: Mapping[str, int]) -> Iterator[Kernel]:
        """The kernel that hands the gradients of the thinned outputs on."""
        of, d = self.of, self.d
        if heard:
            draft = Draft(of, self.called, {}, of.width.get(d.output, UNITS))
            gradient = draft.text(Place(of.states[d.output][1]), True)
            places = [Place(array, thinned=of.mask[number]) for array, number in heard.items()]
            draft.stores.append(f"{gradient} += {' + '.join(draft.text(p) + draft.thinned(p) for p in places)};")
            self.text += ["", *draft.written("thin_back")]
            yield draft.kernel("thin_back")

    def _gradient(self, drafts: _Drafts, sums: _Drafts, name: str, gradient: str) -> None:
        """Stores ∂loss/∂(an argument of forward); what units share is summed over them by a kernel that follows."""
        of, stage = self.of, self.of.backward.get(gradient, 0)
        draft = drafts[stage, of.body(gradient)]
        if name in of.weights:
            draft.store(Place(of.sums[name]), gradient, "", "+=")
        elif name in of.shares:
            draft.store(Place(of.shares[name]), gradient)
            self._summed(sums[stage, of.width[name]], name)
        elif name in of.states:
            draft.gradient(name, draft.read(gradient))
        else:
            draft.store(of.dz[name], gradient, "0")

    def _summed(self, draft: Draft, name: str) -> None:
        """Adds up what the units of each block say of a value that they share."""
        of, share, total = self.of, self.of.shares[name], self.called[name]
        draft.pointers[Argument(share)] = False
        per = draft.per_block(of.width[name])
        draft.lines += [
            f"real {total} = 0;",
            f"for (int nth = 0; nth < {per}; ++nth) {total} += {share}[at * {per} + nth];",
        ]
        draft.made.add(name)
        if name in of.states:
            draft.gradient(name, total)
        else:
            draft.store(of.dz[name], name, "0")

    # --- together -----------------------------------------------------------------------------------------------------

    def _in_order(
        self, way: str, drafts: _Drafts, inner: Sequence[tuple[int, Multiply]], sums: Mapping[tuple[int, str], Draft]
    ) -> Steps:
        """Writes the kernels, and returns them with the inner products, stage by stage."""
        steps: Steps = []
        count = len(drafts) + len(sums)
        for stage in sorted({stage for stage, _ in (*drafts, *sums, *inner)}):
            for (at, _), draft in (*drafts.items(), *sums.items()):
                if at == stage:
                    number = sum(isinstance(step, Kernel) for step in steps) + 1
                    name = way if count == 1 else f"{way}_{number}"
                    self.text += ["", *draft.written(name)]
                    steps.append(draft.kernel(name))
            steps += [product for at, product in inner if at == stage]
        return steps

    def _head(self, dtype: str, sigma: Any, phi: Any, forward: Steps, backward: Steps) -> Iterator[str]:
        """The comment at the top."""
        d, of = self.d, self.of
        yield f"// {_title(d)}: a step as CUDA kernels in {dtype}, printed from {d.name}."
        used = [(word, rule) for word, rule in (("sigma", sigma), ("phi", phi)) if self._calls(word)]
        if used:
            yield f"// {'; '.join(f'{word} is {rule.name}' for word, rule in used)}."
        for way, steps in (("forward", forward), ("backward", backward)):
            yield "//"
            yield f"// A step {way}:"
            yield from (f"//     {_said(step, of)}" for step in steps)
        yield "//"
        for p, (z, _) in zip(d.products, of.products, strict=True):
            ready = [*(f"x {t.matrix}" for t in p.terms if t.source == "x"), *([p.bias] if p.bias else [])]
            columns = ", ".join(self.called[c] for c in p.columns)
            columns += " side by side" if len(p.columns) > 1 else ""
            yield f"// {z} holds {columns}; before the step it is {' + '.join(ready) or '0'}."
            kept = [(n, c) for n, places in of.keeps.items() for c in p.columns if of.at[c] in places]
            if kept:
                said = ", ".join(f"{self.called[n]} in the place of {self.called[c]}" for n, c in kept)
                yield f"// Kept there for the backward pass: {said}."
        h, arrived = self.called[d.output], of.after[of.states[d.output][1]]
        state, gradient = of.states[d.output]
        yield (
            f"// {state} is {h} before the step, {of.after[state]} after it; {gradient} and {arrived} are the gradients"
            " of both. `mask` is the mask at this step, or null: where it is false a row keeps its states, and its"
            " gradients pass by. A thread is one number of one row."
        )

    def _calls(self, word: str) -> bool:
        return any(f"{word}(" in line for line in self.text)


class _Drafts(dict[tuple[int, str], Draft]):
    """The kernels that are being written, by stage and width."""

    def __init__(self, make: Callable[[str], Draft]) -> None:
        self.make = make

    def __missing__(self, key: tuple[int, str]) -> Draft:
        self[key] = self.make(key[1])
        return self[key]


def _said(step: Kernel | Multiply, of: Layout) -> str:
    """A launch in words."""
    if isinstance(step, Kernel):
        return f"{step.name}, {of.variable[step.width]} threads a row"

    def called(a: Argument) -> str:
        return of.after[a.array] if a.step else a.array

    sign, matrix = "+=" if step.adds else "=", f"{step.matrix}^T" if step.transposed else step.matrix
    return f"{called(step.out)} {sign} {called(step.a)} {matrix}"
