"""Numbers that a dtype cannot hold, and arrays that mean more than their numbers: refused wherever they come in."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import minigrad as mg
import minigrad.convert
from minigrad.engine.creation import as_tensor
from minigrad.engine.errors import DTypeError, MinigradError
from needed import needed

strict_backend = needed("strict_backend")

# --- numbers that a dtype cannot hold -----------------------------------------------------------------------------

MISFITS = {
    "uint8": [[300], [-1], [256.0], [0.5], [math.nan], [math.inf], [2**63], [-0.5]],
    "int8": [[128], [-129], [1e3], [-2.5], [math.nan]],
    "uint16": [[-1], [65536], [65535.5]],
    "int32": [[2**31], [-(2**31) - 1], [3e9], [math.inf], [0.1]],
    "uint32": [[2**32], [-1.0]],
    "int64": [[2**63], [2.0**63], [-1e300], [math.nan], [1.5]],
    "uint64": [[-1], [2.0**64], [-0.1]],
    "float16": [[65520.0], [-1e5], [70000], [1e300], [math.inf, 1e6]],
    "float32": [[1e39], [-3.5e38], [math.nan, 1e300]],
}
FITTING = {
    "uint8": [[0, 255], [255.0], [True], [-0.0]],
    "int8": [[-128, 127]],
    "uint16": [[65535]],
    "int32": [[2**31 - 1, -(2**31)], [-(2.0**31)]],
    "int64": [[2**63 - 1], [-(2**63)], [-(2.0**63)], []],
    "uint64": [[2**64 - 1], [2.0**63]],
    "float16": [[65519.0, 0.1], [math.inf, -math.inf, math.nan], [60000], [1e-30]],
    "float32": [[3.4e38, 0.1], [-math.inf, math.nan], [2**60 + 1]],
    "float64": [[1e300, math.nan], [2**60 + 1]],
    "bool": [[0, 1, 2], [0.5, math.nan], [True]],
}


# A shape, and an index for each of the ways in which a backend adds.
PLACES: list[Any] = [
    ((2,), 0),
    ((2,), slice(0, 1)),
    ((2,), np.array([True, False])),
    ((2,), [0, 0]),
    ((2, 2), [0, 0]),
    ((2, 2), ([0, 0], [1, 1])),
    ((2, 2), ((0, 0), slice(None))),
]


def forms(numbers: list[float]) -> list[Any]:
    """The same numbers as nested lists, as an array, and each alone, Python's and NumPy's."""
    array = np.array(numbers)
    singles = [x for n in numbers for x in (n, np.array(n), np.array(n)[()])] if len(numbers) == 1 else []
    return [numbers, [numbers, numbers], array, array.reshape(-1, 1), *singles]


@pytest.mark.parametrize(("dtype", "numbers"), [(d, x) for d, lists in MISFITS.items() for x in lists])
def test_numbers_that_a_dtype_cannot_hold_are_refused(backend: ModuleType, dtype: str, numbers: list[float]) -> None:
    """As NumPy refuses Python's integers; no wrapping around, no cutting off, no infinity out of a finite number."""
    if dtype == "float16" and backend is strict_backend:
        pytest.skip("the array API standard has no float16")
    for data in forms(numbers):
        for make in (mg.tensor, as_tensor):
            with pytest.raises(DTypeError, match=f"the dtype {dtype} cannot hold"):
                make(data, dtype)
    if len(numbers) == 1:
        with pytest.raises(DTypeError):
            mg.full((2,), numbers[0], dtype)
        with pytest.raises(DTypeError):
            mg.zeros((2,), dtype)[0:1] = numbers[0]
        for x, index in PLACES:
            with pytest.raises(DTypeError, match=f"scatter_add: `values`: the dtype {dtype} cannot hold"):
                mg.functional.scatter_add(mg.zeros(x, dtype), index, numbers[0])


@pytest.mark.parametrize(("dtype", "numbers"), [(d, x) for d, lists in FITTING.items() for x in lists])
def test_numbers_that_a_dtype_holds(backend: ModuleType, dtype: str, numbers: list[float]) -> None:
    """The same numbers as NumPy's conversion."""
    if dtype == "float16" and backend is strict_backend:
        pytest.skip("the array API standard has no float16")
    for data in forms(numbers):
        np.testing.assert_array_equal(mg.tensor(data, dtype).numpy(), np.asarray(data).astype(dtype), strict=True)
    if dtype != "bool" and all(map(math.isfinite, numbers)):
        for x, index in PLACES[:2]:
            for number in numbers:
                added = mg.functional.scatter_add(mg.zeros(x, dtype), index, number)
                np.testing.assert_array_equal(
                    added.numpy(), np.array([np.array(number).astype(dtype), 0], dtype), strict=True
                )


def test_integers_of_a_tensor_that_another_dtype_cannot_hold(backend: ModuleType) -> None:
    """A check for Tensors of another dtype too; the sum is NumPy's."""
    for x, index in PLACES:
        for values in (mg.tensor(1.5), mg.tensor(300)):
            with pytest.raises(DTypeError, match="the dtype int8 cannot hold"):
                mg.functional.scatter_add(mg.zeros(x, "int8"), index, values)
        total = mg.functional.scatter_add(mg.zeros(x, "int8"), index, mg.tensor(3.0))
        np.testing.assert_array_equal(np.unique(total.numpy()), [0, 6 if isinstance(index, (list, tuple)) else 3])


def test_a_python_float_that_float32_cannot_hold(backend: ModuleType) -> None:
    """Without a dtype too: it would become infinite."""
    with pytest.raises(DTypeError, match=r"the dtype float32 cannot hold 1e\+300"):
        mg.tensor([1.0, 1e300])
    assert mg.tensor([1.0, 1e300], "float64").tolist() == [1.0, 1e300]
    with pytest.raises(DTypeError, match="arange: the dtype uint8 cannot hold 299"):
        mg.arange(300, dtype="uint8")


def lstm_model() -> Any:
    model = mg.keras.Sequential([mg.keras.layers.LSTM(2, name="lstm")])
    model(np.ones((1, 2, 3), "float32"))
    return model


def from_saved(model: Any, arrays: list[Any], folder: Path) -> None:
    wide = mg.keras.Sequential([mg.keras.layers.LSTM(2, name="lstm", dtype="float64")])
    wide(np.ones((1, 2, 3)))
    wide.set_weights(arrays)
    wide.save_weights(folder / "w.npz")
    model.load_weights(folder / "w.npz")


def from_keras(model: Any, arrays: list[Any], folder: Path) -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File(folder / "w.weights.h5", "w") as file:
        for k, array in enumerate(arrays):
            file[f"layers/lstm/cell/vars/{k}"] = array
    mg.convert.load_keras(folder / "w.weights.h5", model)


def from_torch(model: Any, arrays: list[Any], folder: Path) -> None:
    ih, hh, b = (a.T for a in arrays)
    state = {"weight_ih_l0": ih, "weight_hh_l0": hh, "bias_ih_l0": b, "bias_hh_l0": 0 * b}
    mg.convert.from_torch_state_dict(state, model.layers[0])


SETTERS: dict[str, Callable[[Any, list[Any], Path], Any]] = {
    "set_weights": lambda model, arrays, folder: model.set_weights(arrays),
    "set_weights, of a layer": lambda model, arrays, folder: model.layers[0].set_weights(arrays),
    "set_weights, of lists": lambda model, arrays, folder: model.set_weights([a.tolist() for a in arrays]),
    "set_weights, of Tensors": lambda model, arrays, folder: model.set_weights([mg.tensor(a) for a in arrays]),
    "assign": lambda model, arrays, folder: model.weights[2].assign(mg.tensor(arrays[2])),
    "assign an array": lambda model, arrays, folder: model.weights[2].assign(arrays[2]),
    "a file": from_saved,
    "a file of Keras": from_keras,
    "a state dict": from_torch,
}


@pytest.mark.parametrize("way", SETTERS)
def test_weights_that_a_dtype_cannot_hold_are_not_set(way: str, tmp_path: Path) -> None:
    """None of them: an error leaves the model as it was. Values that fit are set in the dtype of the model."""
    model = lstm_model()
    before = model.get_weights()
    arrays = [np.full(w.shape, 0.1 * k) for k, w in enumerate(before)]
    SETTERS[way](model, arrays, tmp_path)
    for after, array in list(zip(model.get_weights(), arrays, strict=True))[-1:]:
        np.testing.assert_array_equal(after, array.astype("float32"), strict=True)
    model.set_weights(before)
    arrays[-1][-1] = 1e300
    with pytest.raises(DTypeError, match=r"(lstm|w\.).*: the dtype float32 cannot hold 1e\+300"):
        SETTERS[way](model, arrays, tmp_path)
    for after, old in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(after, old, strict=True)


def test_python_floats_keep_their_digits_in_a_layer_of_float64() -> None:
    layer = mg.keras.layers.Dense(1, dtype="float64")
    layer.build((None, 1))
    layer.set_weights([[[0.1]], [1e300]])
    assert [w.tolist() for w in layer.get_weights()] == [[[0.1]], [1e300]]


# --- arrays whose meaning is more than their numbers --------------------------------------------------------------

MASKED = np.ma.masked_array([[1.0, 2.0], [3.0, 4.0]], mask=[[False, True], [False, False]])
ENTRANCES: dict[str, Callable[[Any, mg.Tensor], Any]] = {
    "tensor": lambda m, x: mg.tensor(m),
    "tensor with a dtype": lambda m, x: mg.tensor(m, "float64"),
    "a list": lambda m, x: mg.tensor([m, m]),
    "a list of lists": lambda m, x: mg.tensor([[1.0, 2.0], (3.0, m[0, 1])]),
    "the masked number": lambda m, x: mg.tensor(np.ma.masked),
    "+": lambda m, x: x + m,
    "+, in front": lambda m, x: m + x,
    "-, in front": lambda m, x: m - x,
    "*, in front": lambda m, x: m * x,
    "/, in front": lambda m, x: m / x,
    "**, in front": lambda m, x: m**x,
    "@": lambda m, x: x @ m,
    "@, in front": lambda m, x: m @ x,
    "<": lambda m, x: x < m,
    "==": lambda m, x: x == m,
    "writing": lambda m, x: x.__setitem__(slice(None), m),
    "an index": lambda m, x: x[np.ma.masked_array([0, 1], [True, False])],
    "exp": lambda m, x: mg.exp(m),
    "where": lambda m, x: mg.where(m > 2, x, 0.0),
    "concat": lambda m, x: mg.concat([x, m]),
    "a gradient": lambda m, x: (mg.tensor(np.ones((2, 2)), requires_grad=True) * 2).backward(m),
    "a layer": lambda m, x: mg.keras.layers.Dense(2)(m),
    "a recurrent layer": lambda m, x: mg.keras.layers.LSTM(2)(m[None]),
    "a mask": lambda m, x: mg.keras.layers.LSTM(2)(np.ones((2, 2, 2)), mask=m > 1),
    "weights": lambda m, x: built_dense().set_weights([m, np.zeros(2)]),
    "a loss": mg.keras.losses.MeanSquaredError(),
    "a metric": lambda m, x: mg.keras.metrics.Mean()(m),
    "fit": lambda m, x: compiled_model().fit(m, np.ones((2, 1)), verbose=0),
    "fit, targets": lambda m, x: compiled_model().fit(np.ones((2, 2)), m[:, :1], verbose=0),
    "fit, sample weights": lambda m, x: compiled_model().fit(np.ones((2, 2)), np.ones((2, 1)), sample_weight=m[:, 0]),
    "predict": lambda m, x: compiled_model().predict(m),
    "evaluate": lambda m, x: compiled_model().evaluate(m, np.ones((2, 1)), verbose=0),
    "train_on_batch": lambda m, x: compiled_model().train_on_batch(m, np.ones((2, 1))),
}


def built_dense() -> Any:
    layer = mg.keras.layers.Dense(2)
    layer.build((None, 2))
    return layer


def compiled_model() -> Any:
    model = mg.keras.Sequential([mg.keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize("enter", ENTRANCES.values(), ids=ENTRANCES)
def test_a_masked_array_is_refused(enter: Callable[[Any, mg.Tensor], Any]) -> None:
    """An error, as the mask would be lost; the message says how to fill it."""
    with pytest.raises(MinigradError, match=r"masked array, and its mask would be lost.*x\.filled\(0\)"):
        enter(MASKED.copy(), mg.tensor(np.ones((2, 2)), requires_grad=True).detach())


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
def test_a_matrix_is_its_numbers_but_not_in_a_product() -> None:
    """Refused: m * x is NumPy's matrix product and m ** n its power; here they would go element by element."""
    matrix, x = np.matrix([[1.0, 2.0], [3.0, 4.0]]), mg.tensor([[1.0, 0.0], [0.0, 2.0]])
    assert mg.tensor(matrix).tolist() == matrix.tolist()
    assert (matrix + x).tolist() == (x + matrix).tolist() == [[2.0, 2.0], [3.0, 6.0]]
    assert (matrix @ x).tolist() == [[1.0, 4.0], [3.0, 8.0]]
    for product in (lambda: matrix * x, lambda: x * matrix, lambda: x**matrix, lambda: mg.multiply(x, matrix)):
        with pytest.raises(DTypeError, match=r"np\.matrix.*np\.asarray\(m\)"):
            product()
