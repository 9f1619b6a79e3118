"""Hook of MkDocs that writes the site's pages, so that ``mkdocs build --strict`` needs no command before it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # a checkout is not an installed package

from docs.builder.repository import repository
from docs.builder.site import build


def on_config(config: Any) -> Any:
    """Write all pages into build/pages, and let MkDocs read them there instead of in docs/."""
    folder = Path(config["config_file_path"]).parent / "build" / "pages"
    build(folder)
    config["docs_dir"] = str(folder)
    link(config)
    return config


def link(config: Any) -> None:
    """Let the header of each page link to the repository, where its address is known."""
    address = repository()
    if address:
        config["repo_url"], config["repo_name"] = address, urlsplit(address).path.strip("/")
