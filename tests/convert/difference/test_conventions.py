"""The conventions in which two cells differ: found in the order of alignment, each aligning one thing."""

from __future__ import annotations

import numpy as np
import pytest

from convert.pairs import V1, built, first, keras, moved
from minigrad.convert.difference.conventions import conventions
from minigrad.convert.difference.inspected_cell import inspect_cell
from minigrad.convert.difference.parametric_cell import largest
from tool_errors import CONVERTED, SAME_SUM

pytestmark = pytest.mark.usefixtures("fresh_variables")


def test_converted_weights_differ_without_effect() -> None:
    one, three = moved(first(), keras())
    found, same = conventions(inspect_cell("a", one), inspect_cell("b", three))
    assert same
    notes = {k.name: k.note for k in found}
    assert notes["gate order"] == CONVERTED
    assert notes["forget bias"] == SAME_SUM
    assert found[-1].name == "weights"


def test_aligned_one_after_the_other_the_second_cell_is_the_first() -> None:
    a = inspect_cell("a", built(first(use_peepholes=True, cell_clip=0.5)))
    b = inspect_cell("b", built(keras(V1.LSTMCell), seed=1))
    found, same = conventions(a, b)
    assert not same
    assert {"weights", "recurrent_activation", "peepholes", "cell_clip"} <= {k.name for k in found}
    cell = b.parametric
    for convention in found:
        cell = convention.align(cell)
    rng = np.random.default_rng(0)
    x, h, c = rng.normal(size=(4, 2, a.parametric.features)), *rng.normal(size=(2, 2, a.parametric.units))
    assert largest(cell.run(x, h, c)[0] - a.parametric.run(x, h, c)[0]) <= 1e-12
    assert largest(b.parametric.run(x, h, c)[0] - a.parametric.run(x, h, c)[0]) > 1e-3


def test_equal_cells_differ_in_no_convention_but_the_line_on_weights() -> None:
    cell = inspect_cell("a", built(keras()))
    found, same = conventions(cell, cell)
    assert [k.name for k in found] == ["weights"]
    assert same
