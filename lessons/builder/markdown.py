"""An executed notebook as a Markdown page with its pictures in files next to it, for the documentation site."""

from __future__ import annotations

import re
from base64 import b64decode
from pathlib import Path
from typing import Any

from lessons.builder.notebook import Notebook

LINK = re.compile(r"\[([^\]]+)\]\(([^)\s]+)\)")


def write_markdown(notebook: Notebook, name: str, folder: Path, links: str | None = None) -> Path:
    """Write ``folder/name.md`` and ``folder/name/figure-1.png`` (or ``.svg``) …, every picture with its alt text.

    The code that draws a figure is left out; notebooks have it.

    Args:
        notebook: after it was run.
        name: of the page.
        folder: where it goes.
        links: where links to the repository's files lead, ``"https://…/blob/main/"``; None makes them plain text.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for old in (folder / name).glob("figure-*.*"):
        old.unlink()
    parts: list[str] = []
    for cell in notebook["cells"]:
        text = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            text = text.replace("<details>", '<details markdown="1">')  # folded hints: what is inside is Markdown too
            parts.append(LINK.sub(lambda found: _link(found[1], found[2], links), text))
            continue
        if not cell["metadata"].get("jupyter", {}).get("source_hidden"):
            parts.append(f"```python\n{text}\n```")
        parts.extend(filter(None, (_output(output, name, folder) for output in cell["outputs"])))
    page = folder / f"{name}.md"
    page.write_text("\n\n".join(parts) + "\n", "utf-8")
    return page


def figure(alt: str, file: str) -> str:
    """Return a picture in Markdown; brackets in its alt text, which may be unbalanced, are escaped."""
    escaped = re.sub(r"([\[\]])", r"\\\1", alt)
    return f"![{escaped}]({file})"


def _link(text: str, to: str, links: str | None) -> str:
    """A link as it is on a page: to another lesson's page, or into the repository."""
    if to.endswith(".ipynb"):
        return f"[{text}]({to.removesuffix('.ipynb')}.md)"
    if not to.startswith("../"):
        return f"[{text}]({to})"
    return text if links is None else f"[{text}]({links}{to.removeprefix('../')})"


def _output(output: dict[str, Any], name: str, folder: Path) -> str:
    if output["output_type"] == "stream":
        return f"```text\n{''.join(output['text']).rstrip()}\n```"
    if output["output_type"] == "error":
        said = "\n".join(output["traceback"])
        return f"```text\n{said}\n```"
    if "text/html" in output["data"]:  # the picture in words, which its alt text says already
        return ""
    for kind, suffix in (("image/png", "png"), ("image/svg+xml", "svg")):
        if kind in output["data"]:
            (folder / name).mkdir(exist_ok=True)
            number = len(list((folder / name).glob("figure-*.*"))) + 1
            picture, image = folder / name / f"figure-{number}.{suffix}", output["data"][kind]
            picture.write_bytes(b64decode(image) if suffix == "png" else "".join(image).encode())
            return figure(output["metadata"][kind]["alt"], f"{name}/{picture.name}")
    return f"```text\n{''.join(output['data']['text/plain']).rstrip()}\n```"
