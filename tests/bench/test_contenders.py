"""Contenders, and the reference of each."""

from __future__ import annotations

import pytest

from minigrad.bench.contenders import KERAS, LSTM, LSTM_CELL, LSTM_CUDA, TORCH, WORKERS, Contenders, reference

NUMPY, NUMBA, CUPY = (f"minigrad, {name}" for name in ("numpy", "numba", "cupy"))
ALL = [NUMPY, NUMBA, CUPY, LSTM, LSTM_CUDA, LSTM_CELL, KERAS]


def test_every_contender_has_its_file_and_interpreter():
    field = Contenders(["numpy", "cupy"], "/torch/python", "/tf/python")
    pythons = {contender.name: contender.python for contender in field.all()}
    assert pythons[LSTM] == pythons[LSTM_CELL] == pythons[LSTM_CUDA] == pythons[TORCH] == "/torch/python"
    assert pythons[KERAS] == "/tf/python"
    assert "minigrad, cupy" in pythons
    for contender in field.all():
        assert (WORKERS / contender.file).is_file()


def test_the_gpu_of_pytorch_is_asked_for_beside_one_of_ours_only():
    assert LSTM_CUDA not in [c.name for c in Contenders(["numpy"]).recurrent()]
    assert LSTM_CUDA in [c.name for c in Contenders(["cupy"]).recurrent()]


def test_a_backend_is_told_apart_from_a_library():
    assert [c.backend for c in Contenders(["numpy"]).recurrent()] == ["numpy", "", "", ""]


@pytest.mark.parametrize(
    ("name", "present", "other"),
    [
        (NUMPY, ALL, LSTM),
        (NUMBA, ALL, LSTM),
        (CUPY, ALL, LSTM_CUDA),
        (CUPY, [NUMPY, CUPY, LSTM], LSTM),
        (LSTM_CELL, ALL, LSTM),
        (KERAS, ALL, LSTM),
        (LSTM, ALL, None),
        (LSTM_CUDA, ALL, None),
        (NUMPY, [NUMPY, TORCH], TORCH),
        (NUMBA, [NUMPY, NUMBA, KERAS], NUMPY),
        (KERAS, [NUMPY, KERAS], NUMPY),
        (NUMPY, [NUMPY, KERAS], None),
        (KERAS, [KERAS], None),
    ],
)
def test_reference(name, present, other):
    assert reference(name, present) == other
