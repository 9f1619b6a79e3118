"""Untrusted HDF5 files: links to other files, loops and non-arrays are refused by name, before they are read."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convert.hostile import PLACES, keras_file
from convert.recorded import DATA
from minigrad.convert import ForeignFileError, hdf5_content, hdf5_worker, load_keras, read_keras
from minigrad.keras.layers import Dense

h5py = pytest.importorskip("h5py")

SECRET = np.arange(6.0).reshape(3, 2)
Put = Callable[[Any, str], None]


def plain(file: Any, place: str) -> None:
    file[place] = SECRET


def external_storage(file: Any, place: str) -> None:
    file.create_dataset(place, (3, 2), "f8", external=[("secret.bin", 0, 48)])


def virtual(file: Any, place: str) -> None:
    layout = h5py.VirtualLayout((3, 2), "f8")
    layout[:] = h5py.VirtualSource("secret.h5", "a", (3, 2))
    file.create_virtual_dataset(place, layout)


def virtual_without_end(file: Any, place: str) -> None:
    layout = h5py.VirtualLayout((3, 2), "f8", maxshape=(None, 2))
    source = h5py.VirtualSource("secret.h5", "a", (3, 2), maxshape=(None, 2))
    layout[: h5py.h5s.UNLIMITED, :] = source[: h5py.h5s.UNLIMITED, :]
    file.create_virtual_dataset(place, layout)


def virtual_of_itself(file: Any, place: str) -> None:
    layout = h5py.VirtualLayout((3, 2), "f8")
    layout[:] = h5py.VirtualSource(".", place, (3, 2))
    file.create_virtual_dataset(place, layout)


def external_link(file: Any, place: str) -> None:
    file[place] = h5py.ExternalLink("secret.h5", "a")


def soft_to_external(file: Any, place: str) -> None:
    file["other"] = h5py.ExternalLink("secret.h5", "/")
    file[place] = h5py.SoftLink("/other/a")


def dangling(file: Any, place: str) -> None:
    file[place] = h5py.SoftLink("/nowhere/at/all")


def through_an_array(file: Any, place: str) -> None:
    file["array"] = SECRET
    file[place] = h5py.SoftLink("/array/inside")


def loop_of_one(file: Any, place: str) -> None:
    file[place] = h5py.SoftLink("/" + place)


def loop_of_two(file: Any, place: str) -> None:
    file[place] = h5py.SoftLink("/other")
    file["other"] = h5py.SoftLink("/" + place)


def hard_loop(file: Any, place: str) -> None:
    file[place] = SECRET
    file[os.path.dirname(place) + "/again"] = file["/"]


def soft_loop_of_groups(file: Any, place: str) -> None:
    file[place] = SECRET
    file[os.path.dirname(place) + "/again"] = h5py.SoftLink("/")


def many_paths(file: Any, place: str) -> None:
    file[place] = SECRET
    group = file.create_group("0")
    for k in range(1, 25):
        inner = file.create_group(str(k))
        group["a"] = group["b"] = inner
        group = inner


def deep(file: Any, place: str) -> None:
    file[place] = SECRET
    file.create_group("/".join("g" * 200))


def object_references(file: Any, place: str) -> None:
    file["a"] = SECRET
    file.create_dataset(place, data=np.array([[file["a"].ref]], h5py.ref_dtype))


def region_references(file: Any, place: str) -> None:
    file["a"] = SECRET
    file.create_dataset(
        place, data=np.array([file["a"].regionref[:1]], h5py.regionref_dtype), dtype=h5py.regionref_dtype
    )


def varying_arrays(file: Any, place: str) -> None:
    data = file.create_dataset(place, (2,), h5py.vlen_dtype(np.float64))
    data[0] = [1.0, 2.0]


def varying_texts(file: Any, place: str) -> None:
    file.create_dataset(place, data=["a", "b"], dtype=h5py.string_dtype())


def texts(file: Any, place: str) -> None:
    file[place] = np.array([b"hello"])


def compound(file: Any, place: str) -> None:
    file[place] = np.zeros(2, [("a", "f4"), ("b", "i4")])


def complex_numbers(file: Any, place: str) -> None:
    file[place] = np.zeros(2, complex)


def opaque(file: Any, place: str) -> None:
    file[place] = np.zeros(2, "datetime64[s]").astype(h5py.opaque_dtype("datetime64[s]"))


def committed(file: Any, place: str) -> None:
    file["kind"] = np.dtype("f8")
    file.create_dataset(place, data=SECRET, dtype=file["kind"])


def nothing(file: Any, place: str) -> None:
    file[place] = h5py.Empty("f8")


def unknown_filter(file: Any, place: str) -> None:
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk((3, 2))
    plist.set_filter(h5py.h5z.FILTER_LZF, h5py.h5z.FLAG_OPTIONAL, ())
    h5py.h5d.create(file.id, place.encode(), h5py.h5t.IEEE_F64LE, h5py.h5s.create_simple((3, 2)), plist)


REFUSED: list[tuple[Put, str]] = [
    (
        external_storage,
        "has external storage: the numbers of '.*' are stored in the file b'secret.bin'. It is not read",
    ),
    (virtual, "has a virtual dataset, '.*', whose numbers are stored in other files"),
    (virtual_without_end, "has a virtual dataset"),
    (virtual_of_itself, "has a virtual dataset"),
    (external_link, "has an external link, '.*', to b'a' of the file b'secret.h5'"),
    (soft_to_external, "has an external link"),
    (dangling, "has a soft link, '.*', to b'/nowhere/at/all', which does not exist"),
    (through_an_array, "has a soft link, '.*', to b'/array/inside', which does not exist"),
    (loop_of_one, "has soft links that loop"),
    (loop_of_two, "has soft links that loop"),
    (hard_loop, "has links that loop: '.*' is a group inside itself"),
    (soft_loop_of_groups, "has links that loop"),
    (many_paths, "has more than 100,000 links"),
    (deep, "has groups in groups, more than 60 deep"),
    (object_references, "holds references to objects or regions at '.*', not numbers"),
    (region_references, "holds references to objects or regions at '.*', not numbers"),
    (varying_arrays, "holds a variable-length type at '.*', not numbers"),
    (varying_texts, "holds texts at '.*', not numbers"),
    (texts, "holds texts at '.*', not numbers"),
    (compound, "holds a compound type at '.*', not numbers"),
    (complex_numbers, "holds .* at '.*', not numbers"),
    (opaque, "holds an opaque type at '.*', not numbers"),
    (committed, "holds a committed datatype at '.*', not numbers"),
    (nothing, "holds .* at '.*', or nothing, not numbers"),
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with the files that others link to; it is also the working folder."""
    (tmp_path / "secret.bin").write_bytes(SECRET.tobytes())
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["a"] = SECRET
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("put", "says", "kind"),
    [(put, says, kind) for k, (put, says) in enumerate(REFUSED) for kind in (PLACES if k < 7 else ["weights.h5"])],
)
def test_what_is_refused_by_name(put: Put, says: str, kind: str, folder: Path) -> None:
    path = keras_file(folder, kind, put)
    with pytest.raises(ForeignFileError, match=says) as caught:
        read_keras(path)
    assert str(caught.value).startswith(f"{path}: ")


@pytest.mark.parametrize("put", [external_storage, virtual, external_link, loop_of_one])
def test_what_leads_to_other_files_is_refused_wherever_it_stands(put: Put, folder: Path) -> None:
    def beside(file: Any, place: str) -> None:
        plain(file, place)
        put(file, "optimizer/vars/0")

    with pytest.raises(ForeignFileError, match=r"external|virtual|loop"):
        read_keras(keras_file(folder, "weights.h5", beside))


def soft(file: Any, place: str) -> None:
    file["elsewhere/array"] = SECRET
    file["way"] = h5py.SoftLink("/elsewhere")
    file[place] = h5py.SoftLink("/way/./array")


def packed(file: Any, place: str) -> None:
    file.create_dataset(place, data=SECRET, compression="gzip", shuffle=True, fletcher32=True)


def packed_by_lzf(file: Any, place: str) -> None:
    file.create_dataset(place, data=SECRET, compression="lzf", chunks=(1, 2), maxshape=(None, 2))


def compact(file: Any, place: str) -> None:
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_layout(h5py.h5d.COMPACT)
    space = h5py.h5s.create_simple(SECRET.shape)
    h5py.h5d.create(file.id, place.encode(), h5py.h5t.IEEE_F64LE, space, plist).write(space, space, SECRET)


def big_endian(file: Any, place: str) -> None:
    file[place] = SECRET.astype(">f8")


@pytest.mark.parametrize("kind", PLACES)
@pytest.mark.parametrize("put", [plain, soft, packed, packed_by_lzf, compact, big_endian])
def test_what_is_read(put: Put, kind: str, folder: Path) -> None:
    file = read_keras(keras_file(folder, kind, put))
    (array,) = file.arrays.values()
    np.testing.assert_array_equal(array, SECRET)
    assert array.dtype == np.float64
    assert array.flags.writeable


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i1", "i8", "u2", "?"])
@pytest.mark.parametrize("shape", [(), (0,), (2, 0, 3), (2, 3)])
def test_every_dtype_and_shape(dtype: str, shape: tuple[int, ...], folder: Path) -> None:
    expected = np.ones(shape, dtype)

    def put(file: Any, place: str) -> None:
        file[place] = expected

    (array,) = read_keras(keras_file(folder, "weights.h5", put)).arrays.values()
    assert (array.dtype, array.shape) == (expected.dtype, shape)
    np.testing.assert_array_equal(array, expected)


def test_an_unknown_filter_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One known filter treated as unknown, since h5py cannot write others here."""
    monkeypatch.setattr(hdf5_content.sys, "platform", "emscripten")  # reads in this process
    monkeypatch.setattr(hdf5_worker, "_FILTERS", (1, 2))
    with pytest.raises(ForeignFileError, match="packs 'layers/dense/vars/0' with a user-defined filter, number 32000"):
        read_keras(keras_file(folder, "weights.h5", unknown_filter))


@pytest.mark.parametrize("name", ["sequential.h5", "sequential3.weights.h5", "hard3.keras"])
def test_in_this_process_the_same_is_read(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = read_keras(DATA / name)
    monkeypatch.setattr(hdf5_content.sys, "platform", "emscripten")
    file = read_keras(DATA / name)
    assert file.config == expected.config
    assert [layer.name for layer in file.layers] == [layer.name for layer in expected.layers]
    for key, array in expected.arrays.items():
        np.testing.assert_array_equal(file.arrays[key], array)


@pytest.mark.parametrize(
    ("ends", "says"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "(signal 11)"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "(signal 9)"),
        ("import os; os._exit(3)", "(exit status 3)"),
        ("raise SystemError('strange')", "(exit status 1)"),
        ("import sys; sys.stdout.buffer.write(bytes([1, 9, 0, 0, 0, 0, 0, 0, 0]) + b'{')", "(exit status 0)"),
    ],
)
@pytest.mark.skipif(os.name != "posix", reason="there are no signals")
def test_a_crash_of_hdf5_is_an_error(ends: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "worker.py").write_text(ends)
    monkeypatch.setattr(hdf5_worker, "__file__", str(tmp_path / "worker.py"))
    with pytest.raises(ForeignFileError, match=r"model\.h5: is damaged: HDF5's library crashed") as caught:
        read_keras(keras_file(tmp_path, "h5", plain))
    assert says in str(caught.value)


def test_a_reader_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "worker.py").write_text("import time; time.sleep(100)")
    monkeypatch.setattr(hdf5_worker, "__file__", str(tmp_path / "worker.py"))
    monkeypatch.setattr(hdf5_content, "SECONDS", 0)
    monkeypatch.setattr(hdf5_content, "BYTES_PER_SECOND", 10**9)
    with pytest.raises(ForeignFileError, match="or took more than"):
        read_keras(keras_file(tmp_path, "h5", plain))


def test_the_process_sees_the_same_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path)])  # no h5py there
    with pytest.raises(ForeignFileError, match=r"HDF5's library crashed .*\(exit status 1\)"):
        read_keras(keras_file(tmp_path, "h5", plain))


def test_a_model_takes_what_is_read(folder: Path) -> None:
    layer = Dense(2, dtype="float64", use_bias=False, name="dense")
    layer.build((None, 3))
    load_keras(keras_file(folder, "weights.h5", plain), layer)
    np.testing.assert_array_equal(layer.get_weights()[0], SECRET)
