"""Arguments that optimizers share: numbers within bounds, and the learning rate."""

from __future__ import annotations

from typing import Any

from minigrad.keras.optimizers import schedules
from minigrad.layers.options import Kind, Option, OptionError


def _at_least_0(where: str, value: Any) -> float:
    real = hasattr(value, "__float__") and not isinstance(value, (bool, str))
    if not real or not float(value) >= 0.0:
        raise OptionError(f"{where}: expected a number of 0 or more, got {value!r}.")
    return float(value)


def _unit(where: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0.0 <= value <= 1.0:
        raise OptionError(f"{where}: expected a number from 0 to 1, got {value!r}.")
    return value


def _rate(where: str, value: Any) -> Any:
    if isinstance(value, dict):
        return schedules.deserialize(value)
    return value if isinstance(value, schedules.LearningRateSchedule) else _at_least_0(where, value)


at_least_0, unit = Kind(_at_least_0), Kind(_unit)


class _LearningRate(Option):
    """The argument `learning_rate`: a number or a schedule; as an attribute, the rate of the next update."""

    def __get__(self, instance: Any, owner: type) -> Any:
        value = super().__get__(instance, owner)
        return value(instance.iterations) if isinstance(value, schedules.LearningRateSchedule) else value

    def __set__(self, instance: Any, value: Any) -> None:
        if isinstance(instance.schedule, schedules.LearningRateSchedule) and not callable(value):
            raise OptionError(
                f"{instance.name}: `learning_rate` follows {type(instance.schedule).__name__}, so it cannot be set to "
                f"{value!r}. Make the optimizer with a number, or set another schedule."
            )
        super().__set__(instance, value)


def learning_rate(default: float) -> Any:
    """Declares an optimizer's first argument, a number or a schedule."""
    of_value = Kind(_rate, lambda value: schedules.serialize(value) if callable(value) else value)
    return _LearningRate(of_value, default, keyword_only=False, quiet=False, after=None)
