"""One LSTM run op by op on the tape, with gates held at values, and the gradient at every place."""

from __future__ import annotations

from typing import Any

import numpy as np

import minigrad as mg
from minigrad.playground.experiments import Experiment, T
from minigrad.playground.networks import UNITS, Network, X

GATES = "ifgo"


def case_of(experiment: Experiment, nets: dict[str, Network]) -> dict[str, Any]:
    """Return the settings of an experiment in the form that `on_the_tape` takes."""
    zero = np.zeros(UNITS)
    case: dict[str, Any] = {"x": np.array(X), "h_0": zero, "c_0": zero, "dc_T": zero}
    case["weights"] = {key: np.array(w) for key, w in zip("WUb", nets[experiment.network].weights, strict=True)}
    case |= {"held": np.full((T, 4, UNITS), np.nan), "loss_weights": np.zeros((T, UNITS))}
    for t, k, u, value in experiment.held:
        case["held"][t, GATES.index(k), u] = value
    for t, u, value in experiment.loss_weights:
        case["loss_weights"][t, u] = value
    return case


def on_the_tape(case: dict[str, Any]) -> dict[str, Any]:
    """Return every number of one sequence, under the names of lstm.js: values, and the gradient along each path.

    Where a gradient is read, a tensor of zeros is added; its gradient is the one that flows through that place.

    Args:
        case: weights (W, U, b), x (T, features), held (T, 4, units) with NaN where a gate is free, h_0, c_0 (units,),
            loss_weights (T, units), ∂loss/∂h without later steps, and dc_T (units,).
    """
    looked: dict[str, Any] = {}

    def look(name: str, y: mg.Tensor) -> mg.Tensor:
        looked[name] = mg.tensor(np.zeros(y.shape), requires_grad=True)
        return y + looked[name]

    T = len(case["loss_weights"])
    leaf = {key: mg.tensor(case[key], requires_grad=True) for key in ("x", "h_0", "c_0")}
    leaf |= {key: mg.tensor(value, requires_grad=True) for key, value in case["weights"].items()}
    W, U = (dict(zip(GATES, mg.split(leaf[key], 4, 1), strict=True)) for key in "WU")
    b = dict(zip(GATES, mg.split(leaf["b"], 4, 0), strict=True))
    h, c, loss = leaf["h_0"], leaf["c_0"], mg.tensor(0.0, dtype="float64")
    values: dict[str, Any] = {}
    for t in range(T):
        gates = {}
        for n, k in enumerate(GATES):
            z = look(f"dz_{k} {t}", leaf["x"][t] @ W[k] + look(f"ledger.h.{k} {t}", h) @ U[k] + b[k])
            y, held = (mg.tanh if k == "g" else mg.functional.sigmoid)(z), case["held"][t, n]
            gates[k] = look(f"d{k} {t}", mg.where(np.isnan(held), y, np.nan_to_num(held)))
            values |= {f"z_{k} {t}": z, f"{k} {t}": gates[k]}
        values |= {f"h {t}": h, f"c {t}": c}
        c = gates["f"] * look(f"ledger.c.carousel {t}", c) + gates["i"] * gates["g"]
        c = look(f"dc {t}", c)
        a = mg.tanh(look(f"dc_through_o {t}", c))
        h = look(f"dh {t}", gates["o"] * a)
        values |= {f"c_new {t}": c, f"h_new {t}": h, f"a {t}": a}
        loss = loss + (h * case["loss_weights"][t]).sum()
    (loss + (c * case["dc_T"]).sum()).backward()
    gradients = {name: zero.grad.numpy() for name, zero in looked.items()}
    arrived = {f"dc_arrived {t}": gradients[f"ledger.c.carousel {t + 1}"] for t in range(T - 1)}
    arrived[f"dc_arrived {T - 1}"] = case["dc_T"]
    whole = {f"d{key}": tensor.grad.numpy() for key, tensor in leaf.items() if key != "x"}
    dx = {f"dx {t}": leaf["x"].grad.numpy()[t] for t in range(T)}
    return {**{name: y.numpy() for name, y in values.items()}, **gradients, **arrived, **whole, **dx}
