"""Flags, probabilities, fractions, counts: every function that takes one refuses what is none, and names it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import functional as F
from minigrad import keras
from minigrad.compat import v1
from minigrad.convert import load_keras
from minigrad.engine.errors import MinigradError

L = keras.layers
X = [[1.0, 2.0], [3.0, 4.0]]
NO_FLAG: list[Any] = ["abc", "", "True", "false", None, 2, -1, 0.5, [], [True], {}, np.array([True, False]), ...]
NO_FRACTION: list[Any] = [
    np.nan,
    -1,
    2.5,
    -1e-9,
    1.0000001,
    np.inf,
    "",
    "0.5",
    None,
    True,
    [],
    [0.5],
    1j,
    np.array([0.5]),
]
NO_NUMBER: list[Any] = [np.nan, np.inf, "", "1", None, [], [1.0], 1j, True, np.array([1.0])]
NO_SIZE: list[Any] = [0, -1, 2.5, np.nan, "", "32", [], [32], True, np.array([32])]
NO_INTEGER: list[Any] = [2.5, np.nan, "", "1", None, [], [1], 1j, np.array([1])]


def tensor() -> mg.Tensor:
    return mg.tensor(X, requires_grad=True)


def model() -> Any:
    made = keras.Sequential([L.Dense(2)])
    made.compile("sgd", "mse")
    return made


def fitting(**arguments: Any) -> Callable[[], Any]:
    return lambda: model().fit(np.array(X), np.array(X), **{"verbose": 0, **arguments})


def on_a_leaf(value: Any) -> None:
    tensor().requires_grad = value


def layer_with(value: Any) -> Any:
    layer = L.Dense(1)
    layer.build((None, 2))
    return layer.add_weight("w", (1,), trainable=value)


KEEPDIMS = [mg.sum, mg.mean, mg.var, mg.prod, mg.max, mg.min, mg.all, mg.any, F.logsumexp]
LABELS = [[0.0, 1.0], [1.0, 0.0]]

# name → (argument, call, values)
CALLS: dict[str, tuple[str, Callable[[Any], Any], list[Any]]] = {
    **{f"{f.__name__}(keepdims)": ("keepdims", lambda v, f=f: f(X, keepdims=v), NO_FLAG) for f in KEEPDIMS},
    **{
        f"Tensor.{name}(keepdims)": ("keepdims", lambda v, name=name: getattr(tensor(), name)(keepdims=v), NO_FLAG)
        for name in ("sum", "mean", "var", "max", "min")
    },
    "tensor(requires_grad)": ("requires_grad", lambda v: mg.tensor(X, requires_grad=v), NO_FLAG),
    "x.requires_grad": ("requires_grad", on_a_leaf, NO_FLAG),
    "backward(create_graph)": ("create_graph", lambda v: tensor().sum().backward(create_graph=v), NO_FLAG),
    "grad(create_graph)": ("create_graph", lambda v: mg.grad((x := tensor()).sum(), x, create_graph=v), NO_FLAG),
    "GradientTape(persistent)": ("persistent", lambda v: mg.GradientTape(persistent=v), NO_FLAG),
    "GradientTape(watch_accessed_variables)": (
        "watch_accessed_variables", lambda v: mg.GradientTape(watch_accessed_variables=v), NO_FLAG,
    ),
    "bernoulli(p)": ("p", lambda v: mg.random.bernoulli((2,), v), NO_FRACTION),
    "dropout_mask(rate)": ("rate", lambda v: mg.random.dropout_mask((2,), v), NO_FRACTION),
    "normal(mean)": ("mean", lambda v: mg.random.normal((2,), mean=v), NO_NUMBER),
    "normal(stddev)": ("stddev", lambda v: mg.random.normal((2,), stddev=v), [*NO_NUMBER, -1.0]),
    "truncated_normal(mean)": ("mean", lambda v: mg.random.truncated_normal((2,), mean=v), NO_NUMBER),
    "truncated_normal(stddev)": ("stddev", lambda v: mg.random.truncated_normal((2,), stddev=v), [*NO_NUMBER, -1.0]),
    "uniform(minval)": ("minval", lambda v: mg.random.uniform((2,), minval=v), [*NO_NUMBER, 2.0]),
    "uniform(maxval)": ("maxval", lambda v: mg.random.uniform((2,), maxval=v), [*NO_NUMBER, -1.0]),
    "integers(low)": ("low", lambda v: mg.random.integers(v, 3), [*NO_INTEGER, 3, -(2**70)]),
    "integers(high)": ("high", lambda v: mg.random.integers(0, v), [*NO_INTEGER, 0, 2**70]),
    "normal(dtype)": ("dtype", lambda v: mg.random.normal((2,), dtype=v), ["int32", "bool", "uint8"]),
    "seed": ("seed", mg.random.seed, ["abc", 2.5, np.nan]),
    "elu(alpha)": ("alpha", lambda v: F.elu(X, v), NO_NUMBER),
    "clip(low)": ("low", lambda v: mg.clip(X, v, 1.0), ["", None, [], np.nan, np.array([1.0])]),
    "clip(high)": ("high", lambda v: mg.clip(X, 0.0, v), ["", None, [], np.nan, np.array([1.0])]),
    "arange(step)": ("step", lambda v: mg.arange(0, 3, v), [0, 0.0, np.nan, np.inf]),
    "binary_crossentropy(from_logits)": (
        "from_logits", lambda v: keras.losses.binary_crossentropy(LABELS, LABELS, from_logits=v), NO_FLAG,
    ),
    "categorical_crossentropy(from_logits)": (
        "from_logits", lambda v: keras.losses.categorical_crossentropy(LABELS, LABELS, v), NO_FLAG,
    ),
    "sparse_categorical_crossentropy(from_logits)": (
        "from_logits", lambda v: keras.losses.sparse_categorical_crossentropy([0, 1], LABELS, v), NO_FLAG,
    ),
    "sparse_categorical_crossentropy(ignore_class)": (
        "ignore_class", lambda v: keras.losses.sparse_categorical_crossentropy([0, 1], LABELS, ignore_class=v),
        [v for v in NO_INTEGER if v is not None],
    ),
    "binary_crossentropy(label_smoothing)": (
        "label_smoothing", lambda v: keras.losses.binary_crossentropy(LABELS, LABELS, False, v), NO_FRACTION[:-1],
    ),
    "categorical_crossentropy(label_smoothing)": (
        "label_smoothing", lambda v: keras.losses.categorical_crossentropy(LABELS, LABELS, label_smoothing=v),
        NO_FRACTION[:-1],
    ),
    "huber(delta)": ("delta", lambda v: keras.losses.huber(X, X, delta=v), [*NO_NUMBER[:-1], -1.0]),
    "binary_accuracy(threshold)": (
        "threshold", lambda v: keras.metrics.binary_accuracy(LABELS, LABELS, v), ["", None, [], np.nan, True],
    ),
    "Dropout(rate)": ("rate", L.Dropout, NO_FRACTION),
    "LSTM(dropout)": ("dropout", lambda v: L.LSTM(2, dropout=v), NO_FRACTION),
    "LSTM(recurrent_dropout)": ("recurrent_dropout", lambda v: L.LSTM(2, recurrent_dropout=v), NO_FRACTION),
    "GRUCell(dropout)": ("dropout", lambda v: L.GRUCell(2, dropout=v), NO_FRACTION),
    **{
        f"LSTM({name})": (name, lambda v, name=name: L.LSTM(2, **{name: v}), NO_FLAG)
        for name in ("use_bias", "unit_forget_bias", "return_sequences", "return_state", "go_backwards", "stateful")
    },
    "GRU(reset_after)": ("reset_after", lambda v: L.GRU(2, reset_after=v), NO_FLAG),
    "Dense(use_bias)": ("use_bias", lambda v: L.Dense(2, use_bias=v), NO_FLAG),
    "Dense(trainable)": ("trainable", lambda v: L.Dense(2, trainable=v), NO_FLAG),
    "Embedding(mask_zero)": ("mask_zero", lambda v: L.Embedding(2, 2, mask_zero=v), NO_FLAG),
    "layer(training)": ("training", lambda v: L.Dropout(0.5)(X, training=v), [v for v in NO_FLAG if v is not None]),
    "add_weight(trainable)": ("trainable", layer_with, NO_FLAG),
    "fit(validation_split)": (
        "validation_split", lambda v: fitting(validation_split=v)(),
        ["", "0.5", [], [0.5], True, False, np.nan, -0.5, 1.0, 2.5, np.inf, 1j],
    ),
    "fit(epochs)": ("epochs", lambda v: fitting(epochs=v)(), ["", None, [], 2.5, -1, True, np.nan]),
    "fit(initial_epoch)": ("initial_epoch", lambda v: fitting(initial_epoch=v)(), ["", None, [], 2.5, -1, True]),
    "fit(batch_size)": ("batch_size", lambda v: fitting(batch_size=v)(), NO_SIZE),
    "fit(shuffle)": ("shuffle", lambda v: fitting(shuffle=v)(), NO_FLAG),
    "fit(verbose)": ("verbose", lambda v: fitting(verbose=v)(), ["", "abc", None, 3, -1, 0.5, [], np.nan]),
    "fit(steps_per_epoch)": ("steps_per_epoch", lambda v: fitting(steps_per_epoch=v)(), NO_SIZE),
    "fit(validation_steps)": ("validation_steps", lambda v: fitting(validation_steps=v)(), NO_SIZE),
    "fit(validation_batch_size)": ("validation_batch_size", lambda v: fitting(validation_batch_size=v)(), NO_SIZE),
    "fit(validation_freq)": (
        "validation_freq", lambda v: fitting(validation_freq=v)(), [0, -1, 2.5, "", None, True, [0]],
    ),
    "fit(on_nan)": ("on_nan", lambda v: fitting(on_nan=v)(), ["", "abc", 0, True, []]),
    "evaluate(return_dict)": ("return_dict", lambda v: model().evaluate(X, X, verbose=0, return_dict=v), NO_FLAG),
    "evaluate(batch_size)": ("batch_size", lambda v: model().evaluate(X, X, v, verbose=0), NO_SIZE),
    "evaluate(steps)": ("steps", lambda v: model().evaluate(X, X, verbose=0, steps=v), NO_SIZE),
    "predict(batch_size)": ("batch_size", lambda v: model().predict(X, v), NO_SIZE),
    "predict(steps)": ("steps", lambda v: model().predict(X, steps=v), NO_SIZE),
    **{
        f"{name}({argument})": (
            argument, lambda v, n=name, a=argument: getattr(model(), n)(np.array(X), np.array(X), **{a: v}), NO_FLAG,
        )
        for name in ("train_on_batch", "test_on_batch")
        for argument in ("reset_metrics", "return_dict")
    },
    "compile(run_eagerly)": (
        "run_eagerly", lambda v: model().compile("sgd", "mse", run_eagerly=v), [v for v in NO_FLAG if v is not None],
    ),
    "save_weights(overwrite)": ("overwrite", lambda v: model().save_weights("w.npz", overwrite=v), NO_FLAG),
    "CSVLogger(append)": ("append", lambda v: keras.callbacks.CSVLogger("log.csv", append=v), NO_FLAG),
    "dynamic_rnn(time_major)": (
        "time_major",
        lambda v: v1.nn.dynamic_rnn(v1.nn.rnn_cell.LSTMCell(2), np.ones((2, 2, 2)), time_major=v), NO_FLAG,
    ),
    "bidirectional_dynamic_rnn(time_major)": (
        "time_major",
        lambda v: v1.nn.bidirectional_dynamic_rnn(
            v1.nn.rnn_cell.LSTMCell(2), v1.nn.rnn_cell.LSTMCell(2), np.ones((2, 2, 2)), time_major=v
        ),
        NO_FLAG,
    ),
    "TensorArray(dynamic_size)": (
        "dynamic_size", lambda v: v1.TensorArray("float32", 2, dynamic_size=v), [v for v in NO_FLAG if v is not None],
    ),
    "get_variable(trainable)": (
        "trainable", lambda v: v1.get_variable("w", (1,), trainable=v), [v for v in NO_FLAG if v is not None],
    ),
    "DropoutWrapper(input_keep_prob)": (
        "input_keep_prob",
        lambda v: v1.nn.rnn_cell.DropoutWrapper(v1.nn.rnn_cell.LSTMCell(2), input_keep_prob=v),
        [np.nan, -1, 2.5, "", None, [], True],
    ),
    "load_keras(by_name)": ("by_name", lambda v: load_keras("w.h5", model(), by_name=v), NO_FLAG),
    "check_gradient(second_order)": (
        "second_order", lambda v: mg.testing.check_gradient(mg.exp, np.ones(2), second_order=v), NO_FLAG,
    ),
}  # fmt: skip
CASES = [(argument, call, value) for argument, call, values in CALLS.values() for value in values]
IDS = [f"{name}={value!r}"[:60] for name, (_, _, values) in CALLS.items() for value in values]


@pytest.mark.usefixtures("fresh_variables")
@pytest.mark.parametrize(("argument", "call", "value"), CASES, ids=IDS)
def test_a_value_that_is_none_is_refused_by_name(
    argument: str, call: Callable[[Any], Any], value: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MinigradError, match=argument):
        call(value)


@pytest.mark.parametrize("value", [True, False, 1, 0, np.True_, np.False_, np.array(True)])
def test_what_a_flag_may_be(value: Any) -> None:
    """Python's and NumPy's bools, 0 and 1."""
    assert mg.sum(X, 0, keepdims=value).ndim == 1 + bool(value)
    assert mg.tensor(X, requires_grad=value).requires_grad is bool(value)


@pytest.mark.parametrize("value", [0, 1, 0.0, 1.0, 0.5, np.float32(0.5), np.float64(0.25), np.int64(1)])
def test_what_a_probability_may_be(value: Any) -> None:
    share = mg.random.bernoulli((4000,), value).numpy().mean()
    assert share == pytest.approx(float(value), abs=0.05)
    assert mg.random.dropout_mask((4000,), value).numpy().mean() == pytest.approx(float(value < 1), abs=0.1)


@pytest.mark.parametrize("value", [0, 0.0, None, 0.5, np.float32(0.5)])
def test_what_a_validation_split_may_be(value: Any) -> None:
    history = fitting(validation_split=value)().history
    assert ("val_loss" in history) == bool(value)


def test_every_flag_of_the_engine_is_in_the_table() -> None:
    """A new function with a flag, or a probability, among its arguments needs a line above."""
    for module in (mg, F, mg.random, keras.losses):
        for name, function in vars(module).items():
            if not inspect.isfunction(function) or not function.__module__.startswith("minigrad") or name == "option":
                continue
            for parameter in inspect.signature(function).parameters.values():
                if isinstance(parameter.default, bool) or parameter.name in ("p", "rate", "from_logits"):
                    assert f"{function.__name__}({parameter.name})" in CALLS, name


@pytest.mark.parametrize(
    "value", [1j, np.complex64(0.5 + 2j), np.array(0.5 + 0j), np.bool_(True), np.array("1")], ids=repr
)
def test_a_real_number_has_no_imaginary_part(value: Any) -> None:
    for act in (
        lambda: mg.random.bernoulli((3,), value),
        lambda: keras.layers.Dropout(value),
        lambda: keras.optimizers.Adam(value),
        lambda: F.elu(mg.ones(2), alpha=value),
    ):
        with pytest.raises(MinigradError, match="expected a"):
            act()
