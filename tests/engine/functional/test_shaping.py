"""Arguments that the functions of shapes and new tensors accept and refuse; numbers are tested with the operations."""

from __future__ import annotations

import re
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from engine_errors import DIFFERENT_AXES, EACH_AXIS, SUBSCRIPTS, WHOLE_SIZES
from minigrad import functional as F
from minigrad.engine.errors import DTypeError, MinigradError, OptionError, ShapeError
from option_errors import NUMBER_FROM_0

X = np.arange(6.0).reshape(2, 3)

REFUSED = {
    "reshape": (lambda x: F.reshape(x, (4, 2)), r"Reshape: .*\(2, 3\)"),
    "transpose twice": (lambda x: F.transpose(x, (0, 0)), f"transpose: expected `axes`{DIFFERENT_AXES}2"),
    "transpose too few": (lambda x: F.transpose(x, (1,)), EACH_AXIS),
    "swapaxes": (lambda x: F.swapaxes(x, 0, 2), "swapaxes: expected"),
    "expand_dims": (lambda x: F.expand_dims(x, 4), "expand_dims: expected"),
    "squeeze": (
        lambda x: F.squeeze(x, 0),
        r"squeeze: expected `axis` to name .*, got 0 of x, of shape \(2, 3\)",
    ),
    "squeeze axis": (lambda x: F.squeeze(x, 5), "squeeze: expected `axis`"),
    "broadcast_to": (lambda x: F.broadcast_to(x, (2, 2)), r"BroadcastTo: .*\(2, 3\)"),
    "concat": (lambda x: F.concat([x, x[:, :2]], 0), r"Concat: .*\(2, 3\), xs\[1\] = float64 \(2, 2\)"),
    "concat nothing": (lambda x: F.concat([]), "concat: expected `xs`, at least one tensor"),
    "stack": (lambda x: F.stack([x, x[0]]), "Stack: "),
    "unstack": (lambda x: F.unstack(x, 2), "unstack: expected"),
    "split": (lambda x: F.split(x, 2, 1), "split: an axis of x of length 3 cannot be cut into 2 equal parts"),
    "split at": (lambda x: F.split(x, [2, 1], 1), "split: expected `sections` as ascending positions from 0 to 3"),
    "split beyond": (lambda x: F.split(x, [4], 1), "split: expected `sections` as ascending positions from 0 to 3"),
    "flip": (lambda x: F.flip(x, 2), "flip: expected `axis`"),
    "pad": (lambda x: F.pad(x, [(1, 1)]), r"expected `widths` to be 2 pairs \(before, after\)"),
    "pad less": (lambda x: F.pad(x, [(1, 1), (-1, 0)]), "expected `widths` to be 2 pairs"),
    "take": (lambda x: F.take(x, [0], 2), "take: expected `axis`"),
}


@pytest.mark.parametrize(("act", "message"), REFUSED.values(), ids=REFUSED)
def test_refusals(act: object, message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        act(mg.tensor(X))


def test_indices_are_integers() -> None:
    for indices in ([0.0], [True]):
        with pytest.raises(DTypeError, match="expected integer `indices`"):
            F.take(mg.tensor(X), indices)
        with pytest.raises(DTypeError, match="one_hot: expected integer `indices`"):
            F.one_hot(indices, 3)
    for join, name in ((F.concat, "concat"), (F.stack, "stack")):
        with pytest.raises(DTypeError, match=f"{name}: expected `axis` to be a whole number, got None."):
            join([mg.tensor(X)], None)


def test_an_index_out_of_range_is_nowhere_in_one_hot() -> None:
    np.testing.assert_array_equal(F.one_hot([-1, 3, 1], 3).numpy(), [[0, 0, 0], [0, 0, 0], [0, 1, 0]])
    for depth in (-3, 2.5, "three"):
        with pytest.raises(OptionError, match=f"one_hot: `depth`: expected a whole number.*got {depth!r}."):
            F.one_hot([1], depth)


@pytest.mark.parametrize("widths", [(1, 1), 1, [(1,)], [(1.5, 1), (0, 0)], None, [(0, -1), (0, 0)]])
def test_widths_are_pairs(widths: object) -> None:
    with pytest.raises(
        ShapeError, match=r"pad: expected `widths` to be 2 pairs \(before, after\), one for each axis, got "
    ):
        F.pad(np.ones((2, 3)), widths)


@pytest.mark.parametrize("words", [(3,), (2, 7), (2, 7, 2), (7, 2, -2), (0,), (1, 0), (1.5,), (0, 1, 0.25), (1.0, 3.0)])
def test_arange(words: tuple[float, ...], backend: ModuleType) -> None:
    y = F.arange(*words)
    np.testing.assert_allclose(y.numpy(), np.arange(*words), rtol=1e-6)
    assert y.numpy().dtype == (np.int64 if all(isinstance(w, int) for w in words) else np.float32)


def test_new_tensors(backend: ModuleType) -> None:
    for y, expected in (
        (F.zeros((2, 0)), np.zeros((2, 0))), (F.ones(3, "float64"), np.ones(3)), (F.full([2], 7, "int64"), [7, 7]),
        (F.zeros_like(X), 0 * X), (F.ones_like(mg.tensor(X)), 0 * X + 1), (F.arange(2, dtype="float64"), [0.0, 1.0]),
        (F.one_hot([[0, 2]], 3), [[[1, 0, 0], [0, 0, 1]]]), (F.one_hot([1], 2, "bool"), [[False, True]]),
    ):  # fmt: skip
        assert y.backend is backend
        np.testing.assert_array_equal(y.numpy(), expected)
    assert F.zeros_like(X).numpy().dtype == np.float64


def test_sizes_are_whole() -> None:
    for make in (lambda: F.zeros((2.5,)), lambda: mg.tensor(X).reshape(3.0, 2), lambda: F.full("2", 1.0)):
        with pytest.raises(ShapeError, match=WHOLE_SIZES):
            make()
    with pytest.raises(ShapeError, match=rf"{WHOLE_SIZES} 0 on, got \(2, -1\)."):
        F.ones((2, -1))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: mg.full((2,), None), "full: `value`: expected a number, got None."),
        (lambda: mg.arange("a"), "arange: `stop`: expected a number, got 'a'."),
        (lambda: mg.concat(5), "concat: expected `xs`, a list of tensors, got 5."),
        (lambda: mg.stack(None), "stack: expected `xs`, a list of tensors, got None."),
        (
            lambda: mg.transpose(mg.ones((2, 3)), 5),
            f"transpose: expected `axes`{DIFFERENT_AXES}2, which x has, got 5.",
        ),
        (lambda: mg.einsum(5, mg.ones((2,))), f'{SUBSCRIPTS}"ij,jk->ik" first, got 5.'),
        (lambda: mg.random.integers(5, 2), "random.integers: expected `low` < `high`, which is left out, got 5 and 2."),
        (lambda: mg.random.normal((2,), stddev=-1), f"random.normal: `stddev`: {NUMBER_FROM_0}, got -1."),
    ],
)
def test_arguments_of_no_use(call, said):
    with pytest.raises(MinigradError, match=f"^{re.escape(said)}$"):
        call()


@pytest.mark.parametrize("sections", [range(1, 5, 2), (1, 3), [1, 3], np.array([1, 3]), mg.tensor([1, 3])], ids=repr)
def test_split_at_positions_of_any_sequence(sections: Any) -> None:
    parts = mg.split(mg.arange(5), sections)
    assert [part.numpy().tolist() for part in parts] == [[0], [1, 2], [3, 4]]


@pytest.mark.parametrize("sections", [{1, 3}, {1: 3}, "12"], ids=repr)
def test_split_at_positions_without_an_order_is_refused(sections: Any) -> None:
    with pytest.raises(OptionError, match="split: `sections`"):
        mg.split(mg.arange(5), sections)


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (lambda: mg.zeros((2, -1)), "zeros: expected `shape`"),
        (lambda: mg.ones(2.5), "ones: expected `shape`"),
        (lambda: mg.full((2, -1), 1), "full: expected `shape`"),
        (lambda: mg.arange(10**400), "arange: expected finite numbers"),
        (lambda: mg.arange(0, 1, 10**400), "arange: expected finite numbers"),
    ],
)
def test_an_error_begins_with_the_function_that_was_called(act: Any, says: str) -> None:
    with pytest.raises(MinigradError, match=f"^{says}"):
        act()
