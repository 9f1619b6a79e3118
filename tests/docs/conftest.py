"""The built site, once for all tests of it."""

from __future__ import annotations

import pytest

import built_site


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> built_site.Site:
    """The site by both programs, from a tree that has everything but earlier builds."""
    return built_site.build(tmp_path_factory.mktemp("tree"))
