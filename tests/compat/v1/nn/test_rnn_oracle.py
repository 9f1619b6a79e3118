"""The loops over time against TensorFlow's numbers: every recorded case, values and all gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.compat.v1.nn.rnn_cell import DropoutWrapper, LSTMStateTuple
from minigrad.engine import tree
from oracle.reader import Case, build, load
from oracle.replay import close

CASES = load("v1_rnn")
cases = pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in CASES])


def rounded(spec: Any) -> Any:
    """The probabilities of a DropoutWrapper rounded to float32, as TensorFlow rounds them."""
    kwargs = {k: float(np.float32(v)) if k.endswith("keep_prob") else v for k, v in spec["kwargs"].items()}
    return {**spec, "kwargs": kwargs}


def cells_of(case: Case) -> dict[str, Any]:
    """The cells by argument; a variational DropoutWrapper with the masks that TensorFlow drew."""
    found = {name: build(rounded(spec), mg) for name, spec in case.kwargs.items() if name.startswith("cell")}
    for cell in found.values():
        if isinstance(cell, DropoutWrapper):
            structures = {"input": 0, "state": cell.cell.state_size, "output": 0}
            for place, structure in structures.items():
                cell.masks[place] = tree.unflatten(structure, [mg.tensor(mask) for mask in case.group(f"keep/{place}")])
    return found


def laid_out(structure: Any, states: list[mg.Tensor]) -> Any:
    if isinstance(structure, dict):
        return LSTMStateTuple(**{name: laid_out(part, states) for name, part in structure.items()})
    if isinstance(structure, list):
        return tuple(laid_out(part, states) for part in structure)
    return states[structure]


def raw(cell: Any, x: mg.Tensor, state: Any, lengths: np.ndarray) -> Any:
    """`dynamic_rnn` as a loop function, the same as the recorder's."""
    steps = mg.compat.v1.TensorArray("float64", len(x)).unstack(x)

    def loop_fn(time: int, output: Any, following: Any, loop_state: Any) -> Any:
        finished = time >= lengths
        read = mg.zeros(x.shape[1:], "float64") if finished.all() else steps.read(time)
        return finished, read, state if output is None else following, output, None

    emitted, final, _ = mg.compat.v1.nn.raw_rnn(cell, loop_fn)
    return emitted.stack(), final


def called(case: Case, cells: dict[str, Any], x: mg.Tensor, states: list[mg.Tensor], states_bw: list[mg.Tensor]) -> Any:
    function = case.class_name.rpartition(".")[2]
    lengths = case.get("sequence_length")
    if function == "raw_rnn":
        return raw(cells["cell"], x, laid_out(case.info["states"], states), lengths)
    given = {name: value for name, value in case.kwargs.items() if not name.startswith("cell")}
    given |= {**cells, "sequence_length": lengths}
    suffix = "_fw" if states_bw else ""
    if states:
        given[f"initial_state{suffix}"] = laid_out(case.info["states"], states)
    if states_bw:
        given["initial_state_bw"] = laid_out(case.info["states_bw"], states_bw)
    inputs = mg.unstack(x) if function == "static_rnn" else x
    return getattr(mg.compat.v1.nn, function)(inputs=inputs, **given)


def test_all_are_there() -> None:
    assert len(CASES) == 116


@cases
def test_values_and_gradients(case: Case) -> None:
    cells = cells_of(case)
    x = mg.tensor(case["x"], requires_grad=True)
    states, states_bw = ([mg.tensor(s, requires_grad=True) for s in case.group(g)] for g in ("state", "state_bw"))
    called(case, cells, x, states, states_bw)  # makes the variables
    weights = mg.compat.v1.global_variables()
    assert [(w.name, list(w.shape)) for w in weights] == [(w["name"], w["shape"]) for w in case.info["weights"]]
    for weight, value in zip(weights, case.group("weight"), strict=True):
        weight.assign(value)
    outputs = tree.leaves(called(case, cells, x, states, states_bw))
    for k, (mine, theirs) in enumerate(zip(outputs, case.group("output"), strict=True)):
        close(mine, theirs, f"output {k}", case)
    total = sum((y * c).sum() for y, c in zip(outputs, case.group("cotangent"), strict=True))
    gradients = mg.grad(total, [x, *states, *states_bw, *weights])
    recorded = [case["grad/x"], *(g for name in ("state", "state_bw", "weight") for g in case.group(f"grad/{name}"))]
    for k, (mine, theirs) in enumerate(zip(gradients, recorded, strict=True)):
        close(mine, theirs, f"gradient {k}", case)
    wrapped = any(isinstance(cell, DropoutWrapper) for cell in cells.values())
    assert {cell.path.split(",")[0] for cell in cells.values()} == {"tape" if wrapped else "explicit BPTT"}
