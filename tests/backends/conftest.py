"""Fixtures of the CuPy backend on a simulated GPU."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from types import ModuleType

import pytest

from pretended_cuda import Cuda, pretended


@pytest.fixture(scope="module")
def pretended_backend(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ModuleType, Cuda]]:
    """`minigrad_cupy` on a simulated CuPy, whose kernels run on the CPU; and the simulated device."""
    if shutil.which("g++") is None:
        pytest.skip("needs g++, to compile the kernels for the CPU")
    with pretended(tmp_path_factory.mktemp("kernels")) as both:
        yield both


@pytest.fixture
def cupy(pretended_backend: tuple[ModuleType, Cuda]) -> ModuleType:
    return pretended_backend[0]


@pytest.fixture
def cuda(pretended_backend: tuple[ModuleType, Cuda]) -> Cuda:
    pretended_backend[1].log.clear()
    return pretended_backend[1]
