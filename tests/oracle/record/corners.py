"""Record TensorFlow's answers to the corner cases.

``(cd tests && ~/tf/bin/python -m oracle.record.corners [MODULE …])``: those of all modules of `corners/`, or of some.
"""

from __future__ import annotations

import json
import sys
import warnings

import tensorflow as tf

from oracle.corners import FOLDER, MODULES, answer_of
from oracle.corners import every as every


def record(module: str) -> None:
    """Run the programs of a module."""
    lines = [f"{json.dumps(name)}: {json.dumps(answer_of(tf, name))}" for name in MODULES[module]]
    whole = ",\n".join([f'"tensorflow": "{tf.__version__}"', *lines])
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{module}.json").write_text("{\n" + whole + "\n}\n", "utf-8")


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # the first generation says in every call that it is old
    tf.get_logger().setLevel("ERROR")
    for chosen in sys.argv[1:] or MODULES:
        record(chosen)
