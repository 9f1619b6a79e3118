"""The learning rate, an argument of all optimizers."""

from __future__ import annotations

from typing import Any

from minigrad.engine.errors import shown
from minigrad.engine.foreign import naming
from minigrad.engine.kinds import at_least_0
from minigrad.keras.optimizers import schedules
from minigrad.layers.options import ComputedOption, Kind, OptionError


def _rate(where: str, value: Any) -> Any:
    if isinstance(value, dict):
        with naming(where):
            return schedules.deserialize(value)
    return value if isinstance(value, schedules.LearningRateSchedule) else at_least_0.read(where, value)


class _LearningRate(ComputedOption):
    """The argument `learning_rate`: a number or a schedule; as an attribute, the rate of the next update."""

    def __get__(self, instance: Any, owner: type) -> Any:
        value = super().__get__(instance, owner)
        return value(instance.iterations) if isinstance(value, schedules.LearningRateSchedule) else value

    def set(self, instance: Any, value: Any) -> None:
        if isinstance(instance.schedule, schedules.LearningRateSchedule) and not callable(value):
            raise OptionError(
                f"{instance.name}: `learning_rate` follows {type(instance.schedule).__name__}, so it cannot be set to "
                f"{shown(value)}. Make the optimizer with a number, or set another schedule."
            )
        super().set(instance, value)


def learning_rate(default: float) -> Any:
    """Declare an optimizer's first argument, a number or a schedule."""
    of_value = Kind(_rate, lambda value: schedules.serialize(value) if callable(value) else value)
    return _LearningRate(of_value, default, keyword_only=False, quiet=False, after=None)
