"""Run one Keras layer or cell in TensorFlow and record all numbers, gradients included."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf

from oracle.reader import Case, build
from oracle.record.draw import generator, normal


@dataclass
class Setup:
    """A case to record: an object by its spec, and the arguments of its call."""

    name: str
    class_name: str
    kwargs: dict[str, Any]
    x: np.ndarray
    mask: np.ndarray | None = None
    states: list[Any] | None = None  # nested lists of arrays, as the layer nests them
    state_argument: str = "initial_state"  # a cell calls it "states"
    call: dict[str, Any] = field(default_factory=dict)
    scale: float = 0.5  # of the weights
    info: dict[str, Any] = field(default_factory=dict)


def indices(structure: Any) -> Any:
    """A nest with its leaves replaced by 0, 1, 2 …: how the flat groups of a case are laid out."""
    flat = tf.nest.flatten(structure)
    return tf.nest.pack_sequence_as(structure, list(range(len(flat))))


def start_over() -> None:
    """Set Keras' name counters to zero, so that earlier layers change no name."""
    tf.keras.backend.clear_session()


def start(setup: Setup) -> Any:
    """Make the object, with names and random numbers that do not depend on earlier objects."""
    start_over()
    tf.keras.utils.set_random_seed(zlib.crc32(setup.name.encode()))  # for dropout masks
    return build({"class_name": setup.class_name, "kwargs": setup.kwargs}, tf)


def caller(layer: Any, setup: Setup) -> Callable[[Any, Any], Any]:
    """The call as a function of inputs and states."""

    def call(x: Any, states: Any) -> Any:
        named = dict(setup.call)
        if setup.mask is not None:
            named["mask"] = tf.constant(setup.mask)
        if states is not None:
            named[setup.state_argument] = states
        return layer(x, **named)

    return call


def randomize(layer: Any, rng: np.random.Generator, scale: float) -> None:
    """Replace every weight by normal numbers, so that weights with an initial value of zero count too."""
    layer.set_weights([normal(rng, weight.shape, scale) for weight in layer.weights])


def weight_facts(weights: list[Any]) -> list[dict[str, Any]]:
    """Name, shape and trainability of the weights."""
    return [{"name": w.name, "shape": w.shape.as_list(), "trainable": w.trainable} for w in weights]


def numbers(layer: Any, setup: Setup, rng: np.random.Generator) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Call a built layer under a tape.

    Returns:
        The arrays (inputs, outputs, cotangents, losses, gradients) by name, and their nests.
    """
    x = tf.constant(setup.x)
    states = tensors(setup.states)
    floating = [] if x.dtype.is_integer else [x]
    with tf.GradientTape() as tape:
        tape.watch(floating + tf.nest.flatten(states or []))
        nested = caller(layer, setup)(x, states)
        outputs = tf.nest.flatten(nested)
        cotangents = [normal(rng, output.shape) for output in outputs]
        losses = list(layer.losses)
        total = tf.add_n([tf.reduce_sum(c * y) for c, y in zip(cotangents, outputs, strict=True)] + losses)
    sources = {
        "grad/x": floating,
        "grad/state": tf.nest.flatten(states or []),
        "grad/weight": layer.weights,
    }
    gradients = tape.gradient(total, sources, unconnected_gradients="zero")
    arrays: dict[str, Any] = {"x": setup.x}
    if setup.mask is not None:
        arrays["mask"] = setup.mask
    groups = {
        "state": tf.nest.flatten(setup.states or []),
        "output": outputs,
        "cotangent": cotangents,
        "loss": losses,
        "grad/state": gradients["grad/state"],
        "grad/weight": gradients["grad/weight"],
    }
    for prefix, members in groups.items():
        arrays |= {f"{prefix}/{i}": member for i, member in enumerate(members)}
    if floating:
        arrays["grad/x"] = gradients["grad/x"][0]
    facts = {"outputs": indices(nested)}
    if setup.mask is not None:
        passed_on = layer.compute_mask(x, tf.constant(setup.mask))
        facts["mask_passed_on"] = tf.nest.map_structure(lambda m: m is not None, passed_on)
    if states is not None:
        facts |= {"state_argument": setup.state_argument, "states": indices(states)}
    return {name: dense(array) for name, array in arrays.items()}, facts


def tensors(states: Any) -> Any:
    """A nest of arrays as a nest of tensors; None stays None."""
    return None if states is None else tf.nest.map_structure(tf.constant, states)


def dense(array: Any) -> np.ndarray:
    """A tensor, or the sparse gradient of an embedding, as a NumPy array."""
    return np.asarray(tf.convert_to_tensor(array))


def record(family: str, setup: Setup) -> Case:
    """The case of one layer or cell: made, built, given random weights, called, differentiated."""
    rng = generator(f"{family}/{setup.name}/run")
    layer = start(setup)
    caller(layer, setup)(tf.constant(setup.x), tensors(setup.states))  # names and shapes as a first call makes them
    randomize(layer, rng, setup.scale)
    weights = {f"weight/{i}": value for i, value in enumerate(layer.get_weights())}
    arrays, facts = numbers(layer, setup, rng)
    info = {"weights": weight_facts(layer.weights), **facts, **setup.info}
    return Case(
        family,
        setup.name,
        setup.class_name,
        setup.kwargs,
        setup.call,
        layer.get_config(),
        info,
        weights | arrays,
    )
