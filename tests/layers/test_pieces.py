"""Activations, initializers, regularizers, constraints: TensorFlow's numbers, and how each is found."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine.errors import ShapeError, UnknownNameError
from minigrad.layers import activations, constraints, initializers, regularizers
from minigrad.layers.catalogue import snake_case
from minigrad.layers.initializers import fans
from minigrad.layers.options import OptionError
from option_errors import NUMBER_FROM_0
from oracle.reader import Case, load, resolve
from oracle.replay import close

OF_TENSORS = [c for c in load("keras_pieces") if "initializers" not in c.class_name]


# relu's further arguments, and gelu's approximation, are not here.
ACTIVATIONS = [
    c for c in load("keras_activations") if c.class_name.split(".")[-1] not in ("relu", "gelu") or not c.call
]


@pytest.mark.parametrize("case", ACTIVATIONS, ids=lambda case: case.name)
def test_activations(case: Case) -> None:
    x = mg.tensor(case["x"], requires_grad=True)
    y = resolve(case.class_name, mg)(x, **case.call)
    rtol = 1e-7 if "gelu" in case.name else 1e-8  # TensorFlow's gelu rounds √2 to float32
    np.testing.assert_allclose(y.numpy(), case["output/0"], rtol=rtol, atol=rtol)
    (dx,) = mg.grad(y, x, case["cotangent/0"])
    np.testing.assert_allclose(dx.numpy(), case["grad/x"], rtol=rtol, atol=rtol)


@pytest.mark.parametrize("case", OF_TENSORS, ids=lambda case: case.name)
def test_regularizers_and_constraints(case: Case) -> None:
    x = mg.tensor(case["x"], requires_grad=True)
    y = resolve(case.class_name, mg)(**case.kwargs)(x)
    close(y, case["output/0"], "output", case)
    if case.get("grad/x") is not None:
        close(mg.grad(y, x)[0], case["grad/x"], "gradient", case)


@pytest.mark.parametrize("case", [c for c in load("keras_pieces") if c not in OF_TENSORS], ids=lambda case: case.name)
def test_initializers_that_do_not_draw(case: Case) -> None:
    close(resolve(case.class_name, mg)(**case.kwargs)(case["output/0"].shape, "float64"), case["output/0"], "it", case)


# --- initializers that draw -------------------------------------------------------------------------------------------

SHAPE = (300, 200)
DRAWN: list[tuple[Any, float, float]] = [  # standard deviation, and beyond what nothing lies
    (initializers.RandomNormal(0.0, 0.2), 0.2, np.inf),
    (initializers.RandomUniform(-0.3, 0.3), 0.3 / np.sqrt(3), 0.3),
    (initializers.TruncatedNormal(0.0, 0.2), 0.2 * 0.87962566, 0.4),
    (initializers.GlorotUniform(), np.sqrt(2 / 500), np.sqrt(6 / 500)),
    (initializers.GlorotNormal(), np.sqrt(2 / 500), 2 * np.sqrt(2 / 500) / 0.87962566),
    (initializers.HeUniform(), np.sqrt(2 / 300), np.sqrt(6 / 300)),
    (initializers.HeNormal(), np.sqrt(2 / 300), 2 * np.sqrt(2 / 300) / 0.87962566),
    (initializers.LecunUniform(), np.sqrt(1 / 300), np.sqrt(3 / 300)),
    (initializers.LecunNormal(), np.sqrt(1 / 300), 2 * np.sqrt(1 / 300) / 0.87962566),
    (initializers.VarianceScaling(3.0, "fan_out", "untruncated_normal"), np.sqrt(3 / 200), np.inf),
]


@pytest.mark.parametrize(("initializer", "deviation", "limit"), DRAWN, ids=lambda v: type(v).__name__)
def test_what_is_drawn(initializer: Any, deviation: float, limit: float) -> None:
    w = initializer(SHAPE, "float64").numpy()
    assert w.shape == SHAPE
    np.testing.assert_allclose(w.std(), deviation, rtol=0.02)
    assert abs(w.mean()) < 0.02 * deviation
    assert np.abs(w).max() <= limit
    assert not np.array_equal(initializer(SHAPE).numpy(), w.astype("float32"))


@pytest.mark.parametrize("shape", [(3, 5), (5, 3), (2, 2, 3)])
def test_orthogonal(shape: tuple[int, ...]) -> None:
    w = initializers.Orthogonal(2.0)(shape, "float64").numpy().reshape(-1, shape[-1])
    product = w @ w.T if w.shape[0] < w.shape[1] else w.T @ w
    np.testing.assert_allclose(product, 4.0 * np.eye(len(product)), atol=1e-12)


def test_a_seed_of_its_own_gives_the_same_numbers_every_time() -> None:
    seeded = initializers.GlorotUniform(seed=3)
    np.testing.assert_array_equal(seeded((2, 3)).numpy(), seeded((2, 3)).numpy())
    np.testing.assert_array_equal(seeded((2, 3)).numpy(), initializers.GlorotUniform(3)((2, 3)).numpy())


def test_the_common_seed_gives_the_same_weights_anew() -> None:
    first = initializers.get("he_normal")((2, 3)).numpy()
    mg.random.seed(0)
    np.testing.assert_array_equal(initializers.get("he_normal")((2, 3)).numpy(), first)


def test_fans() -> None:
    assert [fans(s) for s in ((), (4,), (4, 5), (3, 3, 4, 5))] == [(1, 1), (4, 4), (4, 5), (36, 45)]


# --- by name, by class, by object -------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", [initializers, regularizers, constraints])
def test_every_class_by_its_names_and_back(module: Any) -> None:
    for name, cls in module._catalogue.classes.items():
        made = cls()
        for identifier in (name, snake_case(name), cls, made, module.serialize(made)):
            assert type(module.get(identifier)) is cls
        assert module.deserialize(module.serialize(made)).get_config() == made.get_config()
    assert module.get(None) is None
    assert module.serialize(None) is None


def test_aliases() -> None:
    assert isinstance(initializers.get("normal"), initializers.RandomNormal)
    assert isinstance(initializers.get("one"), initializers.Ones)
    both = regularizers.get("l1_l2")
    assert (both.l1, both.l2) == (0.01, 0.01)
    assert constraints.max_norm is constraints.MaxNorm


def test_functions_will_do_as_well() -> None:
    layer = mg.keras.layers.Dense(
        2,
        kernel_initializer=lambda shape, dtype: mg.full(shape, 0.5, dtype),
        kernel_regularizer=lambda w: (w * w).sum(),
        kernel_constraint=lambda w: w * 0.0,
    )
    layer(np.ones((1, 3), "float32"))
    assert layer.losses[0].item() == 1.5
    assert layer.get_config()["kernel_constraint"] == "<lambda>"


def test_activations_by_name_and_back() -> None:
    for name in activations._KNOWN.keys() - {"exponential"}:
        assert activations.serialize(activations.get(name)) == name
        assert activations.deserialize(name) is getattr(mg.functional, name)
    assert activations.get(None) is mg.functional.linear
    own = lambda x: x * 2.0  # noqa: E731
    assert activations.get(own) is own
    assert activations.rule(own) is None


BAD: list[tuple[Any, type[Exception], str]] = [
    (lambda: activations.get("tahn"), UnknownNameError, "`identifier`: unknown name 'tahn'. Did you mean 'tanh'?"),
    (
        lambda: mg.keras.layers.LSTM(2, "rleu"),
        UnknownNameError,
        "LSTM: `activation`: unknown name 'rleu'. Did you mean 'relu'?",
    ),
    (
        lambda: mg.keras.layers.LSTM(2, recurrent_initializer="ortogonal"),
        UnknownNameError,
        "LSTM: `recurrent_initializer`: unknown name 'ortogonal'. Did you mean 'orthogonal'?",
    ),
    (lambda: regularizers.get("l3"), UnknownNameError, "get: `identifier`: unknown name 'l3'. Did you mean"),
    (lambda: constraints.get(3), UnknownNameError, "constraints.get: `identifier`: expected a name, got 3."),
    (lambda: initializers.deserialize({"class_name": "Zeroes"}), UnknownNameError, "Did you mean 'Zeros'?"),
    (lambda: initializers.Identity()((2,)), ShapeError, "Identity: expected `shape` of two axes, got (2,)."),
    (lambda: initializers.Orthogonal()((2,)), ShapeError, "Orthogonal: expected `shape` of two axes or more"),
    (lambda: initializers.VarianceScaling(mode="fan"), OptionError, "VarianceScaling: `mode`: expected one of"),
    (lambda: regularizers.OrthogonalRegularizer()(mg.ones((2,))), ShapeError, "expected a matrix, got shape (2,)."),
    (lambda: activations.get([1]), UnknownNameError, "activations.get: `identifier`: expected a name, got [1]."),
    (
        lambda: mg.keras.layers.Dense(2, activation=np.tanh),
        OptionError,
        "Dense: `activation`: numpy's tanh gives arrays without a gradient. Use activation='tanh'.",
    ),
    (
        lambda: mg.keras.layers.LSTM(2, recurrent_activation=np.sum),
        OptionError,
        "LSTM: `recurrent_activation`: numpy's sum gives arrays without a gradient. Use one of mg.functional.",
    ),
    (lambda: activations.get(math.tanh), OptionError, "math's tanh gives arrays without a gradient."),
    (lambda: regularizers.l2(-1), OptionError, f"L2: `l2`: {NUMBER_FROM_0}, got -1."),
    (lambda: regularizers.l1_l2(float("nan"), 0), OptionError, f"L1L2: `l1`: {NUMBER_FROM_0}, got nan."),
    (lambda: constraints.MaxNorm(-1), OptionError, f"MaxNorm: `max_value`: {NUMBER_FROM_0}, got"),
    (lambda: initializers.RandomNormal(0, -1), OptionError, "RandomNormal: `stddev`: expected a number of 0 or"),
    (lambda: regularizers.L2("much"), OptionError, f"L2: `l2`: {NUMBER_FROM_0}, got 'much'."),
]  # fmt: skip


@pytest.mark.parametrize(("act", "error", "message"), BAD)
def test_bad_input(act: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        act()
    assert message in str(caught.value)
