"""The memory pool of the fused loops."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from minigrad_numpy import memory


@pytest.fixture
def pieces(monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
    monkeypatch.setattr(memory, "_blocks", fresh := [])
    monkeypatch.setattr(memory, "MIN_POOLED_BYTES", 300)
    return fresh


def address(array: np.ndarray) -> int:
    return array.ctypes.data


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_arrays_of_one_block_do_not_overlap(
    pieces: list[np.ndarray], dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "MIN_POOLED_BYTES", 1)
    shapes = [(3, 5), (0, 4), (7,), (2, 2, 2)]
    arrays = memory.allocate(dtype, *shapes)
    assert [array.shape for array in arrays] == shapes
    for k, array in enumerate(arrays):
        array[...] = k
    assert all((array == k).all() and array.dtype == dtype for k, array in enumerate(arrays))
    assert {(address(array) - address(arrays[0])) % memory.LINE for array in arrays if array.size} == {0}


def test_memory_in_use_is_not_reused(pieces: list[np.ndarray]) -> None:
    (first,) = memory.allocate("float32", (1000,))
    view = first.reshape(10, 100)[2:5].T
    del first
    (second,) = memory.allocate("float32", (1000,))
    assert not np.shares_memory(view, second)
    assert len(pieces) == 2


def test_unused_memory_is_reused(pieces: list[np.ndarray]) -> None:
    (first,) = memory.allocate("float32", (1000,))
    first_address = address(first)
    del first
    (second,) = memory.allocate("float64", (400,))
    assert address(second) == first_address
    (third,) = memory.allocate("float32", (1000,))
    assert address(third) != first_address
    del second
    (small,) = memory.allocate("float32", (100,))  # less than half of the block
    assert address(small) != first_address


def test_the_pool_is_limited(pieces: list[np.ndarray], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MAX_POOL_BYTES", 10_000)
    held = [memory.allocate("float32", (1000,))[0] for _ in range(5)]
    assert len(pieces) == 2
    memory.allocate("float32", (10,))  # small arrays come from the allocator
    assert len(pieces) == 2
    (large,) = memory.allocate("float32", (5000,))
    assert not pieces
    assert not any(np.shares_memory(large, array) for array in held)
    monkeypatch.setattr(memory, "MAX_BLOCKS", 1)
    held = [memory.allocate("float32", (100,))[0] for _ in range(3)]
    assert len(pieces) == 1


def test_threads_never_share_memory(pieces: list[np.ndarray]) -> None:
    def work(number: int) -> int:
        wrong = 0
        for _ in range(300):
            (array,) = memory.allocate("float32", (2000,))
            array[...] = number
            time.sleep(0)
            wrong += int((array != number).any())
        return wrong

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(work, range(4))) == 0


FAULTS = """
import resource
import numpy as np
import minigrad_numpy

def step():
    arrays = [np.ones(1 << 18) for _ in range(8)]  # 2 MiB each

step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    step()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="asks the allocator of glibc")
def test_a_step_requests_no_memory_that_the_last_one_freed() -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MALLOC_", "GLIBC_TUNABLES"))}
    environment["PYTHONPATH"] = os.pathsep.join(sys.path)
    done = subprocess.run([sys.executable, "-c", FAULTS], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 400  # pages; all of the arrays are 40,960
