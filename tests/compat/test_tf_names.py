"""`minigrad.tf`: each public name is in a recorded program, and a name out of scope says what to write."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
import warnings
from types import ModuleType

import numpy as np
import pytest

import minigrad as mg
import minigrad.tf as tf
from minigrad.compat.ops import flow
from minigrad.compat.out_of_scope import OUT_OF_SCOPE
from oracle.corners import tf_names

PROGRAMS = inspect.getsource(tf_names)
MODULES = {"tf": tf, "tf.math": tf.math, "tf.nn": tf.nn, "tf.random": tf.random, "tf.linalg": tf.linalg}
ELSEWHERE = {"Module", "compat", "initializers", "keras", "losses", "metrics", "optimizers"}  # other programs have them


@pytest.mark.parametrize("address", MODULES)
def test_every_name_is_in_a_program(address: str) -> None:
    used = set(re.findall(rf"\b{re.escape(address)}\.(\w+)", PROGRAMS))
    wrappers = {name for name in MODULES[address].__all__ if name.endswith("Wrapper")}  # in the programs of wrappers
    assert set(MODULES[address].__all__) - used - ELSEWHERE - wrappers == set()


@pytest.mark.parametrize("name", OUT_OF_SCOPE)
def test_a_name_out_of_scope_says_what_to_write(name: str) -> None:
    module: ModuleType = tf.nn if name in tf.__all__ else tf
    with pytest.raises(AttributeError, match=rf"{name} is not part of minigrad: \w"):
        getattr(module, name)


def test_an_unknown_name_suggests_others() -> None:
    with pytest.raises(AttributeError, match="Did you mean reduce_sum"):
        _ = tf.sum
    with pytest.raises(AttributeError, match="your-code-says"):
        _ = tf.math.zeta_of_nothing
    assert not hasattr(tf, "_private")


def test_the_face_is_imported_at_its_first_use() -> None:
    code = "import sys, minigrad; print([m for m in sys.modules if 'minigrad.tf' in m or 'compat.ops' in m])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_addresses_below_it_are_those_of_minigrad() -> None:
    import minigrad.tf.compat.v1 as v1
    from minigrad.tf.keras.layers import LSTM

    assert LSTM is mg.keras.layers.LSTM
    assert v1 is mg.compat.v1
    assert tf.keras is mg.keras


def test_names_of_numpy_keep_numpys_meaning() -> None:
    x = np.arange(6.0).reshape(2, 3)
    assert mg.argmax(x).item() == 5
    assert tf.argmax(x).numpy().tolist() == [1, 1, 1]
    assert mg.cumsum(x).shape == (6,)
    assert tf.cumsum(x).shape == (2, 3)
    assert [part.shape for part in mg.split(x, [1, 2], 1)] == [(2, 1), (2, 1), (2, 1)]
    assert [part.shape for part in tf.split(x, [1, 2], 1)] == [(2, 1), (2, 2)]


def test_dtypes_are_taken_by_numpy_and_by_minigrad() -> None:
    assert np.zeros(2, tf.float32).dtype == np.float32
    assert mg.zeros((2,), tf.float64).dtype == tf.float64
    assert mg.keras.layers.Dense(2, dtype=tf.float64).dtype == "float64"
    assert tf.as_dtype("float") == tf.float32
    with pytest.raises(TypeError, match="Keep texts in a list"):
        tf.as_dtype("string")


def test_a_function_says_once_that_it_is_eager() -> None:
    flow._said.clear()
    with pytest.warns(UserWarning, match="runs the function eagerly"):
        tf.function(lambda x: x)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert tf.function(lambda x: x + 1)(2) == 3


def test_draws_follow_their_distribution_and_the_seed() -> None:
    tf.random.set_seed(3)
    drawn = tf.random.categorical(tf.math.log([[0.2, 0.8]]), 4000).numpy()
    assert abs(drawn.mean() - 0.8) < 0.03
    first = tf.random.normal([3], seed=1).numpy()
    np.testing.assert_array_equal(first, tf.random.normal([3], seed=1).numpy())
    kept = tf.nn.dropout(tf.ones([4000]), rate=0.25).numpy()
    assert set(np.unique(kept)) == {0.0, np.float32(1 / 0.75)}
    assert abs(kept.mean() - 1.0) < 0.05


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: tf.constant("text"), "use Python lists"),
        (lambda: tf.unstack(tf.zeros([2, 3]), 3), "the length of axis 0, 2, got 3"),
        (lambda: tf.split(tf.zeros([5]), [2, 2]), "with the sum 5"),
        (lambda: tf.concat(1, [tf.zeros([2])]), "in the order of TensorFlow 0.x"),
        (lambda: tf.matmul(tf.zeros([2]), tf.zeros([2, 2])), "tf.linalg.matvec"),
        (lambda: tf.where(tf.constant([True])), "np.argwhere"),
        (lambda: tf.tile(tf.zeros([2, 2]), [2]), "a number for each of 2 axes"),
        (lambda: tf.random.categorical([0.0, 1.0], 1), r"\(batch, classes\)"),
        (lambda: tf.while_loop(lambda a: True, lambda a: (a, a), [1]), "structure of `loop_vars`"),
        (lambda: tf.nn.softmax_cross_entropy_with_logits(labels=[1], logits=[[1.0, 2.0]]), "sparse_softmax"),
    ],
)
def test_mistakes_say_what_to_write(wrong: object, message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        wrong()  # type: ignore[operator]
