"""Text from a file or from the standard library, and its vocabulary."""

from __future__ import annotations

import sysconfig

import numpy as np
import pytest

from file_errors import EMPTY, IS_A_FOLDER
from minigrad.train import corpus
from minigrad.train.corpus import UNKNOWN, Vocabulary, read_text, standard_library
from minigrad.train.errors import DataError


def test_line_ends_and_byte_order_mark_do_not_count(tmp_path):
    (tmp_path / "a").write_bytes(b"\xef\xbb\xbfone\r\ntwo\rthr\xc3\xa9\n")
    assert read_text(tmp_path / "a") == "one\ntwo\nthré\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", EMPTY),
        (b"caf\xe9 au lait", r"byte 3 \(of 12\) is 0xe9"),
        (b"abc\xc3", r"byte 3 \(of 4\) is 0xc3"),
    ],
)
def test_a_file_that_will_not_do(tmp_path, content, message):
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(DataError, match=message) as error:
        read_text(tmp_path / "a")
    assert str(tmp_path / "a") in str(error.value)


def test_no_file_and_a_folder(tmp_path):
    with pytest.raises(DataError, match="cannot be read: No such file"):
        read_text(tmp_path / "none")
    with pytest.raises(DataError, match=IS_A_FOLDER):
        read_text(tmp_path)


def test_a_file_that_may_not_be_read(tmp_path, monkeypatch):
    def refuse(path, mode):
        raise PermissionError(13, "Permission denied")

    (tmp_path / "a").write_text("text")
    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(DataError, match="cannot be read: Permission denied"):
        read_text(tmp_path / "a")


@pytest.fixture
def library(tmp_path, monkeypatch):
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))
    return tmp_path


def test_the_library_is_the_same_each_time_and_cut_to_size():
    text = standard_library(100_000)
    assert len(text) == 100_000
    assert text == standard_library(200_000)[:100_000]
    assert "def " in text


def test_of_the_library_only_source_and_of_each_file_only_the_beginning(library, monkeypatch):
    monkeypatch.setattr(corpus, "MAX_PER_FILE", 6)
    for name in ("a.py", "b/c.py", "test/no.py", "site-packages/no.py", "encodings/no.py", "data.txt", "empty.py"):
        (library / name).parent.mkdir(exist_ok=True)
        (library / name).write_text("" if name == "empty.py" else f"# {name}: more")
    text = standard_library(1000)
    assert sorted((text[:6], text[6:])) == ["# a.py", "# b/c."]


def test_no_library(library):
    with pytest.raises(DataError, match=r"expected Python source files in .*--file PATH"):
        standard_library(10)


def test_the_vocabulary_is_the_most_frequent_characters():
    vocabulary = Vocabulary.of("aaabbcé", 3)
    assert vocabulary.characters == UNKNOWN + "ab"
    assert vocabulary.encode("abcé" + UNKNOWN).tolist() == [1, 2, 0, 0, 0]
    assert vocabulary.decode(np.array([1, 2, 0])) == "ab" + UNKNOWN
    assert vocabulary.missing("abca") == ["c"]
    assert vocabulary.missing(UNKNOWN) == [UNKNOWN]


def test_characters_beyond_the_basic_plane_and_lone_surrogates_count():
    vocabulary = Vocabulary.of("a😀\ud800", 10)
    assert vocabulary.decode(vocabulary.encode("😀a")) == "😀a"
    assert len(vocabulary) == 4
