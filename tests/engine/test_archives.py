"""Archives of strangers: the directory is checked before anything is unpacked, and checksums after."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convert.hostile import Member, archive, crafted, deflated_zeros, header, npy
from file_errors import IN_A_FILE_OF, NO_ARRAY, NUMBERED
from minigrad.engine import npz
from minigrad.engine.npz import CHECKSUM, checksum, read_arrays, write_arrays
from minigrad.keras.layers import Dense
from minigrad.keras.models import Sequential
from minigrad.keras.saving import MARK, WeightsFileError

ARRAYS: dict[str, Any] = {
    "a": np.arange(6.0).reshape(2, 3),
    "b/0": np.ones((2, 2), np.float32),
    "scalar": np.int64(1),
    "ä": np.zeros((0, 3), np.float16),
    "mask": np.array([True, False]),
    "columns": np.asfortranarray(np.arange(6, dtype=">i4").reshape(3, 2)),
}
LONG = "Nothing was allocated"


def read(path: Path, **options: Any) -> dict[str, Any]:
    return read_arrays(path, WeightsFileError, " Take another.", **options)


def same(found: dict[str, Any], expected: dict[str, Any] = ARRAYS) -> None:
    assert list(found) == list(expected)
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].dtype == array.dtype


# --- what is read -----------------------------------------------------------------------------------------------------


def test_there_and_back_as_numpy_does_it(tmp_path: Path) -> None:
    write_arrays(tmp_path / "a.npz", ARRAYS)
    same(read(tmp_path / "a.npz"))
    with np.load(tmp_path / "a.npz") as loaded:
        same({name: loaded[name] for name in ARRAYS})
        assert loaded[CHECKSUM].tobytes() == checksum(ARRAYS)


@pytest.mark.parametrize("write", [np.savez, np.savez_compressed])
def test_files_without_a_checksum_are_those_of_earlier_versions(write: Any, tmp_path: Path) -> None:
    write(tmp_path / "a.npz", **ARRAYS)
    same(read(tmp_path / "a.npz"))


def test_arrays_that_another_order_or_packing_left_as_they_were(tmp_path: Path) -> None:
    write_arrays(tmp_path / "a.npz", ARRAYS)
    with np.load(tmp_path / "a.npz") as loaded:
        everything = {name: loaded[name] for name in reversed(loaded.files)}
    np.savez_compressed(tmp_path / "b.npz", **everything)
    assert read(tmp_path / "b.npz").keys() == ARRAYS.keys()


@pytest.mark.parametrize("version", [1, 2, 3])
def test_all_versions_of_numpys_format(version: int, tmp_path: Path) -> None:
    sink = io.BytesIO()
    np.lib.format.write_array(sink, ARRAYS["a"], version=(version, 0))
    same(read(archive(tmp_path / "a.npz", {"a.npy": sink.getvalue()})), {"a": ARRAYS["a"]})


def test_the_same_arrays_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.npz", "b.npz"):
        write_arrays(tmp_path / name, ARRAYS)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


# --- the checksum -----------------------------------------------------------------------------------------------------


def changed_number(arrays: dict[str, Any]) -> None:
    arrays["a"] = arrays["a"] + 1e-15


def another_dtype(arrays: dict[str, Any]) -> None:
    arrays["a"] = arrays["a"].view(np.int64)


def another_shape(arrays: dict[str, Any]) -> None:
    arrays["a"] = arrays["a"].reshape(3, 2)


def other_names(arrays: dict[str, Any]) -> None:
    arrays["a"], arrays["b/0"] = arrays["b/0"], arrays["a"]


def one_less(arrays: dict[str, Any]) -> None:
    del arrays["mask"]


def one_more(arrays: dict[str, Any]) -> None:
    arrays["more"] = np.zeros(0)


def empty_checksum(arrays: dict[str, Any]) -> None:
    arrays[CHECKSUM] = arrays[CHECKSUM][:0]


def text_as_checksum(arrays: dict[str, Any]) -> None:
    arrays[CHECKSUM] = np.frombuffer(arrays[CHECKSUM].tobytes().hex().encode(), np.uint8)


@pytest.mark.parametrize(
    "change",
    [
        changed_number, another_dtype, another_shape, other_names, one_less, one_more, empty_checksum, text_as_checksum,
    ],
)  # fmt: skip
def test_a_file_whose_arrays_are_others_is_refused(change: Any, tmp_path: Path) -> None:
    write_arrays(tmp_path / "a.npz", ARRAYS)
    with np.load(tmp_path / "a.npz") as loaded:
        arrays = {name: loaded[name] for name in loaded.files}
    change(arrays)
    np.savez(tmp_path / "a.npz", **arrays)
    with pytest.raises(WeightsFileError, match=r"its arrays are not those of its checksum, 'sha256'\. Take another"):
        read(tmp_path / "a.npz")


def test_saved_weights_have_a_checksum_that_is_compared(tmp_path: Path) -> None:
    model = Sequential([Dense(2, input_shape=(3,), name="dense")])
    model.save_weights(tmp_path / "w.npz")
    with np.load(tmp_path / "w.npz") as loaded:
        arrays = {name: loaded[name] for name in loaded.files}
    arrays["000/dense/kernel:0"][0, 0] += 1
    np.savez(tmp_path / "w.npz", **arrays)
    with pytest.raises(WeightsFileError, match="not those of its checksum"):
        model.load_weights(tmp_path / "w.npz")


# --- what is refused --------------------------------------------------------------------------------------------------

A, B = npy(np.arange(2.0)), npy(np.ones(3))
HIDDEN = b"PK\x03\x04" + bytes(22) + b"\5\0\0\0b.npy" + B  # a member in a member
DEFLATED = 8


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ([Member("a.npy", A), Member("a.npy", B)], "it has two members named 'a.npy'"),
        ([Member("a.npy", A), Member("b.npy", A, at=0)], "overlaps another member"),
        ([Member("a.npy", A + B), Member("b.npy", B, at=len(A) + 5)], "'b.npy' is not where its directory says"),
        ([Member("a.npy", HIDDEN), Member("b.npy", B, at=35)], "'a.npy' overlaps another member"),
        ([Member("a.npy", A, at=10**6)], "'a.npy' is not where its directory says, or the file is cut short"),
        ([Member("a.npy", A, crc=1)], "Bad CRC-32 for file 'a.npy'"),
        ([Member("a.npy", A, local="b.npy")], "File name in directory 'a.npy' and header b'b.npy' differ"),
        ([Member("a.npy", A, flags=1)], "'a.npy' is encrypted, or packed by an unknown method"),
        ([Member("a.npy", A, method=12)], "'a.npy' is encrypted, or packed by an unknown method"),
        ([Member("a.npy", A, size=10**10)], "'a.npy' has two sizes, 144 and 10000000000"),
        ([Member("a.npy", A[:-1])], "should not be 15 bytes"),
        ([Member("a.npy", A + b"\0")], "should not be 17 bytes"),
        ([Member("a.npy", deflated_zeros(1, A), DEFLATED, len(A))], "Bad CRC-32"),
        ([Member("a.npy", deflated_zeros(0, A[:-8]), DEFLATED, len(A))], "Bad CRC-32"),
        ([Member("a.npy", b"\xff" * 200, DEFLATED, len(A))], "invalid"),
        ([Member("a.npy", b"")], "'a.npy' is not a plain array"),
        ([Member("a.npy", A[:30])], "'a.npy' is not a plain array"),
        ([Member("a.npy", header("<f8", (10**12,)))], "should not be 0 bytes"),
        ([Member("a.npy", header("<f8", (0, 2**61, 8)))], "array is too big|larger than|maximum"),
        ([Member("a.npy", header("<f8", (1,) * 70) + bytes(8))], "of shape .* should not be 8 bytes"),
        ([Member("a.npy", header("<f8", (2**63, 2**63)))], "should not be 0 bytes"),
        ([Member("a.npy", header("<f8", (-1,)))], "is not a plain array"),
        ([Member("a.npy", header("<f8", (2.9,)) + bytes(16))], "is not a plain array"),
        ([Member("a.npy", header("<f8", [2]) + bytes(16))], "is not a plain array"),
        ([Member("a.npy", header("<f8", 2) + bytes(16))], "is not a plain array"),
        ([Member("a.npy", header("<f8", "(2,)") + bytes(16))], "is not a plain array"),
        ([Member("a.npy", header("<f9", (2,)) + bytes(18))], "a.npy"),
        ([Member("a.npy", header("|O", (1,)) + b"cos\nsystem\n(S'true'\ntR.")], "is not a plain array"),
        ([Member("a.npy", header("|S8", (1,)) + bytes(8))], "is not a plain array"),
        ([Member("a.npy", header([("a", "<f8")], (1,)) + bytes(8))], "is not a plain array"),
        ([Member("a.npy", header("<f8", (1,), "maybe") + bytes(8))], "is not a plain array"),
        ([Member("a.npy", header("<f8", "(" * 9000))], "is not a plain array"),
        ([Member("a.npy", b"\x93NUMPY\x01\x00\xff\xff" + b"1" * 65535)], "is not a plain array"),
        ([Member("a.npy", header("<f8", ())[:60].replace(b"()", b"(" + b"1" * 4100))], "is not a plain array"),
        ([Member("a.npy", A, at=0)], "'a.npy' is not where"),
        ([Member("a.npz", A)], f"it holds 'a.npz'{NO_ARRAY}"),
        ([Member("a.npy", b"PK\x03\x04" + bytes(100))], "'a.npy' is not a plain array"),
    ],
)  # fmt: skip
def test_what_is_refused(members: list[Member], says: str, tmp_path: Path) -> None:
    path = crafted(tmp_path / "a.npz", members)
    with pytest.raises(WeightsFileError, match=says) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}: is ")


@pytest.mark.parametrize("length", [1, 2**14])
def test_a_directory_that_leaves_members_out_is_refused(length: int, tmp_path: Path) -> None:
    """One bit in the length of a comment swallows the rest of the directory, the checksum too; zipfile goes on."""
    write_arrays(tmp_path / "a.npz", ARRAYS)
    content = bytearray((tmp_path / "a.npz").read_bytes())
    place = content.index(b"PK\x01\x02") + 32
    content[place : place + 2] = length.to_bytes(2, "little")
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(WeightsFileError, match=r"belong to no member|Bad magic number"):
        read(tmp_path / "a.npz")


def test_streamed_archives_are_read(tmp_path: Path) -> None:
    """Members whose sizes follow their bytes."""

    class Stream(io.RawIOBase):
        def writable(self) -> bool:
            return True

        def write(self, piece: Any) -> int:
            with (tmp_path / "a.npz").open("ab") as file:
                return file.write(piece)

    with zipfile.ZipFile(Stream(), "w") as made:
        for name, array in ARRAYS.items():
            made.writestr(f"{name}.npy", npy(array))
    ordered = {name: array for name, array in ARRAYS.items() if name != "columns"}
    assert read(tmp_path / "a.npz", names=ordered).keys() == ordered.keys()


@pytest.mark.parametrize("place", [8, 10, 12, 16, 20])
@pytest.mark.parametrize("value", [0, 1, 0xFFFF])
def test_the_end_of_the_directory_may_say_anything(place: int, value: int, tmp_path: Path) -> None:
    path = crafted(tmp_path / "a.npz", [Member("a.npy", A), Member("b.npy", B)])
    content = bytearray(path.read_bytes())
    begin = len(content) - 22 + place
    content[begin : begin + 2] = value.to_bytes(2, "little")
    path.write_bytes(content)
    try:
        same(read(path), {"a": np.arange(2.0), "b": np.ones(3)})
    except WeightsFileError as error:
        assert str(error).startswith(f"{path}: is damaged")  # noqa: PT017


def test_a_long_directory_is_refused_unread(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as made:
        made.writestr("a.npy", A)
    content = bytearray((tmp_path / "a.npz").read_bytes())
    end = content.rindex(b"PK\x05\x06")
    content[end:end] = bytes(9 * 2**20)
    end += 9 * 2**20
    content[end + 12 : end + 16] = (9 * 2**20).to_bytes(4, "little")
    (tmp_path / "a.npz").write_bytes(content)
    with pytest.raises(WeightsFileError, match="directory of 9,437,184 bytes; expected at most 8,388,608"):
        read(tmp_path / "a.npz")


# --- more than there is -----------------------------------------------------------------------------------------------


def bomb(path: Path, name: str, mebibytes: int, **others: bytes) -> Path:
    """Write an archive with a member of zeros, packed a thousand times smaller."""
    begin = header("|u1", (mebibytes * 2**20,))
    members = [Member(f"{other}.npy", content) for other, content in others.items()]
    packed = deflated_zeros(mebibytes, begin)
    return crafted(path, [*members, Member(f"{name}.npy", packed, DEFLATED, len(begin) + mebibytes * 2**20, 0)])


def test_a_bomb_is_refused_with_its_figures(tmp_path: Path) -> None:
    path = bomb(tmp_path / "a.npz", "a", 3000)
    size = path.stat().st_size
    with pytest.raises(WeightsFileError, match=LONG) as caught:
        read(path)
    assert f"'a.npy' declares 3,145,728,128{IN_A_FILE_OF}{size:,} on the disk" in str(caught.value)
    assert "expected at most 67,108,864" in str(caught.value)


def test_what_is_not_asked_for_is_not_unpacked(tmp_path: Path) -> None:
    path = bomb(tmp_path / "a.npz", "bomb", 3000, a=A)
    same(read(path, names=("a",)), {"a": np.arange(2.0)})
    with pytest.raises(WeightsFileError, match="an archive of 2 members declares 3,145"):
        read(path)


def test_a_model_may_ask_for_more(tmp_path: Path) -> None:
    path = bomb(tmp_path / "a.npz", "a", 70)
    with pytest.raises(WeightsFileError, match=LONG):
        read(path)
    with pytest.raises(WeightsFileError, match="Bad CRC"):  # it is unpacked
        read(path, wanted=10 * 2**20)


def test_zeros_that_the_model_asks_for_are_read(tmp_path: Path) -> None:
    model = Sequential([Dense(3000, input_shape=(3000,), use_bias=False, dtype="float64", name="dense")])
    np.savez_compressed(tmp_path / "w.npz", **{MARK: 1, "000/dense/kernel:0": np.zeros((3000, 3000))})
    assert (tmp_path / "w.npz").stat().st_size < 100_000
    model.load_weights(tmp_path / "w.npz")
    assert not model.get_weights()[0].any()


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("000/dense/kernel:0", "expected 2 weights, got 1"),
        ("extra", NUMBERED),
    ],
)
def test_a_model_compares_before_it_reads(
    name: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = Sequential([Dense(2, input_shape=(3,), name="dense")])
    path = bomb(tmp_path / "w.npz", name, 3, **{MARK: npy(np.array(1))})
    unpacked = []
    monkeypatch.setattr(npz, "_array", lambda found, member, declared: unpacked.append(member) or np.array(1))
    with pytest.raises(WeightsFileError, match=says):
        model.load_weights(path)
    assert unpacked == [f"{MARK}.npy"]
