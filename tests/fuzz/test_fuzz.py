"""Odd values for every argument of every public callable: a result, a sentence, or Python's own signature error."""

from __future__ import annotations

from pathlib import Path

import pytest

from fuzz.accepted import reviewed
from fuzz.reasons import ARGUMENTS, KIND, REASONS, VALUES
from fuzz.recipe import Finding, Recipe, arguments, outcome, tried
from fuzz.recipes_methods import WRONG_ORDER
from fuzz.run import calls
from fuzz.table import PARTS, RECIPES, public
from fuzz.values import ODD

SEED = 0
SINGLES, PAIRS = 12, 6  # python -m fuzz makes all
GROUPS = 40
NAMES = sorted(RECIPES)
TRIED = NAMES


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def wrong(found: list[Finding], *kinds: str) -> str:
    """Return the calls of some outcomes, one per line."""
    lines = [" | ".join((f.title, *f.outcome)) for f in found if f.outcome.kind in kinds]
    return "\n".join(lines)


def test_every_public_callable_has_a_recipe() -> None:
    targets = [recipe.target for recipe in RECIPES.values()]
    missing = [address for address, value in public() if value not in targets and address.split(".")[-1] not in PARTS]
    assert not missing, missing


@pytest.mark.parametrize("name", TRIED)
def test_the_recipe_is_a_valid_call(name: str) -> None:
    assert tried(name, RECIPES[name], {}).outcome.kind == "result"


@pytest.mark.parametrize("group", range(GROUPS))
def test_an_odd_value_gets_a_sentence(group: int) -> None:
    found = [
        tried(name, RECIPES[name], odd)
        for name in TRIED[group::GROUPS]
        for odd in calls(name, RECIPES[name], SINGLES, PAIRS, SEED)
    ]
    assert not wrong(found, "raw", "slow", "unnamed")
    accepted = [(f.recipe, *next(iter(f.odd.items()))) for f in found if f.outcome.kind == "result" and len(f.odd) == 1]
    assert not [call for call in accepted if not reviewed(*call)]


@pytest.mark.parametrize("name", WRONG_ORDER)
def test_calls_in_a_wrong_order(name: str) -> None:
    found = outcome(Recipe(WRONG_ORDER[name]), {})
    assert found.kind != "raw" or found.text.startswith("NotImplementedError"), found


def test_there_are_enough_calls() -> None:
    assert sum(SINGLES * len(arguments(recipe)) for recipe in (RECIPES[name] for name in TRIED)) > 20_000


def test_the_table_of_reasons_is_complete() -> None:
    assert set(KIND) == set(ODD), "each value has one kind"
    assert sum(len(labels.split("|")) for labels in VALUES.values()) == len(KIND)
    assert REASONS.keys() == ARGUMENTS.keys()
    known = {argument for recipe in RECIPES.values() for argument in arguments(recipe)}
    names = [name for names in ARGUMENTS.values() for name in names.split() if "|" not in name and name != "*"]
    assert sorted(names) == sorted(set(names)), "each argument has one kind"
    assert not set(names) - known
    for reasons in REASONS.values():
        kinds = [kind for several in reasons for kind in several.split("|")]
        assert sorted(kinds) == sorted(set(kinds))
        assert set(kinds) <= VALUES.keys()
        assert all(len(text) > 3 for text in reasons.values())


@pytest.mark.parametrize(
    ("recipe", "argument", "label"),
    [
        ("keras.layers.LSTM", "use_bias", "7"),
        ("keras.layers.LSTM", "use_bias", "timedelta64"),
        ("keras.layers.LSTM", "dropout", "2.0"),
        ("Model.fit", "epochs", "-1"),
        ("functional.sum", "axis", "0.5"),
        ("functional.exp", "x", "'abc'"),
        ("functional.reshape", "shape", "memoryview"),
        ("Model.save_weights", "filepath", "''"),
        ("regularizers.L1", "l1", "inf"),
        ("nothing", "unknown", "1"),
    ],
)
def test_a_mistake_has_no_reason(recipe: str, argument: str, label: str) -> None:
    assert not reviewed(recipe, argument, label)
