"""The leak detector detects leaks."""

from __future__ import annotations

from threading import Thread

import minigrad as mg
from conftest import leaks
from minigrad.compat import v1
from minigrad.engine import recording, registry
from minigrad.layers.context import inside
from needed import needed

strict_backend = needed("strict_backend")

ON_THE_TAPE = "a block is open: recording or observing"
A_TAPE = "a GradientTape is open, here or in another thread"


def test_quiet_where_nothing_leaks() -> None:
    assert leaks(registry.current()) == []


def test_notices_another_backend() -> None:
    before = registry.current()
    mg.use(strict_backend)
    found = leaks(before)
    mg.use(before)
    assert found == ["the current backend is 'strict', was 'numpy'"]


def test_notices_every_open_block() -> None:
    before = registry.current()
    lstm = mg.keras.layers.LSTM(2)
    with mg.using("numpy"):
        assert leaks(before) == ["a block is open: mg.using"]
    with recording.recording(False):
        assert leaks(before) == [ON_THE_TAPE]
    with recording.observing(print):
        assert leaks(before) == [ON_THE_TAPE]
    with mg.GradientTape():
        assert leaks(before) == [ON_THE_TAPE, A_TAPE]
    with mg.trace(lstm):
        assert leaks(before) == ["a block is open: mg.trace"]
    with inside(lstm, "", True):
        assert leaks(before) == ["a block is open: a layer's call or build"]
    with v1.variable_scope("a"):
        assert leaks(before) == ["a block is open: v1.variable_scope"]
    assert leaks(before) == []


def test_notices_a_tape_of_another_thread() -> None:
    left_open = mg.GradientTape()
    thread = Thread(target=left_open.__enter__)
    thread.start()
    thread.join()
    found = leaks(registry.current())
    left_open.__exit__(None, None, None)
    assert found == [A_TAPE]
