"""The text of CUDA kernels: deterministic, with names that are free in C; and the cells that are refused."""

from __future__ import annotations

import subprocess
import sys
from types import ModuleType

import pytest

import minigrad_cuda
from kernel_cases import BUILT_IN, ODD, Kind, assert_loop_is_formulas, case_of
from kernel_reasons import NO_FLOAT16
from minigrad.engine.ops import pointwise as ops
from minigrad.engine.optional import LoopOptions
from minigrad.recurrent import LSTM, LSTMP, Equations, SimpleRNN, phi, sigma
from minigrad.recurrent.compiler import describe
from minigrad.recurrent.description import Line
from minigrad.recurrent.rules import rule_of

SIGMOID, TANH = rule_of(ops.Sigmoid), rule_of(ops.Tanh)
OPTIONS = LoopOptions(SIGMOID, TANH)


def text_of(kind: Kind) -> str:
    case = case_of(kind, (1, 1, 1, 4))
    h_masks = 0 if case.weights.h_masks is None else len(case.weights.h_masks)
    rules = rule_of(kind.sigma), rule_of(kind.phi)
    return minigrad_cuda.printed(case.cell.description(case.weights), kind.dtype, *rules, h_masks).text


PRINT = """
import sys
sys.path[:0] = {paths!r}
from backends.test_cuda_text import BUILT_IN, ODD, text_of
sys.stdout.buffer.write("".join(map(text_of, [*BUILT_IN, *ODD])).encode())
"""


def test_the_same_text_in_every_process() -> None:
    """Text that does not depend on the order of sets: the compiler's cache on disk finds it."""
    script = PRINT.format(paths=sys.path)
    found = [
        subprocess.run([sys.executable, "-c", script], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True)
        for seed in ("1", "2")
    ]
    assert found[0].stdout == found[1].stdout
    assert found[0].stdout.decode() == "".join(map(text_of, [*BUILT_IN, *ODD]))


def test_without_cupy() -> None:
    code = "import sys, minigrad_cuda; assert not {'cupy', 'numpy', 'minigrad'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("kind", [*BUILT_IN, *ODD], ids=str)
def test_the_text_is_readable(kind: Kind) -> None:
    text = text_of(kind)
    assert text.isascii()
    assert max(map(len, text.splitlines())) <= 120
    assert text.startswith(f"// {kind.equations.__name__}: a step as CUDA kernels in {kind.dtype}, printed from ")


class Named(Equations):
    """Names reserved in C, C++ and CUDA, macros of the C library, and names that the printer uses."""

    states = "real", "threadIdx", "state_real"
    products = "register unit M_PI = x W + real U + batch"

    def forward(register, unit, M_PI, real, threadIdx, state_real, live, *, double=0.5, exp=0.3):
        mask = sigma(register + live * threadIdx)
        linux = phi(M_PI) * exp
        cache_linux, next_real, Σ = mask * linux, phi(unit - double), sigma(state_real)
        NAN = cache_linux + real * Σ
        masked = NAN * next_real
        nth = masked - 1
        at = nth / 2
        n = at + nth
        tanh = phi(n) + threadIdx / 2
        return n, tanh, NAN - state_real / (2 + tanh * tanh)


def test_reserved_names(cupy: ModuleType) -> None:
    assert_loop_is_formulas(cupy, case_of(Kind(Named), (4, 5, 3, 4), "ragged"))


def test_options_are_arguments() -> None:
    """One text and one compilation for all numbers."""
    text = text_of(Kind(LSTMP, values={"forget_bias": 0.7, "cell_clip": 0.5, "proj_clip": 0.4}))
    assert text == text_of(Kind(LSTMP, values={"forget_bias": 1.0, "cell_clip": 9.0, "proj_clip": 0.3}))
    assert "real forget_bias, real cell_clip" in text
    assert "0.7" not in text


def test_reasons(cupy: ModuleType) -> None:
    d = describe(SimpleRNN)
    strange = TANH._replace(name="Strange", forward=(Line("y", "bessel(x)", 0),))
    reason = "the kernel has no function bessel"
    assert cupy.compile(d, "float32", OPTIONS._replace(phi=strange)) == reason
    assert cupy.text(d, "float32", OPTIONS._replace(phi=strange)) == f"// SimpleRNN: {reason}\n"
    assert cupy.compile(d, "float16", OPTIONS) == NO_FLOAT16
    power = TANH._replace(name="Power", forward=(Line("y", "x ** 3", 0),))
    assert cupy.compile(d, "float32", OPTIONS._replace(phi=power)) == "the kernel cannot compute `x ** 3`"
    assert not isinstance(cupy.compile(d, "float32", OPTIONS), str)


def test_shapes_that_contradict_each_other(cupy: ModuleType) -> None:
    case = case_of(Kind(LSTM), (4, 5, 3, 4))
    U = case.weights.U
    for weights, message in (
        (case.weights._replace(U=U[:3]), "LSTM: expected U of length 4 along axis 0, got 3"),
        (case.weights._replace(b=case.weights.b[:15]), "LSTM: expected b of length 16 along axis 0, got 15"),
    ):
        with pytest.raises(ValueError, match=message):
            case.loop(cupy).forward(case.x, case.state, weights, None, False)
