"""JSON in files."""

from __future__ import annotations

import pytest

from minigrad.train.errors import RunError
from minigrad.train.json_files import read_json, write_json


def test_json_comes_back(tmp_path):
    values = {"a": 1, "b": "é", "c": None, "a name that is not UTF-8": "\udcff"}
    write_json(tmp_path / "a.json", values)
    assert read_json(tmp_path / "a.json") == values


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{", "expected JSON, but"),
        (b"\xff", "expected JSON, but"),
        (b"[]", "expected a JSON object, got list"),
        (b'{"a": NaN}', "expected JSON, but: NaN is not a number in JSON"),
        (b'{"a": 1e999}', "expected JSON, but: the number 1e999 is too large"),
        (b'{"a": 1, "a": 2}', "expected JSON, but: the key 'a' occurs twice"),
        (b'{"a":' * 17 + b"0" + b"}" * 17, "expected JSON, but: nested more than 16 deep"),
    ],
)
def test_what_is_not_a_json_object(tmp_path, content, message):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(RunError, match=message):
        read_json(tmp_path / "a.json")


def test_no_file(tmp_path):
    with pytest.raises(RunError, match="cannot be read: No such file"):
        read_json(tmp_path / "a.json")
