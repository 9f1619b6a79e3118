"""Objects of the caller whose methods raise, and errors that name the argument which holds them."""

from __future__ import annotations

import traceback
from typing import Any, NoReturn

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine.errors import MinigradError, ShapeError
from minigrad.engine.foreign import attempted, naming, with_name


class Broken:
    """An object of a caller, whose conversion raises."""

    def __float__(self) -> NoReturn:
        raise KeyError("the caller's bug")


@pytest.mark.parametrize(("value", "found"), [("2.5", 2.5), ("a", -1), (None, -1), (10**400, -1), (Broken(), -1)])
def test_a_conversion_is_attempted(value: Any, found: float) -> None:
    assert attempted(float, value, -1) == found


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_an_attempt_can_be_interrupted(error: type[BaseException]) -> None:
    def stop(_: Any) -> NoReturn:
        raise error

    with pytest.raises(error):
        attempted(stop, 1)


@pytest.mark.parametrize(
    ("message", "where", "expected"),
    [
        ("expected numbers, got str", "fit: `x`", "fit: `x`: expected numbers, got str"),
        ("dense: `x` has no rows", "fit: `x`", "dense: `x` has no rows"),
        ("dense: expected max rows", "fit: `x`", "fit: `x`: dense: expected max rows"),
        ("`y` is missing", "loss: `x` and `y`", "loss: `x` and `y`: `y` is missing"),
        ("x and y differ", "loss: `x` and `y`", "x and y differ"),
    ],
)
def test_a_message_names_the_argument_once(message: str, where: str, expected: str) -> None:
    assert str(with_name(ShapeError(message), where)) == expected


def test_the_error_stays_the_same() -> None:
    error = ShapeError("expected numbers")
    with pytest.raises(ShapeError, match=r"^fit: `x`: expected numbers$") as caught, naming("fit: `x`"):
        raise error
    assert caught.value is error
    assert [frame.name for frame in traceback.extract_tb(error.__traceback__)].count("test_the_error_stays_the_same")


def test_other_errors_pass_unchanged() -> None:
    with pytest.raises(KeyError, match=r"^'a'$"), naming("fit: `x`"):
        raise KeyError("a")


def regularized(regularizer: Any) -> Any:
    layer = mg.keras.layers.Dense(1, kernel_regularizer=regularizer)
    layer.build((2, 3))
    return layer.losses


CALLS: dict[str, Any] = {
    "activation": lambda f: mg.keras.layers.Dense(1, activation=f)(np.ones((2, 3))),
    "activation of a cell": lambda f: mg.keras.layers.LSTM(1, activation=f)(np.ones((2, 3, 1))),
    "initializer": lambda f: mg.keras.layers.Dense(1, kernel_initializer=f).build((2, 3)),
    "regularizer": regularized,
    "penalty": lambda f: mg.keras.layers.Dense(1, activity_regularizer=f)(np.ones((2, 3))),
    "loss": lambda f: mg.keras.losses.get(f)(np.ones(2), np.ones(2)),
    "metric": lambda f: mg.keras.metrics.MeanMetricWrapper(f, "f").update_state(np.ones(2), np.ones(2)),
}


@pytest.mark.parametrize("name", CALLS)
def test_an_error_in_a_function_of_the_caller_reaches_the_caller(name: str) -> None:
    def function(*_: Any, **__: Any) -> NoReturn:
        raise LookupError("the caller's bug")

    with pytest.raises(LookupError, match=r"^the caller's bug$") as caught:
        CALLS[name](function)
    assert not isinstance(caught.value, MinigradError)
    assert caught.traceback[-1].name == "function"
