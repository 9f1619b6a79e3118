"""The numbers of a recorded run, the same as without, and its calls, each once under the right kind."""

from __future__ import annotations

import sys
import time
from collections import Counter

import numpy as np
import pytest

import minigrad as mg
from minigrad.bench.models import MODELS
from minigrad.bench.workers import recording
from minigrad.bench.workers.models_minigrad import Models
from minigrad.bench.workers.recording import COMPILED, COPIES, ELEMENTWISE, PRODUCTS, Record, Recorded
from minigrad.engine import random
from minigrad.engine.registry import resolve, using


def x(*shape):
    return np.arange(1.0, 1.0 + np.prod(shape)).reshape(shape)


CASES = {
    "x @ x": (lambda a: a @ a, PRODUCTS),
    "dot": (lambda a: np.dot(a, a), PRODUCTS),
    "dot, out": (lambda a: np.dot(a, a, np.empty_like(a)), PRODUCTS),
    "matmul, out": (lambda a: np.matmul(a, a, out=np.empty_like(a)), PRODUCTS),
    "method dot": (lambda a: a.dot(a), PRODUCTS),
    "einsum": (lambda a: np.einsum("ij,jk", a, a), PRODUCTS),
    "x + 1": (lambda a: a + 1, ELEMENTWISE),
    "1 - x": (lambda a: 1 - a, ELEMENTWISE),
    "plain · x": (lambda a: x(3, 3) * a, ELEMENTWISE),
    "tanh": (np.tanh, ELEMENTWISE),
    "tanh, out": (lambda a: np.tanh(a, np.empty_like(a)), ELEMENTWISE),
    "x < 3": (lambda a: a < 3, ELEMENTWISE),
    "sum": (lambda a: a.sum(axis=0), ELEMENTWISE),
    "add.reduce": (lambda a: np.add.reduce(a, axis=1), ELEMENTWISE),
    "where": (lambda a: np.where(a > 3, a, 0.0), (ELEMENTWISE, ELEMENTWISE)),
    "argsort": (lambda a: a.argsort(), ELEMENTWISE),
    "copy": (lambda a: a.copy(), COPIES),
    "astype": (lambda a: a.astype("float32"), COPIES),
    "take": (lambda a: a.take([0, 2], 0), COPIES),
    "indices": (lambda a: a[[0, 2]], COPIES),
    "mask": (lambda a: a[a > 3], (ELEMENTWISE, COPIES)),
    "concatenate": (lambda a: np.concatenate([a, a]), COPIES),
    "transpose": (lambda a: a.T, None),
    "slice": (lambda a: a[1:], None),
    "reshape": (lambda a: a.reshape(-1), None),
    "moveaxis": (lambda a: np.moveaxis(a, 0, 1), None),
}


@pytest.mark.parametrize("name", CASES)
def test_the_kind_of_a_call(name):
    run, kinds = CASES[name]
    expected = run(x(3, 3))
    with recording.recording() as record:
        found = run(x(3, 3).view(Recorded))
    assert type(found) is Recorded
    np.testing.assert_array_equal(np.asarray(found), expected)
    counts = Counter({kind: len(spans) for kind, spans in record.spans.items() if spans})
    assert counts == Counter(kinds if isinstance(kinds, tuple) else [kinds] if kinds else [])


def test_assignment_in_place():
    a = x(2, 2).view(Recorded)
    with recording.recording() as record:
        a[0] = 7.0
        a += 1.0
    np.testing.assert_array_equal(a, [[8.0, 8.0], [4.0, 5.0]])
    assert [len(record.spans[kind]) for kind in (COPIES, ELEMENTWISE)] == [1, 1]


def test_calls_at_the_same_time_count_once(monkeypatch):
    monkeypatch.setattr(recording, "CLOCK", 0.0)
    record = Record()
    record.spans[PRODUCTS] = [(1.0, 3.0), (2.0, 4.0), (2.5, 2.75), (6.0, 7.0)]
    record.spans[COPIES] = [(3.5, 5.0)]
    assert record.seconds(PRODUCTS) == pytest.approx(4.0)
    assert record.seconds(PRODUCTS, COPIES) == pytest.approx(5.0)


def test_the_time_of_a_call(monkeypatch):
    monkeypatch.setitem(recording.__dict__, "_record", record := Record())
    recording._call(COPIES, time.sleep, (0.02,), {})
    assert 0.02 <= record.seconds(COPIES) < 2.0
    assert record.seconds(ELEMENTWISE) == 0.0


def losses(name, count, backend):
    """The first losses of a model, or symbols drawn."""
    with using(backend):
        random.seed(3)
        run = getattr(Models(), name)(*MODELS[name].small)
        return [run() for _ in range(count)]


@pytest.mark.parametrize("backend", ["numpy", "numba"])
@pytest.mark.parametrize("name", MODELS)
def test_a_recorded_model_computes_the_same_numbers(name, backend):
    if backend == "numba":
        pytest.importorskip("numba")
    resolve(backend)
    expected = losses(name, 4, backend)
    with recording.recording() as record:
        found = losses(name, 4, backend)
    assert found == expected  # bit for bit
    assert losses(name, 4, backend) == expected  # and nothing stays replaced
    assert bool(record.spans[COMPILED]) == (backend == "numba")
    assert record.spans[COPIES]
    assert record.spans[PRODUCTS]


def test_the_products_of_an_lstm_are_all_found():
    """T steps each way, and the weights' gradients: as many multiplications as the equations have."""
    B, T, I, H = 2, 5, 3, 4
    with recording.recording(keep=True) as record:
        lstm = mg.keras.layers.LSTM(H, return_sequences=True)
        inputs = mg.random.normal((B, T, I))
        inputs.requires_grad = True
        lstm(inputs).backward(mg.random.normal((B, T, H)))
    counts = [int(np.prod(args[0].shape)) * args[1].shape[-1] for _, args, _ in record.products]
    forward = T * B * (I + H) * 4 * H
    with_bias = T * B * (I + H + 1) * 4 * H  # NumPy's loop joins W, U and b
    assert 3 * forward <= sum(counts) <= 3 * with_bias + 2 * forward  # forward, dx and dh, dW and dU


def test_names_are_put_back():
    modules = {name: module for name, module in sys.modules.items() if name.startswith("minigrad")}
    before = {(name, key): id(value) for name, module in modules.items() for key, value in vars(module).items()}
    replaced = []

    def broken():
        with recording.recording():
            replaced.append(sys.modules["minigrad_numpy"].np is not np)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken()
    assert replaced == [True]
    assert {key: id(vars(modules[key[0]])[key[1]]) for key in before} == before
    assert recording._record is None
