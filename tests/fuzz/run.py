"""The calls to make: one argument odd, or two; chosen by a seed."""

from __future__ import annotations

import random
from collections.abc import Iterator

from fuzz.recipe import Recipe, arguments
from fuzz.values import ODD

COSTLY = ("plot.svg", "testing.check_backend", "convert.to_onnx")
SLOWEST = ("plot.report", "plot.animate")  # whole pages of pictures


def calls(name: str, recipe: Recipe, singles: int, pairs: int, seed: int) -> Iterator[dict[str, str]]:
    """Yield the odd values of the calls of one recipe, by argument.

    Args:
        name: the recipe's name; with the seed it fixes the choice.
        recipe: the recipe.
        singles: how many values each argument gets, alone.
        pairs: how many calls have two odd arguments.
        seed: the seed.
    """
    if name.startswith(COSTLY) and singles < len(ODD):
        singles, pairs = singles // 3, pairs // 3
    if name in SLOWEST and singles < len(ODD):
        singles, pairs = 1, 0
    chosen = random.Random(f"{seed} {name}")
    names, labels = arguments(recipe), list(ODD)
    for argument in names:
        for label in labels if singles >= len(labels) else chosen.sample(labels, singles):
            yield {argument: label}
    if len(names) > 1:
        for _ in range(pairs):
            first, second = chosen.sample(names, 2)
            yield {first: chosen.choice(labels), second: chosen.choice(labels)}
