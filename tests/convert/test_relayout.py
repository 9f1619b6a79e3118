"""Conversion between any two layouts and back, and the errors for wrong weights."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from tool_errors import NO_PEEPHOLES, NO_PROJECTION

pytest.importorskip("hypothesis", reason="needs hypothesis: pip install -e '.[test]'")

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import minigrad_numpy as xp
from minigrad.convert import GRU_LAYOUTS, LSTM_LAYOUTS, ConversionError, GateLayout, relayout, relayout_gru
from minigrad.engine.errors import DTypeError, OptionError, ShapeError, UnknownNameError
from minigrad.keras.layers import LSTMCell
from minigrad.recurrent import LSTM, LSTMP, Formulas

sizes = st.integers(1, 5)
seeds = st.integers(0, 2**32 - 1)
dtypes = st.sampled_from(["float32", "float64"])


def keras(features: int, units: int, seed: int, dtype: str, gates: int = 4, bias: bool = True) -> dict[str, Any]:
    """Weights in the layout of Keras, multiples of 1/1024, which the sums of `relayout` do not round."""
    numbers = np.random.default_rng(seed)
    shapes = {"kernel": (features, gates * units), "recurrent_kernel": (units, gates * units)}
    shapes |= {"bias": (gates * units,)} if bias else {}
    return {name: (numbers.integers(-4096, 4097, s) / 1024).astype(dtype) for name, s in shapes.items()}


def same(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert list(one) == list(other)
    for name, array in one.items():
        assert array.dtype == other[name].dtype
        np.testing.assert_array_equal(array, other[name], err_msg=name)


def summed(weights: dict[str, Any], layout: str) -> dict[str, Any]:
    """Two biases that are only added, as their sum; all other numbers unchanged."""
    if layout == "torch":
        return {
            **weights,
            "bias_ih": weights["bias_ih"] + weights["bias_hh"],
            "bias_hh": np.zeros_like(weights["bias_hh"]),
        }
    if layout == "onnx":
        return {**weights, "B": sum(np.split(weights["B"], 2, -1))}
    return weights


def with_two_biases(weights: dict[str, Any], seed: int) -> dict[str, Any]:
    """Nonzero numbers in the second bias, if there is one."""
    numbers = np.random.default_rng(seed)
    both = {name: weights[name] for name in ("bias_hh", "B") if name in weights}
    return weights | {
        name: (array + numbers.integers(-99, 99, array.shape) / 1024).astype(array.dtype)
        for name, array in both.items()
    }


# --- there and back ---------------------------------------------------------------------------------------------------


@given(sizes, sizes, seeds, dtypes, st.sampled_from(["tf1", *LSTM_LAYOUTS]), st.sampled_from([*LSTM_LAYOUTS]))
def test_every_pair_of_layouts_round_trips(
    features: int, units: int, seed: int, dtype: str, src: str, dst: str
) -> None:
    weights = with_two_biases(relayout(keras(features, units, seed, dtype), "keras", src), seed)
    back = relayout(relayout(weights, src, dst), dst, src)
    same(summed(back, src), summed(weights, src))


@given(sizes, sizes, sizes, seeds, st.sampled_from(["tf1", "torch"]), st.sampled_from(["tf1", "torch"]))
def test_a_projection_round_trips(features: int, units: int, outputs: int, seed: int, src: str, dst: str) -> None:
    numbers = np.random.default_rng(seed)
    weights: dict[str, Any] = {
        "kernel": numbers.integers(-99, 99, (features + outputs, 4 * units)) / 1024,
        "bias": numbers.integers(-99, 99, 4 * units) / 1024,
        "projection/kernel": numbers.integers(-99, 99, (units, outputs)) / 1024,
    }
    weights = relayout(weights, "tf1", src)
    same(summed(relayout(relayout(weights, src, dst), dst, src), src), summed(weights, src))


@given(sizes, sizes, seeds)
def test_peepholes_round_trip(features: int, units: int, seed: int) -> None:
    weights = relayout(keras(features, units, seed, "float64"), "keras", "tf1")
    numbers = np.random.default_rng(seed)
    weights |= {name: numbers.normal(size=units) for name in ("w_f_diag", "w_i_diag", "w_o_diag")}
    moved = relayout(weights, "tf1", "onnx")
    peepholes = [weights[f"w_{gate}_diag"] for gate in "iof"]
    np.testing.assert_array_equal(moved["P"], [np.concatenate(peepholes)])
    same(relayout(moved, "onnx", "tf1"), weights)


@given(
    sizes,
    seeds,
    st.sampled_from(["torch", "onnx"]),
    st.floats(-3.0, 3.0),
    st.lists(st.floats(-4.0, 4.0), min_size=4, max_size=4),
)
def test_a_forget_bias_goes_into_the_second_bias_and_back_without_rounding(
    features: int, seed: int, dst: str, forget_bias: float, bias: list[float]
) -> None:
    weights = relayout(keras(features, 1, seed, "float64"), "keras", "tf1") | {"bias": np.array(bias)}
    there = relayout(weights, "tf1", dst, forget_bias=forget_bias)
    same(relayout(there, dst, "tf1", forget_bias=forget_bias), weights)


@given(st.lists(st.floats(-4.0, 4.0), min_size=4, max_size=4), st.floats(-3.0, 3.0))
def test_where_there_is_one_bias_a_forget_bias_costs_one_rounding(bias: list[float], forget_bias: float) -> None:
    weights = {"kernel": np.ones((2, 4)), "bias": np.array(bias)}
    back = relayout(relayout(weights, "tf1", "keras", forget_bias=forget_bias), "keras", "tf1", forget_bias=forget_bias)
    np.testing.assert_array_equal(back["bias"][[0, 1, 3]], weights["bias"][[0, 1, 3]])
    assert abs(back["bias"][2] - bias[2]) <= 2 * np.spacing(abs(bias[2]) + abs(forget_bias))


@given(sizes, sizes, seeds, dtypes, st.data())
def test_every_pair_of_gru_layouts_round_trips(
    features: int, units: int, seed: int, dtype: str, data: st.DataObject
) -> None:
    after = data.draw(st.booleans())
    names = [name for name, layout in GRU_LAYOUTS.items() if layout.reset_after == after]
    src, dst = data.draw(st.sampled_from(names)), data.draw(st.sampled_from(names))
    weights = keras(features, units, seed, dtype, gates=3)
    if after:
        weights["bias"] = np.stack([weights["bias"], 2 * weights["bias"]])
    weights = relayout_gru(weights, "keras" if after else "keras_reset_before", src)
    same(relayout_gru(relayout_gru(weights, src, dst), dst, src), weights)


@given(sizes, sizes, seeds, st.sampled_from(["keras", "torch", "onnx"]), st.sampled_from(["keras", "torch", "onnx"]))
def test_a_cell_without_bias_stays_one(features: int, units: int, seed: int, src: str, dst: str) -> None:
    weights = relayout(keras(features, units, seed, "float64", bias=False), "keras", src)
    there = relayout(weights, src, dst)
    assert len(there) == 2
    same(relayout(there, dst, src), weights)


@pytest.mark.parametrize(("src", "dst"), list(product(["keras", "torch", "onnx"], ["tf1", "chainer"])))
def test_where_a_bias_is_needed_it_is_made_of_zeros(src: str, dst: str) -> None:
    weights = relayout(keras(2, 3, 0, "float32", bias=False), "keras", src)
    moved = relayout(weights, src, dst)
    back = relayout(moved, dst, "keras")
    assert moved["bias" if dst == "tf1" else "upward/b"].dtype == np.float32
    np.testing.assert_array_equal(back["bias"], np.zeros(12))


def test_the_result_shares_no_memory_with_the_weights() -> None:
    weights = keras(2, 3, 0, "float64")
    weights = relayout(weights, "keras", "torch") | {"weight_hr": np.eye(3)}
    for moved in (relayout(weights, "torch", "torch"), relayout(weights, "torch", "tf1")):
        assert not any(np.shares_memory(a, b) for a in moved.values() for b in weights.values())


def test_a_list_is_taken_in_the_layouts_order() -> None:
    weights = keras(2, 3, 0, "float64")
    same(relayout(list(weights.values()), "keras", "torch"), relayout(weights, "keras", "torch"))
    whole = relayout(weights, "keras", "tf1")
    whole |= {name: np.ones(3) for name in ("w_f_diag", "w_i_diag", "w_o_diag")}
    same(relayout(list(whole.values()), "tf1", "tf1"), whole)


def test_a_custom_layout() -> None:
    numpy_ml = GateLayout("mine", gates="figo", letters="f, u, c, o", kernel="W", recurrent="U", bias="b")
    weights = keras(2, 1, 0, "float64")
    moved = relayout(weights, "keras", numpy_ml)
    np.testing.assert_array_equal(moved["W"], weights["kernel"][:, [1, 0, 2, 3]])
    same(relayout(moved, numpy_ml, "keras"), weights)


# --- the formulas of this house ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("forget_bias", [None, 0.0, 2.5])
def test_the_first_generations_step_and_keras_give_the_same(forget_bias: float | None) -> None:
    numbers = np.random.default_rng(1)
    x, h, c = (numbers.normal(size=(3, n)) for n in (2, 4, 4))
    w = keras(2, 4, 7, "float64")
    old = relayout(w, "keras", "tf1", forget_bias=forget_bias)
    step = Formulas(LSTM)
    weights = step.Weights(*w.values())
    (h_new, c_new), _ = step.step(xp, step.project(xp, x, weights), (h, c), weights)
    added = 1.0 if forget_bias is None else forget_bias
    first, (W, U) = Formulas(LSTMP, forget_bias=added), np.split(old["kernel"], [2])
    first_weights = first.Weights(W=W, U=U, b=old["bias"])
    (c_old, m_old), _ = first.step(xp, first.project(xp, x, first_weights), (c, h), first_weights)
    np.testing.assert_allclose(m_old, h_new, rtol=0, atol=1e-15)
    np.testing.assert_allclose(c_old, c_new, rtol=0, atol=1e-15)


# --- what cannot be ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dst", ["keras", "torch", "chainer"])
def test_peepholes_have_no_place_elsewhere(dst: str) -> None:
    weights = {"kernel": np.ones((3, 8)), "bias": np.zeros(8)}
    weights |= {name: np.ones(2) for name in ("w_f_diag", "w_i_diag", "w_o_diag")}
    with pytest.raises(ConversionError, match=f"{NO_PEEPHOLES}'{dst}'"):
        relayout(weights, "tf1", dst)


@pytest.mark.parametrize("dst", ["keras", "onnx", "chainer"])
def test_a_projection_has_no_place_elsewhere(dst: str) -> None:
    weights = {"kernel": np.ones((3, 8)), "bias": np.zeros(8), "projection/kernel": np.ones((2, 1))}
    with pytest.raises(ConversionError, match=f"{NO_PROJECTION}'{dst}'"):
        relayout(weights, "tf1", dst)


@pytest.mark.parametrize(("src", "dst"), [("keras_reset_before", "torch"), ("keras", "onnx_reset_before")])
def test_the_reset_gate_cannot_be_moved_behind_the_product(src: str, dst: str) -> None:
    with pytest.raises(ConversionError, match="reset gate acts on"):
        relayout_gru(keras(2, 2, 0, "float64", gates=3), src, dst)


def test_a_forget_bias_that_neither_layout_adds() -> None:
    with pytest.raises(ConversionError, match=r"forget_bias=1\.0 was given, but neither 'keras' nor 'torch'"):
        relayout(keras(2, 2, 0, "float64"), "keras", "torch", forget_bias=1.0)


def test_an_unknown_layout() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'torch'"):
        relayout(keras(2, 2, 0, "float64"), "keras", "pytorch")


@pytest.mark.parametrize(
    ("src", "arrays", "message"),
    [
        ("keras", {"weight_ih": (8, 3), "weight_hh": (8, 2)}, "These look like 'torch' weights of an LSTM"),
        ("keras", {"kernel": (3, 8)}, "got kernel"),
        ("keras", {"weight_ih": (8, 3), "weight_hh": (8, 3)}, "Those are the names of 'torch'"),
        (
            "keras",
            {"gates/kernel": (3, 4), "gates/bias": (4,), "candidate/kernel": (3, 2), "candidate/bias": (2,)},
            "These look like 'tf1' weights of a GRU",
        ),
        ("tf1", {"kernel": (5, 8)}, "'tf1' has the arrays kernel, bias; or"),
        (
            "keras",
            {"kernel": (8, 3), "recurrent_kernel": (8, 2)},
            "got shape .8, 2.. It looks transposed, as in 'torch'",
        ),
        ("torch", {"weight_ih": (3, 8), "weight_hh": (2, 8)}, "It looks transposed, as in 'keras'"),
        ("keras", {"kernel": (3, 8), "recurrent_kernel": (3, 8)}, "with 2 rows to its 4 × 2 columns, got shape .3, 8."),
        ("keras", {"kernel": (3, 6), "recurrent_kernel": (2, 6)}, "multiple of 4 columns"),
        ("keras", {"kernel": (3, 12), "recurrent_kernel": (2, 8)}, "'kernel' .* with 8 columns, got shape .3, 12."),
        ("keras", {"kernel": (3, 8), "recurrent_kernel": (2, 8), "bias": (16,)}, "'bias' .* shape .8,., got .16,."),
        ("tf1", {"kernel": (2, 8), "bias": (8,)}, "more than 2 rows"),
        (
            "tf1",
            {"kernel": (5, 8), "bias": (8,), "projection/kernel": (3, 2)},
            "'projection/kernel' .* 2 rows",
        ),
        (
            "tf1",
            {"kernel": (5, 8), "bias": (8,), "w_f_diag": (3,), "w_i_diag": (2,), "w_o_diag": (2,)},
            "'w_f_diag' .* shape .2,., got .3,.",
        ),
        ("torch", {"weight_ih": (8, 3), "weight_hh": (8, 2), "bias_ih": (8,), "bias_hh": (4,)}, r"'bias_hh' .*\.$"),
        ("onnx", {"W": (2, 8, 3), "R": (2, 8, 2)}, "first axis of length 1, got .2, 8, 3.. Convert the two directions"),
        ("onnx", {"W": (1, 8, 3), "R": (1, 8, 2), "B": (1, 8)}, "'B' of 'onnx' with shape .16,., got .8,."),
        ("keras", {"kernel": (8,), "recurrent_kernel": (2, 8)}, "two axes"),
    ],
)
def test_shapes_and_names_that_give_a_wrong_layout_away(src: str, arrays: dict[str, Any], message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        relayout({name: np.ones(shape) for name, shape in arrays.items()}, src, "keras")


def test_a_candidate_that_does_not_fit_its_gates() -> None:
    shapes = {"gates/kernel": (5, 4), "gates/bias": (4,), "candidate/kernel": (5, 3), "candidate/bias": (3,)}
    with pytest.raises(ShapeError, match=r"'candidate/kernel' of 'tf1' with shape \(5, 2\), got \(5, 3\)"):
        relayout_gru({name: np.ones(shape) for name, shape in shapes.items()}, "tf1", "keras_reset_before")


def test_a_list_of_a_wrong_length() -> None:
    with pytest.raises(ShapeError, match="got 4 arrays"):
        relayout([np.ones((3, 8)), np.ones((2, 8)), np.ones(8), np.ones(8)], "keras", "tf1")


def test_numbers_that_are_no_floats() -> None:
    weights = keras(2, 2, 0, "float64")
    weights["kernel"] = weights["kernel"].astype(int)
    with pytest.raises(DTypeError, match=r"'kernel' of floating point numbers, got int"):
        relayout(weights, "keras", "tf1")


KERAS = [(3, 16), (4, 16), (16,)]
TORCH = [(16, 3), (16, 4), (16,), (16,)]
GRU_TF1 = [(7, 8), (8,), (7, 4), (4,)]


@pytest.mark.parametrize(
    ("function", "src", "shapes", "message"),
    [
        (relayout, "tf1", KERAS, "'projection/kernel' .* with two axes, .* look like 'keras' weights of an LSTM"),
        (relayout, "torch", KERAS, "'weight_hr' of 'torch' with two axes, .* look like 'keras' weights of an LSTM"),
        (relayout, "keras", TORCH, "got 4 arrays. These look like 'torch' weights of an LSTM"),
        (relayout, "keras", [(7, 16), (16,)], "look like 'tf1' weights of an LSTM"),
        (relayout, "keras", [(3, 12), (4, 12), (12,)], "look like 'keras_reset_before' weights of a GRU"),
        (relayout, "keras", GRU_TF1, "look like 'tf1' weights of a GRU"),
        (relayout_gru, "keras", KERAS, "^relayout_gru: expected .* multiple of 3 .* 'keras' weights of an LSTM"),
        (relayout, "keras", [(3, 16), (5, 16), (16,)], r"4 rows to its 4 × 4 columns, got shape \(5, 16\)\.$"),
    ],
)
def test_shapes_that_give_another_layout_away(
    function: Any, src: str, shapes: list[tuple[int, ...]], message: str
) -> None:
    with pytest.raises(ShapeError, match=message):
        function([np.ones(shape) for shape in shapes], src, "keras")


@pytest.mark.parametrize("src", LSTM_LAYOUTS)
@pytest.mark.parametrize("other", LSTM_LAYOUTS)
def test_no_layout_is_taken_for_another_by_name(src: str, other: str) -> None:
    """Weights with names: only their layout fits, and the message names it."""
    if {src, other} & {"keras", "tf1"} == {"keras", "tf1"} or src == other:
        return
    weights = relayout(keras(3, 4, 0, "float64"), "keras", src)
    with pytest.raises(ShapeError, match=f"These look like {src!r} weights of an LSTM"):
        relayout(weights, other, "keras")


def test_what_is_no_weights() -> None:
    with pytest.raises(ConversionError, match=r"relayout: expected `weights`, .* got None"):
        relayout(None, "keras", "tf1")  # type: ignore[arg-type]
    cell = LSTMCell(4)
    with pytest.raises(ConversionError, match=r"got LSTMCell\. Pass the result of its get_weights\(\)"):
        relayout(cell, "keras", "tf1")
    with pytest.raises(ShapeError, match="expected 'kernel', an array, got list"):
        relayout([[[1.0], [1.0, 2.0]], np.ones((1, 4))], "keras", "tf1")
    with pytest.raises(UnknownNameError, match="relayout_gru: src: expected a name"):
        relayout_gru([], ["keras"], "tf1")  # type: ignore[arg-type]


@pytest.mark.parametrize("forget_bias", ["a", True, float("nan"), [1.0]])
def test_a_forget_bias_that_is_no_number(forget_bias: Any) -> None:
    with pytest.raises(OptionError, match="relayout: `forget_bias`: expected a finite number, got"):
        relayout(keras(2, 2, 0, "float64"), "keras", "tf1", forget_bias=forget_bias)


def test_a_forget_bias_of_numpys() -> None:
    weights = keras(2, 2, 0, "float64")
    same(relayout(weights, "keras", "tf1", forget_bias=np.float32(1)), relayout(weights, "keras", "tf1"))


def test_the_hint_never_names_the_given_layout() -> None:
    """A GRU of PyTorch, whose names are those of its LSTM."""
    arrays = {"weight_ih": (8, 3), "weight_hh": (8, 2), "bias_ih": (8,), "bias_hh": (4,)}
    weights = {name: np.ones(shape) for name, shape in arrays.items()}
    for handed in (weights, list(weights.values())):
        with pytest.raises(ShapeError, match=r"'bias_hh' of 'torch' with shape \(8,\), got \(4,\)\.$"):
            relayout(handed, "torch", "keras")
