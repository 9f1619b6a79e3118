"""Every test of the first generation starts without variables, and leaves none behind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from minigrad.compat import v1


@pytest.fixture(autouse=True)
def _fresh_variables() -> Iterator[None]:
    v1.reset_default_graph()
    yield
    v1.reset_default_graph()
