"""The recurrent layers against TensorFlow's numbers: every recorded configuration, values and all gradients."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine import tree
from minigrad.layers import execution
from oracle.reader import Case, load
from oracle.replay import close, inject_dropout_masks, run, set_up

PLAIN = ["keras_lstm", "keras_gru", "keras_simple_rnn", "keras_stacked", "keras_bidirectional"]
PLAIN += [
    "keras_chains",
    "keras_hierarchies",
    "keras_penalties",
    "v1_keras_lstm",
    "v1_keras_gru",
    "v1_keras_simple_rnn",
]


def contradicts_itself(case: Case) -> bool:
    """Cases in which TensorFlow applies the mask in its original order, unrolled and backwards; see oracle/README.md.

    Bidirectional has a backward layer, and zeroes masked steps if it returns sequences.
    """
    inner = case.kwargs.get("layer", {}).get("kwargs", {})
    both_ways = inner.get("unroll") and inner.get("return_sequences") and case.info.get("mask", "none") != "none"
    return bool(both_ways) or "unrolled backwards" in case.info.get("tensorflow_bug", "")


def cases(*families: str, contradictory: bool = False, every: int = 1) -> Any:
    chosen = [c for family in families for c in load(family)[::every] if contradicts_itself(c) == contradictory]
    return pytest.mark.parametrize("case", [pytest.param(c, id=f"{c.family}-{c.name}") for c in chosen])


@cases(*PLAIN)
def test_values_and_gradients(case: Case) -> None:
    run(case, set_up(case), case.info)


@cases("keras_hierarchies")
def test_the_mask_of_a_document_is_tensorflows(case: Case) -> None:
    mask = getattr(set_up(case)(case["x"]), "_keras_mask", None)
    assert (mask is not None) == case.info["mask_out"]
    if mask is not None:
        np.testing.assert_array_equal(mask.numpy(), case["output_mask"])


@cases("keras_lstm", "v1_keras_lstm")
def test_the_formulas_give_the_numbers_of_the_kernel(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execution, "backend_loop", lambda *_: "a test needs the formulas")
    layer = set_up(case)
    run(case, layer, case.info)
    assert "kernel of" not in getattr(layer, "path", "")


@cases("keras_lstm", "v1_keras_gru", "keras_simple_rnn", "keras_stacked", "keras_bidirectional", every=5)
def test_on_every_backend(case: Case, backend: ModuleType) -> None:
    run(case, set_up(case), case.info)


@cases(*PLAIN, "keras_stateful", contradictory=True)
def test_where_tensorflow_contradicts_itself_we_do_not(case: Case) -> None:
    """Outputs both unrolled and in the loop, which TensorFlow's numbers are for."""
    unrolled = set_up(case)
    looped = set_up(replace(case, kwargs=without_unroll(case.kwargs)))
    calls = [f"{event['call']}/" for event in case.info.get("events", []) if "call" in event] or [""]
    for prefix in calls:
        state = [mg.tensor(s) for s in case.group(f"{prefix}state")] or None
        call = {"mask": case[f"{prefix}mask"], "initial_state": state}
        results = [tree.leaves(layer(case[f"{prefix}x"], **call)) for layer in (unrolled, looped)]
        for one, other in zip(*results, strict=True):
            np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-12, atol=1e-12)


def without_unroll(kwargs: dict[str, Any]) -> dict[str, Any]:
    plain = {name: value for name, value in kwargs.items() if name != "unroll"}
    if "layer" in plain:
        plain["layer"] = {**plain["layer"], "kwargs": without_unroll(plain["layer"]["kwargs"])}
    return plain


@cases("keras_lstm", "keras_gru", "keras_simple_rnn", "v1_keras_lstm", "v1_keras_gru", "v1_keras_simple_rnn")
def test_config_has_tensorflows_keys_and_values(case: Case) -> None:
    mine, theirs = set_up(case).get_config(), dict(case.config or {})
    if "cell" in theirs:
        theirs["cell"] = {k: v for k, v in theirs["cell"].items() if k != "build_config"}
        if theirs["cell"]["class_name"] in ("LSTMCell", "GRUCell") and case.family.startswith("v1"):
            # TensorFlow writes "keras.layers" for either generation, and so loses the difference.
            assert theirs["cell"]["module"] == "keras.layers"
            theirs["cell"]["module"] = "compat.v1.keras.layers"
    assert mine == theirs


@cases("keras_dropout", "v1_keras_dropout")
def test_dropout_with_tensorflows_masks(case: Case) -> None:
    layer = set_up(case)
    if case.info["dropout_of"] == "layer":
        # TensorFlow's fused layers draw one mask for every time step where its cells, and we, draw one per sequence.
        # With the dropped inputs given, the numbers must be the same.
        mask = case["dropout_mask/0"]
        thinned = {"x": case["x"] * mask, "grad/x": case["grad/x"] / np.where(mask == 0.0, np.inf, mask)}
        case = replace(case, arrays={**case.arrays, **thinned}, call={})
        gradient_passes = np.where(mask == 0.0, 0.0, 1.0)
        run(case, layer, case.info, passes=gradient_passes)
        return
    inject_dropout_masks(case, layer)
    run(case, layer, case.info)


@cases("keras_stateful")
def test_stateful_sequences_of_batches(case: Case) -> None:
    layer = set_up(case)
    for event in case.info["events"]:
        if "reset" in event:
            given = case.group(f"{event['reset']}/state")
            layer.reset_states(given or None)
            continue
        prefix = f"{event['call']}/"
        run(case, layer, event, prefix)
        after = case.group(f"{prefix}state_after")
        for k, (mine, theirs) in enumerate(zip(tree.leaves(layer.states), after, strict=True)):
            close(mine, theirs, f"{prefix}state {k} after", case)
