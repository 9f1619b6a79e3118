"""The page "your code says X, here it is Y" leaves no public name out, and names nothing that is not there."""

from __future__ import annotations

import re
from typing import Any

import pytest

import minigrad as mg
from docs_pages.generated import DOCS

PAGE = re.sub(r"^```.*?^```$", "", (DOCS / "your-code-says.md").read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
WORDS = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`]+)`", PAGE))))
V1 = mg.compat.v1


@pytest.mark.parametrize(
    "module", [V1, V1.nn, V1.nn.rnn_cell, V1.keras.layers, mg.keras.layers], ids=lambda module: module.__name__
)
def test_every_public_name_is_on_the_page(module: Any) -> None:
    assert set(module.__all__) - WORDS == set()


def test_every_address_on_the_page_is_there() -> None:
    """What stands under "here" must exist; what begins with ``tf.`` on the left may be TensorFlow's alone."""
    rows = [line.split(" | ") for line in PAGE.splitlines() if line.startswith("| `")]
    here = " ".join(row[1] for row in rows if len(row) > 1)
    addresses = {a for code in re.findall(r"`([^`]+)`", here) for a in re.findall(r"\btf\.([\w.]*\w)", code)}
    addresses |= {
        "compat." + a for code in re.findall(r"`([^`]+)`", here) for a in re.findall(r"\b(v1\.[\w.]*\w)", code)
    }
    assert len(addresses) > 30
    for address in addresses:
        found: Any = mg
        for part in address.split("."):
            found = getattr(found, part)
