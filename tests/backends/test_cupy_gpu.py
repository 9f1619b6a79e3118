"""The CuPy backend on a real GPU: `pytest -m gpu`.

The tests of the engine and of the cells run on it too (the fixture `backend`); this file holds the checks that need a
device.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import minigrad as mg
import minigrad_numpy
from benchmarks.gpu.roads import formulas_alone
from kernel_cases import BUILT_IN, ODD, Case, Kind, case_of
from minigrad.engine.errors import BackendUnavailableError
from minigrad.keras import layers as L
from rows import assert_same, masks

pytestmark = pytest.mark.gpu

KINDS = {"lstm": L.LSTM, "gru": L.GRU, "simple_rnn": L.SimpleRNN}


@pytest.fixture
def cupy() -> Iterator[ModuleType]:
    try:
        with mg.using("cupy") as module:
            yield module
    except BackendUnavailableError as error:
        pytest.skip(str(error))


def test_the_contract(cupy: ModuleType) -> None:
    mg.testing.check_backend(cupy)


def numbers(layer: Any, mask: Any, shape: tuple[int, int, int]) -> list[tuple[np.ndarray, ...]]:
    """Return the outputs and all gradients of four calls: launched, recorded, and replayed twice."""
    rng = np.random.default_rng(2)
    layer.build(shape)
    layer.set_weights([rng.standard_normal(w.shape) / 4 for w in layer.weights])
    found = []
    for _ in range(4):
        x = mg.tensor(rng.standard_normal(shape), requires_grad=True)
        h_0 = [mg.tensor(rng.standard_normal((shape[0], layer.units)), requires_grad=True) for _ in layer.states]
        ys = layer(x, initial_state=h_0, mask=None if mask is None else mg.tensor(mask.T))
        gradients = mg.grad(ys, [x, *h_0, *layer.weights], [mg.tensor(rng.standard_normal(y.shape)) for y in ys])
        found.append(tuple(t.numpy() for t in [*ys, *gradients]))
    return found


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mask", ["none", "ragged", "late"])
@pytest.mark.parametrize("sizes", [(3, 5, 4, 3), (32, 20, 8, 64)])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-10), ("float32", 2e-4)])
def test_kernel_is_formula(
    kind: str, mask: str, sizes: tuple[int, ...], dtype: str, tolerance: float, cupy: ModuleType
) -> None:
    B, T, I, H = sizes
    found = []
    for backend in (cupy, formulas_alone(minigrad_numpy)):
        with mg.using(backend):
            layer = KINDS[kind](H, return_sequences=True, return_state=True, dtype=dtype)
            found.append(numbers(layer, masks(np.random.default_rng(1), T, B, mask), (B, T, I)))
            assert ("fused kernel" in layer.path) == (backend is cupy)
    for a, b in zip(*found, strict=True):
        assert_same(a, b, tolerance)


def on(cupy: ModuleType, case: Case) -> Case:
    """Return the case with its arrays on the device."""

    def moved(array: Any) -> Any:
        return None if array is None else cupy.asarray(array)

    weights, state, dstate = (tuple(map(moved, some)) for some in (case.weights, case.state, case.dstate))
    x, dy, mask = map(moved, (case.x, case.dy, case.mask))
    return replace(case, weights=type(case.weights)(*weights), x=x, state=state, dy=dy, dstate=dstate, mask=mask)


@pytest.mark.parametrize("kind", [*BUILT_IN, *ODD[:-1]], ids=str)
@pytest.mark.parametrize("mask", ["none", "late"])
def test_every_cell(kind: Kind, mask: str, cupy: ModuleType) -> None:
    """Four calls: launched, recorded, and replayed twice; more units than a block has threads."""
    tolerance = {"float64": 1e-10, "float32": 2e-4}[kind.dtype]
    for seed in range(4):
        case = case_of(kind, (9, 5, 7, 130), mask, seed=seed)
        for a, b in zip(on(cupy, case).by_loop(cupy), case.by_formulas(), strict=True):
            assert (a is None) is (b is None)
            if a is not None:
                scale = max(1.0, abs(b).max(initial=0.0))
                np.testing.assert_allclose(cupy.to_numpy(a), b, rtol=tolerance, atol=tolerance * scale)


def test_no_transfer_in_a_training_step(cupy: ModuleType) -> None:
    model = mg.keras.Sequential([L.Embedding(20, 8), L.LSTM(16, return_sequences=True), L.GRU(16), L.Dense(3)])
    model.compile(mg.keras.optimizers.Adam(clipnorm=1.0), "mse")
    x, y = mg.tensor(np.arange(40).reshape(4, 10) % 20), mg.ones((4, 3))

    def step() -> mg.Tensor:
        with mg.GradientTape() as tape:
            loss = ((model(x, training=True) - y) ** 2).mean()
        weights = model.trainable_weights
        model.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        return loss

    first, before = step().item(), cupy.transfers
    for _ in range(20):
        loss = step()
    assert cupy.transfers == before
    assert loss.item() < first
