"""The writer of one kernel: its loads, computations and stores, and the arguments that they need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import wrap

from minigrad_cuda.expressions import UnsupportedError, c_text, names_of
from minigrad_cuda.program import UNITS, Argument, KernelLaunch
from minigrad_cuda.storage import Location, Storage

WIDE = 120


class KernelWriter:
    """A kernel of one thread for each of `width` numbers of a row.

    Args:
        storage: the cell's arrays.
        c_names: the C name of each value.
        at: the locations of the values that this kernel does not compute.
        width: the number of threads for each row, by name.
    """

    def __init__(self, storage: Storage, c_names: Mapping[str, str], at: Mapping[str, Location], width: str) -> None:
        self.storage, self.c_names, self.at, self.width = storage, c_names, at, width
        self.computed: set[str] = set()
        self.helpers: dict[str, tuple[int, str]] = {}  # name: (rank, value), in the order of their ranks
        self.pointers: dict[Argument, bool] = {}  # True if written to
        self.options: dict[str, None] = {}
        self.widths: dict[str, None] = {width: None}
        self.masked: list[str] = []
        self.loads: dict[str, tuple[Location, str]] = {}
        self.lines: list[str] = []
        self.stores: list[str] = []

    @property
    def variable(self) -> str:
        """The width's name in C."""
        return self.storage.variable[self.width]

    def read(self, name: str) -> str:
        """Return the C name of a value; load the value if this kernel does not compute it."""
        c = self.c_names[name]
        if name not in self.computed and name in self.storage.d.options:
            self.options[name] = None
        elif name not in self.computed:
            if name not in self.at:
                raise UnsupportedError(f"an operation mixes {name} with values of another width")
            location = self.at[name]
            value = self.text(location) + self.dropout_factor(location)
            if location.first:
                value = f"{self._is_first(self.storage.arrays[location.array].widths[0])} ? {value} : 0"
            self.loads[name] = location, f"real {c} = {value};"
            self.computed.add(name)
        return c

    def line(self, name: str, text: str) -> None:
        """Add a line of the cell."""
        for read in names_of(text):
            self.read(read)
        self.lines.append(f"real {self.c_names[name]} = {c_text(text, self.c_names)};")
        self.computed.add(name)

    def text(self, location: Location, writes: bool = False) -> str:
        """Return this thread's element of an array."""
        array = self.storage.arrays[location.array]
        width, pointer = array.widths[location.column], self._pointer(location.argument, writes)
        shared = width != self.width and self.width == UNITS and width in self.storage.d.shared
        if width != self.width and not shared:
            raise UnsupportedError(f"an operation mixes values of the widths {width} and {self.width}")
        if array.time == "weight":
            return f"{pointer}[{self._unit()}]"
        if len(array.widths) == 1 and not shared:
            return f"{pointer}[at]"
        unit = self._of_block(width) if shared else self._unit()
        if len(array.widths) == 1:
            return f"{pointer}[{self._row()} * {self._size([width])} + {unit}]"
        before = array.widths[: location.column]
        row = self._helper(2, self.storage.rows[array.name], f"{self._row()} * ({self._size(array.widths)})")
        return f"{pointer}[{row} + {self._size(before)} + {unit}]" if before else f"{pointer}[{row} + {unit}]"

    def dropout_factor(self, location: Location) -> str:
        """Return `` * mask`` for a value under recurrent dropout, else an empty text."""
        return f" * {self.text(Location(location.dropout_mask))}" if location.dropout_mask else ""

    def new_state(self, state: str, value: str) -> None:
        """Store a new state; a masked row keeps the old one."""
        array = self.storage.states[state][0]
        old, new = self.text(Location(array)), self.text(Location(array, 1), True)
        self._row()
        self._helper(3, "masked", "mask && !mask[row]")
        store = f"{new} = masked ? {old} : {self.read(value)};"
        width = self.storage.arrays[array].widths[0]
        self.stores.append(store if width == self.width else f"if ({self._is_first(width)}) {store}")

    def store(self, location: Location, name: str, masked: str = "", sign: str = "=") -> None:
        """Store a value; in a masked row store `masked` instead, if given."""
        text = self.text(location, True)
        self.stores.append(f"{text} {sign} {self.read(name)}{self.dropout_factor(location)};")
        if masked:
            self.masked.append(f"{text} = {masked};")

    def gradient(self, state: str, value: str) -> None:
        """Store ∂loss/∂state; in a masked row, the upstream gradient. `value` is in C, "" for a zero."""
        array = self.storage.states[state][1]
        to, upstream = self.text(Location(array), True), self.text(Location(array, 1))
        adds = state == self.storage.d.output  # the array already holds the gradient of the previous output
        self.masked.append(f"{to} {'+=' if adds else '='} {upstream};")
        if value or not adds:
            self.stores.append(f"{to} {'+=' if adds else '='} {value or 0};")

    # --- helpers ------------------------------------------------------------------------------------------------------

    def _pointer(self, argument: Argument, writes: bool) -> str:
        self.pointers[argument] = self.pointers.get(argument, False) or writes
        return self.storage.after[argument.array] if argument.step else argument.array

    def _helper(self, rank: int, name: str, text: str) -> str:
        self.helpers.setdefault(name, (rank, text))
        return name

    def _row(self) -> str:
        return self._helper(0, "row", f"at / {self.variable}")

    def _unit(self) -> str:
        return self._helper(0, "unit", f"at % {self.variable}")

    def per_block(self, width: str) -> str:
        """Return the number of units that share one number."""
        self.widths |= {UNITS: None, width: None}
        return self._helper(
            1, self.storage.per[width], f"{self.storage.variable[UNITS]} / {self.storage.variable[width]}"
        )

    def _of_block(self, width: str) -> str:
        return self._helper(2, self.storage.blocks[width], f"{self._unit()} / {self.per_block(width)}")

    def _is_first(self, width: str) -> str:
        return f"{self._unit()} % {self.per_block(width)} == 0"

    def _size(self, widths: Sequence[str]) -> str:
        """Return the sum of widths, such as ``2 * blocks + units``."""
        self.widths |= dict.fromkeys(widths)
        counts = {w: widths.count(w) for w in dict.fromkeys(widths)}
        return " + ".join(
            f"{n} * {self.storage.variable[w]}" if n > 1 else self.storage.variable[w] for w, n in counts.items()
        )

    # --- the text -----------------------------------------------------------------------------------------------------

    def kernel(self, name: str) -> KernelLaunch:
        """Return the launch of the kernel."""
        return KernelLaunch(name, self.width, tuple(self._arguments()), tuple(self.options), tuple(self.widths))

    def _arguments(self) -> list[Argument]:
        """Return the arrays, read-only ones first."""
        return sorted(self.pointers, key=lambda argument: self.pointers[argument])

    def text_of(self, name: str) -> list[str]:
        """Return the text of the kernel under this name."""
        pointers = [
            f"{'' if self.pointers[a] else 'const '}real* {self.storage.after[a.array] if a.step else a.array}"
            for a in self._arguments()
        ]
        arguments = [*pointers, *(f"real {self.c_names[o]}" for o in self.options), "const bool* mask", "int batch"]
        arguments += [f"int {self.storage.variable[w]}" for w in self.widths]
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
        order = list(self.storage.arrays)
        loads = [load for _, load in sorted(self.loads.values(), key=lambda p: (order.index(p[0].array), p[0][1:]))]
        body = "\n\n".join(
            "\n".join(line for text in part for line in _folded(f"    {text}"))
            for part in (start, loads, self.lines, self.stores)
            if part
        )
        made = [line.split(" ")[1] for line in self.lines if line.startswith("real ")]
        comment = f"// {', '.join(made)}" if made else "// copies only"
        return [*commented(comment), *_call(f'extern "C" __global__ void {name}(', arguments), "{", body, "}"]


def _call(head: str, arguments: Sequence[str]) -> list[str]:
    """Return a function's head, in several lines if it is too long."""
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
    """Return a comment, in several lines if it is too long."""
    return wrap(line, WIDE, subsequent_indent="// ") or [line]


def _folded(line: str) -> list[str]:
    """Return a line, in several lines if it is too long."""
    if len(line) <= WIDE:
        return [line]
    at = max(line.rfind(sign, 0, WIDE) for sign in (" + ", " - ", " * ", " = ", ", ", " ? ", " : "))
    if at <= 8:
        return [line]
    return [line[:at], *_folded(" " * 8 + line[at:].lstrip())]
