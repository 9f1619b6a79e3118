"""The gradient ledger: by which ways ∂loss/∂state went from one step to the step before it.

`step_backward` adds up what reaches the state; here the summands are kept apart. In an LSTM,

    to c    dc ∘ f           along the carousel; here dc is complete, what came through h_new included
            dz_k ∘ w_k       through the peepholes of i and f, where there are any
    to h    dz_k U_kᵀ        through each gate k

which is why a gradient survives in c and not in h: one way is a product of forget gates, the others are matrices.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.backend.protocol import Array, Xp
from minigrad.recurrent import GRUStep, GRUWeights, LSTMStep, LSTMWeights, SimpleRNNWeights, Step, gru_step, lstm_step
from minigrad.recurrent.bptt import StepBack
from minigrad.recurrent.lstmp_step import LSTMPStep, LSTMPWeights, where_inside
from minigrad.recurrent.products import product_dx_by_gate
from minigrad.recurrent.step import State, Weights

Ways = dict[str, tuple[Array | None, ...]]
"""For each way its share for each of the state's arrays; None where it does not lead there."""


def dz_of_gates(dz: Any) -> Array:
    """Returns, of what `step_backward` gave as dz, ∂loss/∂(the gates' pre-activations), (batch, gates · units)."""
    return dz[0] if isinstance(dz, tuple) else dz


def ways_back(xp: Xp, step: Step, back: StepBack, kept: Any, state: State, weights: Weights) -> Ways:
    """Returns ∂loss/∂(state before) by the ways it took; for each array they sum to what `step_backward` returned.

    Args:
        xp: the array namespace.
        step: the cell's step.
        back: the step back.
        kept: what the step kept on its way forward.
        state: the state before the step.
        weights: the cell's weights.
    """
    ways: Callable[..., Ways] = _WAYS.get(step.name, _at_large)
    return ways(xp, step, back, kept, state, weights)


def _lstm(xp: Xp, step: LSTMStep, back: StepBack, kept: Any, state: State, weights: Weights) -> Ways:
    w = LSTMWeights(*weights)
    dh, dc = back.dnew
    dc = dc + step.activation.backward(xp, dh * kept.o, kept.a, kept.z[-1] if kept.z else None)
    shares = product_dx_by_gate(xp, back.dz, w.U, w.h_masks, lstm_step.GATES)
    return {"carousel": (None, dc * kept.f), **{k: (dh_k, None) for k, dh_k in zip(step.gates, shares, strict=True)}}


def _lstmp(xp: Xp, step: LSTMPStep, back: StepBack, kept: Any, state: State, weights: Weights) -> Ways:
    w = LSTMPWeights(*weights)
    (dc, _), (dz, dp), c_new = back.dnew, back.dz, step.carousel(xp, state[0], kept.i, kept.j, kept.f)
    dn = dp if w.P is None else xp.matmul(dp, xp.transpose(w.P))
    dz_i, _, dz_f, dz_o = xp.split(dz, lstm_step.GATES, -1)
    dc = dc + step.activation.backward(xp, dn * kept.o, kept.a, c_new)
    dc = where_inside(xp, dc if w.w_o is None else dc + dz_o * w.w_o, c_new, step.cell_clip)
    peeped = {} if w.w_i is None else {"i": dz_i * w.w_i, "f": dz_f * w.w_f}
    K_m = w.K[w.K.shape[0] - state[1].shape[-1] :, :]
    shares = product_dx_by_gate(xp, dz, K_m, None, lstm_step.GATES)
    return {
        "carousel": (dc * kept.f, None),
        **{k: (peeped.get(k), dm_k) for k, dm_k in zip(step.gates, shares, strict=True)},
    }


def _gru(xp: Xp, step: GRUStep, back: StepBack, kept: Any, state: State, weights: Weights) -> Ways:
    w = GRUWeights(*weights)
    (dh,), (_, d_state) = back.dnew, back.dz
    if step.reset_after:
        shares = product_dx_by_gate(xp, d_state, w.U, w.h_masks, gru_step.GATES)
    else:  # the reset gate acts on h, so what comes through the candidate passes it too
        through_z, through_r, dk = product_dx_by_gate(xp, d_state, w.U, w.h_masks, gru_step.GATES)
        shares = [through_z, through_r, dk * kept.r]
    return {"past the gates": (dh * kept.z,), **{k: (dh_k,) for k, dh_k in zip(step.gates, shares, strict=True)}}


def _simple_rnn(xp: Xp, step: Step, back: StepBack, kept: Any, state: State, weights: Weights) -> Ways:
    w = SimpleRNNWeights(*weights)
    return {"U": tuple(product_dx_by_gate(xp, back.dz, w.U, w.h_masks, 1))}


def _at_large(xp: Xp, step: Step, back: StepBack, kept: Any, state: State, weights: Weights) -> Ways:
    """Of a cell of the user's own it is known what came back, and not by which way."""
    around = back.dskipped or (0.0,) * len(back.dstate)
    return {"step": tuple(whole - skipped for whole, skipped in zip(back.dstate, around, strict=True))}


_WAYS: dict[str, Callable[..., Ways]] = {"lstm": _lstm, "lstmp": _lstmp, "gru": _gru, "simple_rnn": _simple_rnn}
