"""A file is replaced in one move, or stays."""

from __future__ import annotations

import pytest

from minigrad.train.errors import RunError
from minigrad.train.files import read_json, write_atomically, write_json


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "a.bin"
    write_atomically(path, lambda file: file.write(b"old"))

    def fail(file):
        file.write(b"new, but only half of i")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_atomically(path, fail)
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.bin"]


def test_the_content_is_on_the_disk_before_it_takes_the_name(tmp_path, monkeypatch):
    path, seen = tmp_path / "a.bin", []

    def fsync(descriptor):
        seen.append(path.exists())

    monkeypatch.setattr("os.fsync", fsync)
    write_atomically(path, lambda file: file.write(b"x"))
    assert seen[0] is False
    assert path.exists()


def test_json_comes_back(tmp_path):
    values = {"a": 1, "b": "é", "c": None}
    write_json(tmp_path / "a.json", values)
    assert read_json(tmp_path / "a.json") == values


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "expected JSON, but"),
        (b"\xff", "expected JSON, but"),
        (b"[]", "expected a JSON object, got list"),
    ],
)
def test_what_is_not_a_json_object(tmp_path, content, message):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(RunError, match=message):
        read_json(tmp_path / "a.json")


def test_no_file(tmp_path):
    with pytest.raises(RunError, match="cannot be read: No such file"):
        read_json(tmp_path / "a.json")
