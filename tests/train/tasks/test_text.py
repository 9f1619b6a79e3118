"""The character model's data: streams, windows, the part held out, the baseline."""

from __future__ import annotations

import numpy as np
import pytest

from minigrad.train.corpus import UNKNOWN
from minigrad.train.errors import DataError, OptionError
from minigrad.train.task import Sampling
from minigrad.train.tasks import text as text_module
from minigrad.train.tasks.text import Text, TextOptions
from minigrad.train.trigram import Trigram

ALPHABET = "abcdefgh \n"


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("text") / "text.txt"
    letters = np.random.default_rng(0).integers(0, len(ALPHABET), 5000)
    path.write_text("".join(ALPHABET[i] for i in letters))
    return str(path)


@pytest.fixture(scope="module")
def task(file):
    return Text(TextOptions(file=file, batch=4, window=10))


def test_streams_run_on_from_window_to_window(task, file):
    batches = [task.batch(np.random.default_rng(0), k) for k in range(len(task.inputs))]
    text = task.vocabulary.decode(task.numbers[: task.split])
    per_stream = len(batches) * 10
    for row in range(4):
        read = task.vocabulary.decode(np.concatenate([b.inputs[row] for b in batches]))
        said = task.vocabulary.decode(np.concatenate([b.targets[row] for b in batches]))
        begin = row * per_stream
        assert read == text[begin : begin + per_stream]
        assert said == text[begin + 1 : begin + per_stream + 1]
    assert 4 * per_stream > len(text) - 4 * 10 - 1
    assert [b.fresh for b in batches] == [True] + [False] * (len(batches) - 1)


def test_after_the_last_window_comes_the_first_afresh(task):
    count = len(task.inputs)
    again = task.batch(np.random.default_rng(0), count)
    assert again.fresh
    np.testing.assert_array_equal(again.inputs, task.batch(np.random.default_rng(0), 0).inputs)


def test_the_last_tenth_is_not_trained_on(task):
    assert task.split == 4500
    assert sum(b.size for b in task.targets) <= 4500 - 1


def test_of_a_long_text_no_more_is_held_out_than_it_takes(file, monkeypatch):
    monkeypatch.setattr(text_module, "HELD_OUT", 300)
    assert Text(TextOptions(file=file, batch=4, window=10)).split == 4700


def counted_order_1(task):
    """A predictor that has a closed answer: the logits depend on the last character alone."""
    table = np.random.default_rng(5).normal(size=(len(task.vocabulary),) * 2)
    return table, lambda inputs, states=None: (table[inputs], states)


def test_evaluation_is_the_mean_over_the_characters_that_the_baseline_scores(file, monkeypatch):
    task, seen, counted = Text(TextOptions(file=file, batch=4, window=2)), [], Trigram.bits_each  # several windows
    table, predict = counted_order_1(task)
    monkeypatch.setattr(
        Trigram, "bits_each", lambda self, text, positions: seen.append(positions) or counted(self, text, positions)
    )
    task.baseline()
    (positions,) = seen  # and they are not counted again in an evaluation
    assert positions[0] == task.split + 1
    assert positions[-1] < len(task.numbers)
    logits = table[task.numbers[positions - 1]]
    log_p = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    each = -log_p[np.arange(len(positions)), task.numbers[positions]] / np.log(2)
    measured = task.evaluate(predict)
    assert measured["bits_per_character"] == pytest.approx(each.mean())
    assert len(seen) == 1
    trigrams = counted(Trigram(task.numbers[: task.split], len(task.vocabulary)), task.numbers, positions)
    assert task.baseline().value == pytest.approx(trigrams.mean())
    windows = (each - trigrams).reshape(-1, 2).mean(axis=1)
    assert measured["standard_error"] == pytest.approx(windows.std(ddof=1) / len(windows) ** 0.5)


def test_the_state_is_carried_through_the_evaluation(task):
    states = []

    def predict(inputs, state=None):
        states.append(state)
        return np.zeros((*inputs.shape, len(task.vocabulary))), len(states)

    bits = task.evaluate(predict)["bits_per_character"]
    assert bits == pytest.approx(np.log2(len(task.vocabulary)))
    assert states == [None, *range(1, len(states))]


def test_the_baseline_learns_from_the_training_part_alone(tmp_path):
    path = tmp_path / "t"
    path.write_text("ab" * 900 + "ba" * 50 + "aabb" * 25)
    task = Text(TextOptions(file=str(path), batch=2, window=10))
    value = task.baseline().value
    assert value > 1  # the part held out is not like the part counted
    assert value == pytest.approx(task.baseline().value)


def test_rare_characters_count_as_one_symbol_and_are_told(tmp_path):
    path = tmp_path / "t"
    path.write_text("abcdefghij" * 100)
    task = Text(TextOptions(file=str(path), batch=2, window=5, vocabulary=4))
    assert task.vocabulary.characters == UNKNOWN + "abc"
    assert "70.0% of the characters are outside" in task.notes()[1]
    assert len(Text(TextOptions(file=str(path), batch=2, window=5)).notes()) == 1


def test_a_text_shorter_than_a_window(tmp_path):
    path = tmp_path / "t"
    path.write_text("x" * 649)
    with pytest.raises(DataError, match=r"at least 650 characters, so that a window of 64 fits .* got 649"):
        Text(TextOptions(file=str(path)))
    path.write_text("x" * 650)
    task = Text(TextOptions(file=str(path)))
    assert task.inputs.shape == (1, 9, 64)  # fewer streams than --batch
    assert np.isfinite(task.baseline().value)


def test_only_so_many_characters_are_read(file):
    assert len(Text(TextOptions(file=file, window=10, characters=2000)).numbers) == 2000


def test_a_restored_task_samples_like_the_first_and_knows_its_text(task):
    restored = Text.restore(task.options, task.facts())
    _, predict = counted_order_1(task)
    texts = [
        t.sample(predict, np.random.default_rng(1), Sampling(length=50, temperature=1.0)) for t in (task, restored)
    ]
    assert texts[0] == texts[1]
    assert len(texts[0]) == 50
    assert restored.facts() == task.facts()
    assert restored.shape() == task.shape()


def test_the_prompt_is_read_whole_then_one_character_at_a_time(task):
    seen = []

    def predict(inputs, states=None):
        seen.append((task.vocabulary.decode(inputs[0]), states))
        logits = np.zeros((1, inputs.shape[1], len(task.vocabulary)))
        logits[0, -1, 1 + len(seen)] = 50
        return logits, len(seen)

    text = task.sample(predict, np.random.default_rng(0), Sampling(length=3, prompt="abc"))
    known = task.vocabulary.characters
    assert text == "abc" + known[2:5]
    assert seen == [("abc", None), (known[2], 1), (known[3], 2)]


def test_a_prompt_of_strange_characters(task):
    with pytest.raises(OptionError, match=r"--prompt: .* got 'Z', 'é'\. The vocabulary is: "):
        task.sample(None, np.random.default_rng(0), Sampling(prompt="aéZ"))


def test_temperature(task):
    logits = np.zeros((1, 1, len(task.vocabulary)))
    logits[..., 0] = 99  # the unknown character is never written
    logits[..., 3] = 1

    def texts(temperature):
        settings = Sampling(length=300, temperature=temperature)
        return task.sample(lambda i, s=None: (logits, s), np.random.default_rng(0), settings)

    likeliest = task.vocabulary.characters[3]
    assert set(texts(0.0)) == {likeliest}
    assert set(texts(1.0)) == set(ALPHABET)
    assert texts(1.0).count(likeliest) < texts(0.5).count(likeliest) < 300
