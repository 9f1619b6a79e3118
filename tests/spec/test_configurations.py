"""`get_config()` of all generations: TensorFlow's keys, plain values, there and back; what TensorFlow wrote is read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.layers.call_context import clear_session
from oracle.reader import Case, build, load

FAMILIES = (
    "keras_lstm", "keras_gru", "keras_simple_rnn", "keras_stacked", "keras_bidirectional", "keras_penalties",
    "keras_dropout", "keras_stateful", "v1_keras_lstm", "v1_keras_gru", "v1_keras_simple_rnn", "v1_keras_dropout",
    "v1_rnn_cell", "v1_rnn", "keras_api", "v1_keras_api", "v1_nn_api",
)  # fmt: skip
KINDS = (".layers.", ".rnn_cell.")
CASES = [c for f in FAMILIES for c in load(f) if c.config is not None and any(kind in c.class_name for kind in KINDS)]
every_case = pytest.mark.parametrize("case", [pytest.param(c, id=f"{c.family}-{c.name}") for c in CASES])


@pytest.fixture(autouse=True)
def fresh_names() -> Iterator[None]:
    mg.compat.v1.reset_default_graph()
    clear_session()
    yield
    mg.keras.backend.set_floatx("float32")
    mg.compat.v1.reset_default_graph()


def test_there_are_many() -> None:
    assert len(CASES) > 800
    assert {case.family for case in CASES} >= {"keras_lstm", "v1_keras_lstm", "v1_rnn_cell"}


@every_case
def test_keys_values_and_the_way_back(case: Case) -> None:
    if not case.family.endswith("_api"):
        mg.keras.backend.set_floatx("float64")  # as when it was recorded
    made = build(case.spec, mg)
    config = made.get_config()
    assert_plain(config)
    text = json.dumps(config)
    assert json.dumps(type(made).from_config(json.loads(text)).get_config()) == text  # the order of the keys too
    mine, theirs = set(config), set(case.config or {})
    if case.class_name.endswith("MultiRNNCell"):  # TensorFlow's does not say which cells it has
        assert mine - theirs == {"cells", "state_is_tuple"}
        return
    assert mine == theirs
    clear_session()
    mg.compat.v1.reset_default_graph()
    read = type(made).from_config(json.loads(json.dumps(case.config)))  # what TensorFlow wrote
    assert comparable(read.get_config()) == comparable(config)


def assert_plain(value: Any) -> None:
    """Nothing that JSON would turn into something else without a word."""
    if isinstance(value, dict):
        assert all(type(key) is str for key in value)
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for part in value:
            assert_plain(part)
    else:
        assert value is None or type(value) in (str, int, float, bool), value


# New names are given; a shape that TensorFlow guessed is not an argument, and TensorFlow does not write it.
LEFT_OUT = ("name", "batch_input_shape", "reverse_state_order")


def comparable(config: Any) -> Any:
    """A configuration as TensorFlow can tell it: one module for two generations, probabilities rounded to float32."""
    if isinstance(config, dict):
        return {
            k: np.float32(v) if k.endswith("_prob") else comparable(v) for k, v in config.items() if k not in LEFT_OUT
        }
    if isinstance(config, (list, tuple)):
        return [comparable(part) for part in config]
    return config.replace("compat.v1.keras", "keras") if isinstance(config, str) else config
