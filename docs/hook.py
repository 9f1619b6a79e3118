"""What MkDocs calls before it reads the pages: it makes them, so that ``mkdocs build --strict`` is all it takes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # a checkout is no installed package

from docs.builder.site import build


def on_pre_build(config: Any) -> None:
    """Writes all pages."""
    build(Path(config["docs_dir"]))
