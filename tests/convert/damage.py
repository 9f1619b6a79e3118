"""Random damage to files and descriptions, from a seed, and the readers' outcomes.

By hand, in the folder `tests`: ``python -m convert.damage 2000`` damages 2000 files of each kind and prints the counts.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import traceback
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import minigrad as mg
from convert.forked import forked
from convert.recorded import DATA
from minigrad import convert
from minigrad.engine.errors import MinigradError
from minigrad.engine.npz import write_arrays
from minigrad.keras import layers as L
from minigrad.keras import saving
from minigrad.tracing import Trace
from minigrad.train import checkpoint

RIGHT, REFUSED, UNNOTICED, WRONG = "right", "refused", "unnoticed", "wrong"

# --- bytes ------------------------------------------------------------------------------------------------------------


def flipped(draw: random.Random, content: bytearray) -> None:
    for _ in range(draw.choice([1, 1, 1, 2, 8, 64])):
        content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)


def flipped_at_an_end(draw: random.Random, content: bytearray) -> None:
    place = draw.randrange(min(200, len(content)))
    content[draw.choice([place, -1 - place])] ^= 1 << draw.randrange(8)


def cut(draw: random.Random, content: bytearray) -> None:
    del content[draw.choice([draw.randrange(len(content)), len(content) - draw.randrange(1, 50)]) :]


def zeroed(draw: random.Random, content: bytearray) -> None:
    place, length = draw.randrange(len(content)), draw.choice([1, 4, 16, 512])
    content[place : place + length] = bytes(len(content[place : place + length]))


def overwritten(draw: random.Random, content: bytearray) -> None:
    size = draw.choice([1, 2, 4, 8])
    value = draw.choice(
        [0, 1, 2, 2 ** (8 * size) - 1, 2 ** (8 * size - 1), 2 ** (8 * size - 1) - 1, draw.getrandbits(size)]
    )
    place = draw.randrange(max(1, len(content) - size))
    content[place : place + size] = value.to_bytes(size, "little")


def spliced(draw: random.Random, content: bytearray) -> None:
    source, length = draw.randrange(len(content)), draw.choice([1, 8, 64, 500])
    piece = content[source : source + length]
    place = draw.randrange(len(content))
    content[place : place + draw.choice([0, len(piece)])] = piece if draw.random() < 0.8 else b""


Change = Callable[[random.Random, bytearray], None]
BYTES: tuple[Change, ...] = (flipped, flipped, flipped_at_an_end, cut, zeroed, overwritten, overwritten, spliced)


def damaged(draw: random.Random, content: bytes) -> bytes:
    """Return bytes with one kind of damage, sometimes two."""
    made = bytearray(content)
    for _ in range(draw.choice([1, 1, 1, 2])):
        if made:
            draw.choice(BYTES)(draw, made)
    return bytes(made)


# --- JSON -------------------------------------------------------------------------------------------------------------

VALUES: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2.9, -0.5, 2**31, 2**63, 10**30, 10**5000, "", "x", "x" * 5000, "\ud800", "LSTM", [],
    {},
    [[]], [None], [1] * 70, {"a": 1}, {"class_name": "LSTM"}, {"class_name": 3, "config": 4}, {"config": {"layers": 3}},
    float("nan"), float("inf"), [2.9], [-1], [10**18] * 3, ["1"],
)  # fmt: skip
TEXTS = (
    b"1e400",
    b"-1e999",
    b"[" * 5000 + b"]" * 5000,
    b'{"a":' * 200 + b"1" + b"}" * 200,
    b"{}}",
    b"'a'",
    b"\xff",
    b"",
)


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Pairs of a list or object in a value, and a key in it."""
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in list(inside):
        yield value, key
        yield from places(inner)


def changed(draw: random.Random, value: Any) -> bytes:
    """Return a value as JSON, with parts replaced, removed, repeated, or followed by invalid JSON."""
    value = json.loads(json.dumps(value))
    text = b"@@@"
    for _ in range(draw.choice([1, 1, 2, 3])):
        found = list(places(value))
        if not found:
            break
        holder, key = draw.choice(found)
        what = draw.random()
        if what < 0.6:
            holder[key] = deepcopy(draw.choice(VALUES))
        elif what < 0.75:
            del holder[key]
        elif what < 0.9:
            holder[key], text = "@@@", draw.choice(TEXTS)
        elif isinstance(holder, dict):
            holder[draw.choice(["class_name", "name", "shape", "layers", "config"])] = deepcopy(holder[key])
    sys.set_int_max_str_digits(0)
    try:
        return json.dumps(value).encode().replace(b'"@@@"', text)
    finally:
        sys.set_int_max_str_digits(4300)


# --- kinds of files ---------------------------------------------------------------------------------------------------


class Kind(NamedTuple):
    """A kind of file.

    Attributes:
        name: its name.
        content: a whole file.
        damage: makes a damaged one of it.
        read: reads a file as arrays by name.
        checked: whether the format has a checksum, so that no changed number may be read.
        ending: the end of the file's name.
    """

    name: str
    content: bytes
    damage: Callable[[random.Random, bytes], bytes]
    read: Callable[[Path], dict[str, Any]]
    checked: bool
    ending: str


ARRAYS = {"a": np.arange(6.0).reshape(2, 3), "b": np.ones(3, np.float32), "c": np.array(2), "d": np.zeros((0, 2))}
WEIGHTS = [("dense/kernel:0", ARRAYS["a"]), ("dense/bias:0", ARRAYS["b"])]


def read_weights(path: Path) -> dict[str, Any]:
    return dict(saving.load(str(path), [(name, array.shape) for name, array in WEIGHTS]))


def read_checkpoint(path: Path) -> dict[str, Any]:
    return {**checkpoint.load(path).arrays}


def read_trace(path: Path) -> dict[str, Any]:
    return {name: np.asarray(value) for name, value in Trace.load(path).to_dict().items() if value is not None}


def read_keras_and_load(path: Path) -> dict[str, Any]:
    """Read a file, and try to set a model's weights from it."""
    arrays = convert.read_keras(path).arrays
    for layer in (L.LSTM(4), L.Dense(2)):
        layer.build((None, None, 3))
        try:
            convert.load_keras(path, layer)
        except MinigradError:
            continue
    return arrays


def read_keras_arrays(path: Path) -> dict[str, Any]:
    return convert.read_keras(path).arrays


def header_changed(draw: random.Random, content: bytes) -> bytes:
    """Change the header of a safetensors file as JSON, and state its length."""
    end = 8 + int.from_bytes(content[:8], "little")
    text = changed(draw, json.loads(content[8:end]))
    length = len(text) if draw.random() < 0.9 else draw.choice([0, len(text) - 1, 2**32, 2**63])
    return length.to_bytes(8, "little") + text + content[end:]


def archive_changed(draw: random.Random, content: bytes) -> bytes:
    """Change a .keras file's JSON, and pack the file again."""
    with tempfile.TemporaryFile() as sink:
        sink.write(content)
        with zipfile.ZipFile(sink) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        part = draw.choice(["config.json", "config.json", "config.json", "metadata.json"])
        members[part] = changed(draw, json.loads(members[part]))
        sink.seek(0)
        sink.truncate()
        with zipfile.ZipFile(sink, "w") as archive:
            for name, member in members.items():
                archive.writestr(name, member)
        sink.seek(0)
        return sink.read()


def attributes_changed(draw: random.Random, content: bytes) -> bytes:
    """Change attributes of an .h5 file: the configuration as JSON, or one by a value of another type."""
    import h5py

    with tempfile.TemporaryFile() as sink:
        sink.write(content)
        with h5py.File(sink, "r+") as file:
            if draw.random() < 0.5:
                file.attrs["model_config"] = np.bytes_(changed(draw, json.loads(file.attrs["model_config"])) or b" ")
            else:
                holders = [file, file["model_weights"], *file["model_weights"].values()]
                holder = draw.choice([h for h in holders if len(h.attrs)])
                name = draw.choice(list(holder.attrs))
                value: Any = draw.choice(
                    [1, 2.5, b"x", "x", [b"a", b"b"], [[1]], np.zeros(0), h5py.Empty("f4"), "/", "../a"]
                )
                del holder.attrs[name]
                if draw.random() < 0.8:
                    holder.attrs[name] = value
        sink.seek(0)
        return sink.read()


def kinds(folder: Path) -> Iterator[Kind]:
    """All kinds of files, each with a small undamaged file."""
    convert.write_safetensors(folder / "a", ARRAYS, {"format": "pt"})
    tensors = (folder / "a").read_bytes()
    for name, damage in (("bytes", damaged), ("header", header_changed)):
        yield Kind(f"safetensors, {name}", tensors, damage, convert.read_safetensors, False, "safetensors")
    saving.save(str(folder / "w.npz"), WEIGHTS)
    yield Kind("weights of this version", (folder / "w.npz").read_bytes(), damaged, read_weights, True, "npz")
    stored = {saving.MARK: saving.VERSION, **{f"{k:03d}/{n}": a for k, (n, a) in enumerate(WEIGHTS)}}
    for name, write in (("of version 0.1.0", np.savez), ("of version 0.1.0, packed", np.savez_compressed)):
        write(folder / "w.npz", **stored)
        yield Kind(f"weights {name}", (folder / "w.npz").read_bytes(), damaged, read_weights, True, "npz")
    text = json.dumps({"format": checkpoint.FORMAT, "version": checkpoint.VERSION, "step": 3}).encode()
    write_arrays(folder / "c.npz", {checkpoint.ABOUT: np.frombuffer(text, np.uint8), **ARRAYS})
    yield Kind("checkpoint", (folder / "c.npz").read_bytes(), damaged, read_checkpoint, True, "npz")
    layer = draw_layer(0)
    with mg.trace(layer) as traces:
        layer(np.ones((1, 3, 3), np.float32))
    traces[layer.name].save(folder / "t.npz")
    yield Kind("trace", (folder / "t.npz").read_bytes(), damaged, read_trace, True, "npz")
    for name in ("hard.keras", "hard3.keras"):
        content = (DATA / name).read_bytes()
        yield Kind(f"{name}, bytes", content, damaged, read_keras_arrays, True, "keras")
        yield Kind(f"{name}, JSON", content, archive_changed, read_keras_and_load, False, "keras")
    for name in ("hard.weights.h5", "hard3.weights.h5", "sequential_weights.h5", "foreign3.h5"):
        content = (DATA / name).read_bytes()
        yield Kind(f"{name}, bytes", content, damaged, read_keras_arrays, False, "h5")
    content = (DATA / "sequential.h5").read_bytes()
    yield Kind("sequential.h5, attributes", content, attributes_changed, read_keras_and_load, False, "h5")


def whole(kind: Kind, folder: Path) -> dict[str, Any]:
    """Read the undamaged file."""
    path = folder / f"whole.{kind.ending}"
    path.write_bytes(kind.content)
    return kind.read(path)


def outcome(kind: Kind, seed: int, folder: Path, expected: dict[str, Any]) -> tuple[str, str]:
    """Damage one file, read it, and return the outcome with details."""
    path = folder / f"damaged.{kind.ending}"
    path.write_bytes(kind.damage(random.Random(f"{kind.name} {seed}"), kind.content))
    try:
        found = kind.read(path)
    except MinigradError as error:
        return REFUSED, str(error)
    except BaseException:  # noqa: BLE001  (any error is a finding)
        return WRONG, f"{kind.name} {seed}: {traceback.format_exc()}"
    if same(found, expected):
        return RIGHT, ""
    return (WRONG, f"{kind.name} {seed}: read other arrays") if kind.checked else (UNNOTICED, "")


STRANGE: tuple[Any, ...] = (
    None, True, 2.9, -1, "x", b"x", [], [[]], [[1.0], [2.0, 3.0]], {}, {"a": 1}, object(), np.zeros(()), np.zeros(0),
    np.zeros((1,) * 32), np.zeros((8, 3), complex), np.zeros((8, 3), object), np.zeros((8, 3), "U3"), np.zeros((0, 3)),
    np.zeros((8, 3), "M8[s]"), np.full((8, 3), np.nan), np.zeros((8, 0)), np.zeros(8, [("a", "f4")]),
    range(3), [10**400],
)  # fmt: skip
NAMES: tuple[Any, ...] = (
    None, 3, 2.9, (), "", "x", b"weight_ih_l0", "weight_ih", "weight_ih_l", "weight_ih_l1", "weight_ih_l-1",
    "bias_ih_l0_",
    "weight_ih_l" + "9" * 5000, "weight_hr_l0", "weight_hh_l0_reverse", "weight_ih_l\u0663", "weight_ih_l0\n", "\ud800",
)  # fmt: skip


def state_outcome(seed: int) -> tuple[str, str]:
    """Damage a state dict of PyTorch, load it, and return the outcome."""
    draw, layer = random.Random(seed), draw_layer(seed)
    state: dict[Any, Any] = dict(convert.to_torch_state_dict(layer))
    before = [array.tobytes() for array in layer.get_weights()]
    for _ in range(draw.choice([1, 1, 2])):
        name, what = draw.choice(list(state)), draw.random()
        if what < 0.5:
            state[name] = deepcopy(draw.choice(STRANGE))
        elif what < 0.8:
            state[draw.choice(NAMES)] = state.pop(name) if draw.random() < 0.7 else draw.choice(STRANGE)
        else:
            state[name] = state[draw.choice(list(state))]
    try:
        convert.from_torch_state_dict(state, layer)
    except MinigradError as error:
        kept = before == [array.tobytes() for array in layer.get_weights()]
        return (REFUSED, str(error)) if kept else (WRONG, f"state dict {seed}: refused, and weights changed: {error}")
    except BaseException:  # noqa: BLE001  (any error is a finding)
        return WRONG, f"state dict {seed}: {traceback.format_exc()}"
    return UNNOTICED if before != [array.tobytes() for array in layer.get_weights()] else RIGHT, ""


def draw_layer(seed: int) -> Any:
    """Return a layer with weights."""
    layer = (L.LSTM(2), L.GRU(2), L.Bidirectional(L.LSTM(2)), L.LSTM(2, use_bias=False))[seed % 4]
    layer.build((None, None, 3))
    return layer


def count_states(seeds: range) -> Counter[str]:
    """Damage state dicts, one for each seed, and count the outcomes."""
    counts = Counter[str]()
    for seed in seeds:
        what, details = state_outcome(seed)
        counts[what] += 1
        if what == WRONG:
            print(details, file=sys.stderr)
    return counts


def same(found: dict[str, Any], expected: dict[str, Any]) -> bool:
    """Return True if the arrays have the same names, dtypes, shapes and bytes."""
    described = [
        {name: (array.dtype.str, array.shape, array.tobytes()) for name, array in arrays.items()}
        for arrays in (found, expected)
    ]
    return described[0] == described[1]


def count(seeds: range, folder: Path, chosen: str = "") -> dict[str, Counter[str]]:
    """Damage files of each kind, one for each seed, and count the outcomes; details of wrong ones go to stderr."""
    counts = {}
    for kind in kinds(folder):
        if chosen in kind.name:
            counts[kind.name], expected = Counter[str](), whole(kind, folder)
            for seed in seeds:
                what, details = outcome(kind, seed, folder, expected)
                counts[kind.name][what] += 1
                counts[kind.name]["crashes of HDF5"] += "crashed" in details
                if what == WRONG:
                    print(details, file=sys.stderr)
    return counts


def line(name: str, counted: Counter[str]) -> str:
    """Return the counts of a kind as a line to print."""
    numbers = " ".join(f"{what} {counted[what]:6}" for what in (RIGHT, REFUSED, UNNOTICED, WRONG))
    tried = sum(counted[what] for what in (RIGHT, REFUSED, UNNOTICED, WRONG))
    crashes = counted["crashes of HDF5"]
    return f"{name:32} tried {tried:6} {numbers}" + (f" crashes of HDF5 {crashes}" if crashes else "")


if __name__ == "__main__":
    seeds = range(int(sys.argv[1]))
    with tempfile.TemporaryDirectory() as temporary, forked(temporary):
        everything = count(seeds, Path(temporary), *sys.argv[2:])
    everything["state dict of PyTorch"] = count_states(seeds)
    for name, counted in everything.items():
        print(line(name, counted))
    print(line("all", sum(everything.values(), Counter[str]())))
