"""Compilation of every cell's kernels by NVRTC, for architectures from Volta to Hopper; needs no GPU and no CuPy."""

from __future__ import annotations

import ctypes
import itertools
from importlib import metadata
from typing import Any

import pytest

import minigrad_cuda
from kernel_cases import BUILT_IN, ODD, Kind, case_of
from minigrad.engine.ops import pointwise as ops
from minigrad.engine.ops.op import Op
from minigrad.recurrent import GRU, LSTM, LSTMP, GRUResetBefore, SimpleRNN
from minigrad.recurrent.rules import rule_of

WHEEL = "nvidia-cuda-nvrtc-cu12"
ARCHITECTURES = (70, 75, 80, 86, 89, 90)
DTYPES = ("float32", "float64")
ELEMENTWISE = [
    op for op in vars(ops).values() if isinstance(op, type) and issubclass(op, Op) and op is not Op and rule_of(op)
]


@pytest.fixture(scope="module")
def nvrtc() -> ctypes.CDLL:
    """Return NVIDIA's compiler, from its wheel."""
    try:
        files = metadata.files(WHEEL) or []
    except metadata.PackageNotFoundError:
        pytest.skip("needs NVIDIA's compiler, 90 MB: pip install nvidia-cuda-nvrtc-cu12")
    (library,) = (file for file in files if file.name.startswith(("libnvrtc.so", "nvrtc64")))
    return ctypes.CDLL(str(library.locate()))


def cuda_of(kind: Kind, dtype: str) -> str:
    """Return the text of a cell."""
    case = case_of(kind, (1, 1, 1, 4))
    rules = rule_of(kind.sigma), rule_of(kind.phi)
    h_masks = 0 if case.weights.h_masks is None else len(case.weights.h_masks)
    return minigrad_cuda.printed(case.cell.description(case.weights), dtype, *rules, h_masks).text


def compiled(nvrtc: ctypes.CDLL, source: str, arch: int) -> tuple[str, str]:
    """Return the compiler's messages and the code."""
    program = ctypes.c_void_p()
    options = ["--std=c++14", f"-arch=sm_{arch}"]
    assert nvrtc.nvrtcCreateProgram(ctypes.byref(program), source.encode(), b"kernels.cu", 0, None, None) == 0
    given = (ctypes.c_char_p * len(options))(*[option.encode() for option in options])
    failed = nvrtc.nvrtcCompileProgram(program, len(options), given)
    log = text(nvrtc.nvrtcGetProgramLogSize, nvrtc.nvrtcGetProgramLog, program)
    assert failed == 0, log
    code = text(nvrtc.nvrtcGetCUBINSize, nvrtc.nvrtcGetCUBIN, program)
    nvrtc.nvrtcDestroyProgram(ctypes.byref(program))
    return log, code


def text(size_of: Any, get: Any, program: ctypes.c_void_p) -> str:
    size = ctypes.c_size_t()
    assert size_of(program, ctypes.byref(size)) == 0
    buffer = ctypes.create_string_buffer(size.value)
    assert get(program, buffer) == 0
    return buffer.raw.decode("latin-1").strip("\0\n ")


def assert_compiles(nvrtc: ctypes.CDLL, source: str, arch: int) -> None:
    log, code = compiled(nvrtc, source, arch)
    assert [line for line in log.splitlines() if "deprecated" not in line] == []  # Volta is deprecated
    assert code.startswith("\x7fELF")
    assert "forward" in code
    assert "backward" in code


@pytest.mark.parametrize("kind", [*BUILT_IN, *ODD], ids=str)
def test_every_cell_on_every_architecture(kind: Kind, nvrtc: ctypes.CDLL) -> None:
    for dtype, arch in itertools.product(DTYPES, ARCHITECTURES):
        assert_compiles(nvrtc, cuda_of(kind, dtype), arch)


@pytest.mark.parametrize("op", ELEMENTWISE)
def test_every_activation(op: type[Op], nvrtc: ctypes.CDLL) -> None:
    """As σ and as φ, in every built-in cell, on the oldest and the newest architecture."""
    values = {"cell_clip": 0.5, "proj_clip": 0.5}
    for cell, dtype in itertools.product((LSTM, GRU, GRUResetBefore, SimpleRNN, LSTMP), DTYPES):
        source = cuda_of(Kind(cell, op, op, values if cell is LSTMP else {}), dtype)
        for arch in (ARCHITECTURES[0], ARCHITECTURES[-1]):
            assert_compiles(nvrtc, source, arch)


def test_an_error_is_detected(nvrtc: ctypes.CDLL) -> None:
    with pytest.raises(AssertionError, match='identifier "tanj" is undefined'):
        compiled(nvrtc, cuda_of(Kind(LSTM), "float32").replace("tanh(", "tanj("), 80)
