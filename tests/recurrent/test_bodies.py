"""Faults of a cell that are refused, each with its line and what to write; breakpoints and tracebacks in bodies."""

# ruff: noqa: E501  (a table of texts, each with its message)

from __future__ import annotations

import bdb
import importlib
import inspect
import re
import subprocess
import sys
import textwrap
import traceback
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigrad as mg
import minigrad_numpy
from minigrad.keras import layers as L
from minigrad.recurrent import LSTM, Equations, EquationsError, Formulas, bptt, equations
from minigrad.recurrent.compiler import describe
from recurrent.mutants import written
from tool_errors import ASSIGNED, ASSIGNED_PHI, GRADIENT_FOR_EACH

HEAD = "class My(Equations):\n    states = 'h', 'c'\n    products = 'z_f z_g = x W + h U + b'\n"
FORWARD = "    def forward(z_f, z_g, c):\n        f = sigma(z_f)\n        c_new = f * c + phi(z_g)\n        return phi(c_new), c_new\n"


def cell(text: str) -> type[Equations]:
    found: type[Equations] = written(text, vars(equations))["My"]
    return found


def forward(body: str, arguments: str = "z_f, z_g, c") -> str:
    return f"{HEAD}    def forward({arguments}):\n{textwrap.indent(body, ' ' * 8)}\n"


def backward(body: str, arguments: str = "dh, dc, f, c") -> str:
    return f"{HEAD}{FORWARD}    def backward({arguments}):\n{textwrap.indent(body, ' ' * 8)}\n"


def products(text: str) -> str:
    return HEAD.replace("'z_f z_g = x W + h U + b'", text) + FORWARD


REFUSED = {
    "a loop": (forward("for k in range(3):\n    c = c * z_f\nreturn c, c"), r"line 5 .*: expected `name = expression` .* `for k"),
    "an if": (forward("if c:\n    c = z_f\nreturn z_g, c"), r"line 5 .*no loop, no branch"),
    "a conditional": (forward("c = z_f if c else z_g\nreturn c, c"), r"line 5 .*`z_f if c else z_g` is not allowed in equations"),
    "a comparison": (forward("c = (c > 0) * z_f\nreturn z_g, c"), r"`c > 0` is not allowed in equations"),
    "an attribute": (forward("c = c.T\nreturn z_f, c + z_g"), r"line 5 .*`c.T` is not allowed in equations"),
    "an index": (forward("c = c[0]\nreturn z_f, c + z_g"), r"`c\[0\]` is not allowed in equations"),
    "a string": (forward("c = 'c'\nreturn z_f, c + z_g"), r"`'c'` is not allowed in equations"),
    "an unknown function": (forward("c = np.exp(c)\nreturn z_f, c + z_g"), r"`np.exp\(c\)` is not a word of the equations. The words are sigma\(a\)"),
    "a word with too much": (forward("c = sigma(c, z_f)\nreturn z_f, z_g"), r"`sigma\(c, z_f\)` is not a word"),
    "an unknown name": (forward("c = c + tau\nreturn z_f, z_g"), r"line 5 .*unknown name `tau`.*\*, tau=1.0"),
    "used before it is given": (forward("c = c + a\na = z_f\nreturn a, z_g"), r"line 5 .*`a` is used before it is given"),
    "no return": (forward("c = c + z_f + z_g"), r"expected a return at its end"),
    "an empty return": (forward("c = z_f + z_g\nreturn"), r"expected `name = expression` or the return"),
    "a line after the return": (forward("return z_f, z_g\nc = 0"), r"comes after the return"),
    "one state returned": (forward("return z_f * z_g"), r"expected the new states h, c, got 1 values"),
    "three returned": (forward("return z_f, z_g, c"), r"expected the new states h, c, got 3 values"),
    "a reserved name": (forward("_c = c + z_f\nreturn _c, z_g"), r"`_c` is reserved"),
    "a word as a name": (forward("phi = c + z_f\nreturn phi, z_g"), r"`phi` is a word of the equations"),
    "x in the body": (forward("return z_f, z_g", "x, z_f, z_g"), r"only products can read `x`, the input"),
    "unpacking": (forward("a, b = c\nreturn z_f, z_g"), r"expected one value for each name"),
    "a line named as a weight": (forward("U = z_f + z_g\nreturn U, c"), r"`U` names two things"),
    "a line of backward named as a weight": (backward("b = dh\nreturn b, dc, dc * f"), r"`b` names two things"),
    "a gradient named as a weight": (backward("return W, dc, dc * f", "W, dc, f, c"), r"`W` names two things"),
    "a value named as a formula's": (forward("matmul = z_f + z_g\nreturn matmul, c"), r"line 4 .*`matmul` is reserved"),
    "a weight named as a formula's": (products("'z_f z_g = x sum + h U + b'"), r"`sum` is reserved for the formulas"),
    "an option named as a formula's": (forward("return z_f * step, z_g", "z_f, z_g, *, step"), r"`step` is reserved"),
    "a lambda": (f"{HEAD}    forward = lambda z_f, z_g: (z_f, z_g)\n", r"expected a function, got .*Write it with def"),
    "a power": (forward("c = c ** 3\nreturn z_f, z_g"), r"the only power is \*\* 2"),
    "a default": (forward("return z_f, z_g", "z_f, z_g, c=0"), r"expected plain arguments"),
    "a matrix that is none": (forward("c = c @ (z_f + 1)\nreturn z_f, z_g"), r"expected an inner matrix on the right of @"),
    "a positional matrix": (forward("return z_f, z_g @ P", "z_f, z_g, P"), r"the inner matrix `P` is a positional argument"),
    "a column that no argument takes": (forward("return z_f, c", "z_f, c"), r"the products make `z_g`, which is not an argument"),
    "a new state that is nothing": (forward("return z_f + z_g, 0"), r"line 5 .*the new state `0` is a number"),
    "a new state that is a number": (forward("a = 1 / 2\nreturn z_f + z_g, a * k", "z_f, z_g, *, k"), r"line 6 .*the new state `a \* k` is a number"),
    "an activation of numbers": (forward("return z_f, z_g * phi(2 * k)", "z_f, z_g, *, k"), r"line 5 .*`phi\(2 \* k\)` is computed from numbers alone"),
    "a clip of numbers": (forward("a = 2 * k\nreturn z_f, z_g * clip(a, 1)", "z_f, z_g, *, k"), r"line 6 .*`clip\(a, 1\)` is computed from numbers alone"),
    "an inner product of numbers": (forward("return z_f, z_g + k @ P", "z_f, z_g, *, k, P"), r"line 5 .*`k @ P` is computed from numbers alone"),
    "a limit that is not a number": (forward("return z_f, clip(z_g, z_f)"), r"line 5 .*the limit `z_f` of clip is not a number"),
    "an inner matrix among numbers": (forward("return z_f * P, z_g @ P", "z_f, z_g, *, P"), r"line 5 .*the inner matrix `P` is not the right factor of @"),
    "an inner matrix twice": (forward("a = z_f @ P\nreturn a @ P, z_g", "z_f, z_g, *, P"), r"line 5 .*the inner matrix `P` does not take part in one product here"),
    "an inner matrix without a gradient": (HEAD + "    def forward(z_f, z_g, *, P):\n        return z_f @ P, z_g\n    def backward(dh, dc):\n        return dh, dc\n", r"line 5 .*no gradient reaches `z_f @ P`.*a backward by hand needs ds = dv @ P\.T"),
    "an inner product that leads nowhere": (forward("a = c @ P\nreturn z_f, z_g + stop(a)", "z_f, z_g, c, *, P"), r"line 5 .*no gradient reaches `c @ P`. Let it reach a new state"),
    "an inner product of parameters": (forward("return z_f, z_g + w @ P", "z_f, z_g, w, *, P"), r"line 5 .*`w @ P` is the same for every row"),
    "a new state of parameters": (forward("a = phi(w)\nreturn z_f + z_g, a * k", "z_f, z_g, w, *, k"), r"line 6 .*the new c is the same for every row"),
    "a division by zero": (forward("return z_f, phi(z_g) / 0"), r"line 5 .*`phi\(z_g\) / 0` divides by 0"),
    "an infinite number": (forward("return z_f, z_g * 1e999"), r"line 5 .*`1e309` is not allowed in equations"),
    "two names at once": (forward("a = b = z_f\nreturn a, z_g"), r"line 5 .*`a = b = z_f`. Write one name, one = and one"),
    "an attribute that grows": (forward("c.a += z_f\nreturn c, z_g"), r"line 5 .*`c.a \+= z_f`. Write one name"),
    "a method": (forward("return z_f, z_g", "self, z_f, z_g"), r"line 4 .*`self` is not a value of a cell: .*Leave it out"),
    "a class method": (forward("return z_f, z_g", "cls, z_f, z_g").replace("    def", "    @classmethod\n    def"), r"`cls` is not a value of a cell"),
    "states in one text": (HEAD.replace("'h', 'c'", "'h, c'") + FORWARD, r"line 2 .*states: expected a name, got 'h, c'. Write states = 'h', 'c'"),
    "a state twice": (HEAD.replace("'h', 'c'", "'h', 'h'") + FORWARD, r"the state `h` is there twice"),
    "a state named x": (HEAD.replace("'h', 'c'", "'h', 'x'") + FORWARD, r"only products can read `x`, the input"),
    "a state named as a formula's": (HEAD.replace("'h', 'c'", "'h', 'split'") + FORWARD, r"`split` is reserved for the formulas"),
    "a state named as a keyword": (HEAD.replace("'h', 'c'", "'h', 'lambda'") + FORWARD, r"`lambda` is not a name"),
    "a state that is an option": (forward("return z_f, z_g", "z_f, z_g, *, c=0.5"), r"line 4 .*the state `c` comes after the \*"),
    "a state named as a weight": (HEAD.replace("'h', 'c'", "'h', 'U'") + FORWARD.replace("z_g, c", "z_g").replace("f * c", "f"), r"line 3 .*`U` names two things"),
    "a weight named as a keyword": (products("'z_f z_g = x class + h U + b'"), r"`class` is not a name"),
    "a width that is a number": (products("'z_f:2 z_g = x W + h U + b'"), r"line 3 .*expected a product"),
    "a width named as an option": (products("'z_f:k z_g = x W + h U + b'").replace("z_g, c)", "z_g, c, *, k=2)"), r"line 3 .*`k` is a width and something else"),
    "an unknown source": (products("'z_f z_g = x W + y U + b'"), r"source: unknown name 'y'"),
    "no source x": (products("'z_f z_g = h U + b'"), r"no product reads the input x"),
    "no equals sign": (products("'z_f z_g'"), r"expected a product"),
    "a number": (products("3"), r"products: expected a string, or a tuple of them, got 3"),
    "two biases": (products("'z_f z_g = x W + b + c'"), r"expected 'columns = source matrix"),
    "an open stop": (products("'z_f z_g = x W + stop(h U + b'"), r"expected 'columns = source matrix"),
    "a matrix twice": (products("'z_f z_g = x W + h W + b'"), r"`W` names two things"),
    "a column twice": (products("'z_f z_f z_g = x W + b'"), r"`z_f` is made twice"),
    "an unknown output": (HEAD + "    output = 'y'\n" + FORWARD, r"output: unknown name 'y'"),
    "a wrong width": (HEAD.replace("'c'", "'c:blocks'") + FORWARD, r"expected blocks numbers for the new c"),
    "no forward": (HEAD, r"expected a function `forward`, got none"),
    "too few gradients": (backward("return dsigma(dc * c, f), dc * f"), f"{GRADIENT_FOR_EACH}z_f, z_g, c, got 2"),
    "too many gradients": (backward("return dh, dc, dc, dc"), f"{GRADIENT_FOR_EACH}z_f, z_g, c, got 4"),
    "what forward never knew": (backward("return dh, dc, g", "dh, dc, g"), r"argument: unknown name 'g'"),
    "too few upstream": (backward("return dh, dh, dh", "dh"), r"expected the gradients of h, c as first arguments"),
    "the wrong derivative": (backward("return dphi(dc, f), dc, dc"), ASSIGNED_PHI),
    "the derivative of an argument": (backward("return dsigma(dc, c), dc, dc"), rf"{ASSIGNED}sigma"),
    "a name of several values": (
        HEAD + "    def forward(z_f, z_g, c):\n        c = c + sigma(z_f)\n        return phi(z_g), c\n"
        "    def backward(dh, dc, c):\n        return dc * c, dh, dc\n",
        r"`c` has several values in forward",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name: str) -> None:
    text, message = REFUSED[name]
    my = cell(text)
    with pytest.raises(EquationsError, match=message) as caught:
        describe(my)
    assert "My" in str(caught.value)
    absent = name in ("no source x", "a number", "no forward")  # a class that lacks something, or has no text there
    assert absent or re.search(r"line \d+ of ", str(caught.value)), caught.value


@pytest.mark.parametrize("name", REFUSED)
def test_a_traceback_shows_the_line_of_a_body(name: str) -> None:
    text, _ = REFUSED[name]
    with pytest.raises(EquationsError) as caught:
        describe(cell(text))
    error = caught.value
    assert str(error) == error.msg, "the message names the file and the line itself"
    in_a_body = re.match(r"\S*My\.(?:forward|backward), line (\d+) of ", str(error))
    assert (error.lineno is None) == (in_a_body is None)
    if in_a_body:
        assert error.lineno == int(in_a_body[1])
        assert error.text
        shown = "".join(traceback.format_exception_only(error))
        assert shown.splitlines()[:2] == [
            f'  File "{error.filename}", line {error.lineno}',
            f"    {error.text.strip()}",
        ]


def test_comments_and_texts_may_stand_at_the_margin() -> None:
    my = cell(
        f'{HEAD}    @staticmethod\n    def forward(z_f, z_g, c):\n# at the margin\n        """Text\nat the margin"""\n        return z_f, z_g\n'
    )
    assert [line.number for line in describe(my).forward] == [9, 9]


def test_letters_of_several_codes() -> None:
    """Python writes a name in one way; products and states are read so too."""
    my = cell(
        "class My(Equations):\n    states = 'c\u0302'\n    products = '\u00b5 = x W + c\u0302 U'\n"
        "    def forward(\u00b5, \u0109):\n        return \u03bc + c\u0302\n"
    )
    assert describe(my).columns == ("\u03bc",)
    assert describe(my).states == ("\u0109",)


def test_the_layer_says_what_it_needs() -> None:
    def my() -> type[Equations]:
        return cell(
            "class My(Equations):\n    products = 'z_i:blocks z = x W + h U'\n"
            "    def forward(z_i, z, h, *, rate):\n        return h + rate * sigma(z_i) * phi(z)\n"
        )

    for arguments, message in [
        ({}, r"My needs `rate`. Write EquationCell\(My, 4, rate=…\)"),
        ({"rate": 1.0}, r"My needs `blocks`"),
        ({"rate": "fast", "blocks": 2}, r"`rate`: expected a number, or None for absent, got 'fast'"),
        ({"rate": np.ones(4), "blocks": 2}, r"`rate`: expected a number, or None for absent, got ndarray of shape"),
        ({"rate": 1.0, "blocks": 3}, r"`blocks`: expected a divisor of units=4, got 3"),
        ({"rate": 1.0, "blocks": 2, "W": 1}, r"`W`: expected None, for an absent weight"),
        ({"rate": 1.0, "blocks": 2, "implementation": 1}, r"expected implementation=2"),
        ({"rate": 1.0, "blocks": 2, "U": None}, r"`U`: a matrix of a product cannot be absent, got None"),
        ({"rates": 1.0}, r"unexpected argument `rates`. Did you mean `rate`"),
    ]:
        with pytest.raises((mg.errors.OptionError, TypeError), match=message):
            L.EquationCell(my(), 4, **arguments)
    for name in ("units", "dropout", "name", "dtype", "trainable", "input_shape"):
        own = cell(f"{HEAD}    def forward(z_f, z_g, c, *, {name}=0.5):\n        return z_f * {name}, z_g + c\n")
        with pytest.raises(
            mg.errors.OptionError, match=rf"`{name}` is an argument of every cell. Rename the value of that name in My"
        ):
            L.EquationCell(own, units=4)
    for wrong in (3, LSTM.forward, "nowhere:My", Equations):
        with pytest.raises(mg.errors.OptionError, match=r"expected a subclass of minigrad\.recurrent\.Equations"):
            L.EquationCell(wrong, 4)


def test_a_program_without_source_text() -> None:
    program = (
        "import minigrad as mg\nfrom minigrad.recurrent import Equations, phi\n"
        "class My(Equations):\n    products = 'z = x W'\n    def forward(z):\n        return phi(z)\n"
        "mg.keras.layers.EquationCell(My, 4)\n"
    )
    done = subprocess.run([sys.executable, "-"], input=program, capture_output=True, text=True, check=False)
    assert "My.forward: its source text is not available, as in a program that is piped to python. Save" in done.stderr


def test_a_breakpoint_in_the_equations_is_hit() -> None:
    """In both bodies, while an ordinary layer runs by the formulas: the line, with the values of the equation."""
    file = str(Path(inspect.getsourcefile(LSTM) or ""))
    lines, first = inspect.getsourcelines(LSTM)
    places = {first + k: line.strip() for k, line in enumerate(lines) if "a = phi(c_new)" in line and "     " in line}
    places |= {
        first + k: line.strip() for k, line in enumerate(lines) if "do = dh * a" in line and "return" not in line
    }
    hit: dict[int, set[str]] = {}

    class Debugger(bdb.Bdb):
        def user_line(self, frame: Any) -> None:
            if frame.f_code.co_filename == file:
                hit.setdefault(frame.f_lineno, set()).update(frame.f_locals)

    debugger = Debugger()
    for number in places:
        assert debugger.set_break(file, number) is None

    def run() -> None:
        layer = L.LSTM(3, tbptt=(2, 2), return_sequences=True)
        layer(np.ones((2, 4, 3), "float32")).sum().backward()

    debugger.runcall(run)
    wanted = [number for number, line in places.items() if line.startswith(("a =", "do ="))]
    code = [number for number in wanted if number in hit]
    assert len(code) == 2
    assert {"i", "f", "g", "c_new"} <= hit[min(code)]
    assert {"dh", "dc", "a"} <= hit[max(code)]


def test_a_traceback_shows_the_line_of_the_body(tmp_path: Path) -> None:
    text = (
        "from minigrad.recurrent import Equations, phi\n\n\nclass My(Equations):\n    products = 'z = x W + h U'\n\n"
        "    def forward(z, h, *, scale):\n        y = phi(z)\n        return y * h * scale\n"
    )
    (tmp_path / "my_cell.py").write_text(text)
    sys.path.insert(0, str(tmp_path))
    try:
        from my_cell import My
    finally:
        sys.path.pop(0)
    step = Formulas(My, scale="no number")
    weights = step.Weights(np.ones((2, 3)), np.ones((3, 3)))
    with pytest.raises(TypeError) as caught:
        bptt.forward(minigrad_numpy, step, np.ones((1, 1, 2)), (np.ones((1, 3)),), weights)
    shown = "".join(traceback.format_exception(caught.value))
    assert f'{tmp_path / "my_cell.py"}", line 9' in shown
    assert "return y * h * scale" in shown


@pytest.mark.parametrize("letter", ["values", "whole", "by_letter", "states", "state_size", "h_new", "units_"])
def test_a_weight_may_be_called_as_the_cell_calls_something(letter: str) -> None:
    my = cell(HEAD.replace("W", letter) + FORWARD)
    layer = L.RNN(L.EquationCell(my, 4))
    assert layer(np.ones((2, 3, 2), "float32")).shape == (2, 4)
    assert layer.get_config()["cell"]["config"]["units"] == 4
    assert layer.weights[0].name.rsplit("/")[-1].startswith(letter)


@pytest.mark.parametrize("option", ["h_new", "dz_f", "dc", "c_new", "dh_new"])
def test_an_option_is_called_as_the_reader_would_call_a_line(option: str) -> None:
    my = cell(
        f"{HEAD}    def forward(z_f, z_g, c, *, {option}=0.3):\n        return sigma(z_f) * {option} * c, z_g * {option} + c\n"
    )
    layer = L.RNN(L.EquationCell(my, 4, dtype="float64"), dtype="float64")
    x = np.random.default_rng(0).standard_normal((2, 3, 2))
    layer(x)
    mg.testing.check_gradient(layer, x, weights=layer.trainable_weights)


CELL_FILE = (
    "from minigrad.recurrent import Equations, phi\n\n\nclass My(Equations):\n    products = 'z = x W + h U'\n\n"
    "    def forward(z, h):\n        y = phi(z)\n        return y * h * 0.5\n"
)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("0.5", "0.25"), ("y * h", "y + h"), ("y = phi(z)", "y = phi(h)"), ("z, h", "h, z"), ("class My", "\n\nclass My"),
         ("        y = phi(z)\n", ""), (CELL_FILE, ""), (CELL_FILE, "(\n" * 20), ("0.5", "'0.5'"),
    ],
)  # fmt: skip
def test_a_file_that_has_changed_since_its_import(tmp_path: Path, old: str, new: str) -> None:
    """A text that differs from the code of the class, and perhaps at each reading."""
    name = f"changing_{abs(hash((old, new)))}"
    file = tmp_path / f"{name}.py"
    file.write_text(CELL_FILE)
    sys.path.insert(0, str(tmp_path))
    try:
        my = importlib.import_module(name).My
    finally:
        sys.path.pop(0)
    file.write_text(CELL_FILE.replace(old, new))
    with pytest.raises(EquationsError, match=r"My.forward: .*(has changed since it was imported|is not available)"):
        describe(my)
    file.write_text(CELL_FILE)
    assert describe(my).states == ("h",)
