"""python -m minigrad playground."""

from __future__ import annotations

import sys

import pytest

from html_pages import Reader
from minigrad.__main__ import COMMANDS
from minigrad.playground import command
from minigrad.train.command_line import main
from option_errors import FOLDER_AS_FILE


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)

    def run(*words):
        code = main(["playground", *map(str, words)], COMMANDS)
        return (code, *capsys.readouterr())

    return run


def test_it_writes_a_page(run, tmp_path, page):
    code, out, err = run()
    assert (code, err) == (0, "")
    assert out.startswith("playground.html: ")
    assert out.endswith(" kB; open it in a browser.\n")
    assert (tmp_path / "playground.html").read_text("utf-8") == page


def test_it_needs_no_matplotlib(run, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert run("--out", "new/lstm.html")[0] == 0
    assert Reader((tmp_path / "new" / "lstm.html").read_text("utf-8")).all("h1")


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--output", "x.html"], "unknown name '--output'. Did you mean '--out'?"),
        (["page.html"], "unexpected 'page.html'."),
        (["--out"], "--out: expected one argument."),
        (["--out", "."], f"--out .: {FOLDER_AS_FILE} Name a file in it."),
    ],
)
def test_mistakes_are_answered_in_a_sentence(run, tmp_path, words, says):
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert says in err
    assert err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written(run, tmp_path, monkeypatch):
    monkeypatch.setattr(command, "playground", str)
    (tmp_path / "file").write_text("")
    code, out, err = run("--out", "file/page.html")
    assert (code, out) == (1, "")
    assert "file" in err
    assert err.count("\n") == 1


def test_the_overview_names_it(capsys):
    assert main(["--help"], COMMANDS) == 0
    assert "playground" in capsys.readouterr().out
