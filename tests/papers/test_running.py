"""Runs of trials: resumed, in a pool, refused where results do not fit; and their table."""

from __future__ import annotations

import dataclasses
import io
import json
import threading
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from minigrad.papers import report, results, running
from minigrad.papers.machinery import row_hash
from minigrad.papers.results import Results, read_results
from minigrad.papers.row import FULL, HALF
from minigrad.papers.running import Job, run
from minigrad.train.errors import RunError
from minigrad.train.executors import InTurn
from papers.test_trial import EASY

PAPER = "hochreiter97"
ROW = dataclasses.replace(EASY, milestones=EASY.milestones[:2])


def jobs(count: int = 3) -> list[Job]:
    return [Job(ROW, n, 5, 200) for n in range(count)]


def without_seconds(file: Path) -> list[dict[str, Any]]:
    return [{k: v for k, v in t.items() if k != "seconds"} for t in read_results(file)["trials"]]


@pytest.fixture(autouse=True)
def _plain_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("minigrad.papers.kernel.build.has_numba", lambda: False)


def test_finished_trials_are_not_repeated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, calls = tmp_path / "all.json", list[int]()
    original = running.run_trial
    monkeypatch.setattr(running, "run_trial", lambda *job: calls.append(job[1]) or original(*job))
    run(jobs(2), Results(file, PAPER), InTurn(), io.StringIO())
    assert calls == [0, 1]
    stream = io.StringIO()
    run(jobs(3), Results(file, PAPER), InTurn(), stream)
    assert calls == [0, 1, 2]
    assert "2 of 3 trials had been run before." in stream.getvalue()
    assert "3 of 3 trials, 1 of 1 successful" in stream.getvalue()
    assert [t["number"] for t in without_seconds(file)] == [0, 1, 2]


def test_a_killed_run_keeps_what_has_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file, original = tmp_path / "all.json", running.run_trial

    def killed(*job: Any) -> dict[str, Any]:
        if job[1] == 2:
            raise KeyboardInterrupt
        return original(*job)

    monkeypatch.setattr(running, "run_trial", killed)
    with pytest.raises(KeyboardInterrupt):
        run(jobs(), Results(file, PAPER), InTurn(), io.StringIO())
    assert [t["number"] for t in without_seconds(file)] == [0, 1]


class OfThreads(Executor):
    """An executor of another library: futures that end in any order."""

    def submit(self, function: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        threading.Thread(target=self._work, args=(future, function, args)).start()
        return future

    def _work(self, future: Future[Any], function: Any, args: Any) -> None:
        if future.set_running_or_notify_cancel():
            future.set_result(function(*args))


@pytest.mark.parametrize("executor", [ThreadPoolExecutor(2), OfThreads()], ids=["a pool of threads", "another one"])
def test_any_executor(executor: Executor, tmp_path: Path) -> None:
    own, alone = tmp_path / "own.json", tmp_path / "alone.json"
    run(jobs(4), Results(own, PAPER), executor, io.StringIO())
    run(jobs(4), Results(alone, PAPER), InTurn(), io.StringIO())
    assert without_seconds(own) == without_seconds(alone)


def test_an_error_in_a_trial_loses_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three trials that run at once, of which one fails at once. The others are not begun; a rerun ends all."""
    file, original, begun, failed = tmp_path / "all.json", running.run_trial, list[int](), threading.Event()

    def broken(*job: Any) -> dict[str, Any]:
        begun.append(job[1])
        if job[1] == 1:
            failed.set()
            raise MemoryError("no more")
        failed.wait(10)
        return original(*job)

    monkeypatch.setattr(running, "run_trial", broken)
    with ThreadPoolExecutor(3) as executor, pytest.raises(MemoryError, match="no more"):
        run(jobs(40), Results(file, PAPER), executor, io.StringIO())
    assert len(begun) < 40
    assert [t["number"] for t in without_seconds(file)] == sorted(set(begun) - {1})
    monkeypatch.setattr(running, "run_trial", original)
    run(jobs(5), Results(file, PAPER), InTurn(), io.StringIO())
    assert {0, 1, 2, 3, 4} <= {t["number"] for t in without_seconds(file)}


# --- results --------------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path: Path) -> Path:
    found = tmp_path / "all.json"
    run(jobs(2), Results(found, PAPER), InTurn(), io.StringIO())
    return found


def test_results_of_another_version_of_the_code(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "code_hash", lambda paper: "0" * 64)
    with pytest.raises(RunError, match=r"another version of the code .* now 000000000000.*are not mixed. Name another"):
        Results(file, PAPER)


def test_an_edited_trial(file: Path) -> None:
    text = file.read_text()
    file.write_text(text.replace('"sequences": 80', '"sequences": 79', 1))
    with pytest.raises(RunError, match="trial 0 of table 7, easy, was edited: its hash does not fit"):
        Results(file, PAPER)


def test_results_of_another_paper(file: Path) -> None:
    with pytest.raises(RunError, match=f"expected results of q, got those of {PAPER}"):
        Results(file, "q")


def test_trials_of_other_numbers_of_a_row(file: Path) -> None:
    """Refusal of trials with a changed rate, but not of those with further readings or another published text."""
    other = Job(dataclasses.replace(ROW, rate=0.2), 0, 5, 200)
    with pytest.raises(RunError, match="trial 0 of table 7, easy, reading 'literal' was run with other numbers of the"):
        run([other], Results(file, PAPER), InTurn(), io.StringIO())
    assert report.outdated([other.row], without_seconds(file)) == without_seconds(file)
    assert list(report.lines([other.row], without_seconds(file))) == []
    more = dataclasses.replace(ROW, readings={"full": FULL}, success=90)
    stream = io.StringIO()
    run([Job(more, 0, 5, 200)], Results(file, PAPER), InTurn(), stream)
    assert "1 of 1 trials had been run before." in stream.getvalue()


def test_a_file_that_has_no_results(tmp_path: Path) -> None:
    file = tmp_path / "other.json"
    file.write_text(json.dumps({"format": 1}))
    with pytest.raises(RunError, match="got a file without paper, code, begun, trials"):
        Results(file, PAPER)


# --- the table ------------------------------------------------------------------------------------


def trial(number: int, one: int | None, two: int | None, **other: Any) -> dict[str, Any]:
    reached = {name: {"sequences": n} if n else None for name, n in (("one", one), ("two", two))}
    head = {"table": 7, "row": "easy", "reading": "literal", "number": number, "seed": 5, "cap": 200, "diverged": None}
    head["data"] = row_hash(ROW)
    return {**head, "milestones": reached, **other}


def test_the_table_of_stored_trials() -> None:
    trials = [trial(0, 99, 300), trial(1, 101, None, diverged=7)]
    one, two = report.lines([ROW], trials)
    assert (one.verdict, one.steps, one.summary.mean) == ("match", [99, 101], 100.0)
    assert (two.verdict, two.steps, two.diverged) == ("no", [300, None], 1)
    text = report.text_table([one, two])
    assert text.splitlines()[0].split()[0] == "table"
    assert "100 [99, 101]" in text
    assert "1 of 2 (1 diverged)" in text
    assert report.markdown([one]).count("\n") == 3


def test_other_readings_and_fresh_seeds() -> None:
    """A column for fresh seeds, and one for the number of readings with trials."""
    full = dataclasses.replace(ROW, readings={"full": FULL, "half": HALF})
    rows = [full.read_as(name) for name in full.readings]
    trials = [
        trial(n, 99 + n, 300, seed=seed, reading=row.reading, data=row_hash(row))
        for row, seed, count in ((rows[0], 5, 2), (rows[0], 6, 2), (rows[1], 5, 1))
        for n in range(count)
    ]
    found = list(report.lines(rows, trials))
    assert [(line.row.reading, line.summary.trials, line.tried) for line in found[::2]] == [
        ("full", 2, 2),
        ("half", 1, 2),
    ]
    assert report.other_cells(found[0])[-3:] == ("chosen afterwards", "2", "100 [99, 100], 2 of 2: match")
    assert report.other_cells(found[2])[-3:] == ("before any run", "2", "–")
    again = list(report.lines(rows, [*trials, trial(0, 50, 50, seed=1997, reading="full", data=row_hash(rows[0]))]))
    assert again[0].steps == [50]
    assert again[0].fresh is not None
    assert again[0].fresh[0].trials == 4
    values = {"trials": trials, "begun": "now", "ended": "then", "machine": "here", "code": "0" * 64}
    page = report.markdown_page("A paper", values, list(report.lines([ROW], [trial(0, 99, 300)])), found)
    assert page.count("\n| 7 | easy, one |") == 3
    assert "5 trials, from now to then, on here: 0 minutes of one core; code 000000000000." in page


def test_no_verdict_from_a_lower_cap_or_a_quick_run() -> None:
    trials = [trial(0, 99, 100), trial(1, 101, 100, cap=150)]
    assert [line.verdict for line in report.lines([ROW], trials)] == ["", ""]
    more = [*trials, trial(1, 105, 160)]  # the same one with a higher cap, which replaces it
    assert [line.steps for line in report.lines([ROW], more)] == [[99, 105], [100, 160]]
    assert [line.verdict for line in report.lines([ROW], trials[:1])] == ["undecided", "undecided"]
    assert [line.verdict for line in report.lines([ROW], trials[:1], verdicts=False)] == ["", ""]
