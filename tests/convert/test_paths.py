"""Errors for arguments that are not file names, and for files that cannot be written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from minigrad.convert import ForeignFileError
from minigrad.engine.errors import DTypeError
from minigrad.keras.storage.paths import file_name, writing


def test_a_name_is_a_string_or_a_path(tmp_path: Path) -> None:
    assert file_name("f", "a.h5") == "a.h5"
    assert file_name("f", tmp_path / "a.h5") == str(tmp_path / "a.h5")


@pytest.mark.parametrize(
    ("path", "came"), [(None, "None"), (3, "3"), ({"a": 1}, "dict"), (DTypeError("x"), "DTypeError")]
)
def test_what_is_no_name(path: Any, came: str) -> None:
    with pytest.raises(DTypeError, match=rf"^f: expected `path`, .* file, got {came}\. The file comes first\.$"):
        file_name("f", path, "The file comes first.")


def test_what_cannot_be_written() -> None:
    with pytest.raises(ForeignFileError, match=r"^b: cannot be written: full\.$"), writing("b"):
        raise OSError("full")
