"""Ctrl-C while python -m minigrad imports: one line, exit status 130, no traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

from minigrad.engine import interrupt

pytestmark = pytest.mark.skipif(os.name != "posix", reason="sends a POSIX signal")

# Sends the process SIGINT at an import of a certain number, the first being that of `signal` by `interrupt`.
AT_AN_IMPORT = """if True:
    import os, sys

    count = 0

    def hook(event, args):
        global count
        if event == "import" and "minigrad.engine.interrupt" in sys.modules:
            count += 1
            if count == int(os.environ["AT"]):
                os.kill(os.getpid(), 2)

    sys.addaudithook(hook)
"""


@pytest.mark.parametrize("number", [1, 2, 7, 20, 55, 90, 150, 220, 300])
def test_at_each_import(tmp_path, number):
    (tmp_path / "sitecustomize.py").write_text(AT_AN_IMPORT)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "AT": str(number), "OPENBLAS_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "minigrad", "train", "--help"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "minigrad: interrupted.\n")


@pytest.mark.parametrize(
    ("argv", "original", "program"),
    [
        (["-m"], ["python", "-m", "minigrad"], True),
        (["-m", "train", "-m"], ["python", "-X", "dev", "-m", "minigrad", "train", "-m"], True),
        (["-m"], ["python", "-mminigrad"], True),
        (["-m", "minigrad"], ["python", "-m", "pytest", "minigrad"], False),
        (["-m"], ["python", "-m", "mine"], False),
        (["/x/minigrad/__main__.py"], ["python", "-m", "minigrad"], False),
        (["mine.py", "minigrad"], ["python", "mine.py", "minigrad"], False),
        ([""], ["python"], False),
        ([], ["python"], False),
    ],
)
def test_only_the_program_itself_is_answered_for(monkeypatch, argv, original, program):
    monkeypatch.setattr(sys, "argv", argv)
    monkeypatch.setattr(sys, "orig_argv", original)
    assert interrupt.is_program() is program


def test_a_library_leaves_signals_alone():
    code = "import signal; before = signal.getsignal(2); import minigrad; assert signal.getsignal(2) is before"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_ignored_signal_stays_ignored():
    """As under nohup, or in the background of a shell."""
    code = "import signal, subprocess, sys; signal.signal(2, signal.SIG_IGN); print(); sys.stdout.flush(); "
    code += "sys.exit(subprocess.call([sys.executable, '-m', 'minigrad', 'doctor']))"
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    process.stdout.readline()
    while process.poll() is None:
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.02)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert "backends:" in out
