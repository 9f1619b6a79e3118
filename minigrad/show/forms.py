"""The forms in which a cell can be printed, and the text of a cell in each."""

from __future__ import annotations

from typing import Any

import minigrad_cuda
from minigrad.engine import registry
from minigrad.engine.arguments import choice
from minigrad.engine.errors import OptionError
from minigrad.layers import activations
from minigrad.layers.equation_cell import read_equations
from minigrad.recurrent.backend_loop import options_of
from minigrad.recurrent.equations import Equations
from minigrad.recurrent.formulas import Formulas
from minigrad.show.javascript import javascript
from minigrad.show.latex import latex
from minigrad.show.outline import outline
from minigrad.show.python import python

DTYPES = ("float16", "float32", "float64")
FORMS = {
    "outline": "products, equations, cache and gradients, as `minigrad.recurrent.reader` reads them",
    "python": "the two functions that run a time step on any array namespace",
    "numba": "the loop over time that Numba compiles",
    "cuda": "the kernels of a time step for an NVIDIA GPU",
    "js": "one unit in JavaScript, as the playground runs it",
    "latex": "the equations and their gradients as LaTeX",
}


def text_of(
    equations: type[Equations], form: str = "outline", sigma: Any = "sigmoid", phi: Any = "tanh", dtype: str = "float32"
) -> str:
    """Return a cell as text in one of the forms.

    Args:
        equations: the cell.
        form: one of `FORMS`.
        sigma: σ, an activation or its name.
        phi: φ, an activation or its name.
        dtype: the dtype of the compiled loops.

    Raises:
        OptionError: `form` or `dtype` is unknown, or the form needs elementwise activations.
        NoTextError: the cell has no JavaScript for one unit.
        BackendError: the backend is not installed.
    """
    equations = read_equations("show: `equations`", equations)
    choice("show: form", form, FORMS)
    choice("show: dtype", dtype, DTYPES)
    if form == "latex":
        return latex(equations)
    gate = activations.option.read("text_of: `sigma`", sigma)
    other = activations.option.read("text_of: `phi`", phi)
    cell = activations.bind(equations, gate, other, separate=False, **_values(equations))
    if form == "python":
        return python(cell)
    description = cell.description((True,) * len(cell.whole.weights))
    if form == "outline":
        return outline(description)
    options = options_of(cell, description, (0, 0))
    if isinstance(options, str):
        raise OptionError(f"show: {options}, so no loop can compute one number after another.")
    if form == "js":
        return javascript(description, options.sigma, options.phi)
    printer = registry.resolve("numba") if form == "numba" else minigrad_cuda  # prints without CuPy
    text: str = printer.text(description, dtype, options)
    return text


def _values(equations: type[Equations]) -> dict[str, object]:
    """Values for the options and widths that a cell requires; they appear in no result."""
    whole = Formulas(equations).whole
    defaults = equations.forward.__kwdefaults__ or {}
    needed = {name: defaults[name] if defaults.get(name) is not None else 1.0 for name in whole.options}
    widths = {width: 2 for _, width in whole.widths}
    return {**needed, **({"units": 4} if widths else {}), **widths}
