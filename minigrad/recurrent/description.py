"""A cell's equations as plain data, tuples and strings: the output of the reader and the input of backends.

Nothing here refers to a Python function, so a description can be hashed, compared, stored, and printed in any language.
A line's text is a Python expression of names, numbers, ``+ - * /`` and these words:

    sigma(z)  phi(z)  clip(v, limit)                          alone on the right of a line
    dsigma(dy, y)  dphi(dy, y)  dclip(dy, y, limit)           dsigma and dphi with z as a third argument where the
                                                              derivative needs more than y
    stop(v)                                                   v; no gradient flows back through it
    v @ M        dv @ M.T                                     an inner product, alone on the right of a line
"""

from __future__ import annotations

from typing import NamedTuple


class Term(NamedTuple):
    """One product of a step: source matrix.

    Attributes:
        source: "x" or a state.
        matrix: the name of the weight.
        flows: False where the equations say ``stop(source)``: no gradient passes to the source.
    """

    source: str
    matrix: str
    flows: bool


class Product(NamedTuple):
    """columns = Σ source matrix + bias; the matrices hold the columns side by side, in this order."""

    columns: tuple[str, ...]
    terms: tuple[Term, ...]
    bias: str  # "" where there is none

    @property
    def weights(self) -> tuple[str, ...]:
        """The names of its matrices, and of the bias if there is one."""
        return (*(term.matrix for term in self.terms), *([self.bias] if self.bias else []))


class Inner(NamedTuple):
    """A product inside the body: v = source @ matrix, and in the backward body d_source = dv @ matrix.T.

    Attributes:
        v: the name of the product.
        source: the name of the factor on the left.
        matrix: the name of the weight.
        dv: the name of v's gradient.
        recurrent: True if the source is a state times something, to which recurrent dropout applies.
    """

    v: str
    source: str
    matrix: str
    dv: str
    recurrent: bool


class Line(NamedTuple):
    """name = text, and the number of the line in the source file."""

    name: str
    text: str
    number: int


class Rule(NamedTuple):
    """An activation and its derivative, in the words ``exp expm1 log log1p tanh erf abs sign maximum minimum where …``.

    Attributes:
        name: the op's name, such as "Tanh".
        forward: lines that lead from x to y; the last one assigns to y.
        backward: lines that lead from dy, y and x to dx; the last one assigns to dx.
        from_output: True if the backward lines do not read x.
    """

    name: str
    forward: tuple[Line, ...]
    backward: tuple[Line, ...]
    from_output: bool


class Description(NamedTuple):
    """One time step of a cell. Absent parts (a bias, a peephole, a clip) are left out.

    Attributes:
        name: module and class of the equations, ``"minigrad.recurrent.lstm.LSTM"``.
        states: the states' names.
        output: which of them is the output.
        products: the products at the start of a step.
        inner: the products inside the body, in the order of the forward lines.
        parameters: names of the vectors, one number for each unit.
        options: names of the numbers that are the same for all units.
        widths: (name, width) of the names that stand for another number of values than `units`.
        shared: those of these widths that divide `units`. A column or state of such a width is spread over its blocks
            before the body, in which all names then have `units` values, and its gradient is summed over them.
        forward: the lines from columns and states to the new states; no name is assigned twice.
        new: the name of each new state.
        cache: the names of `forward` that the backward lines read, besides states, parameters and options.
        upstream: the names of ∂loss/∂(each new state).
        backward: the lines to the gradients.
        gradients: (argument of forward, name of its gradient), for those that have one.
        again: lines that compute the sources of inner products again from the cache, for the gradients of weights.
        direct: the name of the gradient's path from state to state around the products.
    """

    name: str
    states: tuple[str, ...]
    output: str
    products: tuple[Product, ...]
    inner: tuple[Inner, ...]
    parameters: tuple[str, ...]
    options: tuple[str, ...]
    widths: tuple[tuple[str, str], ...]
    shared: tuple[str, ...]
    forward: tuple[Line, ...]
    new: tuple[str, ...]
    cache: tuple[str, ...]
    upstream: tuple[str, ...]
    backward: tuple[Line, ...]
    gradients: tuple[tuple[str, str], ...]
    again: tuple[Line, ...]
    direct: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of all products, in order."""
        return tuple(column for product in self.products for column in product.columns)

    @property
    def weights(self) -> tuple[str, ...]:
        """The names of all weights except absent ones: matrices, inner matrices, biases, parameters."""
        matrices = [term.matrix for product in self.products for term in product.terms]
        biases = [product.bias for product in self.products if product.bias]
        return (*matrices, *(inner.matrix for inner in self.inner), *biases, *self.parameters)
