"""Every layer written as plain values and read again."""

from __future__ import annotations

import json
from typing import Any

import pytest

import minigrad as mg
from minigrad.engine.errors import MinigradError, UnknownNameError
from minigrad.keras import layers as L
from minigrad.layers import serialization
from minigrad.layers.options import flag, option, positive_int


class Shifting(L.Layer):
    """A layer that describes its arguments as the shipped ones do."""

    by: int = option(positive_int)
    twice: bool = option(flag, False)

    def call(self, inputs: Any) -> Any:
        return inputs + float(self.by * (2 if self.twice else 1))


class Older(L.Layer):
    """A layer in Keras' own way."""

    def __init__(self, by: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.by = by

    def call(self, inputs: Any) -> Any:
        return inputs + float(self.by)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "by": self.by}


ROUND_TRIPS: list[Any] = [
    L.Dense(3, "relu", kernel_regularizer="l2"),
    L.Embedding(7, 3, mask_zero=True),
    L.Dropout(0.25, seed=3),
    L.Activation("gelu"),
    L.Masking(-1.0),
    L.InputLayer(batch_input_shape=(3, 5, 2)),
    L.Concatenate(1),
    L.Dot((1, 2), normalize=True),
    L.LayerNormalization([1, 2], scale=False),
    L.Reshape((-1, 2)),
    L.Permute((2, 1)),
    L.RepeatVector(3),
    L.GlobalAveragePooling1D(keepdims=True),
    L.TimeDistributed(L.Dense(2)),
    L.LSTM(2, dropout=0.5, stateful=True, batch_input_shape=(3, 5, 2), zero_output_for_mask=True, tbptt=[1, 2]),
    L.LSTMCell(2, implementation=1, bias_constraint="non_neg"),
    L.GRU(2, reset_after=False, go_backwards=True),
    L.GRUCell(2, "softsign"),
    L.SimpleRNN(2, unroll=True, time_major=True),
    L.SimpleRNNCell(2, use_bias=False),
    L.RNN([L.LSTMCell(2), L.GRUCell(3)], num_constants=1),
    L.StackedRNNCells([L.LSTMCell(2), L.StackedRNNCells([L.GRUCell(2)])], reverse_state_order=True),
    L.Bidirectional(L.LSTM(2, return_sequences=True), "sum"),
    L.Bidirectional(L.LSTM(2), backward_layer=L.GRU(2, go_backwards=True)),
    mg.compat.v1.keras.layers.LSTM(2, "relu"),
    mg.compat.v1.keras.layers.GRU(2),
    Shifting(3, twice=True),
    Older(3),
    L.TimeDistributed(Older(2)),
]


@pytest.mark.parametrize("layer", ROUND_TRIPS, ids=lambda layer: type(layer).__name__)
def test_round_trip(layer: Any) -> None:
    """By `from_config`, through JSON; by `deserialize`; and by `clone`."""
    config = json.loads(json.dumps(layer.get_config()))
    again = type(layer).from_config(config)
    for other in (again, serialization.deserialize(serialization.serialize(layer)), serialization.clone(layer)):
        assert type(other) is type(layer)
        assert other is not layer
        assert json.loads(json.dumps(other.get_config())) == config


def test_a_layer_that_does_not_say_its_arguments() -> None:
    class Silent(L.Layer):
        def __init__(self, by: int) -> None:
            super().__init__()

    with pytest.raises(MinigradError, match=r"Silent.get_config: the class has a custom __init__"):
        Silent(2).get_config()


def test_which_class_is_meant() -> None:
    config = serialization.serialize(Shifting(2))
    assert config["registered_name"] == "Shifting"
    assert type(serialization.deserialize({**config, "module": "where.it.was.before"})) is Shifting
    assert type(serialization.deserialize({"class_name": "LSTM", "config": {"units": 2}})) is L.LSTM
    v1 = serialization.serialize(mg.compat.v1.keras.layers.LSTM(2))
    assert type(serialization.deserialize(v1)) is mg.compat.v1.keras.layers.LSTM
    with pytest.raises(UnknownNameError, match=r"unknown name 'LTSM'\. Did you mean 'LSTM'"):
        serialization.deserialize({"class_name": "LTSM", "config": {}})
    with pytest.raises(UnknownNameError, match="Import the module that defines it first"):
        serialization.deserialize({"module": "elsewhere", "class_name": "Unheard", "config": {}})
