"""Write a family: facts into a JSON file, one case per line, and all arrays into one ``.npz``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from oracle.reader import Case


def plain(value: Any) -> Any:
    """`value` as JSON has it: tuples become lists, named ones dictionaries; what is not plain raises."""
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, tf.TensorShape):
        return value.as_list()
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    if isinstance(value, tf.DType):
        return value.name
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise TypeError(f"{value!r} of {type(value)} is not a plain value")


def _vector(case: Case) -> np.ndarray:
    for name, array in case.arrays.items():
        if array.dtype.kind not in "fib" or not np.all(np.isfinite(array)):
            raise ValueError(f"{case.family}/{case.name}/{name}: {array.dtype}, or not finite")
        if np.abs(array.astype(float)).max(initial=0) > 1e6:
            raise ValueError(f"{case.family}/{case.name}/{name} explodes: {np.abs(array).max()}")
    return np.concatenate([np.zeros(0), *(a.astype(np.float64).ravel() for a in case.arrays.values())])


def _entry(case: Case) -> dict[str, Any]:
    listed = [[name, a.dtype.name, list(a.shape)] for name, a in case.arrays.items()]
    return {
        "name": case.name,
        "class_name": case.class_name,
        "kwargs": plain(case.kwargs),
        "call": plain(case.call),
        "config": plain(case.config),
        "info": plain(case.info),
        "arrays": listed,
    }


def write(family: str, cases: list[Case], folder: Path) -> None:
    """Write ``FAMILY.json`` and, where there are arrays, ``FAMILY.npz`` into `folder`."""
    names = [case.name for case in cases]
    if len(set(names)) != len(names):
        raise ValueError(f"{family}: two cases of one name among {names}")
    vectors = {case.name: _vector(case) for case in cases if case.arrays}
    folder.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join(json.dumps(_entry(case), allow_nan=False) for case in cases)
    head = json.dumps({"family": family, "tensorflow": tf.__version__, "numpy": np.__version__})
    text = f'{head[:-1]}, "cases": [\n{lines}\n]}}\n'
    (folder / f"{family}.json").write_text(text, encoding="utf-8")
    if vectors:
        np.savez_compressed(folder / f"{family}.npz", **vectors)
