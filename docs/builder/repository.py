"""The web address of the repository, to which each page of the site links."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from collections.abc import Mapping
from pathlib import Path

from docs.builder.links import ROOT

VARIABLE = "MINIGRAD_REPOSITORY"
NAMES = ("repository", "source", "source code", "github", "homepage")  # of project.urls, the first one there
REMOTE = re.compile(r"(?:https?://|ssh://)?(?:[^@/]+@)?([\w-]+(?:\.[\w-]+)+)(?::\d+)?[:/]+(.+?)(?:\.git)?/?")


def repository(root: Path = ROOT, environment: Mapping[str, str] = os.environ) -> str:
    """Return the address of the repository, or an empty text where nothing tells it.

    The variable MINIGRAD_REPOSITORY comes first, then ``project.urls`` of pyproject.toml, then the remote ``origin`` of
    the clone.
    """
    return environment.get(VARIABLE, "") or of_project(root / "pyproject.toml") or of_clone(root)


def of_project(file: Path) -> str:
    """Return the address in ``project.urls`` of a pyproject.toml."""
    urls = tomllib.loads(file.read_text("utf-8"))["project"].get("urls", {})
    named = {name.lower(): url for name, url in urls.items()}
    return next((named[name] for name in NAMES if name in named), "")


def of_clone(root: Path) -> str:
    """Return the address of the remote ``origin``; a folder without git, or a clone of a folder, has none."""
    command = ["git", "-C", str(root), "config", "--get", "remote.origin.url"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:  # there is no git here
        return ""
    return web_address(done.stdout.strip())


def web_address(remote: str) -> str:
    """Return the web address of a remote such as ``git@example.org:owner/name.git``; empty for a folder."""
    found = REMOTE.fullmatch(remote)
    return f"https://{found[1]}/{found[2]}" if found else ""
