"""The address of the repository: from a variable, pyproject.toml or the clone; without one, no link."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from docs.builder import repository

PROJECT = '[project]\nname = "x"\n'
URLS = '[project.urls]\nHomepage = "https://example.org"\nRepository = "https://example.org/owner/name"\n'


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A repository with a remote."""
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    subprocess.run(["git", "-C", tmp_path, "remote", "add", "origin", "git@example.net:their/fork.git"], check=True)
    (tmp_path / "pyproject.toml").write_text(PROJECT, "utf-8")
    return tmp_path


def test_the_variable_comes_first_then_the_project_then_the_clone(clone: Path) -> None:
    assert repository.repository(clone, {}) == "https://example.net/their/fork"
    (clone / "pyproject.toml").write_text(PROJECT + URLS, "utf-8")
    assert repository.repository(clone, {}) == "https://example.org/owner/name"
    assert repository.repository(clone, {"MINIGRAD_REPOSITORY": "https://a.b/c"}) == "https://a.b/c"


def test_nothing_tells_it(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(PROJECT, "utf-8")
    subprocess.run(["git", "init", "--quiet", tmp_path], check=True)
    assert repository.repository(tmp_path, {"MINIGRAD_REPOSITORY": ""}) == ""


@pytest.mark.parametrize(
    ("remote", "address"),
    [
        ("https://example.org/owner/name.git", "https://example.org/owner/name"),
        ("https://token:x@example.org/owner/name", "https://example.org/owner/name"),
        ("ssh://git@example.org:2222/owner/name.git/", "https://example.org/owner/name"),
        ("git@sub.example.org:group/sub/name.git", "https://sub.example.org/group/sub/name"),
        ("/srv/git/name.git", ""),
        ("../name", ""),
        ("file:///srv/name.git", ""),
        ("C:/Users/me/name", ""),
        ("", ""),
    ],
)
def test_addresses_of_remotes(remote: str, address: str) -> None:
    assert repository.web_address(remote) == address


def test_pages_get_the_link(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("mkdocs", reason="the site needs pip install -e '.[docs]'")
    from docs import hook

    monkeypatch.setattr(hook, "repository", lambda: "https://example.org/owner/name")
    config = {"repo_url": ""}
    hook.link(config)
    assert config == {"repo_url": "https://example.org/owner/name", "repo_name": "owner/name"}
    monkeypatch.setattr(hook, "repository", lambda: "")
    config = {"repo_url": ""}
    hook.link(config)
    assert config == {"repo_url": ""}
