"""A cold import of minigrad, without the laboratory."""

from __future__ import annotations

import subprocess
import sys


def test_minigrad_does_not_load_the_laboratory() -> None:
    code = "import sys, minigrad; print([m for m in sys.modules if m.startswith('minigrad.papers')])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
