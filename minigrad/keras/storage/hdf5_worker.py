"""Program that reads the part of an HDF5 file that Keras uses; `hdf5_content` runs it as a process.

HDF5's library can crash on a damaged file, and some of its features read other files. So this program checks each link
and each dataset before it reads it, and a crash ends this process alone.

    stdin     the file
    stdout    8 bytes, N, and N bytes of JSON: {"attributes": …, "arrays": [[path, dtype, shape], …]};
              for each array one byte, 1, and its bytes, rows first
              or, at each of these places, in place of the 1: 0, 8 bytes, N, and N bytes of text, the reason of refusal
"""

from __future__ import annotations

import json
import re
import sys
import zlib
from collections.abc import Iterator
from math import prod
from typing import Any, BinaryIO

import numpy as np

resource: Any
try:
    import resource
except ImportError:  # Windows
    resource = None

MAX_LINKS = 100_000  # links followed in one file
MAX_DEPTH = 60  # groups in groups
MAX_SOFT_LINKS = 16  # soft links that lead to soft links
MAX_TEXT_BYTES = 16 * 2**20  # of one attribute
MAX_TEXTS = 100_000  # of one attribute
_ATTRIBUTES = re.compile(rb"(keras_version|model_config|training_config|name|(layer|weight)_names\d*)")
_OTHERS = ("optimizer", "metrics", "compile_metrics", "loss_tracker", "_metrics", "_loss_tracker")
_FILTERS = (1, 2, 3, 4, 5, 6, 32000)  # those of HDF5, and lzf of h5py

# Errors of h5py on damaged bytes.
DAMAGE = (
    OSError, EOFError, RuntimeError, LookupError, TypeError, ValueError, ArithmeticError, AttributeError, MemoryError,
    zlib.error,
)  # fmt: skip


class RefusedError(Exception):
    """Raised for content that is not read; the message continues the file's name."""


class Listing:
    """The groups and datasets of a file, each link checked before it is followed.

    Attributes:
        attributes: strings by the path of a group and the attribute's name.
        datasets: the datasets by path.
    """

    def __init__(self, h5py: Any, file: Any) -> None:
        self._h5py, self._root, self._followed = h5py, file.id, 0
        self.attributes: dict[str, dict[str, list[str]]] = {"": self._texts(self._root, "")}
        self.datasets: dict[str, Any] = {}
        for path, found in self._below(self._root, "", ()):
            if isinstance(found, h5py.h5g.GroupID):
                self.attributes[path] = self._texts(found, path)
            elif isinstance(found, h5py.h5d.DatasetID):
                self._check_stored_inside(found, path)
                self.datasets[path] = found

    def _below(self, group: Any, path: str, above: tuple[int, ...]) -> Iterator[tuple[str, Any]]:
        """Objects in a group and in the groups inside it.

        Args:
            group: the group.
            path: the group's path and a slash.
            above: the addresses of the groups around it.
        """
        above = (*above, self._h5py.h5o.get_info(group).addr)
        if len(above) > MAX_DEPTH:
            raise RefusedError(f"has groups in groups, more than {MAX_DEPTH} deep, at {path[:60]!r}")
        for name in group:
            place = path + name.decode("utf-8", "replace")
            found = self._follow(group, name, place, 0)
            yield place, found
            if isinstance(found, self._h5py.h5g.GroupID):
                if self._h5py.h5o.get_info(found).addr in above:
                    raise RefusedError(f"has links that loop: {place!r} is a group inside itself")
                yield from self._below(found, f"{place}/", above)

    def _follow(self, group: Any, name: bytes, place: str, hops: int) -> Any:
        """Open the target of a link, if it is in this file."""
        h5l = self._h5py.h5l
        self._followed += 1
        if self._followed > MAX_LINKS:
            raise RefusedError(f"has more than {MAX_LINKS:,} links")
        kind = group.links.get_info(name).type
        if kind == h5l.TYPE_EXTERNAL:
            file, inside = group.links.get_val(name)
            raise RefusedError(
                f"has an external link, {place!r}, to {inside!r} of the file {file!r}. No other file is opened"
            )
        if kind == h5l.TYPE_HARD:
            return self._h5py.h5o.open(group, name)
        if kind != h5l.TYPE_SOFT:
            raise RefusedError(f"has a user-defined link, {place!r}, which is not followed")
        if hops == MAX_SOFT_LINKS:
            raise RefusedError(f"has soft links that loop, or more than {MAX_SOFT_LINKS} one after another: {place!r}")
        target = group.links.get_val(name)
        found = self._root if target.startswith(b"/") else group
        for part in (part for part in target.split(b"/") if part not in (b"", b".")):
            if not isinstance(found, self._h5py.h5g.GroupID) or not found.links.exists(part):
                raise RefusedError(f"has a soft link, {place!r}, to {target!r}, which does not exist")
            found = self._follow(found, part, place, hops + 1)
        return found

    def _check_stored_inside(self, dataset: Any, path: str) -> None:
        """Refuse a dataset whose numbers are stored in other files or datasets."""
        plist = dataset.get_create_plist()
        if plist.get_external_count():
            file = plist.get_external(0)[0]
            raise RefusedError(
                f"has external storage: the numbers of {path!r} are stored in the file {file!r}. It is not read"
            )
        if plist.get_layout() == self._h5py.h5d.VIRTUAL:
            raise RefusedError(
                f"has a virtual dataset, {path!r}, whose numbers are stored in other files. They are not read"
            )

    def _texts(self, group: Any, path: str) -> dict[str, list[str]]:
        """The attributes of a group that Keras writes, each as a list of strings."""
        h5a, h5t = self._h5py.h5a, self._h5py.h5t
        found = {}
        for k in range(h5a.get_num_attrs(group)):
            attribute = h5a.open(group, index=k)
            name = attribute.name
            if not _ATTRIBUTES.fullmatch(name):
                continue
            kind, count = attribute.get_type(), prod(attribute.shape)
            size = count * kind.get_size()
            if (kind.get_class() != h5t.STRING and count) or count > MAX_TEXTS or size > MAX_TEXT_BYTES:
                raise RefusedError(
                    f"has an attribute, {name.decode()!r} of {path or '/'!r}, of {count:,} values of "
                    f"{kind.get_size()} bytes; expected texts, of {MAX_TEXT_BYTES:,} bytes at most"
                )
            value = self._h5py.Group(group).attrs[name.decode()] if count else []
            values = [value] if isinstance(value, (str, bytes)) else value
            # h5py replaces a byte that is not UTF-8 by a surrogate, which encode refuses
            texts = [(v if isinstance(v, bytes) else str(v).encode("utf-8")).decode("utf-8") for v in values]
            if sum(map(len, texts)) > MAX_TEXT_BYTES:
                raise RefusedError(f"has an attribute, {name.decode()!r}, of more than {MAX_TEXT_BYTES:,} letters")
            found[name.decode()] = texts
        return found


def weight_paths(listing: Listing) -> list[str]:
    """Return the paths of the datasets with weights of layers: those listed by name, or those in …/vars."""
    texts = listing.attributes
    root = "model_weights" if "model_weights" in texts else ""
    if not {"layer_names", "layer_names0"} & texts[root].keys():
        parts = {path: path.split("/") for path in listing.datasets}
        return [path for path, part in parts.items() if part[-2:-1] == ["vars"] and part[0] not in _OTHERS]
    named = {
        join_path(group, name)
        for group, found in texts.items()
        for key, names in found.items()
        if key.startswith("weight_names")
        for name in names
    }
    return [path for path in listing.datasets if path in named]


def join_path(group: str, name: str) -> str:
    """Return the path of an object, from that of its group and its name."""
    return "/".join(part for part in f"{group}/{name}".split("/") if part not in ("", "."))


def declared_size(h5py: Any, dataset: Any, path: str, size: int) -> tuple[np.dtype[Any], tuple[int, ...], int]:
    """Return the declared dtype and shape of a dataset, and the bytes that reading it allocates.

    Args:
        h5py: the library.
        dataset: the dataset.
        path: its path.
        size: the length of the file in bytes.
    """
    kind = dataset.get_type()
    classes = {h5py.h5t.INTEGER: "", h5py.h5t.FLOAT: "", h5py.h5t.ENUM: ""}
    others = {
        h5py.h5t.STRING: "texts", h5py.h5t.VLEN: "a variable-length type", h5py.h5t.COMPOUND: "a compound type",
        h5py.h5t.REFERENCE: "references to objects or regions", h5py.h5t.OPAQUE: "an opaque type",
    }  # fmt: skip
    if kind.get_class() not in classes or kind.committed():
        kind_name = "a committed datatype" if kind.committed() else others.get(kind.get_class(), "an unknown type")
        raise RefusedError(f"holds {kind_name} at {path!r}, not numbers")
    dtype, space, plist = np.dtype(kind.dtype), dataset.get_space(), dataset.get_create_plist()
    if space.get_simple_extent_type() == h5py.h5s.NULL or dtype.kind not in "fiub":
        raise RefusedError(f"holds {dtype} at {path!r}, or nothing, not numbers")
    for k in range(plist.get_nfilters()):
        if plist.get_filter(k)[0] not in _FILTERS:
            raise RefusedError(f"packs {path!r} with a user-defined filter, number {plist.get_filter(k)[0]}")
    shape = tuple(map(int, space.shape))
    nbytes = prod(shape) * dtype.itemsize
    if plist.get_layout() == h5py.h5d.CHUNKED:
        return dtype, shape, nbytes + prod(plist.get_chunk()) * dtype.itemsize
    if dataset.get_storage_size() > size:
        raise RefusedError(f"is cut short, or damaged: {path!r} declares {nbytes:,} bytes, in a file of {size:,}")
    return dtype, shape, nbytes


def send(source: BinaryIO, sink: BinaryIO, size: int, room: int) -> None:
    """Read a file and write the answer described at the top of this module.

    Args:
        source: the file.
        sink: the stream for the answer.
        size: the length of the file in bytes.
        room: the largest size of the arrays in bytes.
    """
    import h5py

    try:
        with h5py.File(source, "r") as file:
            listing = Listing(h5py, file)
            found = {path: declared_size(h5py, listing.datasets[path], path, size) for path in weight_paths(listing)}
            total = sum(nbytes for _, _, nbytes in found.values())
            if total > room:
                path = max(found, key=lambda path: found[path][2])
                raise RefusedError(
                    f"declares {total:,} bytes of weights, of which {path!r} of shape {found[path][1]} takes "
                    f"{found[path][2]:,}, in a file of {size:,}; expected at most {room:,}. Nothing was allocated: the "
                    "file is damaged, or was made to fill the memory"
                )
            arrays = [[path, dtype.newbyteorder("=").str, shape] for path, (dtype, shape, _) in found.items()]
            _send_text(sink, b"\x01", json.dumps({"attributes": listing.attributes, "arrays": arrays}))
            for path, (dtype, _, _) in found.items():
                array = np.asarray(h5py.Dataset(listing.datasets[path])[()])
                whole = np.ascontiguousarray(array, dtype.newbyteorder("="))
                sink.write(b"\x01")
                sink.write(whole.reshape(-1).view(np.uint8).data)
    except RefusedError as refused:
        _send_text(sink, b"\x00", f"{refused}.")
    except DAMAGE as error:
        _send_text(sink, b"\x00", f"is cut short, damaged, or was not written by Keras ({error}).")
    sink.flush()


def _send_text(sink: BinaryIO, mark: bytes, text: str) -> None:
    content = text.encode("utf-8", "replace")
    sink.write(mark + len(content).to_bytes(8, "little") + content)


def limit_memory_and_time(memory: int, seconds: int) -> None:
    """Set the system's limits of memory and processor time for this process, on systems that have them."""
    if resource is None:
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    if sys.platform == "linux":
        with open("/proc/self/statm", encoding="ascii") as file:
            taken = int(file.read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (taken + memory, taken + memory))


if __name__ == "__main__":
    import h5py as h5py  # before the limits: its libraries take much memory

    _, length, allowed, time = sys.argv
    limit_memory_and_time(int(allowed) + 256 * 2**20, int(time))
    with open(0, "rb") as stdin, open(1, "wb") as stdout:
        send(stdin, stdout, int(length), int(allowed))
