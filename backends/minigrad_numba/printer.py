"""A cell's loop over time as text: two functions, forward and backward, for Numba.

A step is one product for each source, by `add_product`, and a loop over the rows for each stage of the cell's lines.
x W + b and the gradients of the weights do not depend on the step before: they are one product for a block of `_n`
steps. A masked row keeps its state, and its gradients pass through unchanged.

The text is deterministic, so that it can be cached on disk, and it is an importable module.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from minigrad_numba import arrays, scalar_functions
from minigrad_numba.backward_storage import BackwardStorage
from minigrad_numba.dropout import WithDropout
from minigrad_numba.forward_storage import ForwardStorage
from minigrad_numba.locations import UNITS, ArraySpec, Location, Names, UnsupportedError
from minigrad_numba.row_functions import Read, RowFunctions, Write
from minigrad_numba.rules import UnknownFunctionError, rule_text
from minigrad_numba.wrapping import indented, wrapped, wrapped_import

_COMPILING = ["compiled", "inlined", "noalias"]


class PrintedLoop(NamedTuple):
    """The text of a loop, and the arrays that its functions take, in this order.

    Attributes:
        text: the text of the module.
        widths: the widths that the functions take as numbers.
        cached: the arrays that `forward` fills and `backward` reads; the states come last.
        forward_buffers: the buffers of `forward` for one step.
        backward_buffers: the buffers of `backward` for a step or a block.
    """

    text: str
    widths: tuple[str, ...]
    cached: tuple[ArraySpec, ...]
    forward_buffers: tuple[ArraySpec, ...]
    backward_buffers: tuple[ArraySpec, ...]


def printed(cell: WithDropout, dtype: str, options: Any) -> PrintedLoop:
    """Return the printed loop of a cell.

    Args:
        cell: the cell's description, with its dropout masks assigned.
        dtype: "float32" or "float64".
        options: `minigrad.engine.optional.LoopOptions`.

    Raises:
        UnsupportedError: the cell cannot be written as such a loop.
    """
    try:
        return _Printer(cell, dtype, options).printed()
    except UnknownFunctionError as error:
        raise UnsupportedError(f"the compiled loops have no function {error}") from None


def title_of(d: Any) -> str:
    """Return a cell's name for messages, such as ``"LSTM"``."""
    title: str = d.name.rpartition(".")[2]
    return title


class _Printer:
    """The printer of a module."""

    def __init__(self, cell: WithDropout, dtype: str, options: Any) -> None:
        d, self.cell, self.d, self.dtype, self.options = cell.d, cell, cell.d, dtype, options
        _check_names(d)
        self.names = Names(d)
        self.names.import_([*scalar_functions.__all__, *arrays.__all__, *_COMPILING])
        width = dict(d.widths)
        self.widths = tuple(dict.fromkeys([UNITS, *width.values()]))
        self.variable = {w: self.names.fresh(f"_{w}") for w in self.widths}
        self.per = {w: self.names.fresh(f"_per_{w}") for w in d.shared}
        self.w = {
            name: self.names.fresh(f"_{name.replace(':', '_')}") for name in d.weights if name not in d.parameters
        }
        self.wT = {name: self.names.fresh(f"{self.w[name]}_T") for name in self.w if name not in self._biases()}
        self.dw = {name: self.names.fresh(f"_d{name.replace(':', '_')}") for name in d.weights}
        self.forward = ForwardStorage(d, self.names, self.variable, width)
        self.backward = BackwardStorage(d, self.names, self.variable, self.forward, self.dw)
        if self._dropout():
            dropped = ArraySpec("_dropped", "", (width.get(d.output, UNITS),))
            self.forward.buffers.append(dropped)
            self.backward.buffers.append(dropped._replace(time="block"))
        self.x = self._inputs("_x")
        self.dx = self._inputs("_dx")
        self.row_functions = RowFunctions(d, self.names, self._body, self.variable, self.per)

    def printed(self) -> PrintedLoop:
        forward = ["", "", *self._forward()]
        backward = ["", "", *self._backward()]
        lines = [line for long in (*self.row_functions.text, *forward, *backward) for line in wrapped(long)]
        text = "\n".join([*self._head(lines), *lines]) + "\n"
        states = [
            ArraySpec(array, "states", (dict(self.d.widths).get(s, UNITS),)) for s, array in self.forward.states.items()
        ]
        return PrintedLoop(
            text,
            self.widths,
            (*self.forward.cached, *states),
            tuple(self.forward.buffers),
            tuple(self.backward.buffers),
        )

    # --- the parts of the text ----------------------------------------------------------------------------------------

    def _head(self, lines: Sequence[str]) -> list[str]:
        """Return the comment, the imports and the activations."""
        d, rules, comment = self.d, list[str](), list[str]()
        for word, rule in (("sigma", self.options.sigma), ("phi", self.options.phi)):
            if any(f"{word}(" in line for line in lines):
                if rule is None:
                    raise UnsupportedError(f"{word} is not elementwise")
                rules += ["", "", *rule_text(word, rule)]
                comment.append(f"{word} is {rule.name}")
        called = {name for line in (*lines, *rules) for name in re.findall(r"(\w+)\(|@(\w+)", line) for name in name}
        imports = [
            line
            for module, there in (
                ("arrays", arrays.__all__),
                ("compiling", _COMPILING),
                ("scalar_functions", scalar_functions.__all__),
            )
            if (names := [name for name in there if name in called])
            for line in wrapped_import(f"from minigrad_numba.{module} import {', '.join(names)}")
        ]
        return [
            f"# {title_of(d)}: its loop over time in {self.dtype}, printed from {d.name}.",
            *([f"# {'; '.join(comment)}."] if comment else []),
            "#",
            *[f"# {line}" for line in self._legend()],
            "",
            "import numpy as np",
            "",
            *imports,
            "",
            f"real = np.{self.dtype}",
            *rules,
        ]

    def _legend(self) -> Iterator[str]:
        """Yield the comment on products, cached columns and names."""
        for k, p in enumerate(self.d.products):
            yield f"    {' '.join(p.columns)} = {self._product(p)}, in {self.forward.products[k].array}"
        cached = [
            f"{name} in the columns of {c}"
            for name, stores in self.forward.stores.items()
            for location in stores
            for c in self.d.columns
            if location == self.forward.at[c] and location.columns
        ]
        yield from ([f"    cached: {', '.join(cached)}"] if cached else [])
        yield "Names that begin with _ are the printer's. _h holds h for all steps, _dh its gradient; _W is W, packed"
        yield "for products, _W_T transposed. _masked marks the rows that keep their state. A block is _n steps long."

    def _product(self, p: Any, only: str = "") -> str:
        """Return a product as in the equations."""
        terms = [
            f"{t.source if t.flows else f'stop({t.source})'} {t.matrix.replace(':', '_')}"
            for t in p.terms
            if not only or (t.source == "x") == (only == "x")
        ]
        with_bias = p.bias and (only != "h" or not any(t.source == "x" for t in p.terms))
        return " + ".join([*terms, *([p.bias.replace(":", "_")] if with_bias else [])])

    def _forward(self) -> Iterator[str]:
        d, forward = self.d, self.forward
        arguments = [
            *dict.fromkeys(self.x), *self.w.values(), *(self._parameter(n) for n in d.parameters), *self._numbers(),
            *(spec.name for spec in forward.cached), *forward.states.values(), *(spec.name for spec in forward.buffers),
        ]  # fmt: skip
        yield f'@compiled("the {title_of(d)}\'s loop forward")'
        yield f"def forward({', '.join([*arguments, *self._dropout(), '_masked', '_n'])}):"
        yield '    """Fill the arrays of the states and of the cache."""'
        yield f"    _batch = {forward.states[d.states[0]]}.shape[1]"
        yield from self._pers()
        yield f"    for _start in range(0, len({self.x[0]}), _n):"
        yield f"        _stop = min(_start + _n, len({self.x[0]}))"
        yield from indented(2, self._projections())
        yield "        for _t in range(_start, _stop):"
        yield from indented(3, self._products_of_step())
        for k, stage in enumerate(forward.stages):
            yield from indented(3, self._stage(k, stage))

    def _projections(self) -> Iterator[str]:
        """Yield x W + b, for all steps of a block."""
        for k, p in enumerate(self.d.products):
            terms, z = [t for t in p.terms if t.source == "x"], self.forward.products[k]
            x = f"{self.x[k]}[_start:_stop]"
            yield from ([f"# {' '.join(p.columns)}: {self._product(p, 'x')}, for a block of steps"] if terms else [])
            if terms and not p.bias:
                yield f"{z.block()} = 0"
            for n, t in enumerate(terms):
                if p.bias and not n:
                    yield f"project({x}, {self.w[t.matrix]}, {self.w[p.bias]}, {z.block()})"
                else:
                    yield f"add_projection({x}, {self.w[t.matrix]}, {z.block()})"

    def _products_of_step(self) -> Iterator[str]:
        """Yield h U, for one step."""
        for k, p in enumerate(self.d.products):
            z, read = self.forward.products[k], self._product(p, "h")
            yield from ([f"# {' '.join(p.columns)}: {read}"] if read else [])
            if not any(t.source == "x" for t in p.terms):
                yield f"set_rows({z.step()}, {self.w[p.bias]})" if p.bias else f"{z.step()}[...] = 0"
            for t in p.terms:
                if t.source != "x":
                    source = self.forward.at[t.source].step()
                    if self._has_dropout(k, t):
                        yield f"apply_dropout({source}, _dropout_masks[{self.cell.h[k]}], _dropped)"
                        source = "_dropped"
                    yield f"add_product({source}, {self.w[t.matrix]}, {z.step()})"

    def _stage(self, k: int, stage: Any) -> Iterator[str]:
        """Yield the loop over the rows of a stage, and the inner product after it."""
        d, forward, last = self.d, self.forward, k == len(self.forward.stages) - 1
        number = f"_{k + 1}" if len(forward.stages) > 1 else ""
        comment = "One row of a step." if last else f"One row of a step, up to {d.inner[k].source} {d.inner[k].matrix}."
        calls = self.row_functions.write((f"_step{number}", comment), stage.lines, self._stores(k, stage), self._value)
        if last:
            yield "for _row in range(_batch):"
            yield "    if _masked.size and _masked[_t, _row]:"
            for array in forward.states.values():
                yield f"        copy_row({array}[_t, _row], {array}[_t + 1, _row])"
            if calls:
                yield "    else:"
                yield from indented(2, calls)
            return
        if calls:
            yield "for _row in range(_batch):"
            yield from indented(1, calls)
        inner, source = d.inner[k], forward.source[k].step()
        yield f"# {inner.v} = {inner.source} {inner.matrix}"
        if self.cell.inner[k] is not None:
            yield f"apply_dropout({source}, _dropout_masks[{self.cell.inner[k]}], _dropped)"
            source = "_dropped"
        yield f"{forward.at[inner.v].step()}[...] = 0"
        yield f"add_product({source}, {self.w[inner.matrix]}, {forward.at[inner.v].step()})"

    def _stores(self, k: int, stage: Any) -> Iterator[Write]:
        forward, made = self.forward, [n for n, _ in stage.lines]
        if k == 0:
            made += [c for c in self.d.columns if c in forward.stores]
        after = [s.product for s in forward.stages[:k]]
        if k == len(forward.stages) - 1:
            made += after
        own = {n for n, _ in stage.lines}
        for name in made:
            at = [p for p in forward.stores.get(name, []) if name in own or p != forward.at[name]]
            if name not in forward.stores and name in forward.at and name in own:
                at = [forward.at[name]]
            yield from (Write(name, location) for location in at)

    def _value(self, name: str) -> Read:
        if name not in self.forward.at:
            raise UnsupportedError(f"an operation mixes {name} with values of another width")
        return Read(self.forward.at[name])

    # --- backward -----------------------------------------------------------------------------------------------------

    def _backward(self) -> Iterator[str]:
        d, forward, backward = self.d, self.forward, self.backward
        arguments = [
            "_dy", *backward.upstream.values(), *dict.fromkeys(self.x), *self.wT.values(),
            *(self._parameter(n) for n in d.parameters), *self._numbers(), *(spec.name for spec in forward.cached),
            *forward.states.values(), *(spec.name for spec in backward.buffers), *self._dropout(), "_masked",
            *dict.fromkeys(self.dx), *self.dw.values(),
        ]  # fmt: skip
        yield f'@compiled("the {title_of(d)}\'s loop backward")'
        yield f"def backward({', '.join(arguments)}):"
        yield '    """Add to _dx and the gradients of the weights; those of the states become the initial ones."""'
        yield f"    _n, _batch = len({backward.products[0]}), {forward.states[d.states[0]]}.shape[1]"
        yield from self._pers()
        yield f"    for _stop in range(len({self.x[0]}), 0, -_n):"
        yield "        _start = max(_stop - _n, 0)"
        yield "        for _t in range(_stop - 1, _start - 1, -1):"
        yield "            _at = _t - _start"
        for k in range(len(backward.stages)):
            yield from indented(3, self._stage_back(k))
        yield from indented(3, self._products_of_step_back())
        yield from indented(2, self._gradients_of_block())

    def _stage_back(self, k: int) -> Iterator[str]:
        """Yield the loop over the rows of a stage, and the inner product after it."""
        backward, last = self.backward, k == len(self.backward.stages) - 1
        lines = [*backward.stages[k].lines, *(backward.recomputed if last else [])]
        number = f"_{k + 1}" if len(backward.stages) > 1 else ""
        comment = (
            "One row of a backward step."
            if last
            else f"One row of a backward step, up to {backward.stages[k].product}."
        )
        calls = self.row_functions.write((f"_step_back{number}", comment), lines, backward.writes(k), backward.value)
        masked = list(backward.masked_lines(k))
        yield "for _row in range(_batch):"
        yield "    if _masked.size and _masked[_t, _row]:"
        yield from indented(2, masked)
        if calls:
            yield "    else:"
            yield from indented(2, calls)
        if not last:
            inner = backward.inner[k]
            j, ds = self.d.inner.index(inner), backward.at[backward.stages[k].product].step()
            yield f"# {backward.stages[k].product} = {inner.dv} {inner.matrix}ᵀ"
            yield f"{ds}[...] = 0"
            yield f"add_product({backward.dv[j].step()}, {self.wT[inner.matrix]}, {ds})"
            if self.cell.inner[j] is not None:
                yield f"apply_dropout({ds}, _dropout_masks[{self.cell.inner[j]}], {ds})"

    def _products_of_step_back(self) -> Iterator[str]:
        """Yield dz Uᵀ, for one step."""
        for k, p in enumerate(self.d.products):
            for t in p.terms:
                if t.source == "x" or not t.flows:
                    continue
                dz, ds = f"{self.backward.products[k]}[_at]", self.backward.upstream[t.source]
                yield f"# gradient of {t.source}: dz {t.matrix.replace(':', '_')}ᵀ"
                if self._has_dropout(k, t):
                    yield "_dropped[0] = 0"
                    yield f"add_product({dz}, {self.wT[t.matrix]}, _dropped[0])"
                    yield f"add_dropout(_dropped[0], _dropout_masks[{self.cell.h[k]}], {ds})"
                else:
                    yield f"add_product({dz}, {self.wT[t.matrix]}, {ds})"

    def _gradients_of_block(self) -> Iterator[str]:
        """Yield the gradients of x and of the weights, for the steps of a block."""
        yield "# the gradients of x and of the weights, for a block of steps"
        for k, p in enumerate(self.d.products):
            dz = f"{self.backward.products[k]}[: _stop - _start]"
            for t in p.terms:
                if t.source == "x":
                    if t.flows:
                        dx = self.dx[k]
                        yield f"if {dx}.size:"
                        yield f"    add_projection({dz}, {self.wT[t.matrix]}, {dx}[_start:_stop])"
                    yield f"add_weight_gradient({self.x[k]}[_start:_stop], {dz}, {self.dw[t.matrix]})"
                else:
                    mask = self.cell.h[k] if self._has_dropout(k, t) else None
                    yield from self._weight_gradient(self.forward.at[t.source], dz, t.matrix, mask)
            if p.bias:
                yield f"add_rows(rows_of({dz}), {self.dw[p.bias]})"
        for j, inner in enumerate(self.d.inner):
            source = self.backward.source.get(inner.source, self.forward.source[j])
            yield from self._weight_gradient(source, self.backward.dv[j].block(), inner.matrix, self.cell.inner[j])

    def _weight_gradient(self, source: Location, dz: str, matrix: str, mask: int | None) -> Iterator[str]:
        text = source.block()
        if mask is not None:
            yield f"apply_dropout_to_steps({text}, _dropout_masks[{mask}], _dropped[: _stop - _start])"
            text = "_dropped[: _stop - _start]"
        yield f"add_weight_gradient({text}, {dz}, {self.dw[matrix]})"

    # --- names --------------------------------------------------------------------------------------------------------

    def _has_dropout(self, k: int, term: Any) -> bool:
        return self.cell.h[k] is not None and term.source == self.d.output

    def _inputs(self, name: str) -> list[str]:
        own: dict[int | None, str] = {}
        for k in self.cell.x:
            own.setdefault(k, self.names.fresh(name if k is None else f"{name}_{k}"))
        return [own[k] for k in self.cell.x]

    def _dropout(self) -> list[str]:
        return ["_dropout_masks"] if any(k is not None for k in (*self.cell.h, *self.cell.inner)) else []

    def _biases(self) -> Sequence[str]:
        return [p.bias for p in self.d.products if p.bias]

    def _parameter(self, name: str) -> str:
        return self.forward.at[name].array

    def _numbers(self) -> list[str]:
        return [*(self.names.scalar(n) for n in self.d.options), *self.variable.values()]

    def _pers(self) -> Iterator[str]:
        for width, per in self.per.items():
            yield f"    {per} = {self.variable[UNITS]} // {self.variable[width]}"

    def _body(self, name: str) -> str:
        return self.forward.body(name)


def _check_names(d: Any) -> None:
    """Refuse a name with two values, forward and backward, in a cell with widths, which are stored by name."""
    forward = {line.name for line in d.forward} | set(d.columns)
    twice = [line.name for line in d.backward if line.name in forward]
    if twice and d.widths:
        raise UnsupportedError(f"the name {twice[0]} has one value forward and another backward")
