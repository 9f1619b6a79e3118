"""Dropout around a cell of the first API generation: `DropoutWrapper`."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Real
from typing import Any, ClassVar

from minigrad.compat.v1.nn.rnn_cell.base import LSTMStateTuple
from minigrad.compat.v1.nn.rnn_cell.configs import function_option
from minigrad.compat.v1.nn.rnn_cell.wrappers import Loop, Wrapper
from minigrad.engine import functional as F
from minigrad.engine import random, tree
from minigrad.engine.errors import ShapeError, shown
from minigrad.engine.tensor import Tensor
from minigrad.layers.options import Kind, OptionError, anything, flag, option


def _read_probability(where: str, value: Any) -> Any:
    """A number, or a Tensor that is read at every call: what a placeholder was for."""
    if isinstance(value, Tensor) and not value.shape:
        _checked(where, float(value))
        return value
    if isinstance(value, bool) or not isinstance(value, Real):
        raise OptionError(f"{where}: expected the probability to keep a number, from 0 to 1, got {shown(value)}.")
    return _checked(where, float(value))


def _checked(where: str, value: float) -> float:
    if not 0.0 <= value <= 1.0:
        raise OptionError(f"{where}: expected the probability to keep a number, from 0 to 1, got {value!r}.")
    return value


probability = Kind(_read_probability, float)


class DropoutWrapper(Wrapper):
    """Drop numbers of a cell's inputs, outputs and states, in training only by making the wrapper only then.

    Args:
        cell: the cell.
        input_keep_prob: the probability to keep a number of the inputs; what is kept is divided by it. A number, or a
            Tensor (), read anew at every call; 0 keeps none.
        output_keep_prob: likewise of the output.
        state_keep_prob: likewise of the new states that go to the next step; the c of an LSTMStateTuple is never
            dropped.
        variational_recurrent: draw the masks once, when the wrapper is made, one row for the whole batch, and use them
            at every step (Gal and Ghahramani, 2016).
        input_size: the size of the inputs; needed for that if inputs are dropped.
        dtype: of the masks; needed for that.
        seed: for a generator of its own.
        dropout_state_filter_visitor: a function of a state that says True where it may be dropped.

    Raises:
        OptionError: variational_recurrent without what it needs.
    """

    input_keep_prob: Any = option(probability, 1.0)
    output_keep_prob: Any = option(probability, 1.0)
    state_keep_prob: Any = option(probability, 1.0)
    variational_recurrent: bool = option(flag, False)
    input_size: Any = option(anything, None)
    dtype: Any = option(anything, None, after="input_size")
    seed: int | None = option(anything, None)
    dropout_state_filter_visitor: Callable[[Any], Any] | None = option(function_option, None, quiet=True)

    functions: ClassVar[dict[str, str]] = {"dropout_state_filter_visitor": "dropout_fn"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._source = random.generator_for(self.seed)
        self.masks: dict[str, Any] = {}  # of variational dropout: by place, 0 or 1, (1, size)
        if not self.variational_recurrent:
            return
        if self.dtype is None:
            raise OptionError("DropoutWrapper: `variational_recurrent` draws its masks at once: pass `dtype`.")
        if float(self.input_keep_prob) < 1.0:
            if self.input_size is None:
                raise OptionError("DropoutWrapper: `variational_recurrent` with `input_keep_prob` needs `input_size`.")
            self.masks["input"] = tree.map(lambda n: self._draw((1, n), float(self.input_keep_prob)), self.input_size)
        self.masks["state"] = tree.map(lambda n: self._draw((1, n), float(self.state_keep_prob)), self.cell.state_size)
        self.masks["output"] = tree.map(
            lambda n: self._draw((1, n), float(self.output_keep_prob)), self.cell.output_size
        )

    def _draw(self, shape: tuple[int, ...], keep: float) -> Tensor:
        return random.bernoulli(shape, keep, self.dtype or "float32", self._source)

    def call(self, inputs: Any, state: Any, scope: Any = None) -> tuple[Any, Any]:
        """Run one time step."""
        output, new = self.run(self._thinned("input", inputs, self.input_keep_prob), state, scope)
        if float(self.state_keep_prob) < 1.0:
            dropped = self._thinned("state", new, self.state_keep_prob)
            may = self.dropout_state_filter_visitor or _may_be_dropped
            new = _chosen(may, new, dropped)
        return self._thinned("output", output, self.output_keep_prob), new

    known_call = call

    def only_stepwise(self) -> str:
        """The state passes through the wrapper at every step."""
        return "DropoutWrapper drops numbers of the state at every step" if float(self.state_keep_prob) < 1.0 else ""

    def around(self, x: Tensor, loop: Loop) -> Tensor:
        """Inputs and outputs of all steps, thinned at once: each step has masks of its own, unless variational."""
        y: Tensor = self._thinned(
            "output", loop(self._thinned("input", x, self.input_keep_prob)), self.output_keep_prob
        )
        return y

    def _thinned(self, place: str, values: Any, probability: Any) -> Any:
        keep = float(probability)
        if keep == 1.0:
            return values
        if keep == 0.0:
            return tree.map(F.zeros_like, values)
        if self.variational_recurrent:
            return tree.map(lambda x, mask: self._masked(place, x, mask, keep), values, self.masks[place])
        return tree.map(lambda x: x / keep * self._draw(x.shape, keep).astype(x.dtype), values)

    def _masked(self, place: str, x: Tensor, mask: Tensor, keep: float) -> Tensor:
        if x.shape[-1:] != mask.shape[-1:]:
            raise ShapeError(
                f"DropoutWrapper: its mask of the {place} was drawn for the size {mask.shape[-1]}, got one of "
                f"shape {x.shape}. `input_size` is the number of features."
            )
        return x / keep * mask


def _may_be_dropped(state: Any) -> Any:
    """As in TensorFlow: everything but the c of an LSTM."""
    return LSTMStateTuple(c=False, h=True) if isinstance(state, LSTMStateTuple) else True


def _chosen(may: Callable[[Any], Any], state: Any, dropped: Any) -> Any:
    """The dropped state where it may be dropped, else the state."""
    answer = may(state)
    if isinstance(answer, bool) and isinstance(state, (tuple, list)) and answer:
        return type(state)(_chosen(may, s, d) for s, d in zip(state, dropped, strict=True))
    if isinstance(answer, bool):
        return dropped if answer else state
    return tree.map(lambda a, s, d: d if a else s, answer, state, dropped)
