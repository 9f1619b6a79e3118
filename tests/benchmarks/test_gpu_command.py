"""The command: its options, its parts in processes, its exit status."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from benchmarks.gpu import command, machine, suite
from benchmarks.gpu.command import MAIN, main, process_of

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--minutes", "0"], "--minutes: expected minutes, a number above 0 such as 10, got '0'"),
        (["--minutes", "nan"], "expected minutes"),
        (["--minutes", "ten"], "expected minutes"),
        (["--torch-python", "no-such-python"], "there is no program 'no-such-python'"),
        (["--only", "tests,speed"], "expected some of kernels, times, tests, got 'speed'"),
        (["--out", f"{__file__}/x"], "cannot be one"),
        (["--gpu"], "unrecognized arguments: --gpu"),
    ],
)
def test_options_that_are_wrong(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        command.read(arguments)
    assert end.value.code == 2
    assert message in capsys.readouterr().err


def test_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUT", str(tmp_path / "of" / "mine"))
    options = command.read(["--only", "tests, kernels", "--torch-python", sys.executable])
    assert (options.out, options.only, options.minutes) == (tmp_path / "of" / "mine", ["kernels", "tests"], 10.0)
    assert options.out.is_dir()
    assert options.torch_python == sys.executable
    monkeypatch.delenv("OUT")
    assert command.read([]).out == ROOT / "build"


def test_without_the_backend_one_sentence_and_status_2(tmp_path: Path) -> None:
    arguments = [sys.executable, str(MAIN.parent), "--backend", "nosuch", "--out", str(tmp_path)]
    done = subprocess.run(arguments, capture_output=True, text=True, cwd="/", check=False)
    assert done.returncode == 2
    assert done.stdout.startswith("python tests/benchmarks/gpu: no measurement without the nosuch backend: there is no")
    assert (done.stdout.count("\n"), done.stderr) == (1, "")
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_on_numpy(tmp_path: Path) -> None:
    arguments = [sys.executable, "-m", "tests.benchmarks.gpu", "--backend", "numpy", "--out", str(tmp_path)]
    arguments += ["--only", "kernels", "--minutes", "0.2"]
    done = subprocess.run(arguments, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.stderr == ""
    assert done.returncode in (0, 1)  # 1 where time was up before the last case
    (told,) = (json.loads(file.read_text("utf-8")) for file in tmp_path.glob("gpu-*.json"))
    assert list(told["parts"]) == ["machine", "kernels"]
    assert {row.get("ok") for row in told["parts"]["kernels"]["rows"]} <= {True, None}
    (page,) = (file.read_text("utf-8") for file in tmp_path.glob("gpu-*.md"))
    assert "| LSTM | float32 |" in page
    assert sorted(file.suffix for file in tmp_path.iterdir()) == [".json", ".md"]


# --- parts that go wrong ----------------------------------------------------------------------------------------------


def run_with(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, dict[str, Any]]:
    """The command with a program in the place of its parts, which finds the part's name in `part`."""
    fake = tmp_path / "part.py"
    fake.write_text(
        "import json, os, sys, time\npart = sys.argv[2]\ndef tell(**row): print(json.dumps(row), flush=True)\n" + code
    )
    monkeypatch.setattr(command, "MAIN", fake)
    status = main(["--out", str(tmp_path), *arguments])
    told = [json.loads(file.read_text("utf-8")) for file in tmp_path.glob("gpu-*.json")]
    return status, told[0]["parts"] if told else {}


GOOD = """
if part == "machine": tell(fact="GPU", value="a card")
elif part == "kernels": tell(kind="LSTM", dtype="float32", mask="none", zero_output=False, initial=True,
                             shape=[1, 2, 3, 4], ok=True, largest=1e-7, where="y", path="fused")
elif part == "times": tell(what="LSTM", ms={"kernels": 1.0}, ratios={}, rounds=3, paths={}, failed={})
else: tell(counts={"passed": 3}, stopped=False, status=0, last="3 passed")
"""


def test_all_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    status, parts = run_with(GOOD, tmp_path, monkeypatch)
    assert status == 0
    assert [part["ended"] for part in parts.values()] == ["done"] * 4
    assert "Machine: a card\nKernels against formulas: 1 of 1 cases agree\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("before", "ended"),
    [
        ("if part == 'times': os.abort()", "failed: it printed nothing"),
        ("if part == 'times': sys.exit('no memory')", "failed: no memory"),
    ],
)
def test_a_part_that_dies_costs_no_other(
    before: str, ended: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    status, parts = run_with(before + GOOD, tmp_path, monkeypatch)
    assert status == 1
    assert parts["times"]["ended"] == ended
    assert parts["tests"]["ended"] == "done"
    assert f"Times: attention: 0 rows ({ended})" in capsys.readouterr().out


def test_a_part_that_hangs_is_ended_and_keeps_its_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "GRACE_SECONDS", 0.0)
    hangs = GOOD + "if part == 'kernels':\n    print('{\"half\": ', end='', flush=True)\n    time.sleep(60)"
    start = time.monotonic()
    status, parts = run_with(hangs, tmp_path, monkeypatch, "--minutes", "0.1", "--only", "kernels")
    assert time.monotonic() - start < 30
    assert status == 1
    assert parts["kernels"]["ended"] == "stopped at its time limit"
    assert len(parts["kernels"]["rows"]) == 1


def test_a_machine_without_minigrad(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_with("import no_such_module", tmp_path, monkeypatch)[0] == 2
    assert "minigrad cannot be used here: failed: ModuleNotFoundError: No module named" in capsys.readouterr().out


def test_no_process_outlives_the_block() -> None:
    with process_of([sys.executable, "-c", "import time; time.sleep(60)"], 60.0, None) as (process, late):
        pass
    assert process.returncode
    assert not late.is_set()


# --- the machine, and the tests ---------------------------------------------------------------------------------------


def test_facts_that_cannot_be_found_out_cost_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "said", lambda *words: 1 / 0)
    monkeypatch.setattr(machine, "pytorch", lambda python, device: f"PyTorch on {device}")
    facts = {row["fact"]: row["value"] for row in machine.rows("numpy", 1.0)}
    assert facts["commit"] == "not found out: ZeroDivisionError: division by zero"
    assert facts["PyTorch"] == "PyTorch on cpu"
    assert facts["Python, NumPy, minigrad"].startswith("3.")


FILE = """
import time
import pytest

def test_good(): pass
@pytest.mark.parametrize("x", ["a b"])
def test_bad(x): assert x == "c", "no c"
def test_skipped(): pytest.skip("no device")
"""


def test_the_tests_are_counted(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(FILE)
    *others, last = suite.rows(tmp_path / "log", 120.0, ["-c", "/dev/null", "--rootdir", str(tmp_path), str(tmp_path)])
    assert last["counts"] == {"passed": 1, "failed": 1, "skipped": 1}
    assert (last["stopped"], last["status"]) == (False, 1)
    assert last["last"].startswith("1 failed, 1 passed, 1 skipped in ")
    assert [row["result"] for row in others] == ["failed", "skipped"]
    assert others[0]["test"].endswith("test_it.py::test_bad[a b]")
    assert "no c" in others[0]["reason"]
    assert "no c" in (tmp_path / "log").read_text("utf-8")


def test_the_tests_are_stopped_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A time limit that ends when the slow test has begun, also on a busy machine."""
    begun, waited = tmp_path / "begun", suite.waited
    slow = f"def test_slow():\n    open({str(begun)!r}, 'w').close()\n    time.sleep(60)\n"
    (tmp_path / "test_it.py").write_text(FILE + slow)

    def until_begun(process: Any, deadline: float) -> bool:
        assert deadline <= time.monotonic() + 4
        while not begun.exists() and process.poll() is None:
            time.sleep(0.05)
        started.append(time.monotonic())
        return waited(process, time.monotonic())

    started: list[float] = []
    monkeypatch.setattr(suite, "waited", until_begun)
    *_, last = suite.rows(tmp_path / "log", 8.0, ["-c", "/dev/null", "--rootdir", str(tmp_path), str(tmp_path)])
    assert time.monotonic() - started[0] < 40
    assert last["stopped"]
    assert last["counts"] == {"passed": 1, "failed": 1, "skipped": 1}


def test_no_tests(tmp_path: Path) -> None:
    (last,) = suite.rows(tmp_path / "log", 60.0, ["-c", "/dev/null", "--rootdir", str(tmp_path), str(tmp_path)])
    assert (last["counts"], last["status"]) == ({}, suite.NO_TESTS)
