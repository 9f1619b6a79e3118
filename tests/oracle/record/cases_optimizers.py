"""Optimizers, five updates each on random gradients, and schedules of the learning rate."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from oracle.reader import Case, build
from oracle.record.cases_pieces import doubles
from oracle.record.draw import generator, normal
from oracle.record.layers import start_over

STEPS = 5
SHAPES = [(3, 2), (4,), (2, 2)]


def _schedule(name: str, **kwargs: Any) -> dict[str, Any]:
    return {"class_name": f"keras.optimizers.schedules.{name}", "kwargs": kwargs}


RATE = {"learning_rate": 0.05}
DECAY = _schedule("ExponentialDecay", initial_learning_rate=0.1, decay_steps=2, decay_rate=0.5)
OPTIMIZERS: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {}),
    ("SGD", RATE),
    ("SGD", {**RATE, "momentum": 0.9}),
    ("SGD", {**RATE, "momentum": 0.9, "nesterov": True}),
    ("SGD", {**RATE, "clipnorm": 1.0}),
    ("SGD", {**RATE, "clipvalue": 0.5}),
    ("SGD", {**RATE, "global_clipnorm": 1.0, "momentum": 0.8}),
    ("SGD", {**RATE, "weight_decay": 0.1}),
    ("SGD", {"learning_rate": DECAY}),
    ("RMSprop", {}),
    ("RMSprop", {**RATE, "rho": 0.8}),
    ("RMSprop", {**RATE, "momentum": 0.9}),
    ("RMSprop", {**RATE, "centered": True}),
    ("RMSprop", {**RATE, "centered": True, "momentum": 0.5, "epsilon": 0.001}),
    ("RMSprop", {**RATE, "global_clipnorm": 0.5}),
    ("Adagrad", {}),
    ("Adagrad", {**RATE, "initial_accumulator_value": 0.5, "epsilon": 0.001}),
    ("Adagrad", {**RATE, "clipvalue": 0.25}),
    ("Adam", {}),
    ("Adam", {**RATE, "beta_1": 0.8, "beta_2": 0.95, "epsilon": 0.001}),
    ("Adam", {**RATE, "amsgrad": True, "beta_2": 0.5}),
    ("Adam", {**RATE, "clipnorm": 0.5}),
    ("Adam", {**RATE, "global_clipnorm": 0.5}),
    ("Adam", {**RATE, "weight_decay": 0.1}),
    ("Adam", {"learning_rate": DECAY}),
    ("AdamW", {}),
    ("AdamW", {**RATE, "weight_decay": 0.1}),
    ("AdamW", {**RATE, "weight_decay": 0.1, "amsgrad": True, "beta_2": 0.5}),
    ("AdamW", {"learning_rate": DECAY, "global_clipnorm": 1.0}),
    ("SGD", {**RATE, "use_ema": True, "ema_momentum": 0.5, "ema_overwrite_frequency": 2}),
]


def keras_optimizers() -> list[Case]:
    """``weight/i`` before, ``grad/STEP/i`` given, ``after/STEP/i`` what the update made of it."""
    family = "keras_optimizers"
    rng = generator(family)
    cases = []
    for number, (name, kwargs) in enumerate(OPTIMIZERS):
        start_over()
        spec = {"class_name": f"keras.optimizers.{name}", "kwargs": kwargs}
        optimizer = build(doubles(spec), tf)
        config = optimizer.get_config()
        weights = [tf.Variable(normal(rng, shape)) for shape in SHAPES]
        arrays = {f"weight/{i}": weight.numpy() for i, weight in enumerate(weights)}
        for step in range(STEPS):
            gradients = [normal(rng, shape) for shape in SHAPES]
            pairs = zip([tf.constant(g) for g in gradients], weights, strict=True)
            optimizer.apply_gradients(pairs)
            arrays |= {f"grad/{step}/{i}": g for i, g in enumerate(gradients)}
            arrays |= {f"after/{step}/{i}": w.numpy() for i, w in enumerate(weights)}
        title = f"{name.lower()}_{number:03d}"
        cases.append(Case(family, title, spec["class_name"], kwargs, {}, config, {}, arrays))
    return cases


STARTS = {"initial_learning_rate": 0.3, "decay_steps": 8}
SCHEDULES = [
    _schedule("ExponentialDecay", **STARTS, decay_rate=0.7),
    _schedule("ExponentialDecay", **STARTS, decay_rate=0.7, staircase=True),
    _schedule("InverseTimeDecay", **STARTS, decay_rate=0.7),
    _schedule("InverseTimeDecay", **STARTS, decay_rate=0.7, staircase=True),
    _schedule("PiecewiseConstantDecay", boundaries=[3, 9], values=[0.3, 0.2, 0.05]),
    _schedule("PolynomialDecay", **STARTS),
    _schedule("PolynomialDecay", **STARTS, end_learning_rate=0.05, power=2.0),
    _schedule("PolynomialDecay", **STARTS, end_learning_rate=0.05, power=0.5, cycle=True),
    _schedule("CosineDecay", **STARTS),
    _schedule("CosineDecay", **STARTS, alpha=0.1),
    _schedule("CosineDecay", **STARTS, alpha=0.1, warmup_target=0.5, warmup_steps=4),
    _schedule("CosineDecay", initial_learning_rate=0.0, decay_steps=6, warmup_target=0.5, warmup_steps=3),
    _schedule("CosineDecayRestarts", initial_learning_rate=0.3, first_decay_steps=4),
    _schedule(
        "CosineDecayRestarts",
        initial_learning_rate=0.3,
        first_decay_steps=3,
        t_mul=1.5,
        m_mul=0.8,
        alpha=0.1,
    ),
]


def keras_schedules() -> list[Case]:
    """``x`` holds the steps, ``output/0`` the learning rate at each."""
    family = "keras_schedules"
    cases = []
    for number, spec in enumerate(SCHEDULES):
        made = build(doubles(spec), tf)
        steps = np.arange(0, 24)
        rates = [np.asarray(made(tf.constant(step))) for step in steps]
        arrays = {"x": steps, "output/0": np.stack(rates)}
        name = spec["class_name"].rsplit(".", 1)[1].lower()
        config = made.get_config()
        path, kwargs = spec["class_name"], spec["kwargs"]
        cases.append(Case(family, f"{name}_{number:03d}", path, kwargs, {}, config, {}, arrays))
    return cases
