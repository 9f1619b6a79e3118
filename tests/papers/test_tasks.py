"""The tasks' sequences: by hand, and by their statistics."""

from __future__ import annotations

import re

import numpy as np
import pytest

from minigrad.papers.batch import Batch
from minigrad.papers.tasks.long_lags import Distractors, NoiseFree
from minigrad.papers.tasks.marked_pairs import MarkedPairs
from minigrad.papers.tasks.order import SYMBOLS as ORDER
from minigrad.papers.tasks.order import TemporalOrder
from minigrad.papers.tasks.reber import SYMBOLS, EmbeddedReber, as_batch, embedded, reber
from minigrad.papers.tasks.two_sequences import TwoSequences

MANY = 20_000


def random(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def uniform(values: object, low: int, high: int) -> None:
    """Hold that integers are uniform in [low, high], by their counts within five standard deviations."""
    counts = np.bincount(np.ravel(values) - low, minlength=high - low + 1)
    assert len(counts) == high - low + 1
    expected = counts.sum() / len(counts)
    assert np.abs(counts - expected).max() < 5 * expected**0.5


# --- 1 --------------------------------------------------------------------------------------------

GRAMMAR = re.compile(r"B(T|P)B(TS*X(?=[XS])|PT*V(?=[PV]))[A-Z]*E\1E")


def test_reber_strings_by_hand() -> None:
    """B T S X X T V P S E: 0 -T-> 1 -S-> 1 -X-> 3 -X-> 2 -T-> 2 -V-> 4 -P-> 3 -S-> 5 -E."""
    found = {}
    for seed in range(3000):
        text, follow = reber(random(seed))
        found[text] = follow
    assert found["BTXSE"] == ["TP", "SX", "XS", "E", ""]
    assert found["BTSXXTVPSE"] == ["TP", "SX", "SX", "XS", "TV", "TV", "PV", "XS", "E", ""]
    assert found["BPVVE"] == ["TP", "TV", "PV", "E", ""]
    assert len(min(found, key=len)) == 5


def test_embedded_strings() -> None:
    strings = [embedded(random(seed)) for seed in range(4000)]
    lengths = [len(text) for text, _ in strings]
    assert np.mean(lengths) == pytest.approx(12.0, abs=0.25)
    assert min(lengths) == 9
    assert all(GRAMMAR.fullmatch(text) for text, _ in strings)
    assert all(after in legal for text, follow in strings for after, legal in zip(text[1:], follow, strict=True))
    assert np.mean([text[1] == "T" for text, _ in strings]) == pytest.approx(0.5, abs=0.04)


def test_a_string_as_a_batch() -> None:
    batch = as_batch([("BTBTXSETE", ["TP", "B", "TP", "SX", "XS", "E", "T", "E"]), ("BPBPVVEPE", ["TP"] * 8)])
    assert "".join(SYMBOLS[s] for s in batch.x[0]) == "BTBTXSET"
    assert "".join(SYMBOLS[s] for s in batch.targets[0]) == "TBTXSETE"
    assert batch.legal[0].tolist() == [0b110, 0b1, 0b110, 0b11000, 0b11000, 0b1000000, 0b10, 0b1000000]
    x, targets, counted = batch.sequence(0, 7, 7)
    assert x.argmax(1).tolist() == batch.x[0].tolist()
    assert targets.argmax(1).tolist() == batch.targets[0].tolist()
    assert counted.all()


def test_training_and_test_sets_are_disjoint() -> None:
    task = EmbeddedReber().prepared(random())
    assert task.sets is not None

    def strings(batch: Batch) -> list[tuple[int, ...]]:
        return [tuple(x[:n]) for x, n in zip(batch.x, batch.lengths, strict=True)]

    every = strings(task.test(random(), 0))
    assert len(every) == 512
    training = set(every[:256])
    assert not training & set(every[256:])
    drawn = strings(task.train(random(1), 5000))
    assert set(drawn) == training
    distinct = EmbeddedReber(distinct=True).prepared(random())
    assert len(set(strings(distinct.test(random(), 0))[:256])) == 256
    with pytest.raises(ValueError, match="call `prepared` first"):
        EmbeddedReber().train(random(), 1)


# --- 2 --------------------------------------------------------------------------------------------


def test_noise_free_sequences() -> None:
    batch = NoiseFree(4).draw(random(), 1000)
    kinds = {(tuple(x), tuple(t)) for x, t in zip(batch.x, batch.targets, strict=True)}
    assert kinds == {((3, 0, 1, 2), (0, 1, 2, 3)), ((4, 0, 1, 2), (0, 1, 2, 4))}
    assert np.mean(batch.x[:, 0] == 3) == pytest.approx(0.5, abs=0.06)


def test_a_random_middle() -> None:
    batch = NoiseFree(100, random_middle=True).draw(random(), 300)
    assert batch.x.shape == batch.targets.shape == (300, 100)
    uniform(batch.x[:, 1:], 0, 98)
    assert np.array_equal(batch.x[:, 0], batch.targets[:, -1])
    assert np.array_equal(batch.x[:, 1:], batch.targets[:, :-1])


def test_distractors() -> None:
    q, p = 50, 30
    batch = Distractors(q, p).draw(random(), MANY)
    assert batch.lengths.mean() == pytest.approx(q + 12, abs=0.3)
    assert batch.lengths.min() == q + 3
    assert np.mean(batch.lengths == q + 3) == pytest.approx(0.1, abs=0.01)
    assert np.mean(batch.lengths == q + 4) == pytest.approx(0.09, abs=0.01)
    for x, n, target in zip(batch.x[:200], batch.lengths, batch.targets, strict=False):
        assert x[0] == p
        assert x[n - 1] == p + 1
        assert target.tolist() == np.eye(2)[x[1] - p - 2].tolist()
        assert x[2 : n - 1].max() < p
    uniform(batch.x[:2000, 2 : q + 2], 0, p - 1)


# --- 3 --------------------------------------------------------------------------------------------


def test_two_sequences() -> None:
    batch = TwoSequences(T=100, N=3).train(random(), 4000)
    uniform(batch.lengths, 100, 110)
    of_class_1 = batch.targets[:, 0] == 1.0
    assert np.array_equal(batch.x[of_class_1, :3], np.ones((of_class_1.sum(), 3, 1)))
    assert np.array_equal(batch.x[~of_class_1, :3], -np.ones(((~of_class_1).sum(), 3, 1)))
    assert set(batch.targets[:, 0]) == {0.0, 1.0}
    assert batch.x[:, 3:].var() == pytest.approx(0.2, rel=0.01)
    assert batch.x[:, 3:].mean() == pytest.approx(0.0, abs=0.005)


def test_noisy_elements_and_targets() -> None:
    task = TwoSequences(T=100, N=1, noisy=True, targets=(0.2, 0.8), target_deviation=0.1**0.5)
    training, test = task.train(random(), MANY), task.test(random(), MANY)
    assert np.array_equal(training.x, test.x)
    assert set(test.targets[:, 0]) == {0.2, 0.8}
    assert (training.targets - test.targets).var() == pytest.approx(0.1, rel=0.05)
    first = test.x[:, 0, 0] * np.where(test.targets[:, 0] == 0.2, 1.0, -1.0)
    assert first.mean() == pytest.approx(1.0, abs=0.02)
    assert first.var() == pytest.approx(0.2, rel=0.05)


# --- 4, 5 -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("product", [False, True])
def test_marked_pairs(product: bool) -> None:
    batch = MarkedPairs(T=100, product=product).draw(random(), MANY)
    uniform(batch.lengths, 100, 110)
    marked = batch.x[:, :, 1] == 1.0
    assert (marked.sum(1) == 2).all()
    assert marked[:, :10].any(1).all()
    assert not marked[:, 50:].any()
    assert marked[:, 49].any()  # the last place that can be marked
    rows = np.arange(MANY)
    assert (batch.x[rows, batch.lengths - 1, 1] == -1.0).all()
    assert (batch.x[~marked[:, 0], 0, 1] == -1.0).all()
    values = batch.x[marked][:, 0].reshape(MANY, 2)
    expected = values.prod(1) if product else 0.5 + values.sum(1) / 4
    np.testing.assert_allclose(batch.targets[:, 0], expected, rtol=1e-12)
    assert set(batch.x[marked[:, 0], 0, 0]) == {1.0 if product else 0.0}
    inner = batch.x[:, 1:90, 0]
    assert (inner.min() >= 0.0) == product
    assert inner.max() < 1.0


def test_the_lag_is_at_least_half_of_the_length() -> None:
    batch = MarkedPairs(T=100).draw(random(1), MANY)
    last = 99 - (batch.x[:, :100, 1][:, ::-1] == 1.0).argmax(1)
    assert (batch.lengths - 1 - last).min() == 50


# --- 6 --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("places", [((10, 20), (50, 60)), ((10, 20), (33, 43), (66, 76))])
def test_temporal_order(places: tuple[tuple[int, int], ...]) -> None:
    batch = TemporalOrder(places).draw(random(), MANY)
    uniform(batch.lengths, 100, 110)
    uniform(batch.targets.argmax(1), 0, 2 ** len(places) - 1)
    texts = ["".join(ORDER[s] for s in x[:n]) for x, n in zip(batch.x[:3000], batch.lengths, strict=False)]
    for text, target in zip(texts, batch.targets, strict=False):
        order = [s for s in text if s in "XY"]
        assert text[0] == "E"
        assert text[-1] == "B"
        assert set(text[1:-1]) <= set("abcdXY")
        assert target.argmax() == sum(2**k for k, s in enumerate(reversed(order)) if s == "Y")
        assert len(order) == len(places)
    found = np.array([[k + 1 for k, s in enumerate(text) if s in "XY"] for text in texts])
    for k, (low, high) in enumerate(places):
        uniform(found[:, k], low, high)


def test_draws_do_not_depend_on_other_draws() -> None:
    task = TemporalOrder(((10, 20), (50, 60)))
    one, other = random(5), random(5)
    other_task_first = random(6)
    task.train(other_task_first, 10)
    assert np.array_equal(task.train(one, 100).x, task.train(other, 100).x)
