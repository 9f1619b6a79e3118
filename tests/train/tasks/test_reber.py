"""The embedded Reber grammar."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pytest

from minigrad.train.tasks.reber import ALPHABET, Reber, ReberOptions, embedded_string, strings_of, successors


@pytest.fixture(scope="module")
def task():
    return Reber(ReberOptions())


def accepts(string):
    """Follow the drawing of the grammar, as edges."""
    edges = {
        "0B1", "1T2", "1P3", "2S2", "2X4", "3T3", "3V5", "4X3", "4S6", "5P4", "5V6", "6E7",
    }  # fmt: skip
    state = "0"
    for symbol in string:
        (state,) = (edge[2] for edge in edges if edge.startswith(state + symbol))
    return state == "7"


def test_strings_are_of_the_grammar_and_its_two_halves_agree():
    generator = np.random.default_rng(0)
    strings = [embedded_string(generator) for _ in range(500)]
    for string in strings:
        assert re.fullmatch(r"B(T|P)(B.*E)\1E", string)
        assert accepts(string[2:-2])
    assert 0.4 < sum(s[1] == "T" for s in strings) / 500 < 0.6
    assert Counter(map(len, strings)).keys() >= {9, 10, 11, 12}


def test_what_may_follow_is_what_does_follow():
    generator = np.random.default_rng(1)
    seen = {}
    for _ in range(2000):
        string = embedded_string(generator)
        legal = successors(string)
        assert len(legal) == len(string) - 1
        for i, may in enumerate(legal):
            assert string[i + 1] in may
            seen.setdefault((string[i], may), set()).add(string[i + 1])
    for (_, may), did in seen.items():
        assert did == set(may)


def test_padding_does_not_count(task):
    drawn = task.draw(np.random.default_rng(2), 50)
    strings = strings_of(drawn)
    for row, string in enumerate(strings):
        assert drawn.weights[row].sum() == len(string) - 1
        said = "".join(ALPHABET[i] for i in drawn.targets[row, : len(string) - 1])
        assert said == string[1:]
    generator = np.random.default_rng(2)
    assert strings == [embedded_string(generator) for _ in range(50)]


def scores_of(task, batch, forget=False):
    """The scores of a model of the grammar, which may forget the outer symbol."""
    scores = np.zeros((*batch.inputs.shape, 7))
    for row, string in zip(scores, strings_of(batch), strict=True):
        for place, may in enumerate(successors(string)):
            for symbol in "T" if forget and place == len(string) - 3 else may:
                row[place, ALPHABET.index(symbol)] = 9
    return scores


def test_whole_strings_and_their_baseline(task):
    assert task.measure(scores_of(task, task.validation), task.validation)["whole_string_accuracy"] == 1
    forgetful = task.measure(scores_of(task, task.validation, forget=True), task.validation)
    assert forgetful["whole_string_accuracy"] == pytest.approx(task.baseline().value, abs=0.07)
    nobody = task.measure(np.zeros_like(scores_of(task, task.validation)), task.validation)
    assert nobody["whole_string_accuracy"] == 0


def test_an_example_marks_what_was_wrong(task):
    drawn = task.draw(np.random.default_rng(0), 1)
    (string,) = strings_of(drawn)
    scores = scores_of(task, drawn)
    assert task.example(scores, drawn) == f"{string}  every successor right"
    scores[0, 1] = 0
    scores[0, 1, ALPHABET.index("E")] = 1  # after the second symbol only B may come
    assert task.example(scores, drawn) == f"{string}  wrong successors at ^\n  ^"
