"""`explain_difference`: outputs as measured, the convention that causes a difference, and a remainder of 0."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from convert.pairs import BATCH, FEATURES, NAMED, UNITS, V1, C, H, X, built, first, keras, moved, numbers, outputs, row
from convert.recorded import L
from minigrad.compat.v1.nn import rnn_cell
from minigrad.compat.v1.nn.rnn_cell import LSTMStateTuple
from minigrad.convert import explain_difference, relayout, relayout_gru
from tool_errors import CONVERTED, REST, SAME_OUTPUTS, SAME_SUM

pytestmark = pytest.mark.usefixtures("fresh_variables")

# --- three generations ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("forget_bias", [1.0, 0.0, -1.5])
def test_the_same_weights_moved_from_2016_to_2019(forget_bias: float) -> None:
    one, three = moved(first(forget_bias=forget_bias), keras(), forget_bias=forget_bias)
    found = explain_difference(one, three, X, NAMED)
    assert found.same
    assert found.weights_same
    assert found.causes == []
    assert found.max_h <= 1e-12
    assert found.rest <= 1e-12
    assert row(found, "gate order").note == CONVERTED
    assert (row(found, "gate order").a, row(found, "gate order").b) == ("i, j, f, o", "i, f, c, o")
    assert (row(found, "state order").a, row(found, "state order").b) == ("(c, h)", "[h, c]")
    assert row(found, "weights").b == "the same after minigrad.convert"
    if forget_bias:
        assert row(found, "forget bias").note == SAME_SUM
    assert SAME_OUTPUTS in str(found)


def test_the_second_generation_differs_by_its_hard_sigmoid_alone() -> None:
    for one, two in (moved(first(), keras(V1.LSTMCell)), moved(keras(), keras(V1.LSTMCell))):
        found = explain_difference(one, two, X, NAMED)
        assert found.causes == ["recurrent_activation"]
        assert found.weights_same
        assert (row(found, "recurrent_activation").a, row(found, "recurrent_activation").b) == (
            "sigmoid",
            "hard_sigmoid",
        )
        assert row(found, "recurrent_activation").alone <= 1e-12
        np.testing.assert_allclose(found.max_h, np.abs(outputs(one) - outputs(two)).max(), rtol=0, atol=1e-12)
        assert found.max_h > 1e-3
        assert "It comes from recurrent_activation alone." in found.verdict


def test_arrays_that_were_copied_and_should_have_been_moved() -> None:
    """The shapes fit and nothing raises, but the outputs are wrong."""
    one, three = built(first()), keras()
    three.build((None, FEATURES))
    kernel, bias = one.get_weights()
    three.set_weights([kernel[:FEATURES], kernel[FEATURES:], bias])
    found = explain_difference(one, three, X, NAMED)
    assert set(found.causes) == {"gate order", "forget bias"}
    assert not found.weights_same
    assert row(found, "weights").b == "the same, but for gate order and forget bias"
    np.testing.assert_allclose(found.max_h, np.abs(outputs(one) - outputs(three)).max(), rtol=0, atol=1e-12)
    # The same again, with each of the two set right.
    reordered = relayout(one.get_weights(), "tf1", "keras", forget_bias=0.0)
    three.set_weights(list(reordered.values()))
    np.testing.assert_allclose(
        row(found, "gate order").alone, np.abs(outputs(one) - outputs(three)).max(), rtol=0, atol=1e-12
    )
    only_bias = explain_difference(one, three, X, NAMED)
    assert only_bias.causes == ["forget bias"]
    assert row(only_bias, "gate order").note == CONVERTED
    assert row(only_bias, "forget bias").alone <= 1e-12


def test_the_other_way_round() -> None:
    three, one = built(keras()), first()
    one.build((None, FEATURES))
    W, U, b = three.get_weights()
    one.set_weights([np.concatenate([W, U]), b])
    found = explain_difference(three, one, X, NAMED)
    assert set(found.causes) == {"gate order", "forget bias"}
    assert found.rest <= 1e-12


def test_a_pair_of_states_that_each_cell_reads_in_its_own_order() -> None:
    one, three = moved(first(), keras())
    found = explain_difference(one, three, X, (C, H))  # (c, h) to the one, [h, c] to the other
    assert found.causes == ["state order"]
    assert row(found, "state order").alone <= 1e-12
    assert row(found, "state order").note == ""
    np.testing.assert_allclose(found.max_h, np.abs(outputs(one) - outputs(three, C, H)).max(), rtol=0, atol=1e-12)
    assert explain_difference(one, three, X, NAMED).same
    assert explain_difference(three, three, X, (C, H)).max_h <= 1e-12  # both read it in the same way
    assert explain_difference(three, one, X, [H, C]).causes == ["state order"]


# --- one convention at a time -----------------------------------------------------------------------------------------

ALONE: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("forget bias", {}, {"forget_bias": 0.0}),
    ("forget bias", {"forget_bias": -2.0}, {"forget_bias": 0.5}),
    ("activation", {}, {"activation": "relu"}),
    ("activation", {"activation": mg.functional.softsign}, {"activation": lambda x: mg.functional.tanh(2.0 * x)}),
    ("cell_clip", {}, {"cell_clip": 0.25}),
    ("cell_clip", {"cell_clip": 0.5}, {"cell_clip": 0.25}),
    ("proj_clip", {"num_proj": 3}, {"num_proj": 3, "proj_clip": 0.125}),
]


@pytest.mark.parametrize(("name", "of_one", "of_other"), ALONE)
def test_one_convention_that_differs(name: str, of_one: Any, of_other: Any) -> None:
    one, other = built(first(**of_one)), built(first(**of_other))
    h = numbers.normal(size=(BATCH, of_one.get("num_proj", UNITS)))
    for a, b in ((one, other), (other, one)):
        found = explain_difference(a, b, X, LSTMStateTuple(C, h))
        assert found.causes == [name]
        assert found.max_h > 1e-3
        assert row(found, name).alone <= 1e-12
        assert found.weights_same == (name != "forget bias")  # which minigrad.convert folds into them
        np.testing.assert_allclose(found.max_h, np.abs(outputs(a, h) - outputs(b, h)).max(), rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [("peepholes", {"use_peepholes": True}, "i, f, o read c"), ("projection", {"num_proj": UNITS}, f"to {UNITS}")],
)
def test_peepholes_and_projection(name: str, options: dict[str, Any], said: str) -> None:
    one, other = built(first(**options)), first()
    other.build((None, FEATURES))
    other.set_weights(one.get_weights()[:2])
    for a, b in ((one, other), (other, one)):
        found = explain_difference(a, b, X, NAMED)
        assert found.causes == [name]
        assert row(found, name).alone <= 1e-12
        assert {row(found, name).a, row(found, name).b} == {"none", said}
        assert found.weights_same


def test_clips_that_are_never_reached_cause_nothing() -> None:
    found = explain_difference(built(first()), built(first(cell_clip=1000.0)), X, NAMED)
    assert found.causes == []
    assert row(found, "cell_clip").b == "±1000.0"


def test_bias() -> None:
    one, other = built(keras()), keras(use_bias=False)
    other.build((None, FEATURES))
    W, U, b = one.get_weights()
    other.set_weights([W, U])
    assert explain_difference(one, other, X, NAMED).causes == ["bias"]
    assert explain_difference(other, one, X, NAMED).causes == ["bias"]
    only_forget = np.zeros_like(b)
    only_forget[UNITS : 2 * UNITS] = 1.0  # as unit_forget_bias starts it
    one.set_weights([W, U, only_forget])
    found = explain_difference(one, other, X, NAMED)
    assert found.causes == ["forget bias"]
    assert (row(found, "forget bias").a, row(found, "forget bias").b) == ("1 stored", "none: no bias")
    assert row(found, "bias").note == "no effect: all other biases are zero"


def test_weights_that_differ() -> None:
    one, other = built(keras()), built(keras(), seed=1)
    found = explain_difference(one, other, X, NAMED)
    assert found.causes == ["weights"]
    assert not found.weights_same
    furthest = max(np.abs(a - b).max() for a, b in zip(one.get_weights(), other.get_weights(), strict=True))
    assert row(found, "weights").b == f"differ by up to {furthest:.3g}"
    both = explain_difference(one, built(keras(V1.LSTMCell), seed=1), X, NAMED)
    assert set(both.causes) == {"weights", "recurrent_activation"}
    third = explain_difference(built(first()), built(keras(), seed=1), X, NAMED)
    assert row(third, "gate order").note == "the weights differ in either order"
    assert third.causes == ["weights"]


# --- the other kinds --------------------------------------------------------------------------------------------------


def test_gated_recurrent_units() -> None:
    one, before = built(rnn_cell.GRUCell(UNITS, dtype="float64")), keras(L.GRUCell, reset_after=False)
    before.build((None, FEATURES))
    before.set_weights(list(relayout_gru(one.get_weights(), "tf1", "keras_reset_before").values()))
    assert explain_difference(one, before, X, H).same
    after = keras(L.GRUCell)
    after.build((None, FEATURES))
    W, U, b = before.get_weights()
    after.set_weights([W, U, np.stack([b, np.zeros_like(b)])])
    for a, b in ((before, after), (after, before), (one, after)):
        found = explain_difference(a, b, X, H)
        assert found.causes == ["reset gate"]
        assert row(found, "reset gate").alone <= 1e-12
        assert found.rest <= 1e-12
    two = keras(V1.GRUCell)
    two.build((None, FEATURES))
    two.set_weights([W, U, before.get_weights()[2]])
    assert explain_difference(before, two, X, [H]).causes == ["recurrent_activation"]
    assert explain_difference(built(keras(L.GRUCell)), before, X, H).rest <= 1e-12  # biases on either side differ too
    assert explain_difference(before, built(keras(L.GRUCell)), X, H).rest <= 1e-12


def test_simple_recurrent_nets() -> None:
    one, three = built(rnn_cell.BasicRNNCell(UNITS, dtype="float64")), keras(L.SimpleRNNCell)
    three.build((None, FEATURES))
    kernel, bias = one.get_weights()
    three.set_weights([kernel[:FEATURES], kernel[FEATURES:], bias])
    assert explain_difference(one, three, X, H).same
    relu = keras(L.SimpleRNNCell, activation="relu")
    relu.build((None, FEATURES))
    relu.set_weights(three.get_weights())
    assert explain_difference(one, relu, X, H).causes == ["activation"]


def test_layers_stand_for_their_cells() -> None:
    one, three = moved(first(), keras())
    for layer in (L.LSTM(UNITS, dtype="float64", name="reader"), L.RNN(keras())):
        layer(X)
        layer.set_weights(three.get_weights())
        found = explain_difference(one, layer, X, NAMED)
        assert found.same
        assert found.b == f"keras.layers.{type(layer).__name__} {layer.name!r}"
    assert explain_difference(L.RNN(three), three).same


def test_other_cells_of_the_first_generation() -> None:
    one = built(first())
    basic = rnn_cell.BasicLSTMCell(UNITS, dtype="float64")
    together = first(state_is_tuple=False)
    for cell in (basic, together):
        cell.build((None, FEATURES))
        cell.set_weights(one.get_weights())
        assert explain_difference(one, cell, X, NAMED).same
    assert row(explain_difference(one, together), "state").b == "one tensor, c and h concatenated"


# --- differences without effect ---------------------------------------------------------------------------------------


def test_options_that_act_in_training_only_are_listed_and_cause_nothing() -> None:
    one = built(keras())
    other = built(keras(dropout=0.5, kernel_regularizer="l2", bias_constraint="non_neg", kernel_initializer="ones"))
    found = explain_difference(one, other, X, NAMED)
    assert found.same
    assert (row(found, "dropout").a, row(found, "dropout").b) == ("0.0", "0.5")
    assert row(found, "dropout").alone is None
    assert row(found, "kernel_regularizer").b == "L2"
    assert row(found, "kernel_initializer").note == "initial weights only"
    recurrent = explain_difference(one, built(keras(recurrent_dropout=0.5)), X, NAMED)
    assert recurrent.same
    assert row(recurrent, "implementation").b == "1"


def test_defaults_of_the_classes() -> None:
    found = explain_difference(*moved(keras(V1.LSTMCell), keras()))
    assert row(found, "defaults").a == "recurrent_activation=hard_sigmoid, implementation=1"
    assert row(found, "defaults").b == "recurrent_activation=sigmoid, implementation=2"


def test_float32() -> None:
    one, three = moved(first(dtype="float32"), keras(dtype="float32"))
    one.set_weights([numbers.normal(size=w.shape) for w in one.weights])
    three.set_weights(list(relayout(one.get_weights(), "tf1", "keras").values()))
    found = explain_difference(one, three, X, NAMED)
    assert found.same
    assert found.weights_same
    assert 0.0 < found.max_h < 1e-5  # b_f + 1 was rounded
    assert found.rest <= 1e-12
    assert row(explain_difference(one, moved(first(), keras())[1]), "dtype").note == "rounding"


def test_on_every_backend(backend: Any) -> None:
    one, two = moved(first(), keras(V1.LSTMCell))
    for cell in (one, two):
        assert cell.weights[0].backend is backend
    assert explain_difference(one, two, X, NAMED).causes == ["recurrent_activation"]


# --- any two cells ----------------------------------------------------------------------------------------------------


def any_cell(rng: np.random.Generator) -> Any:
    act = str(rng.choice(["tanh", "relu", "softsign"]))
    if rng.random() < 0.5:
        options = {"use_peepholes": bool(rng.integers(2)), "forget_bias": float(rng.integers(-2, 3)), "activation": act}
        options |= {"cell_clip": None if rng.integers(2) else 0.5, "num_proj": UNITS if rng.integers(2) else None}
        return first(**options, proj_clip=0.25 if options["num_proj"] and rng.integers(2) else None)
    of = V1.LSTMCell if rng.integers(2) else L.LSTMCell
    return keras(of, activation=act, use_bias=bool(rng.integers(2)), implementation=int(rng.integers(1, 3)))


@pytest.mark.parametrize("seed", range(40))
def test_no_difference_remains_between_any_two_cells(seed: int) -> None:
    rng = np.random.default_rng(seed)
    one, other = built(any_cell(rng), seed), built(any_cell(rng), seed + int(rng.integers(2)))
    found = explain_difference(one, other, X, NAMED)
    assert found.rest <= 1e-12
    np.testing.assert_allclose(found.max_h, np.abs(outputs(one) - outputs(other)).max(), rtol=0, atol=1e-12)
    steps = [row.so_far for row in found.rows if row.so_far is not None]
    assert steps[-1] == found.rest
    if not found.same:
        assert found.causes


# --- inputs -----------------------------------------------------------------------------------------------------------


def test_inputs_and_state_are_drawn_where_none_are_given() -> None:
    one, two = moved(keras(), keras(V1.LSTMCell))
    found, again = explain_difference(one, two), explain_difference(one, two)
    assert found == again  # the same numbers every time, and no draw from mg.random
    assert found.inputs == "over 4 rows of 6 steps, inputs and state drawn at random"
    assert explain_difference(one, two, X[:, 0], NAMED).inputs == f"over {BATCH} rows of 1 step"
    assert explain_difference(one, two, mg.tensor(X)).inputs.endswith("5 steps, state drawn at random")


# --- display ----------------------------------------------------------------------------------------------------------


class Table(HTMLParser):
    """A parser that counts cells and collects the text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data + "|"


def test_the_table_as_text_as_html_and_as_rows() -> None:
    odd = mg.functional.tanh
    one, two = moved(first(), keras(V1.LSTMCell, recurrent_activation=lambda x: odd(x) ** 2))
    found = explain_difference(one, two, X, NAMED)
    text = str(found)
    assert text.startswith("a  compat.v1.nn.rnn_cell.LSTMCell")
    lines = text.splitlines()
    assert [line.split("  ")[0] for line in lines[6 : 7 + len(found.rows)]] == [
        "as they are", *(row.convention for row in found.rows)
    ]  # fmt: skip
    assert lines[-1].endswith(f"{REST} (to 1e-12).")
    parsed = Table()
    parsed.feed(found._repr_html_())
    assert parsed.tags.count("tr") == 2 + len(found.rows)
    assert parsed.tags.count("td") == 6 * (1 + len(found.rows))
    assert "<lambda>" in parsed.text  # escaped, so that it is seen
    plain = json.loads(json.dumps(found.as_dicts()))
    assert [entry["convention"] for entry in plain] == [row.convention for row in found.rows]
    assert plain[0].keys() == {"convention", "a", "b", "alone", "so_far", "note"}
