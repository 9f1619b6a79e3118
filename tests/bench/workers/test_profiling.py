"""Shares of the time of a run."""

from __future__ import annotations

import time

import pytest

import minigrad as mg
from minigrad.bench.workers import with_minigrad
from minigrad.bench.workers.profiling import profile
from minigrad.bench.workers.with_minigrad import Contender
from minigrad.engine import registry

NAMES = {"total", "floor", "products", "compiled", "elementwise", "copies", "python"}


def build(work, python=0.0):
    """Return a builder of runs of an operation on two large matrices, and of a pause."""

    def make():
        a = mg.random.normal((400, 400)).array

        def run():
            work(a)
            time.sleep(python)

        return run

    return make


def test_a_product_and_a_pause():
    shares = profile(build(lambda a: a @ a, python=0.05), 0.0)
    assert set(shares) == NAMES
    assert shares["total"] > 0.999 * sum(shares[kind] for kind in NAMES - {"total", "floor"})
    assert shares["products"] > 0
    assert shares["python"] > 0.03
    assert shares["floor"] > 0
    assert shares["elementwise"] == shares["compiled"] == shares["copies"] == 0


def test_a_pass_and_a_copy_have_no_floor():
    shares = profile(build(lambda a: (a + a).copy()), 0.0)
    assert shares["products"] == 0
    assert shares["elementwise"] > 0
    assert shares["copies"] > 0
    assert shares["floor"] < 0.1 * shares["total"]


def test_the_floor_may_come_from_another_run():
    shares = profile(build(lambda a: a + a), 0.0, build(lambda a: a @ a))
    assert shares["products"] == 0
    assert shares["floor"] > 0


@pytest.mark.parametrize(
    "request_", [["lstm", 2, 3, 4, 5], ["model", "gru", 2, 5, 3, 4], ["operation", "x.sum(), backward"]]
)
@pytest.mark.parametrize("backend", ["numpy", "numba"])
def test_any_request(backend, request_, monkeypatch):
    if backend == "numba":
        pytest.importorskip("numba")
    monkeypatch.setattr(with_minigrad, "use", registry.resolve)
    with registry.using(backend):
        shares = Contender(backend, 1).profile(0.0, request_)
    assert set(shares) == NAMES
    assert shares["floor"] > 0
    assert bool(shares["products"]) == (backend == "numpy" and request_[0] != "operation") or request_[0] == "model"
    assert bool(shares["compiled"]) == (backend == "numba" and request_[0] != "operation")


def test_seconds_are_those_of_one_operation():
    it = Contender("numpy", 1)
    of_chain = it.profile(0.0, ["operation", "1000 × y + 1.0, each"])
    assert of_chain["total"] < 1e-3


def test_a_device_is_not_recorded(monkeypatch):
    it = Contender("numpy", 1)
    monkeypatch.setattr(it._backend, "on_host", False)
    with pytest.raises(TypeError, match="computes on a device"):
        it.profile(0.0, ["lstm", 2, 3, 4, 5])
