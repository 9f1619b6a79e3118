"""Fixtures of all tests: a fresh seed, a check that no test leaves the engine changed, the backends.

It needs NumPy and pytest alone; tests that need another package skip themselves with the reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from types import ModuleType

import pytest

from minigrad import random, using
from minigrad.compat import v1
from minigrad.engine import recording, registry
from minigrad.engine.autograd import GradientTape
from minigrad.engine.errors import BackendUnavailableError
from minigrad.engine.flow import FlowStack
from needed import needed

strict_backend = needed("strict_backend")

# `pytest -m gpu` runs the tests of a GPU alone; CuPy comes with the extra cuda12x or cuda13x.
ON_THE_GPU = [pytest.param("cupy", marks=pytest.mark.gpu)] if find_spec("cupy") else []
COMPILED = ["numba"] if find_spec("numba") else []  # from the extra `numba`
BACKENDS = ["numpy", *COMPILED, pytest.param(strict_backend, id="strict"), *ON_THE_GPU]


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Set how pytest-xdist shares out the tests, where it is installed and `-n` asks for it.

    One worker runs all tests of a file: they share trained models and compiled loops. Files keep their order, because
    some with few tests are slow. A worker takes up to 2 GB of memory.
    """
    if config.pluginmanager.hasplugin("xdist") and config.option.numprocesses:
        if config.option.dist == "no":
            config.option.dist = "loadfile"
        config.option.loadscopereorder = False
        config.option.maxprocesses = config.option.maxprocesses or 8


def leaks(before: ModuleType) -> list[str]:
    """Return the global state that a test left changed."""
    found = []
    if registry.current() is not before:
        found.append(f"the current backend is {registry.current().name!r}, was {before.name!r}")
    found += [f"a block is open: {stack.name}" for stack in FlowStack.everywhere if len(stack)]
    found += ["a block is open: recording or observing" for _ in recording.blocks()]
    if GradientTape._open:
        found.append("a GradientTape is open, here or in another thread")
    return found


@pytest.fixture(autouse=True)
def _no_leaks() -> Iterator[None]:
    """Give every test the same random numbers, and fail one that leaves global state changed."""
    before = registry.current()
    random.seed(0)
    yield
    found = leaks(before)
    recording.set_state(recording.State())
    GradientTape._open = ()
    for stack in FlowStack.everywhere:
        stack.clear()
    registry.use(before)
    assert not found, "; ".join(found)


@pytest.fixture
def fresh_variables() -> Iterator[None]:
    """Begin and end a test without variables of the first generation."""
    v1.reset_default_graph()
    yield
    v1.reset_default_graph()


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> Iterator[ModuleType]:
    """Run a test once on each backend."""
    try:
        module = registry.resolve(request.param)
    except BackendUnavailableError as error:
        pytest.skip(str(error))
    with using(module):
        yield module
