"""The forecast of a CSV column."""

from __future__ import annotations

import numpy as np
import pytest

from file_errors import EMPTY
from minigrad.train.errors import DataError, OptionError
from minigrad.train.task import Sampling
from minigrad.train.tasks.series import Series, SeriesOptions, read_column
from run_errors import FILE_AND_COLUMN


@pytest.fixture
def csv(tmp_path):
    def write(text, name="s.csv"):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return str(tmp_path / name)

    return write


@pytest.fixture
def task(csv):
    values = np.random.default_rng(0).normal(size=100).cumsum() + 50
    file = csv("day,level\n" + "".join(f"{k},{v!r}\n" for k, v in enumerate(values.tolist())))
    return Series(SeriesOptions(file=file, column="level", window=8, batch=5))


def test_a_column_is_read(csv):
    file = csv('a; "b c" ;d\n1;2,5;3\n\n4;"5";6\n'.replace("2,5", "2.5"))
    assert read_column(file, "b c", ";").tolist() == [2.5, 5.0]


@pytest.mark.parametrize(
    ("text", "column", "kind", "message"),
    [
        ("a,b\n1,2\n", "c", OptionError, "unknown name 'c'.* Known are: a, b"),
        ("a,bee\n1,2\n", "be", OptionError, "Did you mean 'bee'"),
        ("a;b\n1;2\n", "b", OptionError, r"Known are: a;b\. Is the --delimiter right"),
        ("a,b\n1,2\n3,x\n", "b", DataError, "line 3, column b: expected a number, got 'x'"),
        ("a,b\n1,2\n\n3,\n", "b", DataError, "line 4, column b: expected a number, got ''"),
        ("a,b\n1,2\n3\n", "b", DataError, "line 3, column b: expected a number, got ''"),
        ("a,b\n1,nan\n", "b", DataError, "line 2, column b: expected a number, got 'nan'"),
        ("", "b", DataError, EMPTY),
    ],
)
def test_what_is_wrong_is_named(csv, text, column, kind, message):
    with pytest.raises(kind, match=message):
        read_column(csv(text), column, ",")


def test_file_and_column_are_both_needed(csv):
    for options in (SeriesOptions(), SeriesOptions(column="a"), SeriesOptions(file=csv("a\n1\n"))):
        with pytest.raises(OptionError, match=FILE_AND_COLUMN):
            Series(options)


def test_a_delimiter_is_one_character(csv):
    with pytest.raises(OptionError, match="--delimiter: expected one character, got ';;'"):
        read_column(csv("a\n1\n"), "a", ";;")


def test_too_few_values(csv):
    file = csv("a\n" + "1\n2\n" * 5)
    with pytest.raises(DataError, match=r"at least 12 values for a window of 8, .* got 10"):
        Series(SeriesOptions(file=file, column="a", window=8))
    Series(SeriesOptions(file=csv("a\n" + "1\n2\n" * 6), column="a", window=8))


@pytest.mark.parametrize("step", [0, 1])
def test_nothing_to_learn(csv, step):
    file = csv("a\n" + "".join(f"{step * k}\n" for k in range(50)))
    with pytest.raises(DataError, match="constant or grow by the same amount"):
        Series(SeriesOptions(file=file, column="a", window=8))


def test_batches_are_windows_of_the_training_part_and_targets_its_changes(task):
    drawn = task.batch(np.random.default_rng(0), 0)
    assert drawn.inputs.shape == drawn.targets.shape == (5, 8, 1)
    values = drawn.inputs[..., 0] * task.spread + task.mean
    after = values + drawn.targets[..., 0] * task.change
    np.testing.assert_allclose(after[:, :-1], values[:, 1:], rtol=1e-5)
    starts = [int(np.abs(task.values - row[0]).argmin()) for row in values]
    assert len(set(starts)) > 1
    assert max(starts) + 8 < task.split


def test_who_says_no_change_has_the_error_of_the_baseline(task):
    measured = task.evaluate(lambda inputs, states=None: (np.zeros_like(inputs), states))
    expected = np.mean((task.values[80:] - task.values[79:-1]) ** 2)
    assert measured["mean_squared_error"] == pytest.approx(expected)
    assert measured["root_mean_squared_error"] == pytest.approx(expected**0.5)
    assert task.baseline().value == pytest.approx(expected)
    assert measured["standard_error"] == pytest.approx(0)  # of the difference, which is none for each value


def test_who_knows_the_change_has_no_error(task):
    changes = np.diff(task.values)[None, :, None] / task.change
    measured = task.evaluate(lambda i, s=None: (changes, s))
    assert measured["mean_squared_error"] == pytest.approx(0)
    squared = np.diff(task.values)[79:] ** 2
    assert measured["standard_error"] == pytest.approx(squared.std(ddof=1) / len(squared) ** 0.5)


def test_the_scale_comes_from_the_training_part(task):
    assert task.mean == pytest.approx(task.values[:80].mean())
    assert task.spread == pytest.approx(task.values[:80].std())


def test_a_restored_task_forecasts_from_the_end(task):
    restored = Series.restore(task.options, task.facts())

    def predict(inputs, states=None):
        return np.full_like(inputs, 2.0), states

    text = restored.sample(predict, np.random.default_rng(0), Sampling(length=2))
    last = task.values[-1]
    assert text.splitlines() == [
        f"last value: {last:g}",
        f"forecast 1 ahead: {last + 2 * task.change:g}",
        f"forecast 2 ahead: {last + 4 * task.change:g}",
    ]
    assert text == task.sample(predict, np.random.default_rng(0), Sampling(length=2))
