"""The base class of the first generation's layers: weights in a scope, made at the first call, shared by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from layer_errors import NO_DTYPE
from minigrad.compat import v1
from minigrad.engine.errors import DTypeError

X = np.ones((2, 3), "float32")


class Scale(v1.layers.Layer):
    """y = x · scale"""

    def build(self, input_shape: Any) -> None:
        self.scale = self.add_weight("scale", (input_shape[-1],), initializer="ones")

    def call(self, inputs: Any) -> Any:
        return inputs * self.scale


def names() -> list[str]:
    return [w.name for w in v1.global_variables()]


def test_the_scope_is_that_of_the_first_call() -> None:
    layer, other = Scale(), Scale()
    for scope in ("a", "b"):
        with v1.variable_scope(scope):
            layer(X)
    other(X)
    assert names() == ["a/scale/scale:0", "scale/scale:0"]
    assert (layer.scope_name, other.scope_name) == ("a/scale", "scale")


def test_a_name_a_scope_and_a_second_layer_of_the_same_class() -> None:
    Scale(name="mine")(X)
    Scale(_scope="elsewhere")(X)
    Scale()(X)
    Scale()(X)
    assert names() == ["mine/scale:0", "elsewhere/scale:0", "scale/scale:0", "scale_1/scale:0"]


def test_layers_share_by_name() -> None:
    one = Scale(name="mine")
    one(X)
    other = Scale(name="mine", _reuse=True)
    other(X)
    assert other.scale is one.scale
    assert len(names()) == 1


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_dtype_is_that_of_the_first_floating_input(dtype: str) -> None:
    layer = Scale()
    assert layer(X.astype(dtype)).dtype.name == layer.scale.dtype.name == dtype
    assert layer(X.astype("float64")).dtype.name == dtype


def test_without_floating_inputs_there_is_no_dtype_for_the_weights() -> None:
    with pytest.raises(DTypeError, match=rf"scale_1\.build: {NO_DTYPE}: .* Pass dtype='float32'"):
        Scale()(X.astype("int64"))
    with pytest.raises(DTypeError, match=NO_DTYPE):
        Scale().build((None, 3))
    Scale(dtype="float32").build((None, 3))


def test_gradients_and_updates() -> None:
    layer = Scale()
    (gradient,) = mg.grad(layer(X).sum(), layer.weights)
    np.testing.assert_array_equal(gradient.numpy(), [2.0, 2.0, 2.0])
    assert layer.graph is None
    assert layer.apply(X).numpy().tolist() == X.tolist()
