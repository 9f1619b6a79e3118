"""Names on the page of `docs/your-code-says.md`: all public names, and existing names only."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from docs.tables.generated import DOCS

TEXT = (DOCS / "your-code-says.md").read_text("utf-8")
PAGE = re.sub(r"^```.*?^```$", "", TEXT, flags=re.DOTALL | re.MULTILINE)
WORDS = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`]+)`", PAGE))))
V1 = mg.compat.v1


@pytest.fixture(autouse=True)
def fresh_names() -> Iterator[None]:
    V1.reset_default_graph()
    yield
    V1.reset_default_graph()


@pytest.mark.parametrize(
    "module", [V1, V1.nn, V1.nn.rnn_cell, V1.keras.layers, mg.keras.layers], ids=lambda module: module.__name__
)
def test_every_public_name_is_on_the_page(module: Any) -> None:
    """Except those of which their docstrings say that TensorFlow does not have them."""
    own = {n for n in module.__all__ if "TensorFlow does not have it" in (getattr(module, n).__doc__ or "")}
    assert set(module.__all__) - WORDS - own == set()


def test_every_address_on_the_page_is_there() -> None:
    """Existing names under "here"; those on the left that begin with ``tf.`` may be TensorFlow's alone."""
    rows = [line.split(" | ") for line in PAGE.splitlines() if line.startswith("| `")]
    here = " ".join(row[1] for row in rows if len(row) > 1)
    addresses = {a for code in re.findall(r"`([^`]+)`", here) for a in re.findall(r"\btf\.([\w.]*\w)", code)}
    addresses |= {
        "compat." + a for code in re.findall(r"`([^`]+)`", here) for a in re.findall(r"\b(v1\.[\w.]*\w)", code)
    }
    assert len(addresses) > 30
    for address in addresses:
        found: Any = mg
        for part in address.split("."):
            found = getattr(found, part)


# --- what to write instead is run ---


def rows(heading: str) -> dict[str, str]:
    """The two first cells of each row of the table under a heading."""
    section = PAGE.split(f"# {heading}\n")[1].partition("\n#")[0]
    cells = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| `")]
    return {cell[0]: cell[1] for cell in cells}


def codes(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def run(code: str, names: dict[str, Any]) -> Any:
    """The value of an expression, or None of a statement."""
    try:
        return eval(code, names)
    except SyntaxError:
        exec(code, names)
        return None


def of_2016() -> dict[str, Any]:
    """The names of the section on optimizers, the class that it shows among them."""
    names: dict[str, Any] = {"tf": mg}
    exec(
        next(
            block
            for block in re.findall(r"^```python\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
            if block.startswith("class RMSPropOf2016")
        ),
        names,
    )
    return names


GRADIENTS = [[0.5, -2.0, 1e-4], [0.3, 1.0, 1e-4], [-0.7, 0.1, -2e-4], [0.2, 0.2, 1e-7]]
# Where TensorFlow 2.15.1's optimizers of tf.compat.v1.train bring 1, 2, 3 with them.
BROUGHT = {
    "GradientDescentOptimizer(0.1)": [0.97, 2.070000001, 2.99999999],
    "AdamOptimizer(0.01)": [0.979493715, 2.015361488, 2.981425888],
    "MomentumOptimizer(0.1, 0.9)": [0.859750004, 2.377799988, 2.9999765],
    "MomentumOptimizer(0.1, 0.9, use_nesterov=True)": [0.843775007, 2.410019981, 2.99997884],
    "AdagradOptimizer(0.1)": [0.922537567, 2.041255423, 2.999999968],
    "RMSPropOptimizer(0.01)": [0.996984979, 2.005765424, 3.000000176],
    "RMSPropOptimizer(0.01, decay=0.8, momentum=0.5)": [0.993768291, 2.011839425, 2.999999907],
    "RMSPropOptimizer(0.01, centered=True)": [0.996966479, 2.006016441, 3.000000176],
}


def brought(optimizer: Any) -> Any:
    w = mg.tensor([1.0, 2.0, 3.0], dtype="float64", requires_grad=True)
    for gradient in GRADIENTS:
        optimizer.apply_gradients([(np.array(gradient), w)])
    return w.numpy()


@pytest.mark.parametrize("theirs", BROUGHT)
def test_optimizers_step_as_tensorflows(theirs: str) -> None:
    """Tolerance for the rounding of their constants to float32; Keras' ε costs more."""
    ours = codes(rows("Optimizers")[f"`tf.train.{theirs}`"])[0]
    rounding = 6e-8 if theirs.startswith("Adam") else 3e-8 if theirs.startswith("Momentum") else 5e-9
    np.testing.assert_allclose(brought(eval(ours, of_2016())), BROUGHT[theirs], rtol=0, atol=rounding)


@pytest.mark.parametrize(
    ("theirs", "ours", "apart"),
    [
        ("AdamOptimizer", "Adam(0.01)", 1e-6),
        ("RMSPropOptimizer", "RMSprop(0.01)", 1e-2),
        ("AdagradOptimizer", "Adagrad(0.1)", 1e-8),
    ],
)
def test_the_constants_of_keras_step_elsewhere(theirs: str, ours: str, apart: float) -> None:
    expected = BROUGHT[f"{theirs}({ours.partition('(')[2]}"]
    assert abs(brought(eval(f"tf.keras.optimizers.{ours}", {"tf": mg})) - expected).max() > apart


def test_every_optimizer_of_the_table_was_asked() -> None:
    listed = {codes(cell)[0].removeprefix("tf.train.") for cell in rows("Optimizers")}
    assert listed == {*BROUGHT, "exponential_decay(0.1, step, 1000, 0.5)"}


def script() -> dict[str, Any]:
    """The names that the table of operations speaks of."""
    rng = np.random.default_rng(0)
    names: dict[str, Any] = {"tf": mg, "np": np, "v1": V1, "labels": np.array([3, 6]), "lengths": [5, 2]}
    names |= {name: mg.tensor(rng.normal(size=(2, 7))) for name in ("a", "b", "logits")}
    names |= {"x": rng.normal(size=(2, 5, 3)), "z": np.full((2, 7), 0.25), "p": np.full((2, 7), 1 / 7)}
    return names


OPERATIONS = rows("Common operations and layers")


@pytest.mark.parametrize("theirs", OPERATIONS)
def test_what_stands_for_an_operation_runs(theirs: str) -> None:
    names = script()
    for code in codes(OPERATIONS[theirs]):
        if code not in ("mask=", "get_variable"):
            run(code, names)


NO_EXPRESSIONS = ("get_variable", "while", "if", "with tf.using(backend):")  # words, and half a statement
INSTEAD = rows("Names without a counterpart, and their replacements")


@pytest.mark.parametrize("theirs", INSTEAD)
def test_what_stands_for_a_graph_runs(theirs: str, tmp_path: Path) -> None:
    names = script()
    cell = V1.nn.rnn_cell.BasicLSTMCell(4, dtype="float64")
    outputs, state = V1.nn.dynamic_rnn(cell, names["x"], dtype="float64")
    names |= {"cell": cell, "state": state, "loss": mg.sum(outputs**2), "variables": V1.trainable_variables()}
    names |= {"optimizer": mg.keras.optimizers.SGD(0.1), "model": mg.tanh, "data": names["x"], "y": outputs}
    names |= {"path": tmp_path / "w.npz", "backend": "numpy", "v": names["variables"][1], "a": np.ones(2)}
    names |= {"module": cell}
    names["file"] = {v.name: v.numpy() for v in names["variables"]}
    for code in codes(INSTEAD[theirs]):
        if code not in NO_EXPRESSIONS:
            run(code, names)


def value(theirs: str, place: int = 0) -> Any:
    """Return the value of an entry of the table."""
    cell = next(cell for key, cell in OPERATIONS.items() if key.startswith(f"`{theirs}"))
    found = run(codes(cell)[place], script())
    return found.numpy() if isinstance(found, mg.Tensor) else found


def test_operations_give_tensorflows_numbers() -> None:
    names = script()
    logits, x, a = names["logits"].numpy(), names["x"], names["a"].numpy()
    log_p = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    np.testing.assert_allclose(value("tf.nn.softmax(", 1), log_p)
    np.testing.assert_allclose(value("tf.nn.sparse_softmax"), -log_p[[0, 1], [3, 6]], rtol=1e-6)
    np.testing.assert_allclose(value("tf.nn.softmax_cross"), -log_p.mean(1), rtol=1e-6)
    σ = 1 / (1 + np.exp(-logits))
    np.testing.assert_allclose(value("tf.nn.sigmoid_cross"), -0.25 * np.log(σ) - 0.75 * np.log(1 - σ))
    np.testing.assert_allclose(value("tf.contrib.seq2seq"), -log_p[[0, 1], [3, 6]].mean())
    np.testing.assert_array_equal(value("tf.gather_nd"), x[[0, 1], [4, 1]])
    np.testing.assert_array_equal(value("tf.tile"), np.tile(x, [1, 2, 1]))
    np.testing.assert_array_equal(value("tf.sequence_mask"), [[True] * 5, [True] * 2 + [False] * 3])
    np.testing.assert_array_equal(value("tf.one_hot"), np.eye(7)[[3, 6]])
    np.testing.assert_allclose(value("tf.contrib.layers.l2", 1), (a**2).sum() / 2)
    np.testing.assert_allclose(value("tf.contrib.layers.l2", 0)(mg.tensor(a)).numpy(), 0.01 * (a**2).sum() / 2)
    np.testing.assert_array_equal(value("tf.range", 2), x.transpose(1, 0, 2))


def test_penalties_of_every_variable() -> None:
    """Those of `get_variable` outside a cell are in no cell's losses."""
    V1.get_variable("w", [2], initializer="ones", regularizer=mg.keras.regularizers.L2(0.5))
    V1.get_variable("v", [2])
    code = next(code for code in codes(PAGE) if code.startswith("[v.regularizer(v)"))
    assert [float(term.numpy()) for term in eval(code, {"v1": V1})] == [1.0]


def test_the_import_of_the_first_row_carries_the_others() -> None:
    """`import minigrad as tf` and `v1 = tf.compat.v1` replace TensorFlow's import of the first years."""
    cell = next(line for line in PAGE.splitlines() if line.startswith("| `import tensorflow.compat.v1")).split(" | ")[1]
    names: dict[str, Any] = {}
    for code in codes(cell):
        exec(code, names)
    assert (names["tf"], names["v1"]) == (mg, V1)


# --- CuDNN ---

# By TensorFlow 2.15.1's own loader of old files (tests/oracle/record/cudnn.py), for weights and one sequence drawn from
# a seed of 0: 3 features, 2 units, 4 steps.
FROM_CUDNN = {
    "LSTM": [
        [0.622098951, -0.511725091],
        [0.418134783, -0.689851729],
        [0.512228198, -0.157440763],
        [0.020670043, 0.477954069],
    ],
    "GRU": [
        [-0.687751846, 0.248087822],
        [-0.636246087, -0.356047707],
        [-0.816739341, -0.068602517],
        [-0.017113069, 0.870180334],
    ],
}


@pytest.mark.parametrize(("kind", "gates"), [("LSTM", 4), ("GRU", 3)])
def test_weights_of_cudnn_layers_give_tensorflows_numbers(kind: str, gates: int) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
    names: dict[str, Any] = {"np": np, "tf": mg}
    exec(next(block for block in blocks if block.startswith("def from_cudnn")), names)
    draw = np.random.default_rng(0)
    weights = [draw.normal(size=shape) for shape in ((3, 2 * gates), (2, 2 * gates), (4 * gates,))]
    layer = getattr(mg.keras.layers, kind)(2, return_sequences=True, dtype="float64")
    layer.build((None, None, 3))
    layer.set_weights(names["from_cudnn"](*weights))
    outputs = layer(draw.normal(size=(1, 4, 3))).numpy()[0]
    np.testing.assert_allclose(outputs, FROM_CUDNN[kind], rtol=0, atol=1e-8)


# --- the training step ---


@pytest.mark.parametrize("seed", range(5))
def test_the_training_step_of_2016_learns_with_every_seed(seed: int) -> None:
    """The page shows one seed and asserts that the loss is halved."""
    blocks = re.findall(r"^```python\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
    step = next(block for block in blocks if "BasicLSTMCell(8)" in block)
    assert step.count("set_seed(0)") == 1
    x = np.random.default_rng(seed).normal(size=(2, 5, 3)).astype("float32")
    exec(step.replace("set_seed(0)", f"set_seed({seed})"), {"np": np, "tf": mg, "v1": V1, "x": x})
