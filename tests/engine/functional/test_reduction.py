"""Arguments that reductions and einsum accept and refuse; the numbers are tested with the operations."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

import minigrad as mg
from engine_errors import SUBSCRIPTS
from minigrad import functional as F
from minigrad.engine.errors import MinigradError, ShapeError
from minigrad.testing import check_gradient
from op_cases import numbers

REDUCTIONS = [F.sum, F.mean, F.var, F.prod, F.max, F.min, F.all, F.any, F.logsumexp, F.softmax, F.argmax, F.cumsum]


@pytest.mark.parametrize("function", REDUCTIONS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("axis", [2, -3])
def test_axes_that_are_not_there(function: object, axis: int) -> None:
    with pytest.raises(ShapeError, match=rf"{axis}"):
        function(mg.tensor([[1.0, 2.0]]), axis)


@pytest.mark.parametrize("function", REDUCTIONS[:9], ids=lambda f: f.__name__)
def test_axes_named_twice(function: object) -> None:
    with pytest.raises(MinigradError):
        function(mg.tensor([[1.0, 2.0]]), (0, -2))


EINSUMS = {
    "ij,jk->ik": ((2, 3), (3, 4)),
    "btd,dh->bth": ((2, 3, 4), (4, 5)),
    "bij,bjk->bik": ((2, 3, 4), (2, 4, 5)),
    "bhid,bhjd->bhij": ((2, 2, 3, 4), (2, 2, 5, 4)),
    "ij,jk->ki": ((2, 3), (3, 4)),
    "i,j->ij": ((2,), (3,)),
    "i,i->": ((3,), (3,)),
    "i,i->i": ((3,), (3,)),
    "ijk,k->j": ((2, 3, 4), (4,)),
    "ij,k->jk": ((2, 3), (4,)),
    "ijk->kji": ((2, 3, 4),),
    "ijk->j": ((2, 3, 4),),
    "ij->": ((2, 3),),
    ", ->": ((), ()),
}


@pytest.mark.parametrize(("subscripts", "shapes"), EINSUMS.items(), ids=EINSUMS)
def test_einsum(subscripts: str, shapes: tuple[tuple[int, ...], ...], backend: ModuleType) -> None:
    arrays = [numbers(*shape, seed=k) for k, shape in enumerate(shapes)]
    y = F.einsum(subscripts, *map(mg.tensor, arrays))
    np.testing.assert_allclose(y.numpy(), np.einsum(subscripts, *arrays), rtol=1e-12, atol=1e-14)
    check_gradient(lambda *xs: F.einsum(subscripts, *xs), *arrays, max_elements=4, second_order=True)


@pytest.mark.parametrize("subscripts", ["ij,jk", "ij,jk,kl->il", "...j,jk->...k", "ii,jk->ik", "ij,jk->iz", "ij->i"])
def test_einsum_of_other_kinds(subscripts: str) -> None:
    with pytest.raises(ShapeError, match=f"{SUBSCRIPTS}'ij,jk->ik' for 2 operands"):
        F.einsum(subscripts, np.ones((2, 3)), np.ones((3, 4)))


@pytest.mark.parametrize("subscripts", ["ij,kj->ik", "ijk,jk->i", "i,jk->ik"])
def test_einsum_that_does_not_fit(subscripts: str) -> None:
    with pytest.raises(ShapeError, match=r"do not fit operands of shape \(2, 3\) and \(4, 4\)"):
        F.einsum(subscripts, np.ones((2, 3)), np.ones((4, 4)))
