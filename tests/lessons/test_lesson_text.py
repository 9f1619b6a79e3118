"""The text of lesson 0: what a class may bring, and the answer to a text that cannot be used."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from lessons.builder.lesson import FOLDER, lessons
from lessons.builder.run import at_hand, run

LESSON = next(one for one in lessons() if one.number == 0)
ALPHABETS = {
    "Portuguese": "O coração não é uma máquina, disse a raposa à avó. «Não é», disse a avó.\n",
    "Hindi": "एक गाँव में एक बूढ़ी औरत और उसकी मुर्गी रहती थी।\n",
    "Chinese": "从前有三只小猪，它们和妈妈住在森林边的小房子里。\n",
    "Arabic": "كان يا ما كان في قديم الزمان ثعلب ودجاجة حمراء.\n",
    "emoji": "🐷🐷🐷 went to the 🏠. The 🐺 said: 🐷, 🐷, let me in!\n",
}


@pytest.fixture
def texts() -> Iterator[ModuleType]:
    with at_hand(fast=True):
        import lesson_text

        yield lesson_text


def test_the_tales_are_built_in(texts: ModuleType) -> None:
    text = texts.class_text()
    assert text == (FOLDER / "tales.txt").read_text("utf-8").strip() + "\n"
    assert 10_000 < len(text) < 20_000
    assert len(set(text)) < 60


@pytest.mark.parametrize("kind", [str, Path])
def test_a_file_is_read_by_its_name(texts: ModuleType, tmp_path: Path, kind: Callable[[Path], Any]) -> None:
    path = tmp_path / "song of ours"
    path.write_bytes(b"\xef\xbb\xbf" + ("Grüße!\r\n" * 100).encode())
    assert texts.class_text(kind(path)) == "Grüße!\n" * 100


def test_a_pasted_text_is_the_text(texts: ModuleType) -> None:
    assert texts.class_text("\n\n" + "One line.\n" * 60) == "One line.\n" * 60
    assert texts.class_text("no line end at all, " * 40).endswith("at all,\n")
    assert len(texts.class_text("a lone \ud800 surrogate. " * 40)) > 500


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("", "the text is empty"),
        (" \n \n", "the text is empty"),
        ("A short line.", "expected at least 500 characters, about ten lines, got 14"),
        ("aaaa\n", "expected at least 500 characters"),
        ("a" * 900, "expected at least two different characters, got 'a' only"),
        ("no_such_song.txt", "cannot read 'no_such_song.txt': No such file.* next to this notebook, or paste the text"),
        (Path("no_such_song"), "cannot read 'no_such_song'"),
        (12, "expected a file's name or a text in quotes, got int"),
        (["a", "b"], "expected a file's name or a text in quotes, got list"),
        (b"bytes", "expected a file's name or a text in quotes, got bytes"),
    ],
)
def test_a_text_that_cannot_be_used_gets_a_sentence(texts: ModuleType, source: Any, says: str) -> None:
    with pytest.raises(texts.TextError, match=says) as caught:
        texts.class_text(source)
    assert caught.value._render_traceback_() == [f"class_text: {caught.value}"]


@pytest.mark.parametrize("data", [b"\xff\xfe" + "a text".encode("utf-16-le") * 99, "é".encode("latin1") * 600])
def test_a_file_in_another_encoding_gets_a_sentence(texts: ModuleType, tmp_path: Path, data: bytes) -> None:
    (tmp_path / "old.txt").write_bytes(data)
    with pytest.raises(texts.TextError, match=r"expected UTF-8 text in .*save it as plain text"):
        texts.class_text(tmp_path / "old.txt")
    with pytest.raises(texts.TextError, match="cannot read"):
        texts.class_text(str(tmp_path))  # a folder


def test_too_many_different_characters(texts: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    text = texts.class_text("".join(map(chr, range(0x4E00, 0x4E00 + 400))) + "once upon a time " * 400)
    assert len(set(text)) == texts.ALPHABET
    said = capsys.readouterr().out
    assert "The text has 412 different characters. The 299 most frequent are kept; 2% of the text" in said


def test_a_very_long_text_is_cut(texts: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert len(texts.class_text("ab\n" * 700_000)) == texts.MOST
    assert "2,100,000" in capsys.readouterr().out


@pytest.mark.filterwarnings("ignore:Glyph")  # matplotlib's font lacks some letters
@pytest.mark.parametrize("name", ALPHABETS)
def test_the_lesson_runs_on_another_alphabet(name: str) -> None:
    """Run all cells, figures included."""
    text = ALPHABETS[name] * 30
    cells = [cell.with_text(cell.text.replace("class_text()", f"class_text({text!r})")) for cell in LESSON.solved()]
    done = run(replace(LESSON, cells=tuple(cells)), cells, fast=True)
    assert [str(error) for _, error in done.errors] == []
    assert done.names["text"] == text
    assert set(done.names["write"](done.names["net"], 50)) <= set(text)


def test_the_share_of_words(texts: ModuleType) -> None:
    assert texts.share_of_words('"The pig," said the pag, and', "the pig said: and") == 0.8
    assert texts.share_of_words("", "the pig") == 0
    assert texts.share_of_words("猪", "三只小猪") == 0


def test_what_was_written_is_shown_with_its_lines(texts: ModuleType) -> None:
    assert repr(texts.Written("a\nb", "c")) == "a\nb\nc"
