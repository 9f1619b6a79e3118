"""Record TensorFlow's answers to the corner cases: ``(cd tests && ~/tf/bin/python -m oracle.record.corners)``."""

from __future__ import annotations

import json
import warnings

import tensorflow as tf

from oracle.corners import PROGRAMS, RECORDED, answer_of
from oracle.corners import every as every


def record() -> None:
    """Run every program."""
    warnings.simplefilter("ignore")  # the first generation says in every call that it is old
    tf.get_logger().setLevel("ERROR")
    lines = [f"{json.dumps(name)}: {json.dumps(answer_of(tf, name))}" for name in PROGRAMS]
    RECORDED.parent.mkdir(exist_ok=True)
    RECORDED.write_text("{\n" + ",\n".join([f'"tensorflow": "{tf.__version__}"', *lines]) + "\n}\n", "utf-8")


if __name__ == "__main__":
    record()
