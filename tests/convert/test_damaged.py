"""Damaged files: only minigrad's errors, no crash, and with a checksum no wrong numbers."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from convert import damage
from convert.damage import REFUSED, RIGHT, WRONG, count, count_states, kinds, outcome, whole
from convert.forked import forked

pytest.importorskip("h5py")

FEW, MANY = 10, 40  # seeds of a kind: HDF5's, others
FAST = ("safetensors", "weights of", "checkpoint", "trace")


@pytest.mark.skipif(os.name != "posix", reason="there are no forks")
@pytest.mark.parametrize("kind", [*FAST, "hard", "sequential", "foreign"])
def test_damaged_files(kind: str, tmp_path: Path) -> None:
    with forked(tmp_path):
        counts = count(range(MANY if kind in FAST else FEW), tmp_path, kind)
    for name, counted in counts.items():
        assert not counted[WRONG], (name, counted)
        assert counted[REFUSED] > counted.total() // 10, (name, counted)


def test_the_road_of_users_gives_the_same(tmp_path: Path) -> None:
    """A damaged HDF5 file of each kind, read by a separate process."""
    for kind in kinds(tmp_path):
        if kind.ending == "h5":
            assert outcome(kind, 1, tmp_path, whole(kind, tmp_path))[0] != WRONG, kind.name


def test_damaged_state_dicts() -> None:
    counted = count_states(range(300))
    assert not counted[WRONG], counted
    assert counted[REFUSED] > 200


def test_the_counting_can_fail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Detection of another error, and of wrong numbers under a checksum."""
    kind = next(kind for kind in kinds(tmp_path) if kind.name == "weights of this version")
    expected = whole(kind, tmp_path)
    assert outcome(kind._replace(damage=lambda draw, content: content), 0, tmp_path, expected)[0] == RIGHT
    other = {**expected, "dense/bias:0": expected["dense/bias:0"] + 1}
    assert outcome(kind._replace(damage=lambda draw, content: content), 0, tmp_path, other)[0] == WRONG

    def strange(path: Path) -> dict[str, object]:
        raise KeyError("a")

    assert outcome(kind._replace(read=strange), 0, tmp_path, expected)[0] == WRONG


@pytest.mark.parametrize("change", damage.BYTES)
def test_each_kind_of_damage_changes_bytes(change: damage.Change) -> None:
    content = bytes(range(256)) * 4
    made = [bytearray(content) for _ in range(20)]
    for seed, damaged in enumerate(made):
        change(random.Random(seed), damaged)
    assert sum(bytes(damaged) != content for damaged in made) > 10
