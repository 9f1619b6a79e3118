"""The page, made once."""

from __future__ import annotations

import pytest

from minigrad.playground.builder import playground
from minigrad.playground.networks import Network, networks


@pytest.fixture(scope="session")
def page() -> str:
    return playground()


@pytest.fixture(scope="session")
def nets() -> dict[str, Network]:
    return {net.key: net for net in networks()}
