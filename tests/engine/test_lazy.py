"""Names that are imported when they are first asked for."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from types import ModuleType

import pytest

import minigrad as mg

SCRIPT = """
import sys
import minigrad as tf
assert "minigrad.compat.v1.nn" not in sys.modules
assert "nn" in dir(tf.compat.v1) and "get_variable" in dir(tf.compat.v1)
cell = tf.compat.v1.nn.rnn_cell.LSTMCell(2)
assert "minigrad.compat.v1.nn" in sys.modules
from minigrad.compat.v1 import TensorArray, get_variable, layers
assert tf.compat.v1.get_variable is get_variable
trains = [f"minigrad.keras.{name}" for name in ("callbacks", "losses", "metrics", "models", "optimizers")]
assert not set(trains) & set(sys.modules)
model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
model.compile("sgd", "mse")
assert set(trains) <= set(sys.modules)
"""


def test_nothing_of_it_is_there_before() -> None:
    subprocess.run([sys.executable, "-c", SCRIPT], check=True)


STORED = """
import minigrad as tf
cell = {"module": "compat.v1.nn.rnn_cell", "class_name": "LSTMCell", "config": {"num_units": 3}}
layer = tf.keras.layers.RNN.from_config({"cell": cell})
assert type(layer.cell).__name__ == "LSTMCell" and layer.cell.state_size.c == 3
dense = {"class_name": "Dense", "config": {"units": 2}}
stack = {"module": "keras", "class_name": "Sequential", "config": {"layers": [dense]}}
assert tf.keras.layers.TimeDistributed.from_config({"layer": stack}).layer.layers[0].units == 2
"""


def test_a_stored_layer_asks_for_it() -> None:
    subprocess.run([sys.executable, "-c", STORED], check=True)


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(AttributeError, match=r"module 'minigrad\.keras' has no attribute 'Sesame'"):
        mg.keras.Sesame  # noqa: B018
    with pytest.raises(AttributeError, match=r"tf\.compat\.v1\.Sesame is not"):
        mg.compat.v1.Sesame  # noqa: B018


@pytest.mark.parametrize("package", [mg, mg.keras, mg.compat.v1], ids=lambda package: package.__name__)
def test_a_type_checker_sees_every_name_and_no_other(package: ModuleType) -> None:
    told, at_large = set(), []
    for node in ast.parse(inspect.getsource(package)).body:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            told |= {alias.name for line in node.body if isinstance(line, ast.ImportFrom) for alias in line.names}
        elif isinstance(node, ast.ImportFrom):
            told |= {alias.name for alias in node.names}
        elif isinstance(node, ast.Assign):
            at_large += [ast.unparse(target) for target in node.targets]
    assert set(package.__all__) <= told
    assert "__getattr__" not in at_large  # a checker that saw it would take any misspelt name for one of ours
    assert all(getattr(package, name) is not None for name in package.__all__)
