"""A cell's loop over time as text: two functions, forward and backward, for Numba.

A step is one product for each source, with `add_product`, and a pass over the rows for each stage of the cell's lines.
What does not wait for the step before, x W + b and the gradients of the weights, is one product for a block of `_n`
steps. At a step at which a row rests it keeps its state, and its gradients pass by.

The text is the same for the same cell, so that it can be kept on disk, and it is a module that can be imported.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from minigrad_numba import words
from minigrad_numba.back_places import BackPlaces
from minigrad_numba.layout import WIDE, indented, wrapped
from minigrad_numba.passes import Pass, Value, Write
from minigrad_numba.places import UNITS, ForwardPlaces, Names, Place, RefusedError, Room
from minigrad_numba.rules import UnknownWordError, rule_text
from minigrad_numba.thinned import Thinned

_ARRAYS = ["add_product", "add_projected", "add_rows", "gather", "project", "rows_of", "set_rows", "thin", "thin_steps"]
_COMPILING = ["apart", "compiled", "inlined"]


class Printed(NamedTuple):
    """A loop's text, and the arrays that its functions are called with, in this order.

    Attributes:
        text: the module.
        widths: the widths whose numbers they take.
        cached: what `forward` fills and `backward` reads; the states come last.
        room: what `forward` needs for one step.
        back: what `backward` needs for a step or a block.
    """

    text: str
    widths: tuple[str, ...]
    cached: tuple[Room, ...]
    room: tuple[Room, ...]
    back: tuple[Room, ...]


def printed(of: Thinned, dtype: str, options: Any) -> Printed:
    """Returns the loop of a cell.

    Args:
        of: the cell's description, with its dropout masks shared out.
        dtype: "float32" or "float64".
        options: `minigrad.engine.optional.LoopOptions`.

    Raises:
        RefusedError: the cell cannot be written as such a loop.
    """
    try:
        return _Printer(of, dtype, options).printed()
    except UnknownWordError as error:
        raise RefusedError(f"the compiled loops do not know the word {error}") from None


def title_of(d: Any) -> str:
    """Returns a cell's name as messages have it, ``"LSTM"``."""
    title: str = d.name.rpartition(".")[2]
    return title


class _Printer:
    """Writes the module."""

    def __init__(self, of: Thinned, dtype: str, options: Any) -> None:
        d, self.of, self.d, self.dtype, self.options = of.d, of, of.d, dtype, options
        _check_names(d)
        self.names = Names(d)
        self.names.import_([*words.__all__, *_ARRAYS, *_COMPILING])
        width = dict(d.widths)
        self.widths = tuple(dict.fromkeys([UNITS, *width.values()]))
        self.variable = {w: self.names.fresh(f"_{w}") for w in self.widths}
        self.per = {w: self.names.fresh(f"_per_{w}") for w in d.shared}
        self.w = {
            name: self.names.fresh(f"_{name.replace(':', '_')}") for name in d.weights if name not in d.parameters
        }
        self.wT = {name: self.names.fresh(f"{self.w[name]}_T") for name in self.w if name not in self._biases()}
        self.dw = {name: self.names.fresh(f"_d{name.replace(':', '_')}") for name in d.weights}
        self.places = ForwardPlaces(d, self.names, self.variable, width)
        self.back = BackPlaces(d, self.names, self.variable, self.places, self.dw)
        if self._dropout():
            thinned = Room("_thinned", "", (width.get(d.output, UNITS),))
            self.places.room.append(thinned)
            self.back.room.append(thinned._replace(time="block"))
        self.x = self._inputs("_x")
        self.dx = self._inputs("_dx")
        self.passes = Pass(d, self.names, self._body, self.variable, self.per)

    def printed(self) -> Printed:
        forward = ["", "", *self._forward()]
        backward = ["", "", *self._backward()]
        lines = [line for long in (*self.passes.text, *forward, *backward) for line in wrapped(long)]
        text = "\n".join([*self._head(lines), *lines]) + "\n"
        states = [
            Room(array, "states", (dict(self.d.widths).get(s, UNITS),)) for s, array in self.places.states.items()
        ]
        return Printed(
            text, self.widths, (*self.places.cached, *states), tuple(self.places.room), tuple(self.back.room)
        )

    # --- the parts of the text ----------------------------------------------------------------------------------------

    def _head(self, lines: Sequence[str]) -> list[str]:
        """The comment, the imports of what the lines call, the activations."""
        d, rules, said = self.d, list[str](), list[str]()
        for word, rule in (("sigma", self.options.sigma), ("phi", self.options.phi)):
            if any(f"{word}(" in line for line in lines):
                if rule is None:
                    raise RefusedError(f"{word} is not elementwise")
                rules += ["", "", *rule_text(word, rule)]
                said.append(f"{word} is {rule.name}")
        called = {name for line in (*lines, *rules) for name in re.findall(r"(\w+)\(|@(\w+)", line) for name in name}
        imports = [
            line
            for module, there in (("arrays", _ARRAYS), ("compiling", _COMPILING), ("words", words.__all__))
            if (names := [name for name in there if name in called])
            for line in wrapped_import(f"from minigrad_numba.{module} import {', '.join(names)}")
        ]
        return [
            f"# {title_of(d)}: its loop over time in {self.dtype}, printed from {d.name}.",
            *([f"# {'; '.join(said)}."] if said else []),
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
        for k, p in enumerate(self.d.products):
            yield f"    {' '.join(p.columns)} = {self._product(p)}, in {self.places.products[k].array}"
        kept = [
            f"{name} in the place of {c}"
            for name, stores in self.places.stores.items()
            for place in stores
            for c in self.d.columns
            if place == self.places.at[c] and place.columns
        ]
        yield from ([f"    kept: {', '.join(kept)}"] if kept else [])
        yield "Names that begin with _ are the printer's. _h holds h for all steps, _dh its gradient; _W is W, packed"
        yield "for products, _W_T transposed. _rests says which rows keep their state. A block is _n steps long."

    def _product(self, p: Any, only: str = "") -> str:
        """A product as the equations have it."""
        terms = [
            f"{t.source if t.flows else f'stop({t.source})'} {t.matrix.replace(':', '_')}"
            for t in p.terms
            if not only or (t.source == "x") == (only == "x")
        ]
        with_bias = p.bias and (only != "h" or not any(t.source == "x" for t in p.terms))
        return " + ".join([*terms, *([p.bias.replace(":", "_")] if with_bias else [])])

    def _forward(self) -> Iterator[str]:
        d, places = self.d, self.places
        arguments = [
            *dict.fromkeys(self.x), *self.w.values(), *(self._parameter(n) for n in d.parameters), *self._numbers(),
            *(room.name for room in places.cached), *places.states.values(), *(room.name for room in places.room),
        ]  # fmt: skip
        yield f'@compiled("the {title_of(d)}\'s loop forward")'
        yield f"def forward({', '.join([*arguments, *self._dropout(), '_rests', '_n'])}):"
        yield '    """Fill the arrays of the states and of what is kept."""'
        yield f"    _batch = {places.states[d.states[0]]}.shape[1]"
        yield from self._pers()
        yield f"    for _start in range(0, len({self.x[0]}), _n):"
        yield f"        _stop = min(_start + _n, len({self.x[0]}))"
        yield from indented(2, self._projected())
        yield "        for _t in range(_start, _stop):"
        yield from indented(3, self._multiplied())
        for k, stage in enumerate(places.stages):
            yield from indented(3, self._stage(k, stage))

    def _projected(self) -> Iterator[str]:
        """x W + b, for all steps of a block."""
        for k, p in enumerate(self.d.products):
            terms, z = [t for t in p.terms if t.source == "x"], self.places.products[k]
            x = f"{self.x[k]}[_start:_stop]"
            yield from ([f"# {' '.join(p.columns)}: {self._product(p, 'x')}, for a block of steps"] if terms else [])
            if terms and not p.bias:
                yield f"{z.block()} = 0"
            for n, t in enumerate(terms):
                if p.bias and not n:
                    yield f"project({x}, {self.w[t.matrix]}, {self.w[p.bias]}, {z.block()})"
                else:
                    yield f"add_projected({x}, {self.w[t.matrix]}, {z.block()})"

    def _multiplied(self) -> Iterator[str]:
        """h U, for one step."""
        for k, p in enumerate(self.d.products):
            z, read = self.places.products[k], self._product(p, "h")
            yield from ([f"# {' '.join(p.columns)}: {read}"] if read else [])
            if not any(t.source == "x" for t in p.terms):
                yield f"set_rows({z.step()}, {self.w[p.bias]})" if p.bias else f"{z.step()}[...] = 0"
            for t in p.terms:
                if t.source != "x":
                    source = self.places.at[t.source].step()
                    if self._thins(k, t):
                        yield f"thin({source}, _masks[{self.of.h[k]}], _thinned)"
                        source = "_thinned"
                    yield f"add_product({source}, {self.w[t.matrix]}, {z.step()})"

    def _stage(self, k: int, stage: Any) -> Iterator[str]:
        """A pass over the rows, and the inner product after it."""
        d, places, last = self.d, self.places, k == len(self.places.stages) - 1
        number = f"_{k + 1}" if len(places.stages) > 1 else ""
        said = "One row of a step." if last else f"One row of a step, up to {d.inner[k].source} {d.inner[k].matrix}."
        calls = self.passes.write((f"_step{number}", said), stage.lines, self._stores(k, stage), self._value)
        if last:
            yield "for _row in range(_batch):"
            yield "    if _rests.size and _rests[_t, _row]:"
            for array in places.states.values():
                yield f"        {array}[_t + 1, _row] = {array}[_t, _row]"
            if calls:
                yield "    else:"
                yield from indented(2, calls)
            return
        if calls:
            yield "for _row in range(_batch):"
            yield from indented(1, calls)
        inner, source = d.inner[k], places.source[k].step()
        yield f"# {inner.v} = {inner.source} {inner.matrix}"
        if self.of.inner[k] is not None:
            yield f"thin({source}, _masks[{self.of.inner[k]}], _thinned)"
            source = "_thinned"
        yield f"{places.at[inner.v].step()}[...] = 0"
        yield f"add_product({source}, {self.w[inner.matrix]}, {places.at[inner.v].step()})"

    def _stores(self, k: int, stage: Any) -> Iterator[Write]:
        places, made = self.places, [n for n, _ in stage.lines]
        if k == 0:
            made += [c for c in self.d.columns if c in places.stores]
        after = [s.product for s in places.stages[:k]]
        if k == len(places.stages) - 1:
            made += after
        own = {n for n, _ in stage.lines}
        for name in made:
            at = [p for p in places.stores.get(name, []) if name in own or p != places.at[name]]
            if name not in places.stores and name in places.at and name in own:
                at = [places.at[name]]
            yield from (Write(name, place) for place in at)

    def _value(self, name: str) -> Value:
        if name not in self.places.at:
            raise RefusedError(f"{name} meets values of another width")
        return Value(self.places.at[name])

    # --- backward -----------------------------------------------------------------------------------------------------

    def _backward(self) -> Iterator[str]:
        d, places, back = self.d, self.places, self.back
        arguments = [
            "_dy", *back.upstream.values(), *dict.fromkeys(self.x), *self.wT.values(),
            *(self._parameter(n) for n in d.parameters), *self._numbers(), *(room.name for room in places.cached),
            *places.states.values(), *(room.name for room in back.room), *self._dropout(), "_rests",
            *dict.fromkeys(self.dx), *self.dw.values(),
        ]  # fmt: skip
        yield f'@compiled("the {title_of(d)}\'s loop backward")'
        yield f"def backward({', '.join(arguments)}):"
        yield '    """Add to _dx and to the gradients of the weights; those of the states become the initial ones."""'
        yield f"    _n, _batch = len({back.products[0]}), {places.states[d.states[0]]}.shape[1]"
        yield from self._pers()
        yield f"    for _stop in range(len({self.x[0]}), 0, -_n):"
        yield "        _start = max(_stop - _n, 0)"
        yield "        for _t in range(_stop - 1, _start - 1, -1):"
        yield "            _at = _t - _start"
        for k in range(len(back.stages)):
            yield from indented(3, self._stage_back(k))
        yield from indented(3, self._multiplied_back())
        yield from indented(2, self._gathered())

    def _stage_back(self, k: int) -> Iterator[str]:
        """A pass over the rows, and the inner product after it."""
        back, last = self.back, k == len(self.back.stages) - 1
        lines = [*back.stages[k].lines, *(back.again if last else [])]
        number = f"_{k + 1}" if len(back.stages) > 1 else ""
        said = "One row of a step back." if last else f"One row of a step back, up to {back.stages[k].product}."
        calls = self.passes.write((f"_step_back{number}", said), lines, back.writes(k), back.value)
        rests = list(back.resting(k))
        yield "for _row in range(_batch):"
        yield "    if _rests.size and _rests[_t, _row]:"
        yield from indented(2, rests)
        if calls:
            yield "    else:"
            yield from indented(2, calls)
        if not last:
            inner = back.inner[k]
            j, ds = self.d.inner.index(inner), back.at[back.stages[k].product].step()
            yield f"# {back.stages[k].product} = {inner.dv} {inner.matrix}ᵀ"
            yield f"{ds}[...] = 0"
            yield f"add_product({back.dv[j].step()}, {self.wT[inner.matrix]}, {ds})"
            if self.of.inner[j] is not None:
                yield f"thin({ds}, _masks[{self.of.inner[j]}], {ds})"

    def _multiplied_back(self) -> Iterator[str]:
        """dz Uᵀ, for one step."""
        for k, p in enumerate(self.d.products):
            for t in p.terms:
                if t.source == "x" or not t.flows:
                    continue
                dz, ds = f"{self.back.products[k]}[_at]", self.back.upstream[t.source]
                yield f"# to {t.source} of the step before: dz {t.matrix.replace(':', '_')}ᵀ"
                if self._thins(k, t):
                    yield "_thinned[0] = 0"
                    yield f"add_product({dz}, {self.wT[t.matrix]}, _thinned[0])"
                    yield f"thin(_thinned[0], _masks[{self.of.h[k]}], _thinned[0])"
                    yield f"{ds} += _thinned[0]"
                else:
                    yield f"add_product({dz}, {self.wT[t.matrix]}, {ds})"

    def _gathered(self) -> Iterator[str]:
        """The gradients of x and of the weights, for the steps of a block."""
        yield "# the gradients of x and of the weights, for a block of steps"
        for k, p in enumerate(self.d.products):
            dz = f"{self.back.products[k]}[: _stop - _start]"
            for t in p.terms:
                if t.source == "x":
                    if t.flows:
                        dx = self.dx[k]
                        yield f"if {dx}.size:"
                        yield f"    add_projected({dz}, {self.wT[t.matrix]}, {dx}[_start:_stop])"
                    yield f"gather({self.x[k]}[_start:_stop], {dz}, {self.dw[t.matrix]})"
                else:
                    mask = self.of.h[k] if self._thins(k, t) else None
                    yield from self._gather(self.places.at[t.source], dz, t.matrix, mask)
            if p.bias:
                yield f"add_rows(rows_of({dz}), {self.dw[p.bias]})"
        for j, inner in enumerate(self.d.inner):
            source = self.back.source.get(inner.source, self.places.source[j])
            yield from self._gather(source, self.back.dv[j].block(), inner.matrix, self.of.inner[j])

    def _gather(self, source: Place, dz: str, matrix: str, mask: int | None) -> Iterator[str]:
        text = source.block()
        if mask is not None:
            yield f"thin_steps({text}, _masks[{mask}], _thinned[: _stop - _start])"
            text = "_thinned[: _stop - _start]"
        yield f"gather({text}, {dz}, {self.dw[matrix]})"

    # --- names --------------------------------------------------------------------------------------------------------

    def _thins(self, k: int, term: Any) -> bool:
        return self.of.h[k] is not None and term.source == self.d.output

    def _inputs(self, name: str) -> list[str]:
        own: dict[int | None, str] = {}
        for k in self.of.x:
            own.setdefault(k, self.names.fresh(name if k is None else f"{name}_{k}"))
        return [own[k] for k in self.of.x]

    def _dropout(self) -> list[str]:
        return ["_masks"] if any(k is not None for k in (*self.of.h, *self.of.inner)) else []

    def _biases(self) -> Sequence[str]:
        return [p.bias for p in self.d.products if p.bias]

    def _parameter(self, name: str) -> str:
        return self.places.at[name].array

    def _numbers(self) -> list[str]:
        return [*(self.names.scalar(n) for n in self.d.options), *self.variable.values()]

    def _pers(self) -> Iterator[str]:
        for width, per in self.per.items():
            yield f"    {per} = {self.variable[UNITS]} // {self.variable[width]}"

    def _body(self, name: str) -> str:
        return self.places.body(name)


def wrapped_import(line: str) -> Iterator[str]:
    """Yields an import, in parentheses where it is too long."""
    module, names = line.split(" import ")
    return iter([line]) if len(line) <= WIDE else wrapped(f"{module} import ({names})")


def _check_names(d: Any) -> None:
    """Refuses what the widths of a description do not tell apart: a name for one value forward, another backward."""
    forward = {line.name for line in d.forward} | set(d.columns)
    twice = [line.name for line in d.backward if line.name in forward]
    if twice and d.widths:
        raise RefusedError(f"{twice[0]} means one thing forward and another backward")
