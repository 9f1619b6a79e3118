"""Learning rates that change with the step t, the number of updates so far."""

from __future__ import annotations

import math
from typing import Any

from minigrad.engine.errors import shown
from minigrad.engine.kinds import at_least_0, at_least_1, finite, positive, text
from minigrad.layers.catalogue import Catalogue
from minigrad.layers.options import Configured, Kind, OptionError, flag, number, option, optional


def _rising(where: str, value: Any) -> list[float]:
    found = [number.read(where, each) for each in value] if isinstance(value, (list, tuple)) else None
    if found is None or sorted(found) != found:
        raise OptionError(f"{where}: expected a list of numbers in rising order, got {shown(value)}.")
    return found


def _rates(where: str, value: Any) -> list[float]:
    if not isinstance(value, (list, tuple)):
        raise OptionError(f"{where}: expected a list of numbers, got {shown(value)}.")
    return [at_least_0.read(where, each) for each in value]


def step_number(step: Any) -> float:
    """Return the number of an update, of Python, NumPy or a tensor."""
    single = getattr(step, "size", None) == 1 and hasattr(step, "item") and not hasattr(step, "filled")
    one = step.item() if single else step  # a masked number has no value
    return float(finite.read("learning rate schedule: `step`", one))


class LearningRateSchedule(Configured):
    """The base class of schedules: a function of t that an optimizer takes as its `learning_rate`.

    >>> class Halved(LearningRateSchedule):
    ...     def __call__(self, step):
    ...         return 0.1 * 0.5 ** float(step)
    >>> Halved()(1)
    0.05
    """

    def __call__(self, step: Any) -> float:
        """Return the learning rate of update number `step`, counted from 0."""
        raise NotImplementedError(f"{type(self).__name__} must define __call__(step).")


class _Decay(LearningRateSchedule):
    """A rate that falls with t / decay_steps.

    Args:
        initial_learning_rate: η₀.
        decay_steps: the unit in which t is counted.
        decay_rate: the speed of the decay.
        staircase: whether to round t / decay_steps down, so that the rate falls in steps.
        name: as in Keras; without effect.
    """

    initial_learning_rate: float = option(at_least_0)
    decay_steps: float = option(positive)
    decay_rate: float = option(at_least_0)
    staircase: bool = option(flag, False)
    name: str | None = option(optional(text), None)

    def _done(self, step: Any) -> float:
        done = step_number(step) / self.decay_steps
        return math.floor(done) if self.staircase else done


class ExponentialDecay(_Decay):
    """η(t) = η₀ · decay_rate^(t / decay_steps)"""

    def __call__(self, step: Any) -> float:
        """Return η(t)."""
        try:
            return float(self.initial_learning_rate * self.decay_rate ** self._done(step))
        except OverflowError:
            raise OptionError(
                f"ExponentialDecay: `decay_rate`: expected a learning rate below infinity at step {step}, got "
                f"{self.decay_rate} to the power {self._done(step):g}."
            ) from None


class InverseTimeDecay(_Decay):
    """η(t) = η₀ / (1 + decay_rate · t / decay_steps)"""

    def __call__(self, step: Any) -> float:
        """Return η(t)."""
        return self.initial_learning_rate / (1.0 + self.decay_rate * self._done(step))


class PiecewiseConstantDecay(LearningRateSchedule):
    """η(t) = values[k], where k counts the boundaries below t.

    Args:
        boundaries: steps, in rising order; a step on a boundary still has the rate before it.
        values: the rates, one more than there are boundaries.
        name: as in Keras; without effect.

    >>> rate = PiecewiseConstantDecay([100, 200], [0.1, 0.01, 0.001])
    >>> rate(100), rate(101)
    (0.1, 0.01)
    """

    boundaries: list[float] = option(Kind(_rising))
    values: list[float] = option(Kind(_rates))
    name: str | None = option(optional(text), None)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if len(self.values) != len(self.boundaries) + 1:
            raise OptionError(
                f"PiecewiseConstantDecay: expected {len(self.boundaries) + 1} `values`, one more than boundaries, got "
                f"{len(self.values)}."
            )

    def __call__(self, step: Any) -> float:
        """Return η(t)."""
        return self.values[sum(step_number(step) > boundary for boundary in self.boundaries)]


class PolynomialDecay(LearningRateSchedule):
    """η(t) = (η₀ − η₁) (1 − t / decay_steps)^power + η₁, and η₁ afterwards.

    Args:
        initial_learning_rate: η₀.
        decay_steps: the step at which η₁ is reached.
        end_learning_rate: η₁.
        power: 1 for a straight line.
        cycle: whether to raise the rate again at η₁, and decay to η₁ by the next multiple of decay_steps.
        name: as in Keras; without effect.
    """

    initial_learning_rate: float = option(at_least_0)
    decay_steps: float = option(positive)
    end_learning_rate: float = option(at_least_0, 0.0001)
    power: float = option(at_least_0, 1.0)
    cycle: bool = option(flag, False)
    name: str | None = option(optional(text), None)

    def __call__(self, step: Any) -> float:
        """Return η(t)."""
        done = step_number(step) / self.decay_steps
        done = done / max(1, math.ceil(done)) if self.cycle else min(done, 1.0)
        span = self.initial_learning_rate - self.end_learning_rate
        return float(span * (1.0 - done) ** self.power + self.end_learning_rate)


class CosineDecay(LearningRateSchedule):
    """η(t) = η₀ ((1 − alpha) (1 + cos π s) / 2 + alpha), s = min(t / decay_steps, 1).

    With a `warmup_target` the rate first goes linearly from η₀ to it, and then decays from there.

    Args:
        initial_learning_rate: η₀.
        decay_steps: the length of the decay.
        alpha: the last rate as a share of the first.
        name: as in Keras; without effect.
        warmup_target: the rate at the end of the warm-up; None for no warm-up.
        warmup_steps: the length of the warm-up.

    Source: Loshchilov and Hutter, SGDR, 2017, §3, without restarts.
    """

    initial_learning_rate: float = option(at_least_0)
    decay_steps: float = option(positive)
    alpha: float = option(at_least_0, 0.0)
    name: str | None = option(optional(text), None)
    warmup_target: float | None = option(optional(at_least_0), None)
    warmup_steps: float = option(at_least_0, 0)

    def __call__(self, step: Any) -> float:
        """Return η(t)."""
        t, peak = step_number(step), self.initial_learning_rate
        if self.warmup_target is not None:
            if t < self.warmup_steps:
                return peak + (self.warmup_target - peak) * t / self.warmup_steps
            t, peak = t - self.warmup_steps, self.warmup_target
        return peak * _cosine(min(t / self.decay_steps, 1.0), self.alpha)


class CosineDecayRestarts(LearningRateSchedule):
    """Cosine decay with warm restarts: each period is t_mul times as long, and starts from m_mul times the rate.

    Args:
        initial_learning_rate: η₀.
        first_decay_steps: the length of the first period.
        t_mul: the factor of the lengths.
        m_mul: the factor of the rates from which the periods start.
        alpha: the lowest rate as a share of η₀.
        name: as in Keras; without effect.

    Source: Loshchilov and Hutter, SGDR, 2017, §3.
    """

    initial_learning_rate: float = option(at_least_0)
    first_decay_steps: float = option(positive)
    t_mul: float = option(at_least_1, 2.0)
    m_mul: float = option(at_least_0, 1.0)
    alpha: float = option(at_least_0, 0.0)
    name: str | None = option(optional(text), None)

    def __call__(self, step: Any) -> float:
        """Return η(t)."""
        done, length, factor = step_number(step) / self.first_decay_steps, 1.0, 1.0
        while done >= length:
            done, length, factor = done - length, length * self.t_mul, factor * self.m_mul
        return self.initial_learning_rate * _cosine(done / length, self.alpha, factor)


def _cosine(done: float, alpha: float, factor: float = 1.0) -> float:
    """Return the value at `done` of half a cosine from `factor` down to alpha."""
    return (1.0 - alpha) * factor * 0.5 * (1.0 + math.cos(math.pi * done)) + alpha


_catalogue = Catalogue(
    "schedule",
    "keras.optimizers.schedules",
    (CosineDecay, CosineDecayRestarts, ExponentialDecay, InverseTimeDecay, PiecewiseConstantDecay, PolynomialDecay),
)
serialize, deserialize = _catalogue.serialize, _catalogue.deserialize
