"""Targets, weights, losses and metrics paired with their output by name, in any structure of the outputs.

The numbers are those of TensorFlow 2.15.1, for `evaluate` of a subclassed model on the same data. Where it is marked,
TensorFlow raises too, or pairs wrongly without an error.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from layer_errors import ONE_FOR_EACH_OUTPUT
from minigrad.engine.errors import MinigradError, ShapeError, UnknownNameError
from minigrad.keras import Model, Sequential, metrics
from minigrad.keras.layers import LSTM, Dense, Layer
from minigrad.keras.models.data import DataError, class_weighter
from minigrad.keras.models.outputs import named
from minigrad.layers.states import StateError

X = np.arange(8.0).reshape(4, 2)
ZEROS, ONES = np.zeros((4, 1)), np.ones((4, 1))
RISING, FIRST = np.array([1.0, 2, 3, 4]), np.array([1.0, 0, 0, 0])
BOTH = {"loss": 83.0, "A_loss": 14.0, "B_loss": 69.0}
WEIGHTED = {"loss": 50.25, "A_loss": 50.0, "B_loss": 0.25}
E, S = (lambda: metrics.MeanAbsoluteError(name="e")), metrics.MeanSquaredError

MADE = {
    "tuple": lambda a, b: (a, b),
    "list": lambda a, b: [a, b],
    "dict": lambda a, b: {"b": b, "a": a},  # TensorFlow sorts the names
    "one": lambda a, b: a,
    "dict of lists": lambda a, b: {"z": [a, b], "a": a},
    "list of lists": lambda a, b: [a, [b, a]],
}


class Outputs(Model):
    """x₁ and 2 x₂ in some structure."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind

    def call(self, inputs: Any) -> Any:
        return MADE[self.kind](inputs[:, :1] * 1.0, inputs[:, 1:] * 2.0)


def evaluated(kind: str, y: Any, sample_weight: Any = None, loss: Any = "mse", **more: Any) -> dict[str, float]:
    model = Outputs(kind)
    model.compile("sgd", loss, **more)
    logs = model.evaluate(X, y, sample_weight=sample_weight, verbose=0, return_dict=True)
    again = model.test_on_batch(X, y, sample_weight=sample_weight, return_dict=True)
    assert again == logs
    assert list(logs) == model.metrics_names
    return {name: round(value, 4) for name, value in logs.items()}


NAMES = {"tuple": ("output_1", "output_2"), "list": ("output_1", "output_2"), "dict": ("a", "b")}


def renamed(structure: Any, kind: str) -> Any:
    """A and B in the names of a dictionary, the outputs' own."""
    if not isinstance(structure, dict):
        return structure
    a, b = NAMES[kind]
    return {name.replace("A", a).replace("B", b): value for name, value in structure.items()}


# y, sample weights, arguments of compile, results; A and B are the outputs' names.
ALL = {"B": ONES, "A": ZEROS}
BY_NAME: dict[str, tuple[Any, Any, dict[str, Any], dict[str, float]]] = {
    "y": (ALL, None, {}, BOTH),
    "y of A": ({"A": ZEROS}, None, {}, {"loss": 14.0, "A_loss": 14.0, "B_loss": 0.0}),
    "y of B": ({"B": ONES}, None, {}, {"loss": 69.0, "A_loss": 0.0, "B_loss": 69.0}),
    "y of B, metrics of both": (
        {"B": ONES},
        None,
        {"metrics": ["mae"]},
        {"loss": 69.0, "A_loss": 0.0, "B_loss": 69.0, "A_mae": 0.0, "B_mae": 7.0},
    ),
    "weights": (ALL, {"B": FIRST, "A": RISING}, {}, WEIGHTED),
    "weights of B": (ALL, {"B": FIRST}, {}, {"loss": 14.25, "A_loss": 14.0, "B_loss": 0.25}),
    "weights in a list": (ALL, [RISING, FIRST], {}, WEIGHTED),
    "weights for both": (ALL, FIRST, {}, {"loss": 0.25, "A_loss": 0.0, "B_loss": 0.25}),
    "losses": (ALL, None, {"loss": {"B": "mae", "A": "mse"}}, {"loss": 21.0, "A_loss": 14.0, "B_loss": 7.0}),
    "loss of B": (ALL, None, {"loss": {"B": "mae"}}, {"loss": 7.0, "B_loss": 7.0}),
    "losses in a list": (ALL, None, {"loss": ["mse", "mae"]}, {"loss": 21.0, "A_loss": 14.0, "B_loss": 7.0}),
    "no loss of A": (ALL, None, {"loss": [None, "mae"]}, {"loss": 7.0, "B_loss": 7.0}),
    "factors": (ALL, None, {"loss_weights": {"B": 10.0, "A": 1.0}}, BOTH | {"loss": 704.0}),
    "factor of B": (ALL, None, {"loss_weights": {"B": 10.0}}, BOTH | {"loss": 704.0}),
    "factors in a list": (ALL, None, {"loss_weights": [1.0, 10.0]}, BOTH | {"loss": 704.0}),
    "one factor": (ALL, None, {"loss_weights": 10.0}, BOTH | {"loss": 830.0}),
    "metrics": (
        ALL,
        None,
        {"metrics": ["mae", "mse"]},
        BOTH | {"A_mae": 3.0, "A_mse": 14.0, "B_mae": 7.0, "B_mse": 69.0},
    ),
    "objects": (
        ALL,
        None,
        {"metrics": lambda: [E(), S()]},
        BOTH | {"A_e": 3.0, "A_mean_squared_error": 14.0, "B_e": 7.0, "B_mean_squared_error": 69.0},
    ),
    "one object": (ALL, None, {"metrics": E}, BOTH | {"A_e": 3.0, "B_e": 7.0}),
    "metrics by name": (ALL, None, {"metrics": {"B": ["mae"], "A": "mse"}}, BOTH | {"A_mse": 14.0, "B_mae": 7.0}),
    "an object of B": (ALL, None, {"metrics": lambda: {"B": E()}}, BOTH | {"B_e": 7.0}),
    "weighted too": (
        ALL,
        {"B": FIRST, "A": RISING},
        {"metrics": ["mae"], "weighted_metrics": ["mae"]},
        WEIGHTED | {"A_mae": 3.0, "A_weighted_mae": 4.0, "B_mae": 7.0, "B_weighted_mae": 1.0},
    ),
    "weighted of B": (ALL, {"B": FIRST, "A": RISING}, {"weighted_metrics": {"B": "mae"}}, WEIGHTED | {"B_mae": 1.0}),
    "weighted objects": (
        ALL,
        {"B": FIRST, "A": RISING},
        {"metrics": lambda: [E()], "weighted_metrics": lambda: [E()]},
        WEIGHTED | {"A_e": 3.0, "A_weighted_e": 4.0, "B_e": 7.0, "B_weighted_e": 1.0},
    ),
}


@pytest.mark.parametrize("kind", NAMES)
@pytest.mark.parametrize("case", BY_NAME)
def test_by_name(kind: str, case: str) -> None:
    y, sample_weight, given, expected = BY_NAME[case]
    made = {name: renamed(value() if callable(value) else value, kind) for name, value in given.items()}
    found = evaluated(kind, renamed(y, kind), renamed(sample_weight, kind), **made)
    assert found == renamed(expected, kind)
    assert list(found) == list(renamed(expected, kind))  # the order of evaluate's list is TensorFlow's too


@pytest.mark.parametrize("kind", ["tuple", "list"])
@pytest.mark.parametrize("together", [tuple, list])
def test_by_place(kind: str, together: Any) -> None:
    assert evaluated(kind, together([ZEROS, ONES])) == renamed(BOTH, kind)
    assert evaluated(kind, together([ZEROS, ONES]), together([RISING, FIRST])) == renamed(WEIGHTED, kind)
    lists = evaluated(kind, together([ZEROS, ONES]), metrics=[["mae", "mse"], "mse"])
    assert lists == renamed(BOTH | {"A_mae": 3.0, "A_mse": 14.0, "B_mse": 69.0}, kind)
    assert evaluated(kind, together([ZEROS, ONES]), metrics=[None, ["mse"]]) == renamed(BOTH | {"B_mse": 69.0}, kind)


def test_nested_outputs() -> None:
    y = {"z": [ZEROS, ONES], "a": ZEROS}
    expected = {"loss": 97.0, "a_loss": 14.0, "z_1_loss": 14.0, "z_2_loss": 69.0}
    measured = {"a_mae": 3.0, "z_1_mae": 3.0, "z_2_mae": 7.0}
    assert evaluated("dict of lists", y, metrics=["mae"]) == expected | measured
    partial = expected | {"loss": 83.0, "a_loss": 0.0}
    assert evaluated("dict of lists", {"z": [ZEROS, ONES]}) == partial
    mixed = evaluated("dict of lists", y, loss={"z": ["mae", "mse"], "a": "mse"})
    assert mixed == {"loss": 86.0, "a_loss": 14.0, "z_1_loss": 3.0, "z_2_loss": 69.0}
    deep = evaluated("list of lists", [ZEROS, [ONES, ZEROS]])
    assert deep == {"loss": 97.0, "output_1_loss": 14.0, "output_2_1_loss": 69.0, "output_2_2_loss": 14.0}
    assert [name for name, _ in named({"b": (1, {"d": 2, "c": 3}), "a": 0})] == ["a", "b_1", "b_2_c", "b_2_d"]


def test_the_one_output_has_a_name_too() -> None:
    given: dict[str, Any] = {"metrics": {"output_1": ["mae"]}, "loss_weights": {"output_1": 2.0}}
    assert evaluated("one", {"output_1": ZEROS}) == evaluated("one", [ZEROS]) == {"loss": 14.0}
    assert evaluated("one", ZEROS, loss={"output_1": "mae"}, **given) == {"loss": 6.0, "mae": 3.0}
    assert evaluated("one", ZEROS, {"output_1": RISING}) == {"loss": 50.0}


@pytest.mark.parametrize("name", ["out", "output_1"])
@pytest.mark.parametrize("built", [False, True])
def test_the_output_of_a_sequential_is_named_after_its_last_layer(name: str, built: bool) -> None:
    """Both names that TensorFlow has: one before the model is built, the other after."""
    model = Sequential([Dense(1, name="out", kernel_initializer="ones")])
    if built:
        model.build((None, 2))
    model.compile("sgd", {name: "mse"}, metrics={name: "mae"})
    assert model.evaluate(X, {name: ZEROS}, sample_weight={name: RISING}, verbose=0)[0] == pytest.approx(242.5)
    model.fit(X, {name: ZEROS}, sample_weight={name: RISING}, epochs=1, verbose=0)
    with pytest.raises(UnknownNameError, match=r"unknown name 'oud'\. Did you mean 'out'\?"):
        model.evaluate(X, {"oud": ZEROS}, verbose=0)


def test_in_a_training_with_shuffling_validation_and_batches_of_ones_own() -> None:
    """The same weights whether targets and weights come as lists, or as dictionaries in another order."""

    class Heads(Model):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = Dense(1, dtype="float64"), Dense(1, dtype="float64")

        def call(self, inputs: Any) -> Any:
            return self.a(inputs), self.b(inputs)

    def trained(y: Any, sample_weight: Any, stream: bool) -> list[Any]:
        mg.random.seed(0)
        model = Heads()
        model.compile("sgd", "mse", loss_weights={"output_2": 0.5})
        if stream:
            model.fit(iter([(X, y, sample_weight)] * 6), epochs=2, steps_per_epoch=3, verbose=0)
        else:
            held = {"validation_data": (X, y, sample_weight), "batch_size": 3}
            history = model.fit(X, y, sample_weight=sample_weight, epochs=2, verbose=0, **held).history
            assert "val_output_2_loss" in history
        return model.get_weights()

    by_name = {"output_2": ONES, "output_1": ZEROS}, {"output_2": FIRST, "output_1": RISING}
    for stream in (False, True):
        for one, other in zip(trained([ZEROS, ONES], [RISING, FIRST], stream), trained(*by_name, stream), strict=True):
            np.testing.assert_array_equal(one, other)


def test_objects_for_all_outputs_are_copied_and_the_given_ones_left_alone() -> None:
    class Largest(metrics.Metric):
        """A metric with its own constructor, which collects values in a list that is emptied in place."""

        def __init__(self, scale: float, model: Any) -> None:
            self.seen: list[float] = []
            self.scale, self.model = scale, model
            super().__init__(name="largest")

        def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
            assert isinstance(self.model.kernel, mg.Tensor)
            self.seen.append(float(y_pred.max()) * self.scale)

        def result(self) -> float:
            return max(self.seen, default=0.0)

        def reset_state(self) -> None:
            self.seen.clear()

    dense = Dense(1)
    dense.build((None, 2))
    given = Largest(2.0, dense)
    found = evaluated("tuple", [ZEROS, ONES], metrics=[given])
    assert (found["output_1_largest"], found["output_2_largest"]) == (12.0, 28.0)
    assert (given.name, given.seen) == ("largest", [])


@pytest.mark.parametrize(
    ("act", "error", "says"),
    [
        (lambda: evaluated("tuple", {"output_2": ONES, "output_3": ZEROS}), UnknownNameError, "Did you mean 'output_"),
        (lambda: evaluated("dict", {"b": ONES, "foo": ZEROS}), UnknownNameError, "`y`: unknown name 'foo'"),
        (lambda: evaluated("tuple", [ZEROS, ONES], {"foo": FIRST}), UnknownNameError, "`sample_weight`: unknown name"),
        # TensorFlow: no error for the next two, the weights and the losses are left out
        (lambda: evaluated("dict", {"b": ONES, "a": ZEROS}, {"foo": FIRST}), UnknownNameError, "unknown name 'foo'"),
        (lambda: evaluated("dict", {"b": ONES}, loss={"foo": "mse"}), UnknownNameError, "compile: `loss`: unknown"),
        (lambda: evaluated("tuple", [ZEROS, ONES], loss={"foo": "mse"}), UnknownNameError, "compile: `loss`: unknown"),
        (lambda: evaluated("tuple", [ZEROS, ONES], loss_weights={"x": 1}), UnknownNameError, "`loss_weights`: unknown"),
        (lambda: evaluated("tuple", [ZEROS, ONES], metrics={"x": "mae"}), UnknownNameError, "`metrics`: unknown name"),
        (lambda: evaluated("dict", [ZEROS, ONES]), DataError, "the outputs have names: expected a dictionary by a, b"),
        (lambda: evaluated("dict", {"b": ONES}, metrics=[["mae"], []]), DataError, "`metrics`: the outputs have names"),
        (lambda: evaluated("tuple", [ZEROS]), DataError, f"`y`: expected 2{ONE_FOR_EACH_OUTPUT}1"),
        (lambda: evaluated("tuple", ZEROS), DataError, f"`y`: expected 2{ONE_FOR_EACH_OUTPUT}1"),
        # TensorFlow: no error, the second output counts nothing
        (lambda: evaluated("tuple", [ZEROS, ONES], loss_weights=[1.0]), DataError, "`loss_weights`: expected 2"),
        (lambda: evaluated("tuple", [ZEROS, ONES], metrics=[["mae"]]), DataError, "`metrics`: expected 2"),
        (
            lambda: evaluated("tuple", [ZEROS, ONES], [FIRST] * 3),
            DataError,
            "`sample_weight`: expected 2, one for each",
        ),
        (lambda: evaluated("tuple", [ZEROS, ONES], metrics=[[m := E()], [m]]), DataError, "the same object, 'e'"),
        (lambda: evaluated("one", ZEROS, metrics=[m := E()], weighted_metrics=[m]), DataError, "the same object, 'e'"),
        (lambda: class_weighter("fit", {0: 1.0})((X, {"a": ZEROS})), ShapeError, "`class_weight`: expected targets"),
    ],
)
def test_what_does_not_fit_is_refused(act: Any, error: type[MinigradError], says: str) -> None:
    with pytest.raises(error) as caught:
        act()
    assert says in str(caught.value)


def test_class_weights_beside_named_sample_weights() -> None:
    weigh = class_weighter("fit", {0: 1.0, 1: 3.0})
    _, _, weights = weigh((mg.tensor(X), mg.tensor([0, 1, 1, 0]), {"output_1": mg.tensor(RISING)}))
    np.testing.assert_array_equal(weights["output_1"].numpy(), [1, 6, 9, 4])


def test_lists_of_numbers_in_a_dictionary() -> None:
    assert evaluated("one", {"output_1": [[0], [0], [0], [0]]}, {"output_1": [1.0, 2, 3, 4]}) == {"loss": 50.0}


def test_masks_of_a_dictionary_go_to_the_outputs_of_their_names() -> None:
    class Named(Layer):
        def call(self, inputs: Any) -> Any:
            return {"a": inputs * 1.0, "b": inputs * 2.0}

        def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
            return {"b": inputs[:, 0] > 2, "a": inputs[:, 0] > 0}

    y = Named()(mg.tensor(X))
    assert (y["a"]._keras_mask.numpy().sum(), y["b"]._keras_mask.numpy().sum()) == (3, 2)


def test_states_in_a_dictionary_are_refused() -> None:
    h, c = np.zeros((4, 3)), np.ones((4, 3))
    with pytest.raises(
        StateError, match=r"lstm\.call: expected `initial_state`, a list of states, got a dictionary, c, h"
    ):
        LSTM(3, name="lstm")(X[:, None], initial_state={"c": c, "h": h})
