"""The cells of the first generation against TensorFlow's numbers: every recorded case, values and all gradients."""

from __future__ import annotations

from typing import Any

import pytest

import minigrad as mg
from minigrad.compat.v1.nn.rnn_cell import DropoutWrapper, LSTMStateTuple
from minigrad.engine import tree
from oracle.reader import Case, build, load
from oracle.replay import close

cases = pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in load("v1_rnn_cell")])


def built(case: Case) -> Any:
    """The cell, its probabilities rounded to float32 as TensorFlow rounds them (its config says so)."""
    rounded = {name: (case.config or {})[name] for name in case.kwargs if name.endswith("keep_prob")}
    return build({**case.spec, "kwargs": {**case.kwargs, **rounded}}, mg)


def with_recorded_masks(cell: Any, case: Case) -> None:
    """Set the masks of a variational DropoutWrapper to those that TensorFlow drew."""
    if not isinstance(cell, DropoutWrapper):
        return
    structures = {"input": 0, "state": cell.cell.state_size, "output": 0}
    for place, structure in structures.items():
        drawn = [mg.tensor(mask) for mask in case.group(f"keep/{place}")]
        if drawn:
            cell.masks[place] = tree.unflatten(structure, drawn)


@cases
def test_values_and_gradients(case: Case) -> None:
    cell = built(case)
    states = [mg.tensor(s, requires_grad=True) for s in case.group("state")]
    x = mg.tensor(case["x"], requires_grad=True)

    def laid_out(structure: Any) -> Any:
        if isinstance(structure, dict):
            return LSTMStateTuple(**{name: laid_out(part) for name, part in structure.items()})
        return tuple(map(laid_out, structure)) if isinstance(structure, list) else states[structure]

    state = laid_out(case.info["states"])
    cell(x, state)  # makes the variables
    weights = mg.compat.v1.global_variables()
    assert [(w.name, list(w.shape)) for w in weights] == [(w["name"], w["shape"]) for w in case.info["weights"]]
    for weight, value in zip(weights, case.group("weight"), strict=True):
        weight.assign(value)
    with_recorded_masks(cell, case)
    outputs = tree.leaves(cell(x, state))
    for k, (mine, theirs) in enumerate(zip(outputs, case.group("output"), strict=True)):
        close(mine, theirs, f"output {k}", case)
    total = sum((y * c).sum() for y, c in zip(outputs, case.group("cotangent"), strict=True))
    gradients = mg.grad(total, [x, *states, *weights])
    recorded = [case["grad/x"], *case.group("grad/state"), *case.group("grad/weight")]
    for k, (mine, theirs) in enumerate(zip(gradients, recorded, strict=True)):
        close(mine, theirs, f"gradient {k}", case)


@cases
def test_config_has_tensorflows_keys_and_values(case: Case) -> None:
    if case.config is None or case.class_name.endswith("MultiRNNCell"):  # TensorFlow's does not mention its cells
        return
    assert built(case).get_config() == case.config
