"""What every test gets: fresh random numbers, and an error if it leaves the engine changed; what it may ask for."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from types import ModuleType

import pytest

import strict_backend
from minigrad import random, using
from minigrad.compat import v1
from minigrad.engine import recording, registry
from minigrad.engine.autograd import GradientTape
from minigrad.engine.errors import BackendUnavailableError
from minigrad.engine.flow import Stack

# `pytest -m gpu` runs what runs on a GPU, and nothing else; CuPy comes with the extra cuda12x or cuda13x.
ON_THE_GPU = [pytest.param("cupy", marks=pytest.mark.gpu)] if find_spec("cupy") else []
COMPILED = ["numba"] if find_spec("numba") else []  # from the extra `numba`
BACKENDS = ["numpy", *COMPILED, strict_backend, *ON_THE_GPU]


def leaks(before: ModuleType) -> list[str]:
    """Return what a test left behind that the next one would meet."""
    found = []
    if registry.current() is not before:
        found.append(f"the current backend is {registry.current().name!r}, was {before.name!r}")
    found += [f"a block is open: {stack.name}" for stack in Stack.everywhere if len(stack)]
    found += ["a block is open: recording or observing" for _ in recording.blocks()]
    if GradientTape._open:
        found.append("a GradientTape is open, here or in another thread")
    return found


@pytest.fixture(autouse=True)
def _no_leaks() -> Iterator[None]:
    """The same random numbers for every test, whichever ran before; nothing left switched for the next."""
    before = registry.current()
    random.seed(0)
    yield
    found = leaks(before)
    recording.set_state(recording.State())
    GradientTape._open = ()
    for stack in Stack.everywhere:
        stack.clear()
    registry.use(before)
    assert not found, "; ".join(found)


@pytest.fixture
def fresh_variables() -> Iterator[None]:
    """The first generation has no variables at the start, and keeps none."""
    v1.reset_default_graph()
    yield
    v1.reset_default_graph()


@pytest.fixture(params=BACKENDS, ids=lambda backend: getattr(backend, "name", backend))
def backend(request: pytest.FixtureRequest) -> Iterator[ModuleType]:
    """The test runs once on each backend."""
    try:
        module = registry.resolve(request.param)
    except BackendUnavailableError as error:
        pytest.skip(str(error))
    with using(module):
        yield module
