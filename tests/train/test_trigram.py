"""The counted model, against counts by hand."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from minigrad.train.trigram import Trigram


def by_hand(text, deltas, vocabulary, a, b, c):
    """p(c | ab) from the formula in the module's docstring."""
    grams = [Counter(tuple(text[i : i + n]) for i in range(len(text) - n + 1)) for n in (1, 2, 3)]
    p = (grams[0][c,] + deltas[0] / vocabulary) / (len(text) + deltas[0])
    p = (grams[1][b, c] + deltas[1] * p) / (grams[0][b,] + deltas[1])
    return (grams[2][a, b, c] + deltas[2] * p) / (grams[1][a, b] + deltas[2])


@pytest.fixture
def text():
    return np.random.default_rng(1).integers(0, 4, 200).astype(np.int32)


def test_bits_are_those_of_the_formula(text):
    deltas = (0.5, 2.0, 3.0)
    model = Trigram(text[:150], 6, deltas)
    positions = np.arange(150, 200)
    expected = [by_hand(text[:150].tolist(), deltas, 6, *text[i - 2 : i + 1].tolist()) for i in positions]
    assert model.bits(text, positions) == pytest.approx(-np.mean(np.log2(expected)), rel=1e-12)


def test_probabilities_sum_to_nearly_one(text):
    # Nearly: the last character of the text was counted as a context, and nothing followed it.
    model = Trigram(text, 6, (0.5, 2.0, 3.0))
    for a, b in ((0, 1), (3, 3), (5, 5)):
        p = [2 ** -model.bits(np.array([a, b, c]), np.array([2])) for c in range(6)]
        assert sum(p) == pytest.approx(1, abs=0.05)
        assert min(p) > 0


def test_a_context_never_seen_falls_back(text):
    model = Trigram(text, 6, (0.5, 2.0, 3.0))
    unseen, known = (2 ** -model.bits(np.array([5, 1, c]), np.array([2])) for c in (0, 0))
    pair = by_hand(text.tolist(), (0.5, 2.0, 3.0), 6, 5, 1, 0)
    assert unseen == known == pytest.approx(pair)


def test_the_smoothing_chosen_on_the_text_beats_the_extremes():
    generator = np.random.default_rng(2)
    text = np.zeros(6000, np.int32)
    for i in range(2, len(text)):  # order 2: mostly the sum of the last two
        text[i] = (text[i - 1] + text[i - 2] + (generator.random() < 0.3)) % 7
    positions = np.arange(5000, 6000)
    chosen = Trigram(text[:5000], 7)
    entropy = -(0.3 * np.log2(0.3) + 0.7 * np.log2(0.7))
    assert chosen.bits(text, positions) == pytest.approx(entropy, abs=0.1)
    for deltas in ((1.0, 4096.0, 4096.0), (4096.0, 4096.0, 4096.0)):
        assert chosen.bits(text, positions) < Trigram(text[:5000], 7, deltas).bits(text, positions)


def test_a_large_alphabet_does_not_overflow():
    text = np.tile(np.array([70_000, 1, 69_999], np.int32), 20)
    model = Trigram(text, 70_001)
    assert model.bits(text, np.arange(2, 60)) < 1


def test_the_shortest_text():
    assert np.isfinite(Trigram(np.array([0, 1, 0, 1]), 2).bits(np.array([0, 1, 0]), np.array([2])))
