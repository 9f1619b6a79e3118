"""A store of variables that is empty before and after every test of the first generation."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _fresh_variables(fresh_variables: None) -> None:
    """Request the fixture for every test here."""
