"""The base class of recurrent layers that make their cell: LSTM, GRU, SimpleRNN, MGU."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ClassVar

from minigrad.layers import regularizers
from minigrad.layers.cell import Cell
from minigrad.layers.input_spec import InputSpec
from minigrad.layers.options import ComputedOption, Option, option
from minigrad.layers.rnn import RNN


class _CellOption(ComputedOption):
    """An option of the cell: the layer passes it on, and reads it from the cell."""

    def __init__(self, original: Option) -> None:
        super().__init__(original.kind, original.default, original.keyword_only, original.quiet, None)
        self.name = original.name

    def __get__(self, instance: Any, owner: type) -> Any:
        if instance is None:
            return self
        return getattr(instance.cell, self.name) if instance.cell is not None else instance.for_cell[self.name]

    def set(self, instance: Any, value: Any) -> None:
        value = self.kind.read(f"{type(instance).__name__}: `{self.name}`", value)
        if instance.cell is None:
            instance.for_cell[self.name] = value
        else:
            setattr(instance.cell, self.name, value)


def _cell_method(method: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method of the layer that calls the cell's."""
    return wraps(method)(lambda self, *args, **kwargs: getattr(self.cell, method.__name__)(*args, **kwargs))


class RecurrentLayer(RNN):
    """A recurrent layer that makes its cell. Its arguments are the cell's, then those of `RNN`.

    Attributes:
        cell_class: the class of the cell.
    """

    cell_class: ClassVar[type[Cell]] = Cell
    cell: Any = None
    input_spec = InputSpec(ndim=3)
    activity_regularizer: Any = option(regularizers.option_kind, None)

    def __init_subclass__(cls, called: str | None = None) -> None:
        """Add the options of the cell."""
        for name, o in cls.cell_class._options.items():
            if name not in RNN._options:
                setattr(cls, name, _CellOption(o))
        super().__init_subclass__(called)

    @classmethod
    def _arranged(cls, options: dict[str, Option]) -> dict[str, Option]:
        """Return the options in Keras' order: those of all cells, then those of `RNN`, then the rest of the cell's."""
        of_cell = [name for name in cls.cell_class._options if isinstance(options.get(name), _CellOption)]
        end = of_cell.index("recurrent_dropout") + 1 if "recurrent_dropout" in of_cell else len(of_cell)
        first, last = of_cell[:end], of_cell[end:]
        if first:
            first.insert(first.index("bias_regularizer") + 1, "activity_regularizer")
        return {name: options[name] for name in [*first, *(n for n in options if n not in last), *last]}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.for_cell: dict[str, Any] = {}
        super().__init__(*args, **kwargs)
        name = type(self).cell_class.serialized_name()
        self.cell = type(self).cell_class(**self.for_cell, name=name, dtype=self.dtype, trainable=self.trainable)
        del self.for_cell

    get_dropout_mask_for_cell = _cell_method(Cell.get_dropout_mask_for_cell)
    get_recurrent_dropout_mask_for_cell = _cell_method(Cell.get_recurrent_dropout_mask_for_cell)
    reset_dropout_mask = _cell_method(Cell.reset_dropout_mask)
    reset_recurrent_dropout_mask = _cell_method(Cell.reset_recurrent_dropout_mask)
