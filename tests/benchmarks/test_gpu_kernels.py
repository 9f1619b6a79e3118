"""The comparison of kernels with formulas: it agrees where they agree, and notices every fault."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

import minigrad_numpy
import pretended_cuda
from benchmarks.gpu import kernels
from benchmarks.gpu.kernels import SHAPES, Case, cases, difference, holes
from benchmarks.gpu.roads import formulas_alone
from pretended_cuda import pretended

SMALL = SHAPES[0]
BY_HAND = {"LSTM", "LSTM, hard sigmoid", "LSTM, no bias", "GRU", "SimpleRNN"}  # the loops of the NumPy backend
SMALL_CASES = [case for case in cases() if case.shape == SMALL and case.initial]


@pytest.fixture(scope="module")
def cupy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    """`minigrad_cupy` on a pretended CuPy, whose kernels run on the CPU."""
    if shutil.which("g++") is None:
        pytest.skip("needs g++, to compile the kernels for the CPU")
    with pretended(tmp_path_factory.mktemp("kernels")) as (module, _):
        yield module


def assert_all_agree(backend: ModuleType, compiled: set[str]) -> None:
    rows = list(kernels.rows(backend, 60.0, SMALL_CASES))
    assert [row for row in rows if row["ok"] is False] == []
    assert {row["kind"] for row in rows if row["ok"]} == compiled
    assert {row["kind"] for row in rows if row["ok"] is None} == set(kernels.KINDS) - compiled
    assert len([row for row in rows if row["ok"]]) == len([c for c in SMALL_CASES if c.kind in compiled])


def test_numpys_loops_agree() -> None:
    assert_all_agree(minigrad_numpy, BY_HAND)


def test_cuda_kernels_agree(cupy: ModuleType) -> None:
    assert_all_agree(cupy, set(kernels.KINDS))


# --- faults -----------------------------------------------------------------------------------------------------------


def test_a_fault_in_the_cuda_source_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if shutil.which("g++") is None:
        pytest.skip("needs g++, to compile the kernels for the CPU")
    monkeypatch.setattr(pretended_cuda, "HEADER", pretended_cuda.HEADER + "#define tanh(x) (1.001 * (tanh)(x))\n")
    chosen = [case for case in SMALL_CASES if case.kind in ("LSTM", "GRU", "SimpleRNN") and case.mask == "none"]
    with pretended(tmp_path) as (module, _):
        rows = list(kernels.rows(module, 60.0, chosen))
    assert [row["ok"] for row in rows] == [False] * 6
    assert all(1e-4 < row["largest"] < 1e-2 for row in rows)


class Faulty:
    """NumPy's loop, one of whose results is changed by a function, from some call on."""

    def __init__(self, loop: Any, result: int, change: Any, from_call: int = 1) -> None:
        self.loop, self.result, self.change, self.from_call = loop, result, change, from_call
        self.calls = 0

    def forward(self, *arguments: Any) -> Any:
        self.calls += 1
        y, state, kept = self.loop.forward(*arguments)
        flat = self.changed([y, *state], 0)
        return flat[0], tuple(flat[1:]), (kept, len(flat))

    def backward(self, dy: Any, dstate: Any, x: Any, weights: Any, kept: Any, needs_dx: bool) -> Any:
        kept, before = kept
        dx, dinitial, dweights = self.loop.backward(dy, dstate, x, weights, kept, needs_dx)
        flat, n = self.changed([dx, *dinitial, *dweights], before), 1 + len(dinitial)
        return flat[0], tuple(flat[1:n]), tuple(flat[n:])

    def changed(self, arrays: list[Any], before: int) -> list[Any]:
        k = self.result - before
        if 0 <= k < len(arrays) and self.calls >= self.from_call:
            arrays[k] = self.change(arrays[k])
        return arrays


def with_a_fault(*fault: Any, **more: Any) -> ModuleType:
    backend: Any = formulas_alone(minigrad_numpy)
    backend.compile = lambda *cell: Faulty(minigrad_numpy.compile(*cell), *fault, **more)
    backend.name = "faulty"
    return backend  # type: ignore[no-any-return]


RESULTS = {
    "LSTM": ["y", "final state 0", "final state 1", "d x", "d initial state 0", "d initial state 1",
             "d lstm_cell/kernel", "d lstm_cell/recurrent_kernel", "d lstm_cell/bias"],
    "GRU": ["y", "final state 0", "d x", "d initial state 0", "d gru_cell/kernel", "d gru_cell/recurrent_kernel"],
    "SimpleRNN": ["y", "final state 0", "d x", "d initial state 0", "d simple_rnn_cell/kernel",
                  "d simple_rnn_cell/recurrent_kernel", "d simple_rnn_cell/bias"],
}  # fmt: skip
EACH_RESULT = [(kind, k) for kind, names in RESULTS.items() for k in range(len(names))]


@pytest.mark.parametrize(("kind", "result"), EACH_RESULT)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("mask", ["none", "holes"])
def test_a_tenth_of_a_percent_is_noticed(kind: str, result: int, dtype: str, mask: str) -> None:
    places = RESULTS[kind]
    backend = with_a_fault(result, lambda a: a * np.asarray(1.001, a.dtype))
    (row,) = kernels.rows(backend, 60.0, [Case(kind, dtype, mask, False, True, SHAPES[0])])
    assert row["ok"] is False
    assert row["where"].startswith(f"{places[result]}, call")
    assert row["largest"] == pytest.approx(1e-3, rel=1e-2)


@pytest.mark.parametrize("call", [2, 3])
def test_a_fault_of_a_later_call_is_noticed(call: int) -> None:
    backend = with_a_fault(0, lambda a: a * 1.001, from_call=call)
    (row,) = kernels.rows(backend, 60.0, [Case("GRU", "float64", "none", False, False, SMALL)])
    assert row["ok"] is False
    assert row["where"] in {f"y, call {k}" for k in range(call, kernels.CALLS + 1)}


def nan(array: Any) -> Any:
    array = array.copy()
    array.flat[0] = np.nan
    return array


def fails(array: Any) -> Any:
    raise RuntimeError("launch failed\nand more")


@pytest.mark.parametrize(
    ("change", "error"), [(nan, "NaN, ∞, or another shape in y, call 1"), (fails, "RuntimeError: launch failed")]
)
def test_nan_and_errors_count_as_failures(change: Any, error: str) -> None:
    backend = with_a_fault(0, change)
    (row,) = kernels.rows(backend, 60.0, [Case("LSTM", "float32", "none", False, False, SMALL)])
    assert (row["ok"], row["error"]) == (False, error)


def test_kernels_that_cannot_be_switched_off_count_as_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "formulas_alone", lambda backend: backend)
    (row,) = kernels.rows(minigrad_numpy, 60.0, [Case("LSTM", "float32", "none", False, False, SMALL)])
    assert row["ok"] is False
    assert row["error"].startswith("the kernels could not be switched off: ")


def test_no_other_case_is_begun_when_time_is_up() -> None:
    assert list(kernels.rows(minigrad_numpy, -1.0, SMALL_CASES)) == [
        {"early": f"time is up after 0 of {len(SMALL_CASES)} cases"}
    ]


# --- the parts --------------------------------------------------------------------------------------------------------


def test_without_kernels_the_backend_is_left_as_it_was() -> None:
    backend = SimpleNamespace(name="mine", kernels={}, compile=len, exp=np.exp, __name__="mine")
    plain = formulas_alone(backend)  # type: ignore[arg-type]
    assert (plain.name, plain.exp) == ("mine (formulas alone)", np.exp)
    assert not hasattr(plain, "kernels")
    assert not hasattr(plain, "compile")
    assert hasattr(backend, "kernels")


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (np.array([1.0, 2.002]), 0.001),
        (np.array([1.0, 2.0]), 0.0),
        (np.array([1.0, np.nan]), np.inf),
        (np.array([1.0]), np.inf),
        (np.array([1.0, 2.0], "float32"), np.inf),
    ],
)
def test_difference(found: np.ndarray, expected: float) -> None:
    assert difference(found, np.array([1.0, 2.0])) == pytest.approx(expected)


def test_a_mask_has_what_it_must() -> None:
    mask = holes(np.random.default_rng(0), 32, 20)
    assert not mask[0, :10].any()
    assert mask[0, -1]
    assert not mask[-1].any()
    lengths = 20 - mask[:, ::-1].argmax(1)
    assert any(not row[:length].all() for row, length in zip(mask[1:-1], lengths[1:-1], strict=True))


def test_a_dtype_a_mask_and_a_kind_come_early() -> None:
    first = list(cases())[:42]
    assert {case.kind for case in first} == set(kernels.KINDS)
    assert {(case.dtype, case.mask, case.zero_output) for case in first} == {
        (dtype, *mask) for dtype in kernels.TOLERANCES for mask in [("none", False), ("holes", False), ("holes", True)]
    }
