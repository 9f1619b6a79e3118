"""Damaged JSON in files, as from an attacker, a bad disk or an editor."""

from __future__ import annotations

import json

import numpy as np

DEEP = json.loads("[" * 12 + "]" * 12)
ODD = [
    None, True, False, 0, -1, 1, 2.9, -0.0, 1e308, 1e-320, 2**31, 2**63, 2**64, 10**30, -(10**30), 10**400, "", "x",
    "\ud800", "\x00", "é" * 1000, [], [1], {}, {"a": 1}, DEEP,
]  # fmt: skip
RAW = [
    "1e400", "-1e400", "NaN", "Infinity", "-Infinity", "tru", "'x'", "1" * 5000, "[" * 100_000, "{" * 50_000,
    "[" * 990 + "]" * 990, "[" * 40 + "]" * 40, '{"a": 1, "a": 2}', "",
]  # fmt: skip


def places(value, place=()):
    """Every place in a JSON value: the whole, each entry, of a list the first."""
    yield place
    entries = value.items() if isinstance(value, dict) else enumerate(value[:1]) if isinstance(value, list) else ()
    for name, inner in entries:
        yield from places(inner, (*place, name))


def changed(value, place, new):
    """A copy with another value at a place; without it, where the new value is `...`."""
    if not place:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    if new is ... and len(place) == 1:
        del copy[place[0]]
    else:
        copy[place[0]] = changed(value[place[0]], place[1:], new)
    return copy


def texts(value):
    """(place, the value there, the bytes) of each damage to a JSON text."""
    for place in places(value):
        for odd in ODD:
            yield place, repr(odd)[:20], encoded(changed(value, place, odd))
        for raw in RAW:
            yield place, raw[:20], encoded(changed(value, place, "@@@")).replace(b'"@@@"', raw.encode())
        if place:
            yield place, "nothing", encoded(changed(value, place, ...))
    whole = encoded(value)
    for k in range(0, len(whole), 41):
        yield ("cut",), k, whole[:k]
        yield ("byte",), k, whole[:k] + b"\xff" + whole[k + 1 :]
    yield ("bytes",), "mark", b"\xef\xbb\xbf" + whole
    yield ("bytes",), "UTF-16", whole.decode().encode("utf-16")
    yield ("bytes",), "zeros", bytes(100)


def encoded(value):
    return json.dumps(value).encode("utf-8", "surrogatepass")


def arrays(array):
    """(what, the array) of each damage to an array; None where it is gone."""
    plain = np.asarray(array)
    yield "gone", None
    for kind in ("f8", "f2", "i8", "c8", "U5", "?", ">f4", "M8[s]", "V4"):
        if np.dtype(kind) != plain.dtype:
            yield kind, np.zeros(plain.shape, kind)
    yield "a field", np.zeros(plain.shape, [("a", "f4")])
    yield "two", np.stack([plain, plain])
    yield "none", np.zeros((0, *plain.shape), plain.dtype)
    yield "60 dimensions", plain.reshape((1,) * (60 - plain.ndim) + plain.shape)
    if plain.ndim:
        yield "2.9", np.array(2.9)
        yield "flat", plain.ravel()[1:]
        if plain.dtype.kind == "f":
            yield "NaN", np.full(plain.shape, np.nan, plain.dtype)
    else:
        for number in (-1, 2**62, 2.9, np.nan):
            yield repr(number), np.array(number)
