"""Custom classes and functions by name, in blocks, everywhere, and in configurations from files."""

from __future__ import annotations

from threading import Thread
from typing import Any

import pytest

import minigrad as mg
from minigrad.engine.errors import UnknownNameError
from minigrad.layers import serialization
from minigrad.layers.custom_objects import custom_object_scope, get_registered_object, only_given
from minigrad.layers.options import OptionError

L = mg.keras.layers


class Twice(L.Layer):
    def call(self, inputs: Any) -> Any:
        return inputs * 2.0


def test_the_innermost_block_decides() -> None:
    with custom_object_scope({"f": 1}, {"g": 2}):
        with custom_object_scope({"f": 3}):
            assert [get_registered_object(name) for name in "fg"] == [3, 2]
        assert get_registered_object("f") == 1
    assert get_registered_object("f") is None


def test_a_block_holds_in_its_thread() -> None:
    found = []
    with custom_object_scope({"f": 1}):
        thread = Thread(target=lambda: found.append(get_registered_object("f")))
        thread.start()
        thread.join()
    assert found == [None]


def test_a_configuration_from_a_file_takes_no_class_that_happens_to_be_defined() -> None:
    config = serialization.serialize(Twice(name="a"))
    assert isinstance(serialization.deserialize(config), Twice)
    with only_given:
        with pytest.raises(UnknownNameError, match=r"Twice of .*test_custom_objects.*custom_objects=\{'Twice'"):
            serialization.deserialize(config)
        with custom_object_scope({"Twice": Twice}):
            assert isinstance(serialization.deserialize(config), Twice)
        assert isinstance(serialization.deserialize(serialization.serialize(L.Dense(2))), L.Dense)


def test_a_class_that_is_registered_needs_a_configuration() -> None:
    with pytest.raises(OptionError, match="get_config"):
        mg.keras.utils.register_keras_serializable()(int)


def test_a_sequential_has_the_symbols_of_its_layers() -> None:
    model = mg.keras.Sequential([L.LSTM(3, input_shape=(None, 4), return_sequences=True), L.GRU(2), L.Dense(1)])
    part = mg.keras.Model(model.inputs, model.layers[1].output)
    x = mg.random.normal([2, 5, 4])
    whole = mg.keras.Model(model.input, model.output)
    assert mg.functional.all(whole(x) == model(x)).item()
    assert part(x).shape == (2, 2)
    assert model.output.shape == (None, 1)
    model.add(L.Dense(5))
    assert model.output.shape == (None, 5)
    with pytest.raises(AttributeError, match="input_shape"):
        _ = mg.keras.Sequential([L.Dense(2)]).inputs


def test_weights_are_set_once() -> None:
    layer = L.Dense(2, weights=[[[1.0, 2.0]], [3.0, 4.0]])
    layer.build((None, 1))
    assert layer(mg.tensor([[1.0]])).tolist() == [[4.0, 6.0]]
    layer.set_weights([[[0.0, 0.0]], [0.0, 0.0]])
    assert layer(mg.tensor([[1.0]])).tolist() == [[0.0, 0.0]]
    with pytest.raises(OptionError, match="Dense: `weights`"):
        L.Dense(2, weights=3)
    with pytest.raises(OptionError, match="LSTM: `input_dim`"):
        L.LSTM(2, input_dim=0)
