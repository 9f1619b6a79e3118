"""python -m minigrad bench, from the words typed to the files."""

from __future__ import annotations

import json
import sys

import pytest

from minigrad.__main__ import COMMANDS
from minigrad.bench import command
from minigrad.bench.command import Reporter, interpreter, size
from minigrad.bench.models import MODELS
from minigrad.bench.report import Row, Section, header, value_in
from minigrad.bench.sections import SECTIONS
from minigrad.train.command_line import main
from minigrad.train.errors import OptionError
from option_errors import FOLDER_AS_FILE, NUMBER_FROM_0, POSITIVE_INTEGER


@pytest.fixture
def bench(capsys):
    """Run the command; return exit code, stdout and stderr."""

    def run(*words):
        code = main(["bench", *map(str, words)], COMMANDS)
        return (code, *capsys.readouterr())

    return run


def fake(benchmark):
    """A part that measures nothing."""
    section = Section("ops", "Small operations", "Threads.", [("number", value_in(1.0))])
    benchmark.on_section(section)
    row = Row("one", "minigrad, numpy", float(benchmark.effort.rounds))
    section.rows.append(row)
    benchmark.on_row(section, row)
    return section


def test_it_prints_and_writes_the_same_table(bench, tmp_path):
    files = tmp_path / "it.json", tmp_path / "it.md"
    words = ["--quick", "--only", "lstm", "--sizes", "1x2x2x2", "--threads", 1, "--rounds", 1]
    code, out, err = bench(*words, "--json", files[0], "--markdown", files[1])
    assert code == 0, err
    assert files[1].read_text("utf-8") == out
    content = json.loads(files[0].read_text("utf-8"))
    assert content["threads"] == 1
    assert "numpy" in content["versions"]["minigrad, numpy"]
    (section,) = content["sections"]
    ours = [row for row in section["rows"] if row["contender"] == "minigrad, numpy"]
    assert [row["measure"] for row in ours] == ["(1, 2, 2, 2)"]
    assert ours[0]["value"] > 0


def test_options_become_a_plan(bench, monkeypatch):
    plans = []

    def connect(benchmark):
        plans.append(benchmark)

    monkeypatch.setattr(command.Benchmark, "connect", connect)
    monkeypatch.setattr(command, "SECTIONS", {"ops": fake, "lstm": lambda benchmark: None})
    assert bench("--only", "ops", "--threads", 3, "--rounds", 5, "--patience", 0.5, "--sizes", "2,1x2x3x4")[0] == 0
    assert bench("--only", "ops", "--quick")[0] == 0
    assert bench("--only", "ops", "--quick", "--rounds", 4, "--backends", "numpy,numpy")[0] == 0
    given, quick, both = plans
    assert (given.threads, given.effort.rounds, given.effort.patience) == (3, 5, 0.5)
    assert given.sizes == [(16, 50, 8, 32), (1, 2, 3, 4)]
    assert (quick.effort.rounds, quick.effort.patience, len(quick.sizes)) == (2, 0.0, 2)
    assert quick.effort.batch_seconds < given.effort.batch_seconds
    assert both.effort.rounds == 4
    assert both.contenders.backends == ["numpy"]
    assert given.contenders.backends[0] == "numpy"
    assert given.contenders.torch_python == given.contenders.tf_python == sys.executable


def test_profile_comes_last_and_only_on_request(bench, monkeypatch):
    ran = []
    monkeypatch.setattr(command, "SECTIONS", {"ops": lambda benchmark: ran.append("ops")})
    monkeypatch.setattr(command, "profile", lambda benchmark: ran.append("profile"))
    monkeypatch.setattr(command.Benchmark, "connect", lambda benchmark: None)
    assert bench("--only", "ops")[0] == bench("--only", "ops", "--profile")[0] == 0
    assert ran == ["ops", "ops", "profile"]


def test_rows_of_models(bench, monkeypatch):
    plans = []
    monkeypatch.setattr(command, "SECTIONS", {"models": plans.append})
    monkeypatch.setattr(command.Benchmark, "connect", lambda benchmark: None)
    for words in ((), ("--rows", "gru,adding"), ("--quick",)):
        assert bench("--only", "models", *words)[0] == 0
    whole, two, quick = plans
    assert whole.models == {name: model.sizes for name, model in MODELS.items()}
    assert two.models == {"adding": (32, 100, 2, 64), "gru": (16, 50, 8, 32)}
    assert quick.models == {name: model.small for name, model in MODELS.items()}
    assert (whole.first_calls, two.first_calls, quick.first_calls) == (3, 0, 0)
    assert whole.contenders.parts == ["models"]


def test_parts_run_in_the_order_of_the_table(bench, monkeypatch):
    ran = []
    parts = {name: lambda benchmark, name=name: ran.append(name) for name in SECTIONS}
    monkeypatch.setattr(command, "SECTIONS", parts)
    monkeypatch.setattr(command.Benchmark, "connect", lambda benchmark: None)
    assert bench("--only", "import,lstm")[0] == 0
    assert ran == ["lstm", "import"]


def test_an_interruption_keeps_what_was_measured(bench, monkeypatch, tmp_path):
    def interrupted(benchmark):
        raise KeyboardInterrupt

    monkeypatch.setattr(command.Benchmark, "connect", lambda benchmark: None)
    monkeypatch.setattr(command, "SECTIONS", {"ops": fake, "step": interrupted})
    code, _, err = bench("--only", "ops,step", "--json", tmp_path / "it.json")
    assert code == 130
    assert err == "minigrad: interrupted.\n"
    assert len(json.loads((tmp_path / "it.json").read_text())["sections"]) == 1


def test_the_reporter_writes_what_it_printed(tmp_path, capsys):
    reporter = Reporter(None, tmp_path / "it.md")
    reporter.begin(header(1, 2, {}, {}))
    section = Section("a", "A", "About.", [("number", value_in(1.0))])
    reporter.section(section)
    reporter.row(section, Row("one", "it", 2.0))
    reporter.write()
    assert (tmp_path / "it.md").read_text("utf-8") == capsys.readouterr().out
    assert (tmp_path / "it.md").read_text("utf-8").endswith("| one | it | 2.00 |\n")


# --- mistakes -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "parts"),
    [
        (["--only", "lstn"], ["python -m minigrad bench: --only: unknown name 'lstn'", "Did you mean 'lstm'?"]),
        (["--rows", "grv"], ["python -m minigrad bench: --rows: unknown name 'grv'", "Did you mean 'gru'?"]),
        (["--only", ""], ["--only: unknown name ''", "Known are: growth,"]),
        (["--backends", "nunpy"], ["unknown name 'nunpy'", "Did you mean 'numpy'?"]),
        (["--sizes", "7"], ["--sizes: expected the number of a row, 1 to 6, or batch x time", "got '7'"]),
        (["--sizes", "1,2x3x4"], ["--sizes: expected", "got '2x3x4'"]),
        (["--sizes", "1x2x3x0"], ["--sizes: expected", "got '1x2x3x0'"]),
        (["--sizes", "1x2x-3x4"], ["--sizes: expected", "got '1x2x-3x4'"]),
        (["--rounds", "0"], [f"--rounds: {POSITIVE_INTEGER}, got 0."]),
        (["--rounds", "many"], [f"--rounds: {POSITIVE_INTEGER}, got 'many'."]),
        (["--threads", "-1"], [f"--threads: {POSITIVE_INTEGER}, got -1."]),
        (["--patience", "nan"], [f"--patience: {NUMBER_FROM_0}, got nan."]),
        (["--torch-python", "/no/python"], ["--torch-python /no/python: there is no such program."]),
        (["--tf-python", "/no/python"], ["--tf-python /no/python: there is no such program."]),
        (["--json", "/no/such/file"], ["--json /no/such/file: there is no folder /no/such. Make it first."]),
        (["--markdown", "/"], [f"--markdown /: {FOLDER_AS_FILE}"]),
        (["--rond", "3"], ["unknown name '--rond'", "Did you mean '--rounds'?"]),
        (["lstm"], ["unexpected 'lstm'"]),
    ],
    ids=lambda value: " ".join(value) if len(value) == 2 and value[0].startswith("--") else None,
)
def test_mistakes_are_answered_in_a_sentence(bench, words, parts, monkeypatch):
    monkeypatch.setattr(command.Benchmark, "connect", lambda benchmark: pytest.fail("it has begun to measure"))
    code, out, err = bench(*words)
    assert code == 2, err
    assert out == ""
    assert err.startswith("minigrad: ")
    assert err.count("\n") == 1
    for part in parts:
        assert part in err


@pytest.mark.skipif(sys.platform == "win32", reason="writes a shell script")
@pytest.mark.parametrize(
    ("script", "part"),
    [("#!/bin/sh\necho hello\n", "expected a Python 3 interpreter"), ("#!/no/shell\n", "cannot be run")],
)
def test_a_program_that_is_no_python(tmp_path, script, part):
    (tmp_path / "python").write_text(script)
    (tmp_path / "python").chmod(0o755)
    with pytest.raises(OptionError, match=part):
        interpreter("--torch-python", str(tmp_path / "python"))


def test_an_interpreter_by_path():
    assert interpreter("--torch-python", sys.executable) == sys.executable
    assert interpreter("--torch-python", None) == sys.executable


def test_sizes_as_words():
    assert size("1") == (1, 100, 8, 16)
    assert size("6") == (1, 10_000, 8, 16)


def test_help_lists_parts_and_sizes(bench, capsys):
    with pytest.raises(SystemExit) as leaving:
        bench("--help")
    assert leaving.value.code == 0
    text = capsys.readouterr().out
    for word in (*SECTIONS, "--torch-python", "(default: 9)", "(64, 256, 128, 256)"):
        assert word in text
