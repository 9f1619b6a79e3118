"""Every test of the first generation starts without variables, and leaves none behind."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _fresh_variables(fresh_variables: None) -> None:
    """Asks for it on behalf of every test here."""
