"""One kernel while it is written: what it reads, computes and stores, and which arguments that takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import wrap

from minigrad_cuda.expressions import RefusedError, c_text, names_of
from minigrad_cuda.layout import Layout, Place
from minigrad_cuda.plan import UNITS, Argument, Kernel

WIDE = 120


class Draft:
    """A kernel of one thread for each of `width` numbers of a row.

    Args:
        of: the cell's arrays.
        called: what each value is called in C.
        at: where the values stand that are not made here.
        width: the width.
    """

    def __init__(self, of: Layout, called: Mapping[str, str], at: Mapping[str, Place], width: str) -> None:
        self.of, self.called, self.at, self.width = of, called, at, width
        self.made: set[str] = set()
        self.helpers: dict[str, tuple[int, str]] = {}  # name: (rank, value); those of a lower rank come first
        self.pointers: dict[Argument, bool] = {}  # True where it is written to
        self.options: dict[str, None] = {}
        self.widths: dict[str, None] = {width: None}
        self.masked: list[str] = []
        self.loads: dict[str, tuple[Place, str]] = {}
        self.lines: list[str] = []
        self.stores: list[str] = []

    @property
    def variable(self) -> str:
        """The width's name in C."""
        return self.of.variable[self.width]

    def read(self, name: str) -> str:
        """Returns what a value is called here; loads it where it is not made here."""
        c = self.called[name]
        if name not in self.made and name in self.of.d.options:
            self.options[name] = None
        elif name not in self.made:
            if name not in self.at:
                raise RefusedError(f"{name} meets values of another width")
            place = self.at[name]
            value = self.text(place) + self.thinned(place)
            if place.first:
                value = f"{self._is_first(self.of.arrays[place.array].widths[0])} ? {value} : 0"
            self.loads[name] = place, f"real {c} = {value};"
            self.made.add(name)
        return c

    def line(self, name: str, text: str) -> None:
        """Adds a line of the cell."""
        for read in names_of(text):
            self.read(read)
        self.lines.append(f"real {self.called[name]} = {c_text(text, self.called)};")
        self.made.add(name)

    def text(self, place: Place, writes: bool = False) -> str:
        """Returns an array's element, this thread's."""
        array = self.of.arrays[place.array]
        width, pointer = array.widths[place.column], self._pointer(place.argument, writes)
        shared = width != self.width and self.width == UNITS and width in self.of.d.shared
        if width != self.width and not shared:
            raise RefusedError(f"values of the widths {width} and {self.width} meet")
        if array.time == "weight":
            return f"{pointer}[{self._unit()}]"
        if len(array.widths) == 1 and not shared:
            return f"{pointer}[at]"
        unit = self._of_block(width) if shared else self._unit()
        if len(array.widths) == 1:
            return f"{pointer}[{self._row()} * {self._size([width])} + {unit}]"
        before = array.widths[: place.column]
        row = self._helper(2, self.of.rows[array.name], f"{self._row()} * ({self._size(array.widths)})")
        return f"{pointer}[{row} + {self._size(before)} + {unit}]" if before else f"{pointer}[{row} + {unit}]"

    def thinned(self, place: Place) -> str:
        """Returns `` * mask``, where a value is thinned by recurrent dropout."""
        return f" * {self.text(Place(place.thinned))}" if place.thinned else ""

    def new_state(self, state: str, value: str) -> None:
        """Stores a new state; a masked row keeps the old one."""
        array = self.of.states[state][0]
        old, new = self.text(Place(array)), self.text(Place(array, 1), True)
        self._row()
        self._helper(3, "masked", "mask && !mask[row]")
        store = f"{new} = masked ? {old} : {self.read(value)};"
        width = self.of.arrays[array].widths[0]
        self.stores.append(store if width == self.width else f"if ({self._is_first(width)}) {store}")

    def store(self, place: Place, name: str, masked: str = "", sign: str = "=") -> None:
        """Stores a value, and something else where the row is masked."""
        text = self.text(place, True)
        self.stores.append(f"{text} {sign} {self.read(name)}{self.thinned(place)};")
        if masked:
            self.masked.append(f"{text} = {masked};")

    def gradient(self, state: str, value: str) -> None:
        """Stores ∂loss/∂state; where a row is masked, what arrived. `value` is in C, "" for nothing."""
        array = self.of.states[state][1]
        to, arrived = self.text(Place(array), True), self.text(Place(array, 1))
        adds = state == self.of.d.output  # what the loss says of the output before is there already
        self.masked.append(f"{to} {'+=' if adds else '='} {arrived};")
        if value or not adds:
            self.stores.append(f"{to} {'+=' if adds else '='} {value or 0};")

    # --- helpers ------------------------------------------------------------------------------------------------------

    def _pointer(self, argument: Argument, writes: bool) -> str:
        self.pointers[argument] = self.pointers.get(argument, False) or writes
        return self.of.after[argument.array] if argument.step else argument.array

    def _helper(self, rank: int, name: str, text: str) -> str:
        self.helpers.setdefault(name, (rank, text))
        return name

    def _row(self) -> str:
        return self._helper(0, "row", f"at / {self.variable}")

    def _unit(self) -> str:
        return self._helper(0, "unit", f"at % {self.variable}")

    def per_block(self, width: str) -> str:
        """Returns how many units share one number."""
        self.widths |= {UNITS: None, width: None}
        return self._helper(1, self.of.per[width], f"{self.of.variable[UNITS]} / {self.of.variable[width]}")

    def _of_block(self, width: str) -> str:
        return self._helper(2, self.of.blocks[width], f"{self._unit()} / {self.per_block(width)}")

    def _is_first(self, width: str) -> str:
        return f"{self._unit()} % {self.per_block(width)} == 0"

    def _size(self, widths: Sequence[str]) -> str:
        """The sum of widths, ``2 * blocks + units``."""
        self.widths |= dict.fromkeys(widths)
        counts = {w: widths.count(w) for w in dict.fromkeys(widths)}
        return " + ".join(f"{n} * {self.of.variable[w]}" if n > 1 else self.of.variable[w] for w, n in counts.items())

    # --- the text -----------------------------------------------------------------------------------------------------

    def kernel(self, name: str) -> Kernel:
        """Returns how the kernel is launched."""
        return Kernel(name, self.width, tuple(self._arguments()), tuple(self.options), tuple(self.widths))

    def _arguments(self) -> list[Argument]:
        """The arrays, those first that are read alone."""
        return sorted(self.pointers, key=lambda argument: self.pointers[argument])

    def written(self, name: str) -> list[str]:
        """Returns the kernel's text."""
        pointers = [
            f"{'' if self.pointers[a] else 'const '}real* {self.of.after[a.array] if a.step else a.array}"
            for a in self._arguments()
        ]
        arguments = [*pointers, *(f"real {self.called[o]}" for o in self.options), "const bool* mask", "int batch"]
        arguments += [f"int {self.of.variable[w]}" for w in self.widths]
        if self.masked:
            self._row()
        helpers = sorted(self.helpers.items(), key=lambda helper: helper[1][0])
        start = [
            "int at = blockIdx.x * blockDim.x + threadIdx.x;",
            f"if (at >= batch * {self.variable}) return;",
            *(f"{'bool' if helper == 'masked' else 'int'} {helper} = {text};" for helper, (_, text) in helpers),
        ]
        if self.masked:
            start += ["if (mask && !mask[row]) {", *(f"    {line}" for line in self.masked), "    return;", "}"]
        order = list(self.of.arrays)
        loads = [load for _, load in sorted(self.loads.values(), key=lambda p: (order.index(p[0].array), p[0][1:]))]
        body = "\n\n".join(
            "\n".join(line for text in part for line in _folded(f"    {text}"))
            for part in (start, loads, self.lines, self.stores)
            if part
        )
        made = [line.split(" ")[1] for line in self.lines if line.startswith("real ")]
        said = f"// {', '.join(made)}" if made else "// nothing but copies"
        return [*commented(said), *_call(f'extern "C" __global__ void {name}(', arguments), "{", body, "}"]


def _call(head: str, arguments: Sequence[str]) -> list[str]:
    """A function's head, in lines that are not too long."""
    lines = [f"{head}{', '.join(arguments)})"]
    if len(lines[0]) <= WIDE:
        return lines
    lines = [head]
    line = "   "
    for k, argument in enumerate(arguments):
        piece = f" {argument}{',' if k < len(arguments) - 1 else ')'}"
        if len(line + piece) > WIDE:
            lines.append(line)
            line = "   "
        line += piece
    return [*lines, line]


def commented(line: str) -> list[str]:
    """Returns a comment, in several lines where it is too long."""
    return wrap(line, WIDE, subsequent_indent="// ") or [line]


def _folded(line: str) -> list[str]:
    """A long line in several."""
    if len(line) <= WIDE:
        return [line]
    at = max(line.rfind(sign, 0, WIDE) for sign in (" + ", " - ", " * ", " = ", ", ", " ? ", " : "))
    if at <= 8:
        return [line]
    return [line[:at], *_folded(" " * 8 + line[at:].lstrip())]
