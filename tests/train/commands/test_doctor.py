"""``python -m minigrad doctor``."""

from __future__ import annotations

import numpy as np
import pytest

from minigrad.engine import registry
from minigrad.train.commands import doctor
from minigrad.train.errors import OptionError


def test_it_says_what_there_is(capsys, monkeypatch):
    monkeypatch.setitem(registry.SHIPPED, "abacus", "minigrad_abacus")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert doctor.main([]) == 0
    out = capsys.readouterr().out
    assert f"numpy {np.__version__}" in out
    assert "OMP_NUM_THREADS=1" in out
    lines = {line.split()[0]: line for line in out.splitlines() if line.startswith("  ") and line[2] != " "}
    assert lines["numpy"].split() == ["numpy", "available"]
    assert "No module named 'minigrad_abacus'" in " ".join(out.split())
    assert "pip install 'minigrad-bptt[abacus]'" in " ".join(out.split())


def test_it_takes_nothing():
    with pytest.raises(OptionError):
        doctor.main(["--fast"])
