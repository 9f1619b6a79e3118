"""The chain rule over graphs of every form: deep, wide, shared, freed, written over."""

from __future__ import annotations

import gc
import sys
import weakref
from types import ModuleType

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine import recording
from minigrad.engine.errors import GradientError

DEEP = 100_000


def chain(x: mg.Tensor, n: int) -> mg.Tensor:
    y = x
    for _ in range(n):
        y = y * 1.0
    return y


def test_a_shared_tensor_collects_from_every_reader() -> None:
    """The counter-example to running back depth first: b is read twice, and must be whole before it passes on."""
    a = mg.tensor(1.0, requires_grad=True)
    b = a + a
    c = b + b
    c.backward()
    assert a.grad.item() == 4.0
    assert (b.grad, c.grad) == (None, None)


def test_a_diamond_of_diamonds_is_walked_once() -> None:
    """2^60 paths, 60 nodes."""
    a = mg.tensor(1.0, requires_grad=True)
    y = a
    for _ in range(60):
        y = y + y
    y.backward()
    assert a.grad.item() == 2.0**60


def test_a_deep_chain_runs_forward_backward_and_is_freed() -> None:
    assert sys.getrecursionlimit() <= 1000
    x = mg.tensor(1.0, requires_grad=True)
    y = chain(x, DEEP)
    y.backward()
    assert x.grad.item() == 1.0
    last = weakref.ref(y)
    del y
    assert last() is None


def test_a_deep_chain_is_freed_without_backward() -> None:
    x = mg.tensor(1.0, requires_grad=True)
    y = chain(x, DEEP)
    first = y
    node = first.node
    while node.inputs[0].node is not None:
        node = node.inputs[0].node
    start = weakref.ref(node.inputs[0])
    del node, first, y, x
    assert start() is None


def test_a_deep_chain_of_several_outputs() -> None:
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    y = x
    for _ in range(DEEP // 10):
        first, second = mg.split(y, 2)
        y = mg.concat([second, first])
    y.backward([1.0, 3.0])
    assert x.grad.tolist() == [1.0, 3.0]
    del first, second, y


def test_a_deep_gradient_of_a_gradient() -> None:
    x = mg.tensor(1.0, requires_grad=True)
    y = x
    for _ in range(2_000):
        y = y * 1.0
    (dx,) = mg.grad(y * x, x, create_graph=True)
    (ddx,) = mg.grad(dx, x)
    assert (dx.item(), ddx.item()) == (2.0, 2.0)


def test_a_wide_graph() -> None:
    x = mg.tensor(2.0, "float64", requires_grad=True)
    mg.stack([x * float(k) for k in range(10_000)]).sum().backward()
    assert x.grad.item() == sum(range(10_000))


def test_outputs_that_nobody_reads_count_as_zero(backend: ModuleType) -> None:
    x = mg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    _, second = mg.unstack(x)
    (second * second).sum().backward()
    assert x.grad.tolist() == [[0.0, 0.0], [6.0, 8.0]]


def test_a_second_backward_is_an_error() -> None:
    x = mg.tensor(2.0, requires_grad=True)
    y = x * x
    y.backward()
    with pytest.raises(GradientError, match=r"freed by an earlier backward.*Run the forward computation again"):
        y.backward()
    assert x.grad.item() == 4.0


def test_a_graph_that_hangs_on_a_freed_one_is_an_error_that_changes_nothing() -> None:
    x = mg.tensor(2.0, requires_grad=True)
    freed, _ = mg.split(mg.stack([x, x]), 2)
    freed.sum().backward()
    z = (freed * x).sum() + x
    for _ in range(2):
        with pytest.raises(GradientError, match="freed"):
            z.backward()
    assert x.grad.item() == 1.0


def test_the_graph_lets_its_arrays_go_after_backward() -> None:
    x = mg.tensor(np.ones(3), requires_grad=True)
    y = x * x
    z = y.sum()
    inner, node = weakref.ref(y), z.node
    del y
    assert inner() is not None
    z.backward()
    assert inner() is None
    assert (node.y, node.params, node.arrays, node.inputs) == (None, None, (), ())


def test_the_graph_has_no_cycles() -> None:
    gc.collect()
    gc.disable()
    try:
        x = mg.tensor(1.0, requires_grad=True)
        y = mg.exp(mg.split(mg.stack([x, x]), 2)[0])
        seen = weakref.ref(y)
        del y
        assert seen() is None
    finally:
        gc.enable()


def test_a_write_to_what_the_tape_needs_is_an_error() -> None:
    x, c = mg.tensor([1.0, 2.0], requires_grad=True), mg.tensor([3.0, 4.0])
    y = (x * c).sum()
    c[0] = 5.0
    for create_graph in (False, True):
        with pytest.raises(GradientError, match=r"an input of Multiply, of shape \(2,\), was written to"):
            y.backward(create_graph=create_graph)
    assert x.grad is None


def test_a_write_to_a_copy_is_none() -> None:
    x, c = mg.tensor([1.0, 2.0], requires_grad=True), mg.tensor([3.0, 4.0])
    y = (x * c).sum()
    copy = c.detach()
    copy[0] = 5.0
    assert c.tolist() == [3.0, 4.0]
    y.backward()
    assert x.grad.tolist() == [3.0, 4.0]


def test_only_what_needs_a_gradient_is_recorded() -> None:
    x, c = mg.tensor(1.0, requires_grad=True), mg.tensor(2.0)
    assert (c * c).node is None
    assert (x * c).node.needs == [True, False]
    with recording.recording(False):
        assert (x * c).node is None


def test_what_was_recorded_stays_though_the_flag_changes() -> None:
    x = mg.tensor(3.0, requires_grad=True)
    y = x * x
    x.requires_grad = False
    assert mg.grad(y, x)[0].item() == 6.0


def test_observers_see_what_is_recorded() -> None:
    seen = []
    x = mg.tensor(3.0, requires_grad=True)
    with recording.observing(seen.append):
        y = x * x
        mg.tensor(1.0) * 2.0
    x * x
    assert seen == [y.node]
