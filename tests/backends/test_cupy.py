"""The CuPy backend without a GPU: its kernels compiled for the CPU, its launches counted, its errors."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

import minigrad as mg
import minigrad_numpy
from benchmarks.gpu.roads import formulas_alone
from engine_errors import WOULD_FIT, full_memory
from kernel_cases import BUILT_IN, ODD, Kind, anything, assert_loop_is_formulas, case_of, trying
from minigrad.engine.errors import OutOfMemoryError
from minigrad.engine.ops import pointwise as ops
from minigrad.keras import layers as L
from minigrad.recurrent import GRU, LSTM, Equations, GRUResetBefore, SimpleRNN, phi, sigma, stop
from pretended_cuda import Cuda
from recurrent.odd_cells import Net1997
from rows import assert_same, masks

T, B, I, H = 5, 3, 4, 3
KINDS = {"lstm": (L.LSTM, 1), "gru": (L.GRU, 1), "simple_rnn": (L.SimpleRNN, 0)}  # layer, has gates
BOTH_WAYS = ["gemm", *["gemm", "forward"] * T, *["backward", "gemm"] * T]


class Inward(Equations):
    """Inner products of a state, of a column and of another product; one of them is a new state."""

    states = "h", "m"
    products = "z_a z_b = x W + h U + b"

    def forward(z_a, z_b, h, m, *, P, Q, R):
        u = h @ P
        v = z_b @ Q
        w = v @ R
        return phi(z_a + u * w) + m, v


class Blind(Equations):
    """Values without a gradient: an input, a product's source, a column; and two states that swap."""

    states = "h", "k"
    products = "z_a z_b = stop(x) W + h U", "y = stop(h) V + k T + c"

    def forward(z_a, z_b, y, h, k, q):
        return phi(z_a + y) * q + stop(sigma(z_b)), h + 0 * k


class Narrow(Equations):
    """All values but one state have another width than the units; the output is shared."""

    states = "g:blocks", "c", "n:small"
    output = "g"
    products = "z_g:blocks z_c = x W + g U + c T + b", "z_n:small = x V + n A + g D"

    def forward(z_g, z_c, z_n, g, c, n):
        g_new = sigma(z_g)
        return g_new, g_new * c + g * phi(z_c), (n + phi(z_n)) / 2


ACTIVATIONS = [(ops.Relu, ops.Elu), (ops.Gelu, ops.Mish), (ops.HardSigmoid, ops.Softsign)]
CELLS = [
    *BUILT_IN,
    *ODD[:-1],
    replace(ODD[-1], x_masks="one", h_masks="one"),
    Kind(Inward, h_masks="each"),
    Kind(Inward),
    Kind(Inward, h_masks="one"),
    Kind(Blind),
    Kind(Narrow, values={"blocks": 2, "small": 3}),
    *(replace(kind, sigma=sigma, phi=phi) for kind in ODD[:11] for sigma, phi in ACTIVATIONS[:1]),
    *(Kind(cell, *pair) for cell in (LSTM, GRU, GRUResetBefore, SimpleRNN) for pair in ACTIVATIONS),
]
"""Cells under test; all are compiled together."""


@pytest.fixture(scope="module", autouse=True)
def compiled_together(pretended_backend: tuple[ModuleType, Cuda]) -> None:
    """Compile the kernels of all cells in one run of the compiler."""
    cupy, device = pretended_backend
    loops = [case_of(kind, (1, 1, 1, 4)).loop(cupy) for kind in CELLS]
    device.compile_together(loop.loop.program.text for loop in loops if not isinstance(loop, str))


def numbers(layer: Any, mask: Any, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Return the outputs and all gradients, under random cotangents and from non-zero states."""
    x = mg.tensor(rng.standard_normal((B, T, I)), requires_grad=True)
    layer.build(x.shape)
    layer.set_weights([rng.standard_normal(w.shape) for w in layer.weights])
    h_0 = [mg.tensor(rng.standard_normal((B, H)), requires_grad=True) for _ in layer.states]
    ys = layer(x, initial_state=h_0, mask=None if mask is None else mg.tensor(mask.T))
    gradients = mg.grad(ys, [x, *h_0, *layer.weights], [mg.tensor(rng.standard_normal(y.shape)) for y in ys])
    return tuple(t.numpy() for t in [*ys, *gradients])


def test_the_contract(cupy: ModuleType) -> None:
    mg.testing.check_backend(cupy)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mask", ["none", "ragged", "late"])
@pytest.mark.parametrize("zero_output", [False, True])
@pytest.mark.parametrize("use_bias", [False, True])
@pytest.mark.parametrize("gate", ["sigmoid", "hard_sigmoid"])
def test_kernel_is_formula(
    kind: str,
    mask: str,
    zero_output: bool,
    use_bias: bool,
    gate: str,
    cupy: ModuleType,
) -> None:
    layer, gated = KINDS[kind]
    options: dict[str, Any] = {"zero_output_for_mask": zero_output, "use_bias": use_bias, "dtype": "float64"}
    options |= {"recurrent_activation": gate} if gated else {}
    found = []
    for backend in (cupy, formulas_alone(minigrad_numpy)):
        with mg.using(backend):
            made = layer(H, return_sequences=True, return_state=True, **options)
            found.append(numbers(made, masks(np.random.default_rng(1), T, B, mask), np.random.default_rng(2)))
            assert ("fused kernel" in made.path) == (backend is cupy)
    assert_same(found[0], found[1], 1e-10)


@pytest.mark.parametrize("kind", CELLS, ids=str)
@pytest.mark.parametrize("mask", ["none", "ragged", "late"])
def test_every_cell(kind: Kind, mask: str, cupy: ModuleType) -> None:
    """Outputs, final states and all gradients of three calls: launched, recorded, and replayed."""
    for seed in range(3):
        case = case_of(kind, (4, 5, 3, 4), mask, zero_output=seed == 1, seed=seed, turned=seed == 2)
        assert_loop_is_formulas(cupy, case, float32=2e-5)


@pytest.mark.parametrize("kind", [Kind(LSTM), CELLS[9], CELLS[11], Kind(Net1997, values={"blocks": 2})], ids=str)
def test_any_shape(kind: Kind, cupy: ModuleType) -> None:
    @anything
    @trying
    def compare(**drawn: Any) -> None:
        assert_loop_is_formulas(cupy, case_of(kind, **drawn))

    compare()


@pytest.mark.parametrize("kind", CELLS, ids=str)
def test_threads_may_come_in_any_order(kind: Kind, cupy: ModuleType, cuda: Cuda) -> None:
    """No thread reads what another writes in the same launch: the same bits in reverse order of threads."""
    case, found = case_of(kind, (4, 5, 3, 6), "ragged"), []
    for cuda.last_first in (False, True):
        found.append(case.by_loop(cupy))
    cuda.last_first = False
    for one, other in zip(*found, strict=True):
        assert one is other is None or np.array_equal(one, other)


@pytest.mark.parametrize("kind", CELLS, ids=str)
def test_backward_again_and_without_dx(kind: Kind, cupy: ModuleType) -> None:
    case = case_of(kind, (5, 2, 3, 4), "ragged")
    loop = case.loop(cupy)
    y, state_T, cache = loop.forward(case.x, case.state, case.weights, case.mask, False)
    dx, *first = loop.backward(case.dy, case.dstate, case.x, case.weights, cache, True)
    expected = [d if d is None else d.copy() for part in first for d in part]
    for array in (dx, y, *state_T, *(d for part in first for d in part if d is not None)):
        array[...] = np.nan  # the caller owns them; writing to them does not change the cache
    dx, *again = loop.backward(case.dy, case.dstate, case.x, case.weights, cache, False)
    assert dx is None
    for a, b in zip([d for part in again for d in part], expected, strict=True):
        assert a is b is None or np.array_equal(a, b)


@pytest.mark.parametrize("kind", KINDS)
def test_two_launches_a_step_then_one_for_all(kind: str, cupy: ModuleType, cuda: Cuda) -> None:
    """Launched in the first call, recorded and replayed in the second, only replayed from the third on."""
    with mg.using(cupy):
        layer = KINDS[kind][0](H + 1, return_sequences=True, dtype="float64")  # units of no other test: a new pool
        x = mg.random.normal((B, T, I), dtype="float64")
        logs = []
        for _ in range(3):
            cuda.log.clear()
            layer(x).sum().backward()
            logs.append(list(cuda.log))
    assert logs == [BOTH_WAYS, ["gemm", "graph", "graph"], ["gemm", "graph", "graph"]]


STEPS = [
    (Kind(LSTM), "gemm forward", "backward gemm"),
    (Kind(LSTM, h_masks="one"), "dropout gemm forward", "backward gemm dropout_backward"),
    (Kind(GRUResetBefore), "gemm forward_1 gemm forward_2", "backward_1 gemm backward_2 gemm"),
    (BUILT_IN[11], "gemm forward_1 gemm forward_2", "backward_1 gemm backward_2 gemm"),
    (ODD[3], "gemm forward_1 gemm forward_2 gemm forward_3", "backward_1 gemm backward_2 gemm backward_3 gemm"),
    (Kind(Net1997, values={"blocks": 2}), "gemm gemm gemm forward", "backward_1 backward_2 gemm gemm gemm"),
]


@pytest.mark.parametrize(("kind", "forward", "backward"), STEPS)
def test_launches_of_a_step(kind: Kind, forward: str, backward: str, cupy: ModuleType, cuda: Cuda) -> None:
    """A kernel for each stage between two products, and one that sums the gradients of shared values."""
    case_of(replace(kind, h_masks=kind.h_masks.replace("each", "none")), (T, 7, I, 6)).by_loop(cupy)
    assert cuda.log == ["gemm", *forward.split() * T, *backward.split() * T]


def test_sequences_in_use_do_not_share_arrays(cupy: ModuleType) -> None:
    with mg.using(cupy):
        layer = L.LSTM(H, return_sequences=True, dtype="float64")
        x, other = (mg.tensor(mg.random.normal((B, T, I), dtype="float64"), requires_grad=True) for _ in range(2))
        alone = mg.grad((layer(x) ** 2).sum(), [x])[0].numpy()
        loss = (layer(x) ** 2).sum()
        layer(other)
        np.testing.assert_array_equal(mg.grad(loss, [x])[0].numpy(), alone)


def test_backward_twice(cupy: ModuleType) -> None:
    """The first backward pass leaves the cache intact."""
    with mg.using(cupy):
        layer = L.GRU(H, dtype="float64")
        x = mg.tensor(np.ones((B, T, I)), requires_grad=True)
        y = layer(x)
        first, second = (mg.grad([y.sum()], [x], create_graph=True)[0].numpy() for _ in range(2))
        np.testing.assert_allclose(first, second, rtol=1e-12)


def test_transfers_are_counted(cupy: ModuleType) -> None:
    with mg.using(cupy):
        model = mg.keras.Sequential([L.LSTM(H), L.Dense(1)])
        model.compile("adam", "mse")
        before = cupy.transfers
        x, y = mg.ones((B, T, I)), mg.ones((B, 1))
        with mg.GradientTape() as tape:
            loss = ((model(x, training=True) - y) ** 2).mean()
        weights = model.trainable_weights
        model.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        assert cupy.transfers == before
        loss.item()
        assert cupy.transfers == before + 1


FULL = re.compile(
    rf"fit, epoch 1, step 1: {full_memory('cupy')} at a batch of (\d+) rows: of 2 MiB are ([\d.]+) "
    r"MiB in use and ([\d.]+) MiB by this step, and ([\d.]+) MiB more were requested\. At most (\d+) "
    rf"{WOULD_FIT} of the step needs memory too: try batch_size=(\d+) or less\."
)


def numbers_of_error(run: Callable[[], object]) -> list[float] | None:
    """Return the numbers in the error for a batch that does not fit; None for one that fits."""
    try:
        run()
    except OutOfMemoryError as error:
        match = FULL.fullmatch(str(error))
        return [float(number) for number in match.groups()] if match else []
    return None


def test_a_batch_that_does_not_fit(cupy: ModuleType, cuda: Cuda) -> None:
    """The advised batch size fits after one or two errors; the memory of a failed step is freed."""
    tried = [64]
    with mg.using(cupy):
        model = mg.keras.Sequential([L.LSTM(31, return_sequences=True), L.LSTM(31), L.Dense(1)])
        model.compile("adam", "mse")
        x, y = np.ones((64, 20, 8), "float32"), np.ones((64, 1), "float32")
        model.train_on_batch(x[:1], y[:1])
        with cuda.pool.limited(2 << 20):
            while numbers := numbers_of_error(lambda: model.fit(x, y, batch_size=tried[-1], verbose=0)):
                size, rest, step, more, fit, advised = numbers
                assert size == tried[-1]
                assert rest < 0.5
                assert fit == pytest.approx(min(size - 1, (2 - rest) * size / (step + more)), abs=1.1)
                assert advised <= fit < 2 * advised
                tried.append(int(advised))
    assert numbers is None
    assert 2 <= len(tried) <= 3


# --- errors -----------------------------------------------------------------------------------------------------------


class CUDARuntimeError(RuntimeError):
    """An error with the name of CuPy's."""


@pytest.mark.parametrize(
    ("error", "driver", "expected"),
    [
        ("cudaErrorInsufficientDriver: …", 0, "this machine has no NVIDIA driver."),
        (
            "cudaErrorInsufficientDriver: …",
            11080,
            "the NVIDIA driver supports CUDA 11.8 and this CuPy was built for 12.9. Update the driver, or install",
        ),
        ("cudaErrorNoDevice: no CUDA-capable device is detected", 12090, "the driver finds no GPU."),
        ("cudaErrorMemoryAllocation: out of memory", 12090, "the GPU's memory is full."),
        (
            "cudaErrorUnknown: unknown error",
            12090,
            "the CUDA driver failed (CUDARuntimeError: cudaErrorUnknown: unknown error).",
        ),
    ],
)
def test_a_broken_device(
    error: str, driver: int, expected: str, cupy: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise CUDARuntimeError(error)

    runtime = SimpleNamespace(driverGetVersion=lambda: driver, runtimeGetVersion=lambda: 12090)
    monkeypatch.setattr(cupy.device.cp.cuda, "runtime", runtime)
    monkeypatch.setattr(cupy.device.cp, "empty", fail)
    reason = cupy.probe()
    assert reason.startswith(f"it cannot allocate memory: {expected}")


def test_a_missing_library(cupy: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ImportError("libcurand.so.10: cannot open shared object file")

    monkeypatch.setattr(cupy.device.cp.cuda, "runtime", SimpleNamespace(runtimeGetVersion=lambda: 12090))
    monkeypatch.setattr(cupy.device.cp.random, "standard_normal", fail)
    assert cupy.probe() == (
        "it cannot draw random numbers: cuRAND cannot be loaded (ImportError: libcurand.so.10: cannot open shared "
        "object file). Install NVIDIA's libraries: pip install 'cupy-cuda12x[ctk]'"
    )


def test_a_working_device(cupy: ModuleType) -> None:
    assert cupy.probe() is None
