"""The leak detector detects leaks."""

from __future__ import annotations

import minigrad as mg
import strict_backend
from conftest import leaks
from minigrad.backend import registry
from minigrad.tape import recording


def test_quiet_where_nothing_leaks() -> None:
    assert leaks(registry.current()) == []


def test_notices_another_backend() -> None:
    before = registry.current()
    with mg.using(strict_backend):
        assert leaks(before) == ["the current backend is 'strict', was 'numpy'"]


def test_notices_a_tape_that_is_off() -> None:
    with recording(False):
        assert leaks(registry.current()) == ["the tape is switched off"]


def test_notices_an_open_tape() -> None:
    with mg.GradientTape():
        assert leaks(registry.current()) == ["a GradientTape is open"]
