"""Windows of a series and texts: mistakes, orders drawn at random, and the addresses as modules."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine.errors import MinigradError
from minigrad.keras.preprocessing.sequence import TimeseriesGenerator
from minigrad.keras.preprocessing.text import Tokenizer, tokenizer_from_json
from minigrad.keras.utils import timeseries_dataset_from_array


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("preprocessing.sequence", "pad_sequences"),
        ("preprocessing.sequence", "TimeseriesGenerator"),
        ("preprocessing.text", "Tokenizer"),
        ("preprocessing", "timeseries_dataset_from_array"),
        ("utils", "Sequence"),
    ],
)
def test_can_be_imported_as_from_tensorflow(module: str, name: str) -> None:
    assert hasattr(import_module(f"minigrad.keras.{module}"), name)


def test_shuffled_windows_are_all_there_in_another_order_each_time() -> None:
    x = np.arange(50.0)
    windows = timeseries_dataset_from_array(x, x * 2, 3, batch_size=7, shuffle=True, seed=1)
    first, second = ([float(y) for _, targets in windows for y in targets.tolist()] for _ in range(2))
    assert sorted(first) == sorted(second) == (2 * np.arange(48.0)).tolist()
    assert first != second
    for batch, targets in windows:
        assert (batch.numpy()[:, 0] * 2 == targets.numpy()).all()


def test_a_generator_draws_windows_from_the_seed() -> None:
    rows = TimeseriesGenerator(np.arange(9.0), np.arange(9.0), 2, shuffle=True, batch_size=5)
    mg.random.seed(3)
    x, y = rows[0]
    mg.random.seed(3)
    assert (rows[0][1] == y).all()
    assert (x[:, 1] == y - 1).all()


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (lambda: timeseries_dataset_from_array([1.0, 2.0], None, 3), "at least 3 rows of `data`"),
        (lambda: timeseries_dataset_from_array(5, None, 3), "expected `data` of shape"),
        (lambda: timeseries_dataset_from_array([1.0, 2.0], None, 0), "`sequence_length`"),
        (lambda: TimeseriesGenerator([1, 2], [1, 2], 2), "no window fits"),
        (lambda: TimeseriesGenerator([1, 2], [1], 1), "`data` and `targets` of one length"),
        (lambda: Tokenizer().fit_on_texts("one text"), "expected a list of texts"),
        (lambda: Tokenizer().fit_on_texts([5]), "`input_text`"),
        (lambda: Tokenizer(num_words=0), "`num_words`"),
        (lambda: tokenizer_from_json("[]"), "tokenizer_from_json"),
        (lambda: tokenizer_from_json('{"config": {"a": 1}}'), "expected a text of Tokenizer.to_json"),
    ],
)
def test_a_mistake_is_said(act: Any, says: str) -> None:
    with pytest.raises(MinigradError, match=says):
        act()
