"""Tables of TensorFlow's names: those that `minigrad.tf` and `compat.v1` have, and those out of scope."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import minigrad.tf as tf
from docs.tables.markdown import table
from minigrad.compat.out_of_scope import OUT_OF_SCOPE

MODULES: dict[str, Any] = {
    "tf": tf, "tf.math": tf.math, "tf.nn": tf.nn, "tf.random": tf.random, "tf.linalg": tf.linalg,
    "tf.dtypes": tf.dtypes, "tf.nest": tf.nest, "tf.compat.v1": tf.compat.v1, "tf.compat.v1.nn": tf.compat.v1.nn,
    "tf.compat.v1.layers": tf.compat.v1.layers, "tf.compat.v1.losses": tf.compat.v1.losses,
    "tf.compat.v1.train": tf.compat.v1.train, "tf.compat.v1.keras.layers": tf.compat.v1.keras.layers,
    "tf.keras.layers": tf.keras.layers,
}  # fmt: skip


def tables() -> str:
    """Return the table of names by address, and the table of names out of scope."""
    there = [[f"`{address}`", _names(module)] for address, module in MODULES.items()]
    gone = [[f"`{name}`", sentence] for name, sentence in sorted(OUT_OF_SCOPE.items(), key=lambda row: row[0].lower())]
    return (
        table(["your code says", "names, here at the same address"], there)
        + "\n\nOut of scope:\n\n"
        + table(["your code says", "write, or why not"], gone)
    )


def _names(module: Any) -> str:
    return ", ".join(f"`{name}`" for name in module.__all__ if not isinstance(getattr(module, name), ModuleType))
