"""The first call of a compiled layer, in fresh processes."""

from __future__ import annotations

import pytest

from minigrad.bench import first_call
from minigrad.bench.first_call import first_calls
from minigrad.bench.harness import MeasureError


def test_the_second_process_finds_what_the_first_compiled(monkeypatch):
    """A backend that writes to the folder, in place of one that takes seconds to compile."""
    code = "import os, sys, pathlib as p; it = p.Path(os.environ['NUMBA_CACHE_DIR']) / sys.argv[1]; "
    monkeypatch.setattr(first_call, "CODE", code + "print(1.0 if it.exists() else 9.0); it.touch()")
    assert first_calls("numba") == (9.0, 1.0)
    assert first_calls("numba") == (9.0, 1.0)  # in a separate folder


def test_a_layer_is_called_both_ways():
    cold, warm = first_calls("numpy")  # it compiles nothing
    assert 0 < cold < 10
    assert 0 < warm < 10


def test_a_failure_is_told_in_a_line():
    with pytest.raises(MeasureError, match=r"failed: .*unknown name 'nunpy'"):
        first_calls("nunpy")
