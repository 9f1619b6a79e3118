"""Every test begins with a fresh graph, and leaves nobody watched."""

from __future__ import annotations

import pytest

from minigrad.compat.v1 import reset_default_graph
from minigrad.recurrent.watch import watching


@pytest.fixture(autouse=True)
def _fresh_graph():
    reset_default_graph()
    yield
    assert not watching, "somebody is still being watched"
