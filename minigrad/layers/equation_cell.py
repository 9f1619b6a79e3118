"""A recurrent cell made of equations: weights, options and states from what the equations name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from minigrad.engine.errors import OptionError, shown
from minigrad.engine.kinds import optional, positive_int, real
from minigrad.engine.tensor import Tensor
from minigrad.layers import activations
from minigrad.layers.cell import Cell
from minigrad.layers.input_spec import InputSpec
from minigrad.layers.options import Kind, Option, choice, option, unexpected
from minigrad.recurrent.compiler import describe
from minigrad.recurrent.compiler.widths import UNITS
from minigrad.recurrent.description import Description
from minigrad.recurrent.equations import EQUATIONS, Equations
from minigrad.recurrent.formulas import Formulas

NUMBER = optional(real(infinite=True, note=", or None for absent"))  # an option of the equations

LAYERS_OWN = ("input_shape", "batch_input_shape")


def read_equations(where: str, value: Any) -> type[Equations]:
    """Return a class of equations, given itself or by its name."""
    found = EQUATIONS.get(value) if isinstance(value, str) else value
    if isinstance(found, type) and issubclass(found, Equations) and found is not Equations:
        return found
    known = "Import the module that defines it first." if isinstance(value, str) else "Write class My(Equations): …"
    raise OptionError(f"{where}: expected a subclass of minigrad.recurrent.Equations, got {shown(value)}. {known}")


def _named(equations: type[Equations]) -> str:
    return f"{equations.__module__}:{equations.__qualname__}"


class EquationCell(Cell):
    """One step of any cell that is written as `minigrad.recurrent.Equations`.

    Args:
        equations: the equations; of a saved configuration their name, ``"module:Class"``, if they have been imported.
        units: the size of a column, a state and a parameter without a named width.
        activation: φ.
        recurrent_activation: σ.
        use_bias: whether the products have the biases that the equations name.
        kernel_initializer: of the matrices that x is multiplied by, and of parameters.
        recurrent_initializer: of all other matrices.
        implementation: 2 makes one product for all columns, with one dropout mask; 1 one for each column.
        values: by name, the equations' options, and their widths other than `units`. A weight that is given as None is
            absent; a matrix of a product cannot be.

    Shapes:
        inputs (batch, features), states: one (batch, width) for each name in ``equations.states`` → the output state,
        the new states. The weights have the equations' letters; their order is matrices, inner matrices, biases,
        parameters.

    Raises:
        EquationsError: the equations cannot be read; the message names the line.
        OptionError: an option or a width is missing, or has a value that cannot be used.

    >>> import minigrad as mg
    >>> from minigrad.recurrent import Equations, dphi, dsigma, phi, sigma
    >>> class Coupled(Equations):  # what is forgotten makes room for what is let in: i = 1 − f
    ...     states = "h", "c"
    ...     products = "z_f z_g z_o = x W + h U + b"
    ...
    ...     def forward(z_f, z_g, z_o, c):
    ...         f, g, o = sigma(z_f), phi(z_g), sigma(z_o)
    ...         c_new = f * c + (1 - f) * g
    ...         return o * phi(c_new), c_new
    >>> layer = mg.keras.layers.RNN(mg.keras.layers.EquationCell(Coupled, 8))
    >>> layer(mg.ones((2, 5, 3))).shape
    (2, 8)
    """

    equations: Any = option(Kind(read_equations, _named))
    recurrent_activation: activations.Activation = option(activations.option, "sigmoid", after="activation")
    implementation: int = option(choice(1, 2), 2, keyword_only=True)

    serialized_module: ClassVar[str] = "keras.layers"

    @classmethod
    def _arranged(cls, options: dict[str, Option]) -> dict[str, Option]:
        """Return the options with the equations first."""
        return {"equations": options["equations"], **options}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        given = args[0] if args else kwargs.get("equations")
        equations = read_equations(f"{type(self).__name__}: `equations`", given)
        self.whole = describe(equations)
        own = [*self.whole.options, *self.whole.weights, *_widths(self.whole)]
        for taken in [n for n in own if n in (*EquationCell._options, *LAYERS_OWN)]:
            raise OptionError(
                f"{type(self).__name__}: `{taken}` is an argument of every cell. Rename the value of that "
                f"name in {equations.__qualname__}."
            )
        values = {name: kwargs.pop(name) for name in own if name in kwargs}
        wrong = [n for n in kwargs if n not in type(self)._options and n not in LAYERS_OWN]
        if wrong:
            raise unexpected(type(self).__name__, wrong[0], [*type(self)._options, *own])
        super().__init__(*args, **kwargs)
        self.values = self._checked(values)
        self.by_letter: dict[str, Any] = {}

    def _check_given(self, values: dict[str, Any]) -> None:
        """Raise if an option or a shared width is missing."""
        name, title = type(self).__name__, self.equations.__qualname__
        for needed in (*self.whole.options, *self.whole.shared):
            if needed not in values:
                raise OptionError(f"{name}: {title} needs `{needed}`. Write {name}({title}, {self.units}, {needed}=…).")

    def _checked(self, values: dict[str, Any]) -> dict[str, Any]:
        name, title = type(self).__name__, self.equations.__qualname__
        defaults = self.equations.forward.__kwdefaults__ or {}
        self._check_given({**defaults, **values})
        values |= {k: NUMBER.read(f"{name}: `{k}`", values[k]) for k in self.whole.options if k in values}
        for width in _widths(self.whole):
            size = values[width] = positive_int.read(f"{name}: `{width}`", values.get(width, self.units))
            if width in self.whole.shared and self.units % size:
                raise OptionError(f"{name}: `{width}`: expected a divisor of units={self.units}, got {size}.")
        for weight in self.whole.weights:
            if values.get(weight) is not None:
                raise OptionError(
                    f"{name}: `{weight}`: expected None, for an absent weight, got "
                    f"{shown(values[weight])}. cell.set_weights(…) sets numbers."
                )
        for matrix in [t.matrix for p in self.whole.products for t in p.terms if t.matrix in values]:
            raise OptionError(
                f"{name}: `{matrix}`: a matrix of a product cannot be absent, got None. Write the products of a "
                f"subclass of {title} without it."
            )
        columns = {dict(self.whole.widths).get(c, UNITS) for c in self.whole.columns}
        if self.implementation == 1 and len(columns) > 1:
            raise OptionError(f"{name}: expected implementation=2 for {title}, whose columns differ in width, got 1.")
        return values

    def arguments(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {**super().arguments(), **self.values}

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values, the equations by their name."""
        own = {name: o.kind.plain(getattr(self, name)) for name, o in type(self)._options.items()}
        return {**own, **self.values}

    # --- sizes --------------------------------------------------------------------------------------------------------

    def size_of(self, name: str) -> int:
        """Return how many numbers a name of the equations stands for."""
        width = dict(self.description.widths).get(name, UNITS)
        return self.units if width == UNITS else int(self.values[width])

    @property
    def description(self) -> Description:
        """The description of the cell without its absent weights and options."""
        biases = {p.bias for p in self.whole.products if p.bias and not self.use_bias}
        options = {**(self.equations.forward.__kwdefaults__ or {}), **self.values}
        absent = {n for n in (*self.whole.options, *self.whole.weights) if options.get(n, 0) is None}
        return describe(self.equations, frozenset(absent | biases))

    @property
    def state_size(self) -> Any:
        """The size of each state; an int for a single state."""
        sizes = [self.size_of(s) for s in self.whole.states]
        return sizes if len(sizes) > 1 else sizes[0]

    @property
    def output_size(self) -> int:
        """The size of the output state."""
        return self.size_of(self.whole.output)

    def time_step(self) -> Formulas:
        """Return the cell's step and its gradient."""
        values = {n: v for n, v in self.values.items() if n not in self.whole.weights}
        sizes = {UNITS: self.units} if self.whole.widths else {}
        separate = self.implementation == 1
        return activations.bind(self.equations, self.recurrent_activation, self.activation, separate, **values, **sizes)

    def step_weights(self, x_masks: Tensor | None, h_masks: Tensor | None) -> tuple[Tensor | None, ...]:
        """Return the weights in the order of the equations, None for those that are absent."""
        return *(self.by_letter.get(letter) for letter in self.whole.weights), x_masks, h_masks

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Add a weight for each letter of the equations."""
        features = input_shape[-1]
        self.input_spec = InputSpec(ndim=2, axes={-1: features})
        d = self.description
        for letter, shape, kind in self._shapes(d, features):
            weight = self._add_weight(letter, shape, kind)
            self.by_letter[letter] = weight
            if not hasattr(self, letter):
                setattr(self, letter, weight)

    def _shapes(self, d: Description, features: int) -> Iterator[tuple[str, tuple[int, ...], str]]:
        """Yield the letter, the shape and the kind of each weight, in the order of ``description.weights``."""
        columns = [sum(self.size_of(c) for c in p.columns) for p in d.products]
        for p, size in zip(d.products, columns, strict=True):
            for term in p.terms:
                of_x = term.source == "x"
                yield (
                    term.matrix,
                    (features if of_x else self.size_of(term.source), size),
                    ("recurrent", "kernel")[of_x],
                )
        for inner in d.inner:
            yield inner.matrix, (self.size_of(inner.source), self.size_of(inner.v)), "recurrent"
        for p, size in zip(d.products, columns, strict=True):
            if p.bias:
                yield p.bias, (size,), "bias"
        for letter in d.parameters:
            yield letter, (self.units,), "kernel"

    def _masks(self, x: Tensor, h: Tensor | None, training: bool | None) -> tuple[Tensor | None, Tensor | None]:
        """The dropout masks; with ``implementation=1`` one for each column that reads x, or the output."""
        d = self.whole
        counts = [
            sum(len(p.columns) for p in d.products if any(t.source == source for t in p.terms))
            for source in ("x", d.output)
        ]
        counts[1] += sum(i.recurrent for i in d.inner)
        return self._stacked_masks(x, h, training, counts)


def _widths(d: Description) -> list[str]:
    """The names of the widths other than `units`."""
    return list(dict.fromkeys(width for _, width in d.widths))
