"""Run first-generation code in its own environment: a graph, a session, variables by scope."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf

from oracle.reader import Case
from oracle.record.draw import generator, normal
from oracle.record.layers import indices, weight_facts
from oracle.record.store import plain

v1 = tf.compat.v1


@dataclass
class Run:
    """A call to be recorded.

    Attributes:
        wire: lays the call into the default graph, from the inputs' tensors, and returns the nest of
            outputs, and tensors to record with them, by name.
        inputs: arrays by name; the floating ones are differentiated.
        nests: how groups of `inputs` are nested, for ``info``.
    """

    name: str
    class_name: str
    kwargs: dict[str, Any]
    wire: Callable[[dict[str, tf.Tensor]], tuple[Any, dict[str, tf.Tensor]]]
    inputs: dict[str, np.ndarray]
    nests: dict[str, Any] = field(default_factory=dict)
    call: dict[str, Any] = field(default_factory=dict)
    info: dict[str, Any] = field(default_factory=dict)
    config: dict[str, Any] | None = None


def group(prefix: str, structure: Any) -> dict[str, Any]:
    """A nest's leaves under the names ``PREFIX/0``, ``PREFIX/1`` …"""
    return {f"{prefix}/{i}": leaf for i, leaf in enumerate(tf.nest.flatten(structure))}


def regroup(structure: Any, prefix: str, found: dict[str, Any]) -> Any:
    """The nest whose leaves are under ``PREFIX/0`` …: the inverse of `group`."""
    flat = [found[f"{prefix}/{i}"] for i in range(len(tf.nest.flatten(structure)))]
    return tf.nest.pack_sequence_as(structure, flat)


def _gradients(total: tf.Tensor, sources: dict[str, Any]) -> dict[str, tf.Tensor]:
    """All gradients at once: asked for one by one, each would build the backward loop again."""
    found = tf.gradients(total, list(sources.values()), unconnected_gradients="zero")
    dense = [tf.convert_to_tensor(gradient) for gradient in found]
    return {f"grad/{name}": gradient for name, gradient in zip(sources, dense, strict=True)}


def record(family: str, run: Run, scale: float = 0.5) -> Case:
    """The case of one call, in a separate graph."""
    rng = generator(f"{family}/{run.name}/run")
    with tf.Graph().as_default():
        v1.set_random_seed(zlib.crc32(run.name.encode()))
        tensors = {name: tf.constant(value) for name, value in run.inputs.items()}
        nested, beside = run.wire(tensors)
        outputs = tf.nest.flatten(nested)
        variables = v1.trainable_variables()
        cotangents = [normal(rng, output.shape) for output in outputs]
        total = tf.add_n([tf.reduce_sum(c * y) for c, y in zip(cotangents, outputs, strict=True)])
        sources = {name: t for name, t in tensors.items() if t.dtype.is_floating}
        sources |= group("weight", variables)
        wanted = {**group("output", outputs), **beside, **_gradients(total, sources)}
        weights = [normal(rng, variable.shape, scale) for variable in variables]
        with v1.Session() as session:
            session.run(v1.global_variables_initializer())
            for variable, weight in zip(variables, weights, strict=True):
                variable.load(weight, session)
            found = session.run(wanted)
        facts = weight_facts(variables)
    given = {**group("weight", weights), **run.inputs, **group("cotangent", cotangents)}
    info = {"weights": facts, "outputs": plain(indices(nested)), **plain(run.nests), **run.info}
    arrays = {name: np.asarray(value) for name, value in {**given, **found}.items()}
    return Case(family, run.name, run.class_name, run.kwargs, run.call, run.config, info, arrays)
