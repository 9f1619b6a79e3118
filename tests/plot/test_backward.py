"""Gradient flow, ledger and Jacobians, checked in the axes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from drawn import B, T, lines, png
from minigrad.engine.errors import GradientError, IndexRangeError, MinigradError, UnknownNameError
from minigrad.plot import alt_text, gradient_flow, gradient_ledger, jacobian_norms
from tool_errors import AFTER_BACKWARD


def test_flow_is_the_norm_against_the_lag(make: Any) -> None:
    models = {"lstm": make(), "gru": make("GRU")}
    ax = gradient_flow(models)
    assert ax.get_yscale() == "log"
    assert ax.get_xlabel() == "lag T − t (steps before the end)"
    drawn = lines(ax)
    for name, seen in models.items():
        np.testing.assert_allclose(drawn[name], np.linalg.norm(seen.dh, axis=-1).mean(axis=1)[::-1])
        assert len(drawn[name]) == T + 1
    one = lines(gradient_flow(models, "h", row=1))["gru"]
    np.testing.assert_allclose(one, np.linalg.norm(models["gru"].dh[:, 1], axis=-1)[::-1])
    assert "lstm: " in alt_text(ax)
    assert "gru: " in alt_text(ax)


def test_flow_of_arrays_and_of_what_is_cut_off() -> None:
    dh = np.zeros((6, 2, 3))
    dh[3:] = 2.0
    ax = gradient_flow(dh)
    (line,) = ax.lines
    np.testing.assert_allclose(line.get_ydata()[:3], 2 * np.sqrt(3))
    assert np.isnan(line.get_ydata()[3:]).all()
    assert line.get_label() == "0 from lag 3 on"
    assert "0 from lag 3 on" in alt_text(ax)


def test_flow_of_a_truncated_layer_ends_where_it_was_cut(make: Any) -> None:
    (line,) = gradient_flow(make(tbptt=(3, 3))).lines
    assert "0 from lag" in line.get_label()


def test_flow_of_some_steps_is_on_the_curve_of_all() -> None:
    """Lags from the end of the sequence, not from the last traced step."""
    lstm, drawn = mg.keras.layers.LSTM(2, go_backwards=True), {}
    for every in (1, 3):
        with mg.trace(lstm, every=every) as seen:
            lstm(mg.ones((1, 9, 2))).sum().backward()
        (line,) = gradient_flow(seen).lines
        drawn[every] = dict(zip(line.get_xdata().tolist(), line.get_ydata().tolist(), strict=True))
    assert list(drawn[1]) == list(range(10))
    assert drawn[3] == {lag: drawn[1][lag] for lag in (0, 3, 6, 9)}


def test_flow_in_words(make: Any) -> None:
    seen = make()
    said = alt_text(gradient_flow(seen, "c"))
    norm = np.linalg.norm(seen.dc, axis=-1).mean(axis=1)
    assert said.startswith("Lines on a logarithmic scale: the norm of ∂loss/∂c_t, the mean of the rows, against")
    ends = f"0 before, {norm[-2]:.2g} at lag 1, {norm[0]:.2g} at lag {T}, {norm[0] / norm[-2]:.2g} times that."
    assert said.endswith(ends)
    assert gradient_flow(seen, "c", row=1).get_ylabel().startswith("‖∂loss/∂cₜ‖")
    assert "∂loss/∂c_t of row 1 against" in alt_text(gradient_flow(seen, "c", row=1))
    nothing = alt_text(gradient_flow(np.zeros((3, 1, 2))))
    assert nothing.startswith("Lines: the norm")
    assert nothing.endswith("0 at lag 0, 0 at lag 2, 0 from lag 0 on.")


def test_before_the_way_back(make: Any) -> None:
    seen = make(back=False)
    with pytest.raises(GradientError, match=rf"`dh`{AFTER_BACKWARD}\. Call loss\.backward\(\)"):
        gradient_flow(seen)
    with pytest.raises(GradientError, match=f"`ledger`{AFTER_BACKWARD}"):
        gradient_ledger(seen)


def test_ledger_shares_sum_to_one(seen: Any) -> None:
    ax = gradient_ledger(seen, row=1)
    bars = {c.get_label(): [bar.get_height() for bar in c] for c in ax.containers}
    assert [name for name in bars if "held" not in name] == [
        "through i → h", "through f → h", "through g → h", "through o → h", "carousel → c",
    ]  # fmt: skip
    np.testing.assert_allclose(np.sum(list(bars.values()), axis=0), 1)
    sizes = {
        f"{way if len(way) > 1 else f'through {way}'} → {s}": np.abs(a[:, 1]).mean(axis=1)
        for s, ways in seen.ledger.items()
        for way, a in ways.items()
    }
    np.testing.assert_allclose(bars["carousel → c"], sizes["carousel → c"] / sum(sizes.values()))
    tops = [bar.get_y() + bar.get_height() for bar in ax.containers[-1]]
    np.testing.assert_allclose(tops, 1)


def test_ledger_of_a_masked_step_is_held(seen: Any) -> None:
    ax = gradient_ledger(seen, "h", row=0)
    held = next(c for c in ax.containers if c.get_label() == "held → h")
    assert [bar.get_height() for bar in held][3:5] == [1, 1]
    assert png(ax)


def test_ledger_of_arrays() -> None:
    ways = {"U": np.array([[1.0, -1.0], [0.0, 0.0]]), "x": np.array([[3.0, 3.0], [0.0, 0.0]])}
    ax = gradient_ledger(ways)
    assert [[bar.get_height() for bar in c] for c in ax.containers] == [[0.25, 0], [0.75, 0]]
    assert "1 of the steps pass nothing back." in alt_text(ax)


def test_jacobians_beside_the_product_of_forget_gates(make: Any) -> None:
    seen = make()
    name = seen.names[0]
    drawn = lines(jacobian_norms(seen, "c"))
    np.testing.assert_allclose(drawn[name], seen.jacobian_norms("c").mean(axis=1)[::-1])
    product = seen.forget_product().max(axis=-1).mean(axis=1)[::-1]
    np.testing.assert_allclose(drawn[f"{name}: product of forget gates"], product)
    ax = jacobian_norms({"gru": make("GRU"), "by hand": np.ones((4, B))}, "h", row=1, norm="frobenius")
    assert list(lines(ax)) == ["gru", "by hand"]
    assert ax.get_ylabel() == "‖∂h_T/∂hₜ‖ (frobenius norm, no unit)"


def test_mistakes(seen: Any) -> None:
    with pytest.raises(MinigradError, match="expected `models`, a tracer, which has the weights, got a trace"):
        jacobian_norms(seen[seen.names[0]])
    with pytest.raises(IndexRangeError, match="gradient_flow: expected `row` from 0 to 2, got 7"):
        gradient_flow(seen, row=7)
    with pytest.raises(IndexRangeError, match="jacobian_norms: expected `row` from 0 to 2"):
        jacobian_norms(seen, row=3)
    with pytest.raises(UnknownNameError, match="gradient_ledger: `state`"):
        gradient_ledger(seen, "z")
