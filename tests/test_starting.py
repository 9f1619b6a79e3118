"""Ctrl-C while python -m minigrad imports: one line, exit status 130, no traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from minigrad import starting

pytestmark = pytest.mark.skipif(os.name != "posix", reason="sends a POSIX signal")

# Sends the process SIGINT at an import of a certain number, counted from that of minigrad.starting's first need.
AT_AN_IMPORT = """if True:
    import os, signal, sys

    count = [None]

    def hook(event, args):
        if event == "import":
            if args[0] == "signal" and "minigrad.starting" in sys.modules:
                count[0] = 0
            elif count[0] is not None:
                count[0] += 1
                if count[0] == int(os.environ["AT"]):
                    os.kill(os.getpid(), signal.SIGINT)

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
    assert starting.is_program() is program


def test_a_library_leaves_signals_alone():
    code = "import signal; before = signal.getsignal(2); import minigrad; assert signal.getsignal(2) is before"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_ignored_signal_stays_ignored():
    """As under nohup, or in the background of a shell."""
    code = "import os, signal; signal.signal(2, signal.SIG_IGN); import sys; os.execv(sys.executable, sys.argv[1:])"
    words = [sys.executable, "-m", "minigrad", "doctor"]
    process = subprocess.Popen([sys.executable, "-c", code, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    for _ in range(40):
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        try:
            process.wait(0.05)
        except subprocess.TimeoutExpired:
            continue
    out, err = process.communicate(timeout=60)
    assert b"backends:" in out or b"KeyboardInterrupt" in err  # the second: before the signal was ignored
