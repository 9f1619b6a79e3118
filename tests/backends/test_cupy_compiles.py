"""NVRTC takes the kernels for every architecture from Volta to Hopper: no GPU needed, and no CuPy."""

from __future__ import annotations

import ctypes
import importlib.util
import itertools
import runpy
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

WHEEL = "nvidia-cuda-nvrtc-cu12"
ARCHITECTURES = (70, 75, 80, 86, 89, 90)


@pytest.fixture(scope="module")
def nvrtc() -> ctypes.CDLL:
    """NVIDIA's compiler, from its wheel."""
    try:
        files = metadata.files(WHEEL) or []
    except metadata.PackageNotFoundError:
        pytest.skip("needs NVIDIA's compiler, 90 MB: pip install nvidia-cuda-nvrtc-cu12")
    (library,) = (file for file in files if file.name.startswith(("libnvrtc.so", "nvrtc64")))
    return ctypes.CDLL(str(library.locate()))


@pytest.fixture(scope="module")
def source() -> dict[str, Any]:
    """The module `minigrad_cupy.source`, without its package, which imports CuPy."""
    found = importlib.util.find_spec("minigrad_cupy")
    assert found
    assert found.origin
    return runpy.run_path(str(Path(found.origin).with_name("source.py")))


def compiled(nvrtc: ctypes.CDLL, source: str, options: list[str]) -> tuple[str, str]:
    """What the compiler says, and the code that it makes."""
    program = ctypes.c_void_p()
    assert nvrtc.nvrtcCreateProgram(ctypes.byref(program), source.encode(), b"kernels.cu", 0, None, None) == 0
    given = (ctypes.c_char_p * len(options))(*[option.encode() for option in options])
    failed = nvrtc.nvrtcCompileProgram(program, len(options), given)
    told = text(nvrtc.nvrtcGetProgramLogSize, nvrtc.nvrtcGetProgramLog, program)
    assert failed == 0, told
    code = text(nvrtc.nvrtcGetCUBINSize, nvrtc.nvrtcGetCUBIN, program)
    nvrtc.nvrtcDestroyProgram(ctypes.byref(program))
    return told, code


def text(size_of: Any, get: Any, program: ctypes.c_void_p) -> str:
    size = ctypes.c_size_t()
    assert size_of(program, ctypes.byref(size)) == 0
    buffer = ctypes.create_string_buffer(size.value)
    assert get(program, buffer) == 0
    return buffer.raw.decode("latin-1").strip("\0\n ")


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "SIMPLE_RNN"])
def test_they_compile_without_a_warning(kind: str, nvrtc: ctypes.CDLL, source: dict[str, Any]) -> None:
    for real, hard, arch in itertools.product(("float", "double"), ([], ["-DHARD"]), ARCHITECTURES):
        options = ["--std=c++14", f"-Dreal={real}", f"-arch=sm_{arch}", *hard]
        told, code = compiled(nvrtc, source["PRELUDE"] + source[kind], options)
        assert [line for line in told.splitlines() if "deprecated" not in line] == []  # Volta's days are numbered
        assert code.startswith("\x7fELF")
        assert "forward" in code
        assert "backward" in code


def test_a_mistake_is_seen(nvrtc: ctypes.CDLL, source: dict[str, Any]) -> None:
    with pytest.raises(AssertionError, match='identifier "tanj" is undefined'):
        compiled(nvrtc, (source["PRELUDE"] + source["LSTM"]).replace("tanh", "tanj"), ["-Dreal=float", "-arch=sm_80"])
