"""Every reduction, with and without weights and masks, against its line in the table."""

from __future__ import annotations

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine.errors import ShapeError
from minigrad.keras.losses.reduction import broadcast_weights, reduce_losses

LOSSES = np.array([[1.0, 2.0, 4.0], [8.0, 16.0, 32.0]])
WEIGHTS = np.array([[1.0, 0.5, 0.0], [2.0, 1.0, 1.0]])
MASK = np.array([[True, False, True], [True, True, False]])
ONES = np.ones((2, 3))


def expected(reduction, w, m):
    total = (w * m * LOSSES).sum()
    return {
        "none": w * m * LOSSES,
        "sum": total,
        "auto": total / m.sum(),
        "sum_over_batch_size": total / m.sum(),
        "mean_valid": total / (w * m).sum(),
        "mean_all": total / 6,
    }[reduction]


@pytest.mark.parametrize("mask", [None, MASK], ids=["no mask", "mask"])
@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["no weights", "weights"])
@pytest.mark.parametrize("reduction", ["none", "sum", "auto", "sum_over_batch_size", "mean_valid", "mean_all"])
def test_the_table(reduction, weights, mask, backend):
    value = reduce_losses(mg.tensor(LOSSES), weights, mask, reduction).numpy()
    w, m = (ONES if part is None else part.astype(float) for part in (weights, mask))
    np.testing.assert_allclose(value, expected(reduction, w, m), rtol=1e-14)


@pytest.mark.parametrize("reduction", ["auto", "mean_valid", "mean_all", "sum"])
def test_where_nothing_counts_the_loss_is_0(reduction):
    assert reduce_losses(mg.tensor(LOSSES), None, np.zeros((2, 3), bool), reduction).item() == 0.0


@pytest.mark.parametrize("shape", [(), (2,), (2, 1), (2, 3), (2, 3, 1), (1, 3)])
def test_weights_that_fit(shape):
    weights = np.arange(1.0, 1.0 + np.prod(shape, dtype=int)).reshape(shape)
    whole = np.broadcast_to(
        weights[..., 0] if len(shape) == 3 else weights[:, None] if len(shape) == 1 else weights, (2, 3)
    )
    losses = mg.tensor(LOSSES)
    np.testing.assert_array_equal(reduce_losses(losses, weights, None, "none").numpy(), whole * LOSSES)
    mean = reduce_losses(losses, weights, None, "mean_valid").item()  # a broadcast weight counts as often as it is used
    assert mean == pytest.approx((whole * LOSSES).sum() / whole.sum())


@pytest.mark.parametrize("shape", [(3,), (2, 2), (2, 3, 2), (2, 3, 1, 1)])
def test_weights_that_do_not_fit(shape):
    with pytest.raises(ShapeError, match=r"expected `sample_weight` of shape \(2, 3\)"):
        broadcast_weights(mg.tensor(LOSSES), np.ones(shape), "sample_weight")
