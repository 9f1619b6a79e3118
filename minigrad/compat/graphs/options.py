"""Options of layers that are symbols, such as a placeholder as `output_keep_prob`: set to numbers for each call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.engine import tree
from minigrad.layers.module import Module
from minigrad.layers.symbol import Symbol


def examples_of(kwargs: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Symbol]]:
    """Return arguments with a number in place of each symbol, and those symbols by name."""
    later = {name: value for name, value in kwargs.items() if isinstance(value, Symbol) and not value.ndim}
    return {name: value.examples[0].item() if name in later else value for name, value in kwargs.items()}, later


def with_options(
    function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Callable[..., Any], tuple[Any, ...]]:
    """Return a call that takes the symbols among the options of its layers as inputs too."""
    layers = [leaf for leaf in tree.leaves([function, args, kwargs]) if isinstance(leaf, Module)]
    found = [
        (part, name, symbol)
        for layer in layers
        for part in (layer, *layer.submodules)
        for name, symbol in vars(part).get("_later", {}).items()
    ]
    if not found or getattr(function, "__name__", "") == "zero_state":  # zeros depend on no option
        return function, args
    return _WithOptions(function, [(part, name) for part, name, _ in found]), ([s for *_, s in found], *args)


class _WithOptions:
    """A function of the options' numbers and of further arguments."""

    def __init__(self, function: Callable[..., Any], options: list[tuple[Any, str]]) -> None:
        self.function, self.options = function, options

    def __call__(self, values: list[Any], *args: Any, **kwargs: Any) -> Any:
        for (part, name), value in zip(self.options, values, strict=True):
            setattr(part, name, value.item())
        return self.function(*args, **kwargs)
