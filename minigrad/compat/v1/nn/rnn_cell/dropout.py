"""Dropout around a cell of the first API generation: `DropoutWrapper`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from minigrad.compat.v1.nn.rnn_cell.base import LSTMStateTuple
from minigrad.compat.v1.nn.rnn_cell.configs import function_option
from minigrad.compat.v1.nn.rnn_cell.wrappers import Loop, Wrapper
from minigrad.engine import arguments, kinds, random, tree
from minigrad.engine import functional as F
from minigrad.engine.creation import as_tensor
from minigrad.engine.errors import ShapeError
from minigrad.engine.tensor import Tensor
from minigrad.layers.options import Kind, OptionError, anything, flag, option
from minigrad.layers.tensor_shape import axes_of


def _read_probability(where: str, value: Any) -> Any:
    """Return a number, or a Tensor that is read at every call, as a placeholder was."""
    if isinstance(value, Tensor) and not value.shape:
        _checked(where, float(value))
        return value
    return _checked(where, value)


def _checked(where: str, value: Any) -> float:
    return arguments.real(where, value, 0, 1, note=", the probability to keep an element")


probability = Kind(_read_probability, float)


class DropoutWrapper(Wrapper):
    """Dropout on a cell's inputs, outputs and states, in every call: for inference use the cell without the wrapper.

    Args:
        cell: the cell.
        input_keep_prob: the probability to keep a number of the inputs, by which kept numbers are divided. A number, or
            a Tensor () that is read at every call; 0 keeps none.
        output_keep_prob: likewise for the output.
        state_keep_prob: likewise for the new states that go to the next step; the c of an LSTMStateTuple is never
            dropped.
        variational_recurrent: whether to draw the masks once, when the wrapper is made, one row for the whole batch,
            and use them at every step (Gal and Ghahramani, 2016).
        input_size: the size of the inputs; needed by `variational_recurrent` if inputs are dropped.
        dtype: the dtype of the masks; needed by `variational_recurrent`.
        seed: the seed of a separate generator.
        dropout_state_filter_visitor: a function of a state that returns True for the parts that may be dropped.

    Raises:
        OptionError: `variational_recurrent` without `dtype`, or without the `input_size` that it needs.
    """

    input_keep_prob: Any = option(probability, 1.0)
    output_keep_prob: Any = option(probability, 1.0)
    state_keep_prob: Any = option(probability, 1.0)
    variational_recurrent: bool = option(flag, False)
    input_size: Any = option(anything, None)
    dtype: Any = option(anything, None, after="input_size")
    seed: int | None = option(kinds.seed, None)
    dropout_state_filter_visitor: Callable[[Any], Any] | None = option(function_option, None, quiet=True)

    functions: ClassVar[dict[str, str]] = {"dropout_state_filter_visitor": "dropout_fn"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._source = random.generator_for(self.seed)
        self.masks: dict[str, Any] = {}  # of variational dropout: "input", "state", "output" → 0 or 1, (1, size)
        if not self.variational_recurrent:
            return
        if self.dtype is None:
            raise OptionError(
                "DropoutWrapper: `dtype`: expected the dtype of the masks for `variational_recurrent`, got None. Pass "
                "dtype='float32'."
            )
        if float(self.input_keep_prob) < 1.0:
            if self.input_size is None:
                raise OptionError(
                    "DropoutWrapper: `input_size`: expected the number of features for `variational_recurrent` with "
                    "`input_keep_prob`, got None. Pass it."
                )
            self.masks["input"] = tree.map(lambda n: self._one_row(n, float(self.input_keep_prob)), self.input_size)
        self.masks["state"] = tree.map(lambda n: self._one_row(n, float(self.state_keep_prob)), self.cell.state_size)
        self.masks["output"] = tree.map(lambda n: self._one_row(n, float(self.output_keep_prob)), self.cell.output_size)

    def _one_row(self, size: Any, keep: float) -> Tensor:
        return self._draw((1, *axes_of(size)), keep)

    def _draw(self, shape: tuple[int, ...], keep: float) -> Tensor:
        return random.bernoulli(shape, keep, self.dtype or "float32", self._source)

    @property
    def wrapped_cell(self) -> Any:
        """The cell, as TensorFlow names it too."""
        return self.cell

    def call(self, inputs: Any, state: Any, scope: Any = None) -> tuple[Any, Any]:
        """Run one time step."""
        output, new = self.run(self._drop("input", inputs, self.input_keep_prob), state, scope)
        if float(self.state_keep_prob) < 1.0:
            dropped = self._drop("state", new, self.state_keep_prob)
            allowed = self.dropout_state_filter_visitor or _all_but_c
            new = _where_allowed(allowed, new, dropped)
        return self._drop("output", output, self.output_keep_prob), new

    known_call = call

    def stepwise_reason(self) -> str:
        """Return a reason if states are dropped, which the wrapper does at every step."""
        return "DropoutWrapper drops numbers of the state at every step" if float(self.state_keep_prob) < 1.0 else ""

    def wrap_loop(self, x: Tensor, loop: Loop) -> Tensor:
        """Drop inputs and outputs of all steps at once: each step has its own masks, unless variational."""
        y: Tensor = self._drop("output", loop(self._drop("input", x, self.input_keep_prob)), self.output_keep_prob)
        return y

    def _drop(self, place: str, values: Any, probability: Any) -> Any:
        keep = float(probability)
        what = f"DropoutWrapper: `{'inputs' if place == 'input' else place}`"
        values = tree.map(lambda x: as_tensor(x, None, what), values)
        if keep == 1.0:
            return values
        if keep == 0.0:
            return tree.map(F.zeros_like, values)
        if self.variational_recurrent:
            return tree.map(lambda x, mask: self._masked(place, x, mask, keep), values, self.masks[place])
        return tree.map(lambda x: x / keep * self._draw(x.shape, keep).astype(x.dtype), values)

    def _masked(self, place: str, x: Tensor, mask: Tensor, keep: float) -> Tensor:
        if x.shape[x.ndim - mask.ndim + 1 :] != mask.shape[1:]:
            raise ShapeError(
                f"DropoutWrapper: expected {place} of size {mask.shape[-1]}, that of its mask, got shape {x.shape}. "
                "`input_size` is the number of features."
            )
        return x / keep * mask


def _all_but_c(state: Any) -> Any:
    """Return True for every part of a state but the c of an LSTM, as in TensorFlow."""
    return LSTMStateTuple(c=False, h=True) if isinstance(state, LSTMStateTuple) else True


def _where_allowed(allowed: Callable[[Any], Any], state: Any, dropped: Any) -> Any:
    """Return the dropped state where `allowed` returns True, else the state."""
    answer = allowed(state)
    if isinstance(answer, bool) and isinstance(state, (tuple, list)) and answer:
        return type(state)(_where_allowed(allowed, s, d) for s, d in zip(state, dropped, strict=True))
    if isinstance(answer, bool):
        return dropped if answer else state
    return tree.map(lambda a, s, d: d if a else s, answer, state, dropped)
