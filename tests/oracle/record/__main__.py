"""Records all families, or those named: ``python -m oracle.record [FAMILY …] [--into FOLDER]``."""

from __future__ import annotations

import os

os.environ["CUDA_VISIBLE_DEVICES"] = ""  # numbers of one device, whatever the machine has
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import argparse
import time
from pathlib import Path

import tensorflow as tf

from oracle.reader import DATA
from oracle.record.cases_lstm import keras_lstm
from oracle.record.store import write

FAMILIES = {made.__name__: made for made in (keras_lstm,)}


def main() -> None:
    """Reads the command line, records, prints a line for each family."""
    parser = argparse.ArgumentParser(prog="python -m oracle.record", description=__doc__)
    parser.add_argument(
        "families", nargs="*", metavar="FAMILY", help=f"of {', '.join(FAMILIES)}; all by default"
    )
    parser.add_argument(
        "--into", type=Path, default=DATA, help="the folder that the files are written to"
    )
    chosen = parser.parse_args()
    unknown = set(chosen.families) - set(FAMILIES)
    if unknown:
        parser.error(f"unknown {', '.join(sorted(unknown))}; there are {', '.join(FAMILIES)}")
    tf.keras.backend.set_floatx("float64")
    for family in chosen.families or FAMILIES:
        began = time.perf_counter()
        cases = FAMILIES[family]()
        write(family, cases, chosen.into)
        print(f"{family}: {len(cases)} cases in {time.perf_counter() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
