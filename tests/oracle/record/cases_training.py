"""Three steps of training of small models: losses under masks and weights, penalties, constraints."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from oracle.reader import Case, build
from oracle.record.cases_pieces import doubles
from oracle.record.cases_wrappers import spec
from oracle.record.draw import generator, mask, normal
from oracle.record.layers import Setup, randomize, start, weight_facts

STEPS = 3
BATCH, TIME, FEATURES, CLASSES = 4, 5, 3, 3


def _sgd(**kwargs: Any) -> dict[str, Any]:
    return spec("optimizers.SGD", **{"learning_rate": 0.25, **kwargs})


_ADAM = spec("optimizers.Adam", learning_rate=0.05, clipnorm=0.5)
_RATE = spec("optimizers.schedules.ExponentialDecay", initial_learning_rate=0.5, decay_steps=1, decay_rate=0.5)
_LOGITS = spec("losses.SparseCategoricalCrossentropy", from_logits=True)
_BINARY = spec("losses.BinaryCrossentropy", from_logits=True)
_HEAD = spec("layers.Dense", units=1)
_CLASSES = spec("layers.Dense", units=CLASSES)
_SOFTMAX = spec("layers.Dense", units=CLASSES, activation="softmax")
_TABLE = spec("layers.Embedding", input_dim=6, output_dim=3, mask_zero=True)
_MASKING = spec("layers.Masking", mask_value=0.0)
_CONSTRAINED = spec(
    "layers.GRU",
    units=3,
    kernel_constraint=spec("constraints.MaxNorm", max_value=0.5),
    recurrent_constraint=spec("constraints.UnitNorm"),
    bias_constraint=spec("constraints.NonNeg"),
)
_PENALIZED = spec(
    "layers.LSTM",
    units=3,
    kernel_regularizer="l2",
    recurrent_regularizer=spec("regularizers.L1", l1=0.02),
    activity_regularizer=spec("regularizers.L2", l2=0.1),
)


def _sequences(name: str, **kwargs: Any) -> dict[str, Any]:
    return spec(f"layers.{name}", units=3, return_sequences=True, **kwargs)


# name: layers, optimizer, loss, kind of input, kind of target, weights of the loss
MODELS: dict[str, tuple[Any, ...]] = {
    "dense": ([spec("layers.Dense", units=2)], _sgd(), "mse", "flat", "real", None),
    "dense_mae": ([spec("layers.Dense", units=2)], _sgd(), "mae", "flat", "real", "sample"),
    "dense_binary": ([_HEAD], _sgd(momentum=0.5), _BINARY, "flat", "binary", None),
    "dense_softmax": ([_SOFTMAX], _ADAM, "categorical_crossentropy", "flat", "onehot", "sample"),
    "lstm": ([spec("layers.LSTM", units=3), _HEAD], _ADAM, "mse", "real", "real", None),
    "lstm_huber": (
        [spec("layers.LSTM", units=2), _HEAD],
        spec("optimizers.RMSprop", learning_rate=0.05),
        spec("losses.Huber", delta=0.5),
        "real",
        "real",
        "sample",
    ),
    "penalties": ([_PENALIZED, _HEAD], _sgd(), "mse", "real", "real", None),
    "constraints": ([_CONSTRAINED, _HEAD], _sgd(momentum=0.9), "mse", "real", "real", None),
    "masked_labels": (
        [_TABLE, _sequences("LSTM"), _SOFTMAX],
        _ADAM,
        "sparse_categorical_crossentropy",
        "labels",
        "steps",
        None,
    ),
    "masked_logits": ([_TABLE, _sequences("GRU"), _CLASSES], _sgd(), _LOGITS, "labels", "steps", None),
    "masked_weighted": (
        [_TABLE, _sequences("LSTM"), _CLASSES],
        _sgd(global_clipnorm=0.5),
        _LOGITS,
        "labels",
        "steps",
        "sample",
    ),
    "masked_step_weights": (
        [_TABLE, _sequences("SimpleRNN"), _CLASSES],
        spec("optimizers.Adagrad", learning_rate=0.1),
        _LOGITS,
        "labels",
        "steps",
        "step",
    ),
    "masking_bidirectional": (
        [_MASKING, spec("layers.Bidirectional", layer=_sequences("LSTM")), _CLASSES],
        spec("optimizers.AdamW", learning_rate=0.05, weight_decay=0.1),
        _LOGITS,
        "padded",
        "steps",
        None,
    ),
    "distributed": (
        [_sequences("LSTM"), spec("layers.TimeDistributed", layer=_CLASSES)],
        _sgd(learning_rate=_RATE),
        _LOGITS,
        "real",
        "steps",
        None,
    ),
    "stateful": ([_sequences("LSTM", stateful=True), _CLASSES], _sgd(), _LOGITS, "real", "steps", None),
}


def _batch(rng: np.random.Generator, inputs: str, targets: str, weights: str | None) -> dict[str, np.ndarray]:
    steps = mask(rng, "right", BATCH, TIME)
    if inputs == "labels":
        x = np.where(steps, rng.integers(1, 6, size=(BATCH, TIME)), 0)
    else:
        x = normal(rng, (BATCH, FEATURES) if inputs == "flat" else (BATCH, TIME, FEATURES))
        x = x * steps[..., None] if inputs == "padded" else x
    lead = (BATCH, TIME) if targets == "steps" else (BATCH,)
    labels = rng.integers(0, CLASSES, size=lead)
    made = {"real": normal(rng, (BATCH, 1)), "binary": rng.integers(0, 2, (BATCH, 1)).astype(float)}
    made |= {"onehot": np.eye(CLASSES)[labels], "steps": labels}
    found = {"x": x, "y": made[targets]}
    if weights:
        shape = (BATCH, TIME) if weights == "step" else (BATCH,)
        found["sample_weight"] = np.abs(normal(rng, shape)) + 0.25
    return found


def keras_training() -> list[Case]:
    """``compile`` arguments in ``info``; per step ``STEP/x``, ``STEP/loss``, ``STEP/weight/i`` after it.

    ``weight/i`` is before the first step; ``evaluate`` the loss of the first batch after the last
    step, ``predict`` the prediction for it.
    """
    family = "keras_training"
    return [_train(family, name, *choice) for name, choice in MODELS.items()]


def _train(family: str, name: str, layers: Any, optimizer: Any, loss: Any, *kinds: str | None) -> Case:
    rng = generator(f"{family}/{name}")
    batches = [_batch(rng, *kinds) for _ in range(STEPS)]
    setup = Setup(name, "keras.Sequential", {"layers": layers}, batches[0]["x"])
    model = start(setup)
    made = build(doubles(optimizer), tf)
    model.compile(optimizer=made, loss=build(doubles(loss), tf), run_eagerly=True)
    model.build(batches[0]["x"].shape)
    model(batches[0]["x"])
    randomize(model, rng, 0.5)
    model.reset_states()
    arrays = {f"weight/{i}": value for i, value in enumerate(model.get_weights())}
    for step, batch in enumerate(batches):
        value = model.train_on_batch(**batch)
        arrays |= {f"{step}/{key}": array for key, array in batch.items()}
        arrays[f"{step}/loss"] = np.asarray(value, dtype=np.float64)
        arrays |= {f"{step}/weight/{i}": value for i, value in enumerate(model.get_weights())}
    model.reset_states()
    arrays["evaluate"] = np.asarray(model.test_on_batch(**batches[0]), dtype=np.float64)
    model.reset_states()
    arrays["predict"] = model.predict_on_batch(batches[0]["x"])
    info = {"weights": weight_facts(model.weights)}
    info["compile"] = {"optimizer": optimizer, "loss": loss}
    return Case(family, name, "keras.Sequential", setup.kwargs, {}, None, info, arrays)
