"""The LSTM with peepholes, projection and clips: the explicit gradient against the tape's, all of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import functional as F
from minigrad.ops import pointwise
from minigrad.recurrent import Plan, Sequence, bptt
from minigrad.recurrent.lstmp_step import LSTMPStep, LSTMPWeights
from minigrad.tensor import apply

T, B, I, H, O = 5, 3, 2, 4, 2
MASK = np.array([[1, 0, 1], [1, 0, 0], [0, 0, 1], [1, 0, 1], [0, 0, 1]], dtype=bool)

PLAIN = {"K": (I + H, 4 * H), "b": (4 * H,)}
PEEPHOLES = {"w_f": (H,), "w_i": (H,), "w_o": (H,)}
PROJECTED = {"K": (I + O, 4 * H), "b": (4 * H,), "P": (H, O)}


@pytest.mark.parametrize("mask", [None, MASK], ids=["whole", "ragged"])
@pytest.mark.parametrize(
    ("step", "shapes"),
    [
        (LSTMPStep(), PLAIN),
        (LSTMPStep(forget_bias=0.3, cell_clip=0.3), PLAIN),
        (LSTMPStep(), {**PLAIN, **PEEPHOLES}),
        (LSTMPStep(proj_clip=0.4), PROJECTED),
        (LSTMPStep(pointwise.Swish, cell_clip=0.3, proj_clip=0.4), {**PROJECTED, **PEEPHOLES}),
    ],
    ids=["plain", "cell_clip", "peepholes", "projection", "everything"],
)
def test_explicit_gradient_is_the_tapes(step: LSTMPStep, shapes: dict[str, Any], mask: Any) -> None:
    rng = np.random.default_rng(0)
    outputs = O if "P" in shapes else H
    arrays = [rng.standard_normal(shape) for shape in ((T, B, I), (B, H), (B, outputs))]
    weights = LSTMPWeights(**{name: rng.standard_normal(shape) for name, shape in shapes.items()})
    cotangents = [rng.standard_normal(shape) for shape in ((T, B, outputs), (B, H), (B, outputs))]

    def gradients(explicit: bool) -> list[Any]:
        x, c, m = (mg.tensor(a, requires_grad=True) for a in arrays)
        w = LSTMPWeights(*(None if a is None else mg.tensor(a, requires_grad=True) for a in weights))
        if explicit:
            found = apply(Sequence, x, c, m, *w, plan=Plan(step, 2, mask, True))
        else:
            y, state, _ = bptt.forward(F, step, x, (c, m), w, mask, True)
            found = (y, *state)
        loss = sum((y * d).sum() for y, d in zip(found, cotangents, strict=True))
        return [g.numpy() for g in mg.grad(loss, [x, c, m, *(t for t in w if t is not None)])]

    for mine, tapes in zip(gradients(True), gradients(False), strict=True):
        np.testing.assert_allclose(mine, tapes, rtol=1e-12, atol=1e-13)
