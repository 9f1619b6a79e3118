"""Messages for a full memory, and that the batch size they name fits."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import minigrad as mg
import minigrad_numpy
from engine_errors import TOO_MANY_ROWS, WOULD_FIT, full_memory
from minigrad.engine.errors import MinigradError, OutOfMemoryError
from minigrad.engine.memory import MIB, out_of_memory, with_advice
from minigrad.keras import layers as L


def device(*counted: tuple[int, int, int]) -> Any:
    """A backend whose memory tells these numbers of MiB, one after the other."""
    numbers = iter(counted)
    return SimpleNamespace(name="abacus", shortage=lambda error: tuple(MIB * n for n in next(numbers)))


def test_an_operation_says_how_much_there_is() -> None:
    error = out_of_memory("MatMul", device((300, 900, 1000)), MemoryError("full"))
    assert str(error) == (
        f"MatMul: {full_memory('abacus')}: of 1,000 MiB are 900 MiB in use, and 300 MiB more were "
        "requested. Make the batch, the sequences or the model smaller."
    )
    assert isinstance(error, MemoryError)
    assert isinstance(error, MinigradError)
    assert out_of_memory("LSTM", device(), error) is error


def test_a_backend_that_cannot_tell_says_what_the_library_said() -> None:
    error = MemoryError("Unable to allocate 29.8 GiB")
    assert "is full: Unable to allocate 29.8 GiB. Make" in str(out_of_memory("MatMul", minigrad_numpy, error))
    advice = str(with_advice("fit", minigrad_numpy, error, 64))
    assert advice == f"fit: {TOO_MANY_ROWS}64 rows. Try batch_size=32. Unable to allocate 29.8 GiB"


@pytest.mark.parametrize(
    ("rows", "full", "rest", "fit", "size"),
    [
        (64, (300, 900, 1000), (300, 100, 1000), 52, 32),  # 1,100 of 900 MiB: 64 · 900 / 1100
        (64, (10, 995, 1000), (10, 100, 1000), 63, 32),
        (3, (400, 800, 1000), (400, 0, 1000), 2, 2),
        (2, (300, 900, 1000), (300, 100, 1000), 1, 1),
    ],
)
def test_the_batch_that_fits(rows: int, full: Any, rest: Any, fit: int, size: int) -> None:
    said = str(with_advice("fit, epoch 1, step 3", device(full, rest), MemoryError("full"), rows))
    assert f"3: {full_memory('abacus')} at a batch of {rows} rows: of" in said
    assert f". At most {fit} {WOULD_FIT}" in said
    assert said.endswith(f"too: try batch_size={size} or less.")
    assert f"of 1,000 MiB are {rest[1]} MiB in use and {full[1] - rest[1]} MiB by this step, and {full[0]} MiB" in said


def test_not_one_row_fits() -> None:
    for rows, rest in ((1, 100), (64, 1000)):
        said = str(with_advice("fit", device((900, rest, 1000), (900, rest, 1000)), MemoryError("full"), rows))
        assert said.endswith("more were requested. Not one row fits: make the sequences or the model smaller.")


def test_operations_and_gradients_say_it_in_our_words(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise MemoryError("Unable to allocate 29.8 GiB")

    x = mg.tensor([[1.0]], requires_grad=True)
    y = x @ x
    monkeypatch.setattr(minigrad_numpy, "matmul", fails)
    for what, run in (("MatMul", lambda: x @ x), ("backward", y.backward)):
        with pytest.raises(OutOfMemoryError, match=f"^{what}: {full_memory('numpy')}: Unable"):
            run()


@pytest.mark.parametrize("call", ["fit", "train_on_batch", "evaluate", "test_on_batch", "predict", "predict_on_batch"])
def test_models_name_the_place_and_a_batch_size(call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = mg.keras.Sequential([L.Dense(1)])
    model.compile("sgd", "mse")
    x, y = np.ones((8, 2)), np.ones((8, 1))
    model.train_on_batch(x, y)

    def fails(*_: object, **__: object) -> None:
        raise MemoryError("Unable to allocate 29.8 GiB")

    monkeypatch.setattr(L.Dense, "call", fails)
    place = {"fit": "fit, epoch 1, step 1", "evaluate": "evaluate, step 1"}.get(call, call)
    with pytest.raises(OutOfMemoryError, match=f"^{place}: {TOO_MANY_ROWS}8 rows. Try batch_size=4"):
        getattr(model, call)(x, *([] if "predict" in call else [y]))
