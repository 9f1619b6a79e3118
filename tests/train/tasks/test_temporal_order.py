"""The temporal order problem."""

from __future__ import annotations

import numpy as np
import pytest

from minigrad.train.measures import ends
from minigrad.train.tasks.temporal_order import ALPHABET, CLASSES, TemporalOrder, TemporalOrderOptions

RULE = {"XX": "Q", "XY": "R", "YX": "S", "YY": "U"}


@pytest.fixture(scope="module")
def task():
    return TemporalOrder(TemporalOrderOptions())


@pytest.fixture(scope="module")
def drawn(task):
    return task.draw(np.random.default_rng(0), 3000)


def strings(drawn):
    lengths = drawn.weights.argmax(1) + 1
    return ["".join(ALPHABET[i] for i in row[:n]) for row, n in zip(drawn.inputs, lengths, strict=True)]


def test_sequences_are_as_defined(drawn):
    lengths, places = set(), []
    for string in strings(drawn):
        assert string[0] == "E"
        assert string[-1] == "B"
        assert set(string[1:-1]) <= set("abcdXY")
        places.append([i for i, symbol in enumerate(string) if symbol in "XY"])
        lengths.add(len(string))
    first, second = np.array(places).T
    assert lengths == set(range(100, 111))
    assert (first.min(), first.max()) == (10, 20)
    assert (second.min(), second.max()) == (50, 60)


def test_the_class_at_the_end_follows_the_rule(drawn):
    named = [CLASSES[k] for k in ends(drawn.targets, drawn.weights)]
    for string, name in zip(strings(drawn), named, strict=True):
        assert RULE["".join(s for s in string if s in "XY")] == name
    assert all(0.2 < named.count(name) / len(named) < 0.3 for name in CLASSES)
    assert (drawn.weights.sum(1) == 1).all()


def test_measures(task):
    truth = np.eye(4)[task.validation.targets] * 50
    assert task.measure(truth, task.validation)["accuracy"] == 1
    blind = task.measure(np.zeros_like(truth), task.validation)
    assert blind["loss"] == pytest.approx(2)
    assert blind["accuracy"] == pytest.approx(task.baseline().value, abs=0.06)


def test_short_sequences(task):
    drawn = TemporalOrder(TemporalOrderOptions(length=10)).draw(np.random.default_rng(0), 200)
    assert {len(string) for string in strings(drawn)} == {10, 11}
    assert all(sum(s in "XY" for s in string) == 2 for string in strings(drawn))


def test_an_example(task):
    drawn = task.draw(np.random.default_rng(3), 1)
    name = CLASSES[int(ends(drawn.targets, drawn.weights)[0])]
    text = task.example(np.eye(4)[drawn.targets] * 50, drawn)
    assert f": {name}; the model outputs {name} (p = 1.00)" in text
