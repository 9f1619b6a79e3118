"""The errors: each is minigrad's and one of Python's."""

from __future__ import annotations

import pytest

from minigrad import errors
from minigrad.engine.errors import MinigradError, UnknownNameError, unknown_name

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, MinigradError)]
PYTHONS = (ValueError, TypeError, IndexError, RuntimeError, ArithmeticError, AssertionError, MemoryError)


@pytest.mark.parametrize("kind", [k for k in KINDS if k is not MinigradError], ids=lambda kind: kind.__name__)
def test_each_is_one_of_pythons_too(kind: type[MinigradError]) -> None:
    assert len([python for python in PYTHONS if issubclass(kind, python)]) == 1
    assert kind.__doc__


def test_the_nearest_name_is_suggested() -> None:
    error = unknown_name("Dense: activation", "rellu", ["tanh", "relu"], "Or pass a function.")
    assert isinstance(error, UnknownNameError)
    text = "Dense: activation: unknown name 'rellu'. Did you mean 'relu'? Known are: relu, tanh. Or pass a function."
    assert str(error) == text


def test_where_none_is_near_none_is_suggested() -> None:
    assert str(unknown_name("dtype", 3, ["float32"])) == "dtype: expected a name, got 3. Known are: float32."
