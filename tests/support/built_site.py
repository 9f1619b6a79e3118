"""The site as MkDocs and Zensical build it, from a tree that has everything but earlier builds."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from docs.builder.links import ROOT


@dataclass(frozen=True)
class Site:
    """The folder of the written pages, and that of the built site."""

    pages: Path
    mkdocs: Path
    zensical: Path


def build(tree: Path) -> Site:
    """Build the site by both programs, in an empty folder."""
    for path in ROOT.iterdir():
        if not path.name.startswith(".") and path.name not in ("build", "mkdocs.yml", "zensical.yml"):
            (tree / path.name).symlink_to(path)
    for name in ("mkdocs.yml", "zensical.yml"):
        (tree / name).write_text((ROOT / name).read_text("utf-8"), "utf-8")
    built = Site(tree / "build" / "pages", tree / "mkdocs", tree / "build" / "site")
    mkdocs = ["mkdocs", "build", "--strict", "-d", str(built.mkdocs)]
    for command in (mkdocs, ["zensical", "build", "--strict", "-f", "zensical.yml"]):
        process = subprocess.run(
            [sys.executable, "-m", *command], cwd=tree, capture_output=True, text=True, check=False
        )
        assert process.returncode == 0, process.stdout + process.stderr
    return built
