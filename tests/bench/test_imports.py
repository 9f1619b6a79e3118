"""The import of a module in a fresh process."""

from __future__ import annotations

import sys

import pytest

from minigrad.bench.harness import MeasureError
from minigrad.bench.imports import Importer, cache_folder


def test_an_import_is_timed():
    measured = Importer("colours", "colorsys").measure(None, 1)
    assert 0 < measured.seconds < measured.wall


def test_compiled_files_go_to_the_folder_that_is_given(tmp_path, monkeypatch):
    (tmp_path / "lonely_module.py").write_text("x = 1\n")
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    with cache_folder() as cache:
        Importer("it", "lonely_module", cache=cache).measure(None, 1)
        assert [path.name for path in tmp_path.iterdir()] == ["lonely_module.py"]
        assert list((tmp_path / cache).rglob("lonely_module*.pyc"))


@pytest.mark.parametrize(
    ("module", "why"),
    [
        ("no_such_module", "not installed: No module named 'no_such_module'"),
        ("broken_module", "failed: RuntimeError: no driver"),
    ],
)
def test_what_cannot_be_imported(module, why, tmp_path, monkeypatch):
    (tmp_path / "broken_module.py").write_text("raise RuntimeError('no driver')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(MeasureError) as error:
        Importer("it", module).measure(None, 1)
    assert str(error.value) == why
