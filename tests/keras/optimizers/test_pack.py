"""Several weights as one vector."""

from __future__ import annotations

import numpy as np

import minigrad as mg
from minigrad.keras.optimizers import pack


def test_small_weights_share_a_pack_and_large_ones_do_not(monkeypatch):
    monkeypatch.setattr(pack, "LARGE", 100)
    weights = [mg.zeros(shape) for shape in ((3, 4), (100,), (5,), (20, 20), ())]
    groups = [[w.shape for w in p.weights] for p in pack.make_packs([(w, True) for w in weights], {})]
    assert groups == [[(3, 4), (5,), ()], [(100,)], [(20, 20)]]


def test_what_differs_in_kind_or_decay_is_apart():
    weights = [(mg.zeros((2,)), True), (mg.zeros((2,), "float64"), True), (mg.zeros((2,)), False)]
    assert len(pack.make_packs(weights, {})) == 3


def test_parts_are_what_was_joined(backend):
    arrays = [
        mg.tensor(np.arange(n, dtype=float).reshape(shape))
        for n, shape in ((6, (2, 3)), (1, ()), (0, (0, 2)), (4, (4,)))
    ]
    whole = pack.Pack(arrays, True, {"m": 2.0})
    joined = whole.join([a.array for a in arrays])
    assert joined.shape == whole.slots["m"].shape == (11,)
    for a, part in zip(arrays, whole.split(joined), strict=True):
        np.testing.assert_array_equal(a.numpy(), backend.to_numpy(part))


def test_taken_apart_each_keeps_its_slots(backend):
    weights = [mg.zeros((2, 2), "float64"), mg.zeros((3,), "float64")]
    whole = pack.Pack(weights, True, {"m": 0.0})
    whole.slots["m"] = backend.asarray(np.arange(7.0))
    one, other = whole.unpacked()
    np.testing.assert_array_equal(backend.to_numpy(one.slots["m"]), [[0, 1], [2, 3]])
    np.testing.assert_array_equal(backend.to_numpy(other.slots["m"]), [4, 5, 6])
