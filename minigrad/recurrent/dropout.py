"""The products x W of a cell with several gates, and their gradients; with dropout masks and without.

W (features, gates · units) holds the gates' matrices side by side. Under dropout each gate can have a separate mask of
x, so `masks` is (1, batch, features) or (gates, batch, features), already scaled by 1/(1 − p). Masks are drawn once for
each sequence and applied at every step: x is (batch, features) or (time, batch, features).
"""

from __future__ import annotations

from minigrad.engine.protocol import Array, Xp


def product(xp: Xp, x: Array, W: Array, masks: Array | None, gates: int, separate: bool = False) -> Array:
    """Return the gates' x W, (…, gates · units).

    Args:
        xp: the array namespace.
        x: (…, features).
        W: (features, gates · units).
        masks: dropout masks, or None.
        gates: how many matrices W holds.
        separate: make one small product for each gate (Keras' ``implementation=1``) rather than a large one.
    """
    if masks is not None and masks.shape[0] == 1:
        x, masks = x * xp.squeeze(masks, 0), None
    if masks is None and not separate:
        return _matmul(xp, x, W)
    thinned = [x] * gates if masks is None else [x * mask for mask in xp.unstack(masks)]
    return xp.concat([_matmul(xp, x_k, W_k) for x_k, W_k in zip(thinned, xp.split(W, gates, 1), strict=True)], -1)


def product_dx(xp: Xp, dz: Array, W: Array, masks: Array | None, gates: int) -> Array:
    """Return dx = dz Wᵀ, each gate's share through its own mask: Σ_k (dz_k W_kᵀ) ∘ mask_k."""
    if masks is None or masks.shape[0] == 1:
        dx = _matmul(xp, dz, xp.transpose(W))
        return dx if masks is None else dx * xp.squeeze(masks, 0)
    shares = product_dx_by_gate(xp, dz, W, masks, gates)
    return sum(shares[1:], start=shares[0])


def product_dx_by_gate(xp: Xp, dz: Array, W: Array, masks: Array | None, gates: int) -> list[Array]:
    """Return the gates' shares of dx, each (dz_k W_kᵀ) ∘ mask_k."""
    shares = [
        _matmul(xp, dz_k, xp.transpose(W_k))
        for dz_k, W_k in zip(xp.split(dz, gates, -1), xp.split(W, gates, 1), strict=True)
    ]
    if masks is None:
        return shares
    each = xp.unstack(masks) * (gates // masks.shape[0])
    return [share * mask for share, mask in zip(shares, each, strict=True)]


def product_dW(xp: Xp, x: Array, dz: Array, masks: Array | None, gates: int) -> Array:  # noqa: N802  (W is a matrix)
    """Return dW = xᵀ dz, summed over all steps and rows at once; each gate's part with its own masked x."""
    if masks is None:
        return xp.matmul(xp.transpose(_rows(xp, x)), _rows(xp, dz))
    if masks.shape[0] == 1:
        return product_dW(xp, x * xp.squeeze(masks, 0), dz, None, gates)
    shares = [
        product_dW(xp, x * mask, dz_k, None, 1)
        for dz_k, mask in zip(xp.split(dz, gates, -1), xp.unstack(masks), strict=True)
    ]
    return xp.concat(shares, -1)


def _rows(xp: Xp, x: Array) -> Array:
    """(time, batch, n) as (time · batch, n): one product of many rows is faster than many products of few."""
    return xp.reshape(x, (-1, x.shape[-1])) if x.ndim == 3 else x


def _matmul(xp: Xp, x: Array, W: Array) -> Array:
    y = xp.matmul(_rows(xp, x), W)
    return xp.reshape(y, (*x.shape[:-1], W.shape[1])) if x.ndim == 3 else y
