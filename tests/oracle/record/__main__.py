"""Record all families, or those named: ``python -m oracle.record [FAMILY …] [--into FOLDER]``."""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path

import tensorflow as tf

from oracle.reader import DATA
from oracle.record import (
    cases_api,
    cases_callbacks,
    cases_dropout,
    cases_hierarchies,
    cases_kinks,
    cases_optimizers,
    cases_pieces,
    cases_recurrent,
    cases_rnn,
    cases_rnn_cell,
    cases_stateful,
    cases_training,
    cases_wrappers,
)
from oracle.record.store import write

FAMILIES = {
    made.__name__: made
    for made in (
        cases_recurrent.keras_lstm,
        cases_recurrent.keras_gru,
        cases_recurrent.keras_simple_rnn,
        cases_wrappers.keras_stacked,
        cases_wrappers.keras_bidirectional,
        cases_wrappers.keras_chains,
        cases_hierarchies.keras_hierarchies,
        cases_wrappers.keras_penalties,
        cases_stateful.keras_stateful,
        cases_dropout.keras_dropout,
        cases_pieces.keras_activations,
        cases_pieces.keras_losses,
        cases_pieces.keras_pieces,
        cases_kinks.keras_kinks,
        cases_optimizers.keras_optimizers,
        cases_optimizers.keras_schedules,
        cases_training.keras_training,
        cases_callbacks.keras_early_stopping,
        cases_api.keras_api,
        cases_api.v1_keras_api,
        cases_api.v1_nn_api,
        cases_dropout.v1_keras_dropout,
        cases_recurrent.v1_keras_lstm,
        cases_recurrent.v1_keras_gru,
        cases_recurrent.v1_keras_simple_rnn,
        cases_rnn_cell.v1_rnn_cell,
        cases_rnn.v1_rnn,
    )
}


def main() -> None:
    """Read the command line, record, and print a line for each family."""
    parser = argparse.ArgumentParser(prog="python -m oracle.record", description=__doc__)
    parser.add_argument("families", nargs="*", metavar="FAMILY", help=f"of {', '.join(FAMILIES)}; all by default")
    parser.add_argument("--into", type=Path, default=DATA, help="where the files are written to")
    chosen = parser.parse_args()
    unknown = set(chosen.families) - set(FAMILIES)
    if unknown:
        parser.error(f"unknown {', '.join(sorted(unknown))}; there are {', '.join(FAMILIES)}")
    warnings.simplefilter("ignore")  # the first generation says in every call that it is old
    tf.get_logger().setLevel("ERROR")
    tf.keras.backend.set_floatx("float64")
    for family in chosen.families or FAMILIES:
        began = time.perf_counter()
        cases = FAMILIES[family]()
        write(family, cases, chosen.into)
        print(f"{family}: {len(cases)} cases in {time.perf_counter() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
