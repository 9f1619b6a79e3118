"""What the compiled loops share inside: rows of a block of steps, and what a row that rests does."""

from __future__ import annotations

from minigrad_numba.compiling import called, inlined
from minigrad_numba.products import add_product_of_transposed
from minigrad_numba.tiles import add_product


@inlined
def rows_of(x):  # type: ignore[no-untyped-def]
    """(time, batch, n) as (time · batch, n)."""
    return x.reshape((x.shape[0] * x.shape[1], x.shape[2]))


@inlined
def set_rows(z, b):  # type: ignore[no-untyped-def]
    """z[row] = b, for all rows."""
    for row in range(len(z)):
        for k in range(len(b)):
            z[row, k] = b[k]


@inlined
def add_rows(dz, db):  # type: ignore[no-untyped-def]
    """db += Σ dz, over all rows."""
    for row in range(len(dz)):
        for k in range(len(db)):
            db[k] += dz[row, k]


@called
def project(x, W, b, z):  # type: ignore[no-untyped-def]
    """z = x W + b, for a block of steps."""
    rows = rows_of(z)
    set_rows(rows, b)
    add_product(rows_of(x), W, rows)


@called
def gather(h, dz, dU):  # type: ignore[no-untyped-def]
    """dU += Σ hᵀ dz, over the steps and rows of a block."""
    add_product_of_transposed(rows_of(h), rows_of(dz), dU)


@called
def project_back(dz, x, Wᵀ, dx, dW, db):  # type: ignore[no-untyped-def]
    """What `project` is owed for a block: dx += dz Wᵀ unless dx is of size 0, dW += Σ xᵀ dz, db += Σ dz."""
    if dx.size:
        add_product(rows_of(dz), Wᵀ, rows_of(dx))
    gather(x, dz, dW)
    add_rows(rows_of(dz), db)


@inlined
def add_rest(dy, dh, dz):  # type: ignore[no-untyped-def]
    """A step back through which a row rested: its output was the h that it kept, and no gate had a part in it."""
    for k in range(len(dh)):
        dh[k] += dy[k]
    for k in range(len(dz)):
        dz[k] = 0
