"""NVRTC takes the kernels for every architecture from Volta to Hopper: it needs CuPy and its libraries, no GPU."""

from __future__ import annotations

import itertools

import pytest

ARCHITECTURES = (70, 75, 80, 86, 89, 90)


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "SIMPLE_RNN"])
def test_they_compile(kind: str) -> None:
    pytest.importorskip("cupy", reason="needs CuPy: pip install 'cupy-cuda12x[ctk]'", exc_type=ImportError)
    from cupy_backends.cuda.libs import nvrtc

    from minigrad_cupy import source

    for real, hard, arch in itertools.product(("float", "double"), ((), ("-DHARD",)), ARCHITECTURES):
        program = nvrtc.createProgram(source.PRELUDE + getattr(source, kind), "kernels.cu", (), ())
        nvrtc.compileProgram(program, ("--std=c++14", f"-Dreal={real}", f"-arch=sm_{arch}", *hard))
        complaints = [
            line for line in nvrtc.getProgramLog(program).strip("\0\n ").splitlines() if "deprecated" not in line
        ]
        assert not complaints
        assert "forward" in str(nvrtc.getPTX(program))
