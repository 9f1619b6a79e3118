"""The page on ``tf.compat.v1.nn.rnn_cell.LSTMCell``: each name does what the page says.

Every test here is run twice: as it is, and with its name made to do nothing (`test_pages.py`), when it must fail.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from layer_errors import FLAT_STATE, NO_DTYPE, NO_SCOPE
from minigrad.compat.v1.nn.rnn_cell import LSTMStateTuple
from oracle.reader import resolve
from spec.pages import Page
from spec.reference import BATCH, FEATURES, UNITS, C, H, X, built, class_of, close, differ, first_step
from spec.shows import shows

V1 = mg.compat.v1

pytestmark = pytest.mark.usefixtures("fresh_variables")


def run(cell: Any, m: Any = H) -> tuple[Any, Any]:
    """m and c after one step."""
    output, state = cell(X[:, 0], LSTMStateTuple(C, m))
    np.testing.assert_array_equal(output.numpy(), state.h.numpy())
    return output.numpy(), state.c.numpy()


def agree(cell: Any, m: Any = H, **convention: Any) -> None:
    """Numbers of the formula with this convention, which differ from those without it."""
    for mine, expected in zip(run(cell, m), first_step(cell, m=m, **convention), strict=True):
        close(mine, expected)
    assert not convention or differ(run(cell, m)[0], first_step(cell, m=m)[0])


BASES = ("compat.v1.nn.rnn_cell.RNNCell", "compat.v1.layers.Layer", "keras.layers.Layer", "Module")


@shows("base class", *BASES, first=True)
def test_inherits_from(page: Page, name: str) -> None:
    assert issubclass(class_of(page), resolve(name, mg))


# --- arguments --------------------------------------------------------------------------------------------------------


@shows("argument", "num_units")
def test_num_units(page: Page, name: str) -> None:
    cell = class_of(page)(7, dtype="float32")
    cell.build((None, FEATURES))
    assert [w.shape for w in cell.weights] == [(FEATURES + 7, 28), (28,)]


@shows("argument", "use_peepholes")
def test_use_peepholes(page: Page, name: str) -> None:
    cell = built(page, use_peepholes=True)
    assert [w.name.split("/")[-1] for w in cell.weights] == [
        "kernel:0",
        "bias:0",
        "w_f_diag:0",
        "w_i_diag:0",
        "w_o_diag:0",
    ]
    agree(cell)
    w_f = cell.get_weights()[2]
    cell.w_f_diag.assign(0.0 * w_f)
    agree(cell)


@shows("argument", "cell_clip")
def test_cell_clip(page: Page, name: str) -> None:
    agree(built(page, cell_clip=0.25), cell_clip=0.25)  # before it goes out


@shows("argument", "initializer")
def test_initializer(page: Page, name: str) -> None:
    """Of kernel, peepholes and projection; the bias starts from zero."""
    cell = class_of(page)(UNITS, initializer="ones", use_peepholes=True, num_proj=3, dtype="float32")
    cell.build((None, FEATURES))
    starts = [set(np.unique(w)) for w in cell.get_weights()]
    assert starts == [{1.0}, {0.0}, {1.0}, {1.0}, {1.0}, {1.0}]


@shows("argument", "num_proj")
def test_num_proj(page: Page, name: str) -> None:
    cell = built(page, num_proj=3)
    m = np.ones((BATCH, 3))
    assert cell.weights[-1].shape == (UNITS, 3)
    assert run(cell, m)[0].shape == (BATCH, 3)
    agree(cell, m)


@shows("argument", "proj_clip")
def test_proj_clip(page: Page, name: str) -> None:
    agree(built(page, num_proj=3, proj_clip=0.125), np.ones((BATCH, 3)), proj_clip=0.125)
    with pytest.raises(ValueError, match="expected `num_proj`, got None"):
        built(page, proj_clip=0.125)


@shows("argument", "num_unit_shards", "num_proj_shards")
def test_deprecated_shards(page: Page, name: str) -> None:
    with pytest.warns(DeprecationWarning, match="num_unit_shards and num_proj_shards are deprecated"):
        cell = built(page, **{name: 2})
    agree(cell)


@shows("argument", "forget_bias")
def test_forget_bias(page: Page, name: str) -> None:
    """Added at call; what is stored starts from zero."""
    agree(built(page, forget_bias=-1.5), forget_bias=-1.5)
    agree(built(page, forget_bias=0.0), forget_bias=0.0)
    cell = class_of(page)(UNITS, dtype="float32")
    cell.build((None, FEATURES))
    assert (cell.bias.numpy() == 0.0).all()


@shows("argument", "state_is_tuple")
def test_state_is_tuple(page: Page, name: str) -> None:
    """If not, the two are concatenated, c first."""
    cell = built(page, state_is_tuple=False)
    assert cell.state_size == 2 * UNITS
    output, state = cell(X[:, 0], np.concatenate([C, H], 1))
    m_new, c_new = first_step(cell)
    close(output, m_new)
    close(state, np.concatenate([c_new, m_new], 1))
    with pytest.raises(ValueError, match=FLAT_STATE):
        cell(X[:, 0], LSTMStateTuple(C, H))
    with pytest.raises(ValueError, match=r"expected the state LSTMStateTuple\(c, h\)"):
        built(page)(X[:, 0], [H, C])


@shows("argument", "activation", first=True)
def test_activation(page: Page, name: str) -> None:
    """By name or by function; None is tanh here, not "no activation"."""
    for given in ("relu", mg.functional.relu):
        agree(built(page, activation=given), φ=lambda x: np.maximum(x, 0.0))
    agree(built(page, activation=None))


@shows("argument", "reuse")
def test_reuse(page: Page, name: str) -> None:
    one = built(page, name="shared")
    with pytest.raises(ValueError, match="Variable shared/kernel already exists"), V1.variable_scope("", reuse=False):
        class_of(page)(UNITS, name="shared", dtype="float64", _scope="shared").build((None, FEATURES))
    other = class_of(page)(UNITS, name="shared", dtype="float64", reuse=True)
    other.build((None, FEATURES))
    assert other.kernel is one.kernel
    with pytest.raises(ValueError, match="does not exist"):
        class_of(page)(UNITS, name="new", dtype="float64", reuse=True).build((None, FEATURES))


@shows("argument", "name")
def test_name(page: Page, name: str) -> None:
    cell = class_of(page)(UNITS, name="reader")
    assert cell.name == "reader"
    run(cell)
    assert [w.name for w in cell.weights] == ["reader/kernel:0", "reader/bias:0"]


@shows("argument", "dtype")
def test_dtype(page: Page, name: str) -> None:
    """By default that of the first input; needed where `build` comes before the first call."""
    cell = class_of(page)(UNITS, dtype="float32")
    cell.build((None, FEATURES))
    assert cell.kernel.dtype.name == "float32"
    inferred = class_of(page)(UNITS)
    run(inferred)
    assert inferred.kernel.dtype.name == "float64"
    with pytest.raises(TypeError, match=NO_DTYPE):
        class_of(page)(UNITS).build((None, FEATURES))


@shows("argument", "trainable")
def test_trainable(page: Page, name: str) -> None:
    frozen = built(page, trainable=False)
    assert frozen.trainable_weights == []
    assert len(frozen.weights) == 2
    assert V1.trainable_variables() == []
    assert len(built(page).trainable_weights) == len(V1.trainable_variables()) == 2


# --- attributes -------------------------------------------------------------------------------------------------------


@shows("attribute", "graph")
def test_graph(page: Page, name: str) -> None:
    assert built(page).graph is None  # there is none: operations run at once


@shows("attribute", "output_size")
def test_output_size(page: Page, name: str) -> None:
    assert class_of(page)(UNITS).output_size == UNITS
    assert class_of(page)(UNITS, num_proj=3).output_size == 3


@shows("attribute", "scope_name")
def test_scope_name(page: Page, name: str) -> None:
    cell = class_of(page)(UNITS)
    with pytest.raises(ValueError, match=NO_SCOPE):
        _ = cell.scope_name
    with V1.variable_scope("outer"):
        run(cell)
    assert cell.scope_name == "outer/lstm_cell"


@shows("attribute", "state_size")
def test_state_size(page: Page, name: str) -> None:
    assert class_of(page)(UNITS, num_proj=3).state_size == LSTMStateTuple(c=UNITS, h=3)
    assert class_of(page)(UNITS, num_proj=3, state_is_tuple=False).state_size == UNITS + 3


# --- methods ----------------------------------------------------------------------------------------------------------


@shows("method", "apply")
def test_apply(page: Page, name: str) -> None:
    cell = built(page)
    output, state = cell.apply(X[:, 0], LSTMStateTuple(C, H))
    close(output, first_step(cell)[0])
    close(state.c, first_step(cell)[1])


@shows("method", "get_initial_state", first=True)
@shows("method argument", *(f"get_initial_state: {name}" for name in ("inputs", "batch_size", "dtype")), first=True)
def test_get_initial_state(page: Page, name: str) -> None:
    cell = class_of(page)(UNITS)
    for state, dtype in (
        (cell.get_initial_state(batch_size=3, dtype="float64"), "float64"),
        (cell.get_initial_state(inputs=mg.tensor(X[:, 0])), "float64"),
        (cell.get_initial_state(inputs=mg.tensor(X[:, 0]), batch_size=3, dtype="float64"), "float64"),
    ):
        assert isinstance(state, LSTMStateTuple)
        assert [(s.shape, s.dtype.name) for s in state] == [((3, UNITS), dtype)] * 2
    for contradiction in ({"dtype": "float32"}, {"batch_size": 2}):
        with pytest.raises(ValueError, match="to be that of `inputs`"):
            cell.get_initial_state(inputs=mg.tensor(X[:, 0]), **contradiction)


@shows("method", "get_losses_for")
@shows("method argument", "get_losses_for: inputs")
def test_get_losses_for(page: Page, name: str) -> None:
    """None asks for the losses that depend on no inputs: the regularizers'."""
    with V1.variable_scope("penalised", regularizer=mg.keras.regularizers.L2(0.5)):
        cell = class_of(page)(UNITS)
        run(cell)
    kernel, bias = cell.get_weights()
    close(sum(loss.numpy() for loss in cell.get_losses_for(inputs=None)), 0.5 * ((kernel**2).sum() + (bias**2).sum()))
    assert cell.get_losses_for(inputs=mg.tensor(X)) == []
    own = mg.tensor(1.0)
    cell.add_loss(own, inputs=mg.tensor(X))
    assert cell.get_losses_for(inputs=mg.tensor(X)) == [own]
    assert len(cell.get_losses_for(inputs=None)) == 2


@shows("method", "get_updates_for")
@shows("method argument", "get_updates_for: inputs")
def test_get_updates_for(page: Page, name: str) -> None:
    assert built(page).get_updates_for(inputs=mg.tensor(X)) == []  # there are none where operations run at once


@shows("method", "zero_state")
@shows("method argument", "zero_state: batch_size", "zero_state: dtype")
def test_zero_state(page: Page, name: str) -> None:
    for batch, dtype in ((3, "float64"), (2, "float32")):
        state = class_of(page)(UNITS, num_proj=3).zero_state(batch_size=batch, dtype=dtype)
        assert isinstance(state, LSTMStateTuple)
        assert [(s.shape, s.dtype.name) for s in state] == [((batch, UNITS), dtype), ((batch, 3), dtype)]
        assert all((s.numpy() == 0.0).all() for s in state)
    both = class_of(page)(UNITS, state_is_tuple=False).zero_state(batch_size=3, dtype="float64")
    assert both.shape == (3, 2 * UNITS)
