"""The first Ctrl-C leaves a note, the second ends the program."""

from __future__ import annotations

import signal
import threading

import pytest

from minigrad.train.interrupt import interruptible


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_a_note(number):
    before = signal.getsignal(number)
    with interruptible() as interruption:
        assert not interruption
        signal.raise_signal(number)
        assert interruption
        assert interruption.signal == number
    assert signal.getsignal(number) is before


def test_the_same_one_passed_on_twice_counts_once():
    with interruptible() as interruption:
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
        assert interruption.signal == signal.SIGTERM


def test_a_second_one_ends_it(monkeypatch):
    with interruptible():
        signal.raise_signal(signal.SIGINT)
        monkeypatch.setattr("minigrad.train.interrupt.SAME_SIGNAL_SECONDS", -1.0)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)


def test_outside_of_the_main_thread_nothing_is_caught():
    seen = []

    def work():
        with interruptible() as interruption:
            seen.append(bool(interruption))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [False]
