"""Safetensors files equal to those of the reference implementation, byte for byte; errors for damaged files."""

from __future__ import annotations

import json
import os
import pickle
import socket
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from file_errors import IN_A_FILE_OF, NAME_OF_A_FILE, OVERLAPS

pytest.importorskip("hypothesis", reason="needs hypothesis: pip install -e '.[test]'")

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from minigrad.convert import ForeignFileError, read_safetensors, write_safetensors
from minigrad.engine.errors import DTypeError

ARRAYS: dict[str, Any] = {
    "weight_ih_l0": np.arange(24, dtype=np.float32).reshape(8, 3),
    "weight_hh_l0": np.linspace(-1, 1, 16, dtype=np.float32).reshape(8, 2),
    "ä scalar": np.array(2.5),
    "half": np.ones(3, np.float16),
    "nothing": np.zeros((0, 4), np.float32),
    "mask": np.array([True, False]),
    "steps": np.array([7], np.int32),
}
# The same three arrays as written by the package `safetensors`, 0.8.
KNOWN = {"b": np.array([[1.0, 2.0]], np.float32), "a": np.array([3.0], np.float32), "c": np.array([4.0])}
BYTES = (
    (200).to_bytes(8, "little")
    + b'{"__metadata__":{"format":"pt"},"c":{"dtype":"F64","shape":[1],"data_offsets":[0,8]},'
    + b'"a":{"dtype":"F32","shape":[1],"data_offsets":[8,12]},"b":{"dtype":"F32","shape":[1,2],"data_offsets":[12,20]}}'
    + b"    "
    + b"\x00\x00\x00\x00\x00\x00\x10@\x00\x00@@\x00\x00\x80?\x00\x00\x00@"
)


def equal(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert one.keys() == other.keys()
    for name, array in one.items():
        assert array.dtype == other[name].dtype
        np.testing.assert_array_equal(array, other[name], err_msg=name)


def test_there_and_back(tmp_path: Path) -> None:
    write_safetensors(tmp_path / "w.safetensors", ARRAYS)
    back = read_safetensors(tmp_path / "w.safetensors")
    equal(back, ARRAYS)
    assert all(array.flags.writeable for array in back.values())
    assert [path.name for path in tmp_path.iterdir()] == ["w.safetensors"]


numbers = arrays_of.arrays(
    st.sampled_from(["f2", "f4", "f8", "i1", "u2", "i8", "?", ">f4"]), arrays_of.array_shapes(min_dims=0, min_side=0)
)


@given(st.dictionaries(st.text().filter(lambda name: name != "__metadata__"), numbers, max_size=4))
def test_any_arrays_there_and_back(arrays: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "w.safetensors"
        try:
            [name.encode() for name in arrays]
        except UnicodeEncodeError:  # half a character is not a name
            return
        write_safetensors(path, arrays)
        equal(read_safetensors(path), {name: a.astype(a.dtype.newbyteorder("=")) for name, a in arrays.items()})


def test_the_bytes_are_the_packages(tmp_path: Path) -> None:
    write_safetensors(tmp_path / "w.safetensors", KNOWN, {"format": "pt"})
    assert (tmp_path / "w.safetensors").read_bytes() == BYTES


def test_the_package_reads_what_we_write_and_we_what_it_writes(tmp_path: Path) -> None:
    package = pytest.importorskip("safetensors.numpy")
    every = {
        dtype: np.ones((2, 1), dtype) for dtype in ("f8", "f4", "f2", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1")
    }
    arrays = {**ARRAYS, **every}
    write_safetensors(tmp_path / "ours", arrays, {"format": "pt"})
    equal(package.load_file(tmp_path / "ours"), arrays)
    package.save_file(arrays, tmp_path / "theirs", {"format": "pt"})
    equal(read_safetensors(tmp_path / "theirs"), arrays)
    assert (tmp_path / "ours").read_bytes() == (tmp_path / "theirs").read_bytes()


def test_rows_first_whatever_the_memory(tmp_path: Path) -> None:
    array = np.arange(6.0).reshape(2, 3).T
    write_safetensors(tmp_path / "w", {"a": array})
    np.testing.assert_array_equal(read_safetensors(tmp_path / "w")["a"], array)


def test_a_dtype_that_the_format_does_not_have(tmp_path: Path) -> None:
    with pytest.raises(DTypeError, match=r"`arrays`\['z'\]: expected numbers or bools, got complex128"):
        write_safetensors(tmp_path / "w", {"z": np.ones(2, complex)})
    assert not list(tmp_path.iterdir())


# --- broken files -----------------------------------------------------------------------------------------------------


def refused(content: bytes, message: str, folder: Path) -> None:
    path = folder / "broken.safetensors"
    path.write_bytes(content)
    with pytest.raises(ForeignFileError, match=message):
        read_safetensors(path)


@pytest.mark.parametrize("length", [0, 4, 8, 60, len(BYTES) - 20, len(BYTES) - 1])
def test_a_file_cut_short(length: int, tmp_path: Path) -> None:
    refused(BYTES[:length], "cut short|not a safetensors file", tmp_path)


def test_a_file_with_something_behind(tmp_path: Path) -> None:
    refused(BYTES + b"\x00", "expected 20 bytes of numbers, as in the header, got 21", tmp_path)


@pytest.mark.parametrize("content", [pickle.dumps({"a": 1}, protocol=2), b"PK\x03\x04 a file of torch.save"])
def test_a_file_of_torch_save(content: bytes, tmp_path: Path) -> None:
    refused(content, r"a file of torch\.save.*safetensors\.torch\.save_file", tmp_path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ForeignFileError, match="cannot be read: No such file"):
        read_safetensors(tmp_path / "nowhere")


def with_header(header: Any, data: bytes = bytes(8)) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (b"not json", "header is not JSON"),
        (b"\xff\xfe", "header is not JSON"),
        ([1, 2], "header is not a JSON object"),
        ({"a": 1}, "its header describes 'a' as 1"),
        ({"a": {"dtype": "F32", "shape": [2]}}, "its header describes 'a'"),
        ({"a": {"dtype": "BF16", "shape": [4], "data_offsets": [0, 8]}}, "dtype BF16; expected one of U64, I64"),
        ({"a": {"dtype": "F32", "shape": [3], "data_offsets": [0, 12]}}, "should be bytes 0 to 12 of 8"),
        ({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 8]}}, "shape .1,. should be bytes 0 to 8 of 8"),
        ({"a": {"dtype": "F32", "shape": [-2], "data_offsets": [8, 0]}}, "damaged"),
        ({"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}, "expected 4 bytes of numbers"),
    ],
)
def test_a_header_that_cannot_be(header: Any, message: str, tmp_path: Path) -> None:
    refused(with_header(header), message, tmp_path)


def test_a_header_as_long_as_another_format_begins(tmp_path: Path) -> None:
    """A header of 640 bytes: the length is written 80 02, the beginning of a pickle."""
    for width in range(400, 640):
        path = tmp_path / "a.safetensors"
        write_safetensors(path, {"w" * width: np.ones(3, "float32")})
        if path.read_bytes()[:2] == b"\x80\x02":
            break
    assert path.read_bytes()[:2] == b"\x80\x02"
    np.testing.assert_array_equal(read_safetensors(path)["w" * width], 1.0)


def test_exchanged_arguments_and_what_is_no_file(tmp_path: Path) -> None:
    arrays = {"a": np.ones(2)}
    with pytest.raises(DTypeError, match=r"write_safetensors: expected `path`, .* got dict. The file comes first"):
        write_safetensors(arrays, tmp_path / "a.safetensors")  # type: ignore[arg-type]
    with pytest.raises(DTypeError, match="write_safetensors: expected `arrays`, a dict of arrays by name, got 3"):
        write_safetensors(tmp_path / "a.safetensors", 3)  # type: ignore[arg-type]
    with pytest.raises(DTypeError, match=f"read_safetensors: {NAME_OF_A_FILE}None"):
        read_safetensors(None)
    with pytest.raises(ForeignFileError, match=r"missing/a\.safetensors: cannot be written: No such file"):
        write_safetensors(tmp_path / "missing" / "a.safetensors", arrays)


def entry(shape: Any, *offsets: Any, dtype: Any = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": list(offsets)}


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ({"a": entry([2], 0, 8), "b": entry([2], 0, 8)}, f"'b' {OVERLAPS}: expected byte 8, got 0"),
        ({"a": entry([1], 0, 4), "b": entry([1], 2, 6)}, f"'b' {OVERLAPS}: expected byte 4, got 2"),
        ({"a": entry([1], 4, 8)}, "'a' leaves a gap before it: expected byte 0, got 4"),
        ({f"{k}": entry([2], 0, 8) for k in range(1000)}, f"'1' {OVERLAPS}"),
        ({"a": entry([2.0], 0, 8)}, "its header describes 'a'"),
        ({"a": entry([2.9], 0, 8)}, "its header describes 'a'"),
        ({"a": entry([True, 2], 0, 8)}, "its header describes 'a'"),
        ({"a": entry(["2"], 0, 8)}, "its header describes 'a'"),
        ({"a": entry("2", 0, 8)}, "its header describes 'a'"),
        ({"a": entry([2], 0.0, 8)}, "its header describes 'a'"),
        ({"a": entry([2], 0, 8, 8)}, "its header describes 'a'"),
        ({"a": entry([2], -8, 0)}, "its header describes 'a'"),
        ({"a": entry([1] * 70, 0, 4)}, "its header describes 'a'"),
        ({"a": entry([2], 0, 8, dtype=["F32"])}, "its header describes 'a'"),
        ({"a": entry([10**30], 0, 8)}, "its header describes 'a'"),
        ({"a": entry([2**40, 2**40], 0, 8)}, "should be bytes 0 to 8 of 8"),
        ({"a": [entry([2], 0, 8)]}, "its header describes 'a'"),
        ({"__metadata__": 3, "a": entry([2], 0, 8)}, "__metadata__ has values that are not strings"),
        ({"__metadata__": {"a": [1]}, "a": entry([2], 0, 8)}, "__metadata__ has values that are not strings"),
        (b'{"a":{"dtype":"F32","shape":[1e400],"data_offsets":[0,8]}}', "1e400 is too large"),
        (b'{"a":{"dtype":"F32","shape":[Infinity],"data_offsets":[0,8]}}', "its header describes 'a'"),
        (b'{"a":{"dtype":"F32","shape":[' + b"9" * 5000 + b'],"data_offsets":[0,8]}}', "4300 digits"),
        (b'{"a":{"dtype":"F32","shape":' + b"[" * 9999 + b"]" * 9999 + b"}}", "nested too deeply"),
        (b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{}}', "the key 'a' occurs twice"),
        (b'{"a":{"dtype":"F32","shape":[2],"shape":[2],"data_offsets":[0,8]}}', "the key 'shape' occurs twice"),
    ],
)
def test_a_header_of_wrong_types_or_places(header: Any, message: str, tmp_path: Path) -> None:
    """Files that the package `safetensors` refuses too."""
    refused(with_header(header), message, tmp_path)
    package = pytest.importorskip("safetensors")
    with pytest.raises(package.SafetensorError):
        package.deserialize(with_header(header))


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ({"a": entry([0, 2**61, 8], 0, 0), "b": entry([2], 0, 8)}, "'a' cannot be of shape"),
        (b' {"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}', "header is not a JSON object"),
    ],
)
def test_a_header_that_the_package_lets_through(header: Any, message: str, tmp_path: Path) -> None:
    """A shape that NumPy does not have, and a header that does not begin with {."""
    refused(with_header(header), message, tmp_path)


def test_a_long_header_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "sparse.safetensors"
    with path.open("wb") as file:
        file.write((10**9).to_bytes(8, "little") + b"{")
        file.truncate(2 * 10**9)
    with pytest.raises(ForeignFileError, match="its header declares 1,000,000,000 bytes; expected at most 100,000,000"):
        read_safetensors(path)


def test_holes_hold_no_numbers(tmp_path: Path) -> None:
    path = tmp_path / "sparse.safetensors"
    content = with_header({"a": entry([25 * 10**8], 0, 10**10)}, b"")
    with path.open("wb") as file:
        file.write(content)
        file.truncate(len(content) + 10**10)
    with pytest.raises(ForeignFileError, match=f"declares 10,000,000,000{IN_A_FILE_OF}.* at most 67,108,864"):
        read_safetensors(path)


@pytest.mark.parametrize("through", ["", "link"])
@pytest.mark.parametrize("kind", ["a named pipe", "a socket", "a folder"])
def test_what_is_no_file_is_left_as_it_is(kind: str, through: str, tmp_path: Path) -> None:
    """A device as the file; only the superuser can make one."""
    place = tmp_path / "place"
    if kind == "a named pipe":
        os.mkfifo(place)
    elif kind == "a folder":
        place.mkdir()
    else:
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(os.path.relpath(place))  # a socket's path may not be long
    before = os.stat(place)
    path = tmp_path / "link" if through else place
    if through:
        path.symlink_to(place)
    with pytest.raises(ForeignFileError, match=f"{path.name}: cannot be written: this is {kind}, no file"):
        write_safetensors(path, KNOWN)
    assert os.path.samestat(os.stat(place), before)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted({"place", path.name})


def test_several_threads_write_one_file(tmp_path: Path) -> None:
    """Two processes that write one file, each under a temporary name: the result is one complete file."""
    path = tmp_path / "w"
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda k: write_safetensors(path, {"a": np.full(10_000, k)}), range(40)))
    assert len(np.unique(read_safetensors(path)["a"])) == 1
    assert [p.name for p in tmp_path.iterdir()] == ["w"]
