"""A fresh graph for every test, and a check that tracing has ended."""

from __future__ import annotations

import pytest

from minigrad.compat.v1 import reset_default_graph
from minigrad.recurrent.watch import watching


@pytest.fixture(autouse=True)
def _fresh_graph():
    reset_default_graph()
    yield
    assert not watching, "a cell is still being traced"
