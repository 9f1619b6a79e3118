"""Configurations with one entry replaced or missing, as a file that was edited has: a result or a sentence."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from fuzz.recipe import Recipe, outcome, parameters
from fuzz.table import RECIPES
from fuzz.values import ODD

REPLACED = ("None", "7", "'abc'", "[]", "{'a': 1}", "cyclic list")
TAKERS = {name: recipe for name, recipe in RECIPES.items() if "config" in parameters(recipe.target)}
READERS = sorted(name for name, recipe in TAKERS.items() if isinstance(recipe.needed().get("config"), dict))


def paths(value: Any) -> Iterator[tuple[Any, ...]]:
    """Yield the keys that lead to each entry of nested dictionaries and lists."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, (list, tuple)) else ()
    for key, part in pairs:
        yield (key,)
        yield from ((key, *rest) for rest in paths(part))


def changed(config: Any, path: tuple[Any, ...], *value: Any) -> Any:
    """Return a copy with one entry replaced, or without it."""
    key, *rest = path
    whole: Any = list(config) if isinstance(config, tuple) else copy.copy(config)
    if rest:
        whole[key] = changed(whole[key], tuple(rest), *value)
    elif value:
        (whole[key],) = value
    else:
        del whole[key]
    return whole


def outcomes(recipe: Recipe) -> Iterator[tuple[str, str]]:
    """Yield a title and the kind and text of the outcome, for each entry and each change."""
    for path in paths(recipe.needed()["config"]):
        for label in (*REPLACED, None):
            value = () if label is None else (ODD[label](),)
            found = outcome(recipe, {"config": changed(recipe.needed()["config"], path, *value)})
            yield f"{path} = {label or 'missing'} | {found.text} | {found.place}", found.kind


@pytest.mark.parametrize("name", READERS)
def test_a_changed_configuration_is_read_or_refused(name: str) -> None:
    wrong = [title for title, kind in outcomes(RECIPES[name]) if kind in ("raw", "slow", "unnamed")]
    assert not wrong, "\n".join(wrong)
