"""One generator on the host, the same numbers on every backend."""

from __future__ import annotations

import json
from types import ModuleType

import numpy as np
import pytest

import minigrad as mg
from engine_errors import WHOLE_SIZES
from minigrad.engine.errors import OptionError, ShapeError
from minigrad.engine.random import draw_truncated_normal
from needed import needed

strict_backend = needed("strict_backend")


def test_the_same_seed_gives_the_same_numbers_on_every_backend() -> None:
    drawn = []
    for module in ("numpy", strict_backend):
        with mg.using(module):
            mg.random.seed(7)
            drawn.append(
                [f((3, 2)).tolist() for f in (mg.random.normal, mg.random.uniform, mg.random.truncated_normal)]
            )
    assert drawn[0] == drawn[1]
    mg.random.set_seed(7)
    assert mg.random.normal((3, 2)).tolist() == drawn[0][0]


def test_another_seed_gives_others() -> None:
    mg.random.seed(1)
    first = mg.random.normal((3,)).tolist()
    mg.random.seed(2)
    assert mg.random.normal((3,)).tolist() != first
    mg.random.seed(None)
    assert mg.random.normal((3,)).tolist() != first


def test_the_state_survives_json() -> None:
    mg.random.normal((3,))
    state = json.loads(json.dumps(mg.random.get_state()))
    first = mg.random.normal((5,)).tolist()
    mg.random.set_state(state)
    assert mg.random.normal((5,)).tolist() == first


def test_the_numbers_are_distributed_as_they_should_be(backend: ModuleType) -> None:
    n = 20_000
    normal = mg.random.normal((n,), 3.0, 2.0, "float64").numpy()
    assert (normal.mean(), normal.std()) == pytest.approx((3.0, 2.0), abs=0.05)
    uniform = mg.random.uniform((n,), -1.0, 3.0).numpy()
    assert uniform.min() >= -1.0
    assert uniform.max() < 3.0
    assert (uniform.mean(), uniform.std()) == pytest.approx((1.0, 4 / 12**0.5), abs=0.05)
    cut = mg.random.truncated_normal((n,), 1.0, 2.0).numpy()
    assert np.abs(cut - 1.0).max() <= 4.0
    assert (cut.mean(), cut.std()) == pytest.approx((1.0, 2.0 * 0.8796), abs=0.05)
    coins = mg.random.bernoulli((n,), 0.3).numpy()
    assert set(coins.tolist()) == {0.0, 1.0}
    assert coins.mean() == pytest.approx(0.3, abs=0.02)
    dice = mg.random.integers(1, 7, n).numpy()
    assert set(dice.tolist()) == set(range(1, 7))


def test_shapes_and_dtypes() -> None:
    assert mg.random.normal().shape == ()
    assert mg.random.normal(3).shape == (3,)
    assert mg.random.uniform([2, 0]).shape == (2, 0)
    assert mg.random.truncated_normal(()).shape == ()
    assert mg.random.normal((1,)).dtype == "float32"
    assert mg.random.normal((1,), dtype="float64").dtype == "float64"
    assert mg.random.integers(0, 3, (2,)).dtype == "int64"


def test_truncated_numbers_are_drawn_again_not_clipped() -> None:
    x = draw_truncated_normal(np.random.default_rng(0), (5000,))
    assert np.abs(x).max() < 2.0
    assert len(np.unique(x)) == 5000


@pytest.mark.parametrize("seed", ["a", 1.5, [1, "b"]])
def test_seeds_are_whole_numbers(seed: object) -> None:
    for use in (mg.random.seed, mg.random.set_seed, lambda s: mg.keras.initializers.GlorotUniform(s)((2, 2))):
        with pytest.raises(OptionError, match="expected a whole number or None, got"):
            use(seed)


@pytest.mark.parametrize("seed", [-1, np.int64(-1), -(2**63)])
def test_negative_seeds_are_seeds(seed: int) -> None:
    drawn = []
    for n in (seed, seed, 1):
        mg.random.seed(n)
        drawn.append(mg.random.normal((4,)).numpy())
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert not (drawn[0] == drawn[2]).any()
    start = mg.keras.initializers.GlorotUniform
    np.testing.assert_array_equal(start(seed)((2, 2)).numpy(), start(seed)((2, 2)).numpy())


@pytest.mark.parametrize("shape", ["a", None, (2, -1), (2.5,), -3])
def test_shapes_are_whole_numbers(shape: object) -> None:
    for draw in (mg.random.normal, mg.random.uniform, mg.random.truncated_normal, mg.keras.initializers.HeNormal()):
        with pytest.raises(ShapeError, match=f"{WHOLE_SIZES} 0 on, got"):
            draw(shape)


def test_a_seed_gives_the_same_numbers_and_leaves_the_common_generator_as_it_is() -> None:
    mg.random.seed(0)
    expected = mg.random.normal((3,)).numpy()
    for draw in (mg.random.normal, mg.random.uniform, mg.random.truncated_normal):
        mg.random.seed(0)
        first, second, other = (draw((3,), seed=seed).numpy() for seed in (5, 5, 6))
        np.testing.assert_array_equal(first, second)
        assert not (first == other).any()
        np.testing.assert_array_equal(mg.random.normal((3,)).numpy(), expected)
        with pytest.raises(OptionError, match=f"random.{draw.__name__}: `seed`: expected a whole number or None"):
            draw((3,), seed="a")
