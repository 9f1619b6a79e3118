"""Run a recorded case through minigrad and compare every number with TensorFlow's."""

from __future__ import annotations

from typing import Any

import numpy as np

import minigrad as mg
from minigrad.engine import tree
from minigrad.layers.call_context import clear_session
from minigrad.layers.cell import Cell
from oracle.reader import Case, build

TOLERANCE = 1e-8


def tolerance(case: Case) -> float:
    """1e-8; where TensorFlow's own `gelu`, rounded in its √2, is involved, 1e-7."""
    return 1e-7 if "gelu" in str(case.kwargs) else TOLERANCE


def close(mine: Any, theirs: np.ndarray, what: str, case: Case) -> None:
    """Fails, saying what differs and by how much, unless the two agree in shape and to `tolerance`."""
    array = np.zeros_like(theirs) if mine is None else np.asarray(mine.numpy())
    assert array.shape == theirs.shape, f"{case.name}: {what} has shape {array.shape}, TensorFlow's {theirs.shape}"
    worst = float(np.max(np.abs(array - theirs) / np.maximum(1.0, np.abs(theirs)), initial=0.0))
    assert worst <= tolerance(case), f"{case.name}: {what} is off by {worst:.3g}"


def cells_of(layer: Any) -> list[Cell]:
    """The cells inside a layer, depth first."""
    if isinstance(layer, Cell):
        return [layer]
    return [cell for part in layer._sublayers() for cell in cells_of(part)]


def set_up(case: Case) -> Any:
    """The layer that the case describes, built for its inputs and with its weights."""
    clear_session()
    layer = build(case.spec, mg)
    layer.build(next(array for name, array in case.arrays.items() if name.split("/")[-1] == "x").shape)
    assert [(w.name, list(w.shape), w.trainable) for w in layer.weights] == [
        (w["name"], w["shape"], w["trainable"]) for w in case.info["weights"]
    ]
    layer.set_weights(case.group("weight"))
    return layer


def inject_dropout_masks(case: Case, layer: Any) -> None:
    """Make the layer's cell use the masks that TensorFlow drew."""
    (cell,) = cells_of(layer)
    drawn = {kind: [mg.tensor(m) for m in case.group(kind)] for kind in ("dropout_mask", "recurrent_dropout_mask")}
    cell.get_dropout_mask_for_cell = lambda inputs, training, count=1: drawn["dropout_mask"] or None
    cell.get_recurrent_dropout_mask_for_cell = lambda inputs, training, count=1: drawn["recurrent_dropout_mask"] or None


def run(case: Case, layer: Any, info: dict[str, Any], prefix: str = "", passes: Any = 1.0) -> Any:
    """One call: compares outputs, losses and all gradients (∂/∂x where `passes` is not 0); returns the outputs."""
    x = mg.tensor(case[f"{prefix}x"], requires_grad=case[f"{prefix}x"].dtype.kind == "f")
    states = [mg.tensor(s, requires_grad=True) for s in case.group(f"{prefix}state")]
    call = dict(case.call)
    mask = case.get(f"{prefix}mask")
    if mask is not None:
        call["mask"] = mask
    if states:
        structure = info["states"]
        call[info["state_argument"]] = tree.map(lambda k: states[k], structure)
    outputs = layer(x, **call)
    flat = tree.leaves(outputs)
    for k, (mine, theirs) in enumerate(zip(flat, case.group(f"{prefix}output"), strict=True)):
        close(mine, theirs, f"{prefix}output {k}", case)
    losses = layer.losses
    for k, (mine, theirs) in enumerate(zip(losses, case.group(f"{prefix}loss"), strict=True)):
        close(mine, theirs, f"{prefix}loss {k}", case)
    total = sum((y * c).sum() for y, c in zip(flat, case.group(f"{prefix}cotangent"), strict=True))
    total = sum(losses, start=total)
    wanted = [x, *layer.weights, *states]
    names = ["grad/x", *(f"grad/weight/{k}" for k in range(len(layer.weights)))]
    names += [f"grad/state/{k}" for k in range(len(states))]
    for name, gradient in zip(names, mg.grad(total, wanted), strict=True):
        if case.get(prefix + name) is not None:
            gradient = gradient * passes if name == "grad/x" and gradient is not None else gradient
            close(gradient, case[prefix + name], prefix + name, case)
    return outputs
