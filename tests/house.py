"""`python tests/house.py` prints the figures of the house that `test_house.py` holds."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "support"))

import figures

if __name__ == "__main__":
    print(figures.measure())
