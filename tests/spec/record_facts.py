"""Record TensorFlow's answers: ``(cd tests && ~/tf/bin/python -m spec.record_facts)``; see oracle/README.md."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

from spec.facts import answers

DATA = Path(__file__).resolve().parent / "data" / "facts.json"


def record() -> None:
    import tensorflow as tf  # not where the tests are collected

    warnings.simplefilter("ignore")  # the first generation says in every call that it is old
    tf.get_logger().setLevel("ERROR")
    DATA.write_text(json.dumps({"tensorflow": tf.__version__, **answers(tf)}, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    record()
