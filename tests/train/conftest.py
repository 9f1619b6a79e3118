"""A text to train on, and a run that has not begun."""

from __future__ import annotations

import pytest

from minigrad.train.run import Run
from train.runs import options_of


@pytest.fixture(scope="session")
def corpus(tmp_path_factory):
    path = tmp_path_factory.mktemp("corpus") / "text.txt"
    path.write_text("the quick brown fox jumps over the lazy dog.\n" * 60)
    return path


@pytest.fixture
def run_folder(tmp_path, corpus):
    Run.create(tmp_path / "run", options_of("reber", corpus), "reber")
    return tmp_path / "run"
