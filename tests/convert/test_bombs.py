"""Refusal of files that declare gigabytes: the message has the number, and no memory is allocated."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convert.hostile import CONFIG, Member, crafted, deflated_zeros, header, keras_file, npy
from file_errors import IN_A_FILE_OF, OVERLAPS

h5py = pytest.importorskip("h5py")

GROWTH = 150  # MiB, of the process or of its child, for all files together
COUNT = 500_000_000  # doubles
JSON = ('{"a":[' + "0," * 1000).encode()


def never_written(file: Any, place: str) -> None:
    file.create_dataset(place, (COUNT,), "f8")


def never_written_in_chunks(file: Any, place: str) -> None:
    file.create_dataset(place, (COUNT,), "f8", chunks=(1000,), compression="gzip")


def filled(file: Any, place: str) -> None:
    file.create_dataset(place, (COUNT,), "f8", fillvalue=2.5, chunks=(COUNT // 2,))


def one_huge_chunk(file: Any, place: str) -> None:
    data = file.create_dataset(place, (10,), "f8", chunks=(COUNT,), maxshape=(None,), compression="gzip")
    data.id.write_direct_chunk((0,), deflated_zeros(4)[:1000])


def many_links_to_one(file: Any, place: str) -> None:
    file[place] = np.zeros(200_000)
    for k in range(1, 2000):
        file[f"{os.path.dirname(place)}/{k}"] = file[place]


def more_than_the_file(file: Any, place: str) -> None:
    """Write a contiguous array without its end, in a file extended by a hole."""
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    plist.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    h5py.h5d.create(file.id, place.encode(), h5py.h5t.IEEE_F64LE, h5py.h5s.create_simple((COUNT,)), plist)


def hdf5(put: Callable[[Any, str], None], kind: str) -> Callable[[Path], Path]:
    return lambda folder: keras_file(folder, kind, put)


def weights_inside(folder: Path) -> Path:
    weights = Member("model.weights.h5", deflated_zeros(3000), 8, 3000 * 2**20, 0)
    return crafted(folder / "a.keras", [Member("config.json", json.dumps(CONFIG).encode()), weights])


def json_inside(folder: Path) -> Path:
    config = Member("config.json", deflated_zeros(3000, b'{"config": '), 8, 3000 * 2**20 + 11, 0)
    return crafted(folder / "b.keras", [config, Member("model.weights.h5", b"")])


def longer_than_it_says(folder: Path) -> Path:
    config = Member("config.json", deflated_zeros(3000, b'{"config": '), 8, 11, 0)
    return crafted(folder / "c.keras", [config, Member("model.weights.h5", b"")])


def many_values(folder: Path) -> Path:
    config = Member("config.json", b'{"config":[' + b"[]," * 5_000_000 + b"1]}")
    return crafted(folder / "d.keras", [config, Member("model.weights.h5", b"")])


def npz(name: str, **others: bytes) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        begin = header("|u1", (3000 * 2**20,))
        members = [Member(f"{other}.npy", content) for other, content in others.items()]
        bomb = Member(f"{name}.npy", deflated_zeros(3000, begin), 8, len(begin) + 3000 * 2**20, 0)
        return crafted(folder / f"{name.replace('/', '-')}{len(others)}.npz", [*members, bomb])

    return write


def sparse_npz(folder: Path) -> Path:
    begin, count = header("|u1", (4 * 10**9,)), 4 * 10**9
    path = crafted(folder / "sparse.npz", [Member("minigrad weights.npy", npy(np.array(1))), Member("a.npy", begin)])
    content = path.read_bytes().replace(len(begin).to_bytes(4, "little"), (len(begin) + count).to_bytes(4, "little"))
    end = content.index(b"PK\x01\x02")
    with path.open("wb") as file:
        file.write(content[:end])
        file.seek(count, os.SEEK_CUR)
        last = content[end:-22] + content[-22:-6] + (end + count).to_bytes(4, "little") + bytes(2)
        file.write(last)
    return path


def overlapping_tensors(folder: Path) -> Path:
    entry = {"dtype": "U8", "shape": [10**6], "data_offsets": [0, 10**6]}
    text = json.dumps({f"t{k}": entry for k in range(5000)}).encode()
    path = folder / "overlap.safetensors"
    path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(10**6))
    return path


def header_of_values(folder: Path) -> Path:
    text = b'{"a":[' + b"[]," * 10_000_000 + b"1]}"
    path = folder / "values.safetensors"
    path.write_bytes(len(text).to_bytes(8, "little") + text)
    return path


def sparse_tensors(folder: Path) -> Path:
    text = json.dumps({"a": {"dtype": "U8", "shape": [4 * 10**9], "data_offsets": [0, 4 * 10**9]}}).encode()
    path = folder / "sparse.safetensors"
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.truncate(8 + len(text) + 4 * 10**9)
    return path


MARK = {"minigrad weights": npy(np.array(1))}
BOMBS: dict[str, tuple[Callable[[Path], Path], str]] = {
    **{
        f"{put.__name__} {kind}": (hdf5(put, kind), f"{figure} bytes")
        for kind in ("weights.h5", "h5", "keras")
        for put, figure in ((never_written, "4,000,000,000"), (never_written_in_chunks, "4,000,008,000"))
    },
    "filled": (hdf5(filled, "weights.h5"), "6,000,000,000 bytes"),
    "one huge chunk": (hdf5(one_huge_chunk, "weights.h5"), "4,000,000,080 bytes"),
    "many links": (hdf5(many_links_to_one, "weights.h5"), "3,200,000,000 bytes"),
    "a hole in HDF5": (hdf5(more_than_the_file, "weights.h5"), "4,000,000,000 bytes"),
    "weights in .keras": (weights_inside, f"'model.weights.h5' declares 3,145,728,000{IN_A_FILE_OF}3,"),
    "JSON in .keras": (json_inside, "'config.json' declares 3,145,728,011 bytes; expected at most 16,777,216"),
    "longer than it says": (longer_than_it_says, "config.json"),
    "many values": (many_values, "expected at most 1,000,000 values, got up to 10,000,00"),
    "weights": (npz("000/a", **MARK), "declares 3,145,728"),
    "an entry that is not asked for": (npz("unused", **MARK, **{"000/a": npy(np.ones(2))}), "declares 3,145,728"),
    "a sparse .npz": (sparse_npz, "declares 4,000,000,"),
    "tensors that overlap": (overlapping_tensors, f"'t1' {OVERLAPS}: expected byte 1000000, got 0"),
    "a header of many values": (header_of_values, "expected at most 1,000,000 values, got up to 20,000,00"),
    "a sparse .safetensors": (sparse_tensors, "declares 4,000,000,000 bytes"),
}
PROGRAM = """if True:
    import json, resource, sys
    from minigrad.convert import read_keras, read_safetensors
    from minigrad.engine.errors import MinigradError
    from minigrad.keras import saving

    def peak():  # not getrusage's, which begins with that of the process that started this one
        with open("/proc/self/status") as file:
            return int(next(line.split()[1] for line in file if line.startswith("VmHWM")))

    before, answers = peak(), []
    for path in sys.argv[1:]:
        read = {"npz": saving.load, "safetensors": read_safetensors}.get(path.rpartition(".")[2], read_keras)
        try:
            read(path)
            answer = "read"
        except MinigradError as error:
            answer = str(error)
        child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
        answers.append((answer, (peak() - before) // 1024, child // 1024))
    print(json.dumps(answers))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the system does not tell the peak of a process")
def test_no_file_takes_what_it_claims(tmp_path: Path) -> None:
    paths = []
    for k, (write, _) in enumerate(BOMBS.values()):
        (tmp_path / str(k)).mkdir()
        paths.append(write(tmp_path / str(k)))
    ran = subprocess.run([sys.executable, "-c", PROGRAM, *paths], capture_output=True, check=True, text=True)
    answers = dict(zip(BOMBS, json.loads(ran.stdout), strict=True))
    for name, (answer, own, child) in answers.items():
        assert BOMBS[name][1] in answer, name
        assert own < GROWTH, (name, own)
        assert child < GROWTH, (name, child)
