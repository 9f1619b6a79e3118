"""Each update rule against TensorFlow's weights, on every backend, packed or not."""

from __future__ import annotations

import pytest

pytest.importorskip("hypothesis", reason="needs hypothesis: pip install -e '.[test]'")

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import minigrad as mg
from minigrad.keras import optimizers
from minigrad.keras.optimizers import pack
from oracle.reader import build, load

CASES = load("keras_optimizers")
RULES = {
    "sgd": lambda: optimizers.SGD(0.1),
    "momentum": lambda: optimizers.SGD(0.1, 0.9),
    "nesterov": lambda: optimizers.SGD(0.1, 0.9, True),
    "rmsprop": lambda: optimizers.RMSprop(0.1, momentum=0.5, centered=True),
    "adagrad": lambda: optimizers.Adagrad(0.1),
    "adam": lambda: optimizers.Adam(0.1, weight_decay=0.1, global_clipnorm=1.0),
    "amsgrad": lambda: optimizers.Adam(0.1, amsgrad=True, clipnorm=0.5),
    "ema": lambda: optimizers.Adam(0.1, use_ema=True, ema_momentum=0.5, ema_overwrite_frequency=2),
}


def play(case):
    """The weights after each of the recorded updates."""
    optimizer = build(case.spec, mg)
    weights = [mg.tensor(array, requires_grad=True) for array in case.group("weight")]
    for step in range(5):
        optimizer.apply_gradients(zip(case.group(f"grad/{step}"), weights, strict=True))
        yield [w.numpy() for w in weights], case.group(f"after/{step}")


@pytest.mark.parametrize("large", [0, pack.LARGE], ids=["one by one", "packed"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_agrees_with_tensorflow(case, large, backend, monkeypatch):
    monkeypatch.setattr(pack, "LARGE", large)
    for weights, expected in play(case):
        for w, e in zip(weights, expected, strict=True):
            np.testing.assert_allclose(w, e, rtol=0, atol=1e-10)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_configuration_is_tensorflows(case):
    optimizer = build(case.spec, mg)
    assert optimizer.get_config() == case.config
    assert type(optimizer).from_config(case.config).get_config() == case.config
    assert optimizers.deserialize(optimizers.serialize(optimizer)).get_config() == case.config


@pytest.mark.parametrize("rule", RULES)
@given(sizes=st.lists(st.sampled_from([(), (1,), (3,), (2, 3)]), min_size=1, max_size=4), seed=st.integers(0, 2**20))
@settings(max_examples=10, deadline=None)
def test_given_gradients_are_never_written_into(rule, sizes, seed):
    rng = np.random.default_rng(seed)
    weights = [mg.tensor(rng.normal(size=size), requires_grad=True) for size in sizes]
    before = [w.array for w in weights]
    copies = [w.numpy() for w in weights]
    gradients = [mg.tensor(rng.normal(size=size)) for size in sizes]
    given_before = [g.numpy() for g in gradients]
    optimizer = RULES[rule]()
    for _ in range(2):
        optimizer.apply_gradients(zip(gradients, weights, strict=True))
    for g, as_it_was in zip(gradients, given_before, strict=True):
        np.testing.assert_array_equal(g.numpy(), as_it_was)
    for array, as_it_was in zip(before, copies, strict=True):  # references to the old weights stay valid
        np.testing.assert_array_equal(array, as_it_was)


@pytest.mark.parametrize("rule", RULES)
def test_it_finds_the_bottom_of_a_bowl(rule):
    target = np.array([1.0, -2.0])
    w = mg.tensor(np.zeros(2), requires_grad=True)
    optimizer = RULES[rule]()

    def loss():
        return ((w - target) ** 2).sum()

    for _ in range(400):
        optimizer.minimize(loss, [w])
    tolerance = {"adagrad": 0.6, "rmsprop": 0.3, "adam": 0.2}.get(rule, 0.1)  # Adam's here decays the weights
    np.testing.assert_allclose(w.numpy(), target, atol=tolerance)


@pytest.mark.parametrize("rule", RULES)
def test_from_a_saved_state_it_goes_on_as_if_it_had_never_stopped(rule, backend):
    rng = np.random.default_rng(0)
    steps = [[mg.tensor(rng.normal(size=size)) for size in ((3, 2), (4,), ())] for _ in range(6)]
    start = [rng.normal(size=size) for size in ((3, 2), (4,), ())]

    def train(weights, optimizer, part):
        for gradients in part:
            optimizer.apply_gradients(zip(gradients, weights, strict=True))
        return weights

    def fresh(arrays):
        return [mg.tensor(array, requires_grad=True) for array in arrays]

    one = RULES[rule]()
    halfway = train(fresh(start), one, steps[:3])
    state = one.get_state()
    assert all(isinstance(array, (np.ndarray, np.generic)) for array in state.values())
    other = RULES[rule]()
    resumed = fresh([w.numpy() for w in halfway])
    other.build(resumed)
    other.set_state(state)
    train(resumed, other, steps[3:])
    straight = train(halfway, one, steps[3:])
    assert other.iterations == one.iterations == 6
    for a, b in zip(resumed, straight, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
