"""Import of every address of the first version, which gives the module of today."""

from __future__ import annotations

import pickle
import sys
from importlib import import_module
from pathlib import Path

import pytest

from minigrad.engine.aliases import ALIASES, resolve

LISTED = [
    line.partition(": ") for line in (Path(__file__).parent / "addresses.txt").read_text().splitlines()[1:] if line
]


@pytest.mark.parametrize(("module", "names"), [(m, n.split()) for m, _, n in LISTED], ids=[m for m, *_ in LISTED])
def test_can_be_imported(module: str, names: list[str]) -> None:
    try:
        found = import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("minigrad"):
            raise
        pytest.skip(f"needs {error.name}")
    assert [name for name in names if not hasattr(found, name)] == []


@pytest.mark.parametrize("alias", ALIASES)
def test_an_earlier_address_is_the_same_module(alias: str) -> None:
    module = import_module(alias)
    assert module is import_module(ALIASES[alias])
    assert module.__spec__ is not None
    assert module.__spec__.name == ALIASES[alias]


@pytest.mark.parametrize("alias", ALIASES)
def test_no_alias_hides_a_file(alias: str) -> None:
    path = Path(__file__).parents[1].joinpath(*alias.split("."))
    assert not path.with_suffix(".py").exists()
    assert not list(path.glob("*.py"))


def test_a_module_inside_an_earlier_package_is_found() -> None:
    assert resolve("minigrad.functional.shaping") == "minigrad.engine.functional.shaping"
    assert import_module("minigrad.ops.pointwise") is sys.modules["minigrad.engine.ops.pointwise"]


@pytest.mark.parametrize("alias", ALIASES)
def test_an_earlier_address_is_an_attribute(alias: str) -> None:
    package, _, name = alias.rpartition(".")
    if alias == "minigrad.tensor":  # the function
        return
    assert getattr(import_module(package), name) is import_module(ALIASES[alias])


def test_other_names_are_left_to_python() -> None:
    assert resolve("minigrad.nothing") is None
    assert resolve("minigrad.engine.tape") is None
    with pytest.raises(ModuleNotFoundError, match=r"minigrad\.nothing"):
        import_module("minigrad.nothing")


def test_the_module_tensor_does_not_hide_the_function() -> None:
    import minigrad as mg

    import_module("minigrad.tensor")
    assert mg.tensor(1.0).item() == 1.0


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("minigrad.tensor", "Tensor"),
        ("minigrad.layers.weight", "Weight"),
        ("minigrad.keras.layers.lstm", "LSTM"),
        ("minigrad.keras.callbacks", "History"),
        ("minigrad.compat.v1.keras.layers.lstm", "LSTMCell"),
        ("minigrad.compat.v1.nn.rnn_cell.cells", "BasicLSTMCell"),
        ("minigrad.compat.v1.nn.rnn_cell.cells", "LSTMCell"),
        ("minigrad.ops.arithmetic", "Maximum"),
        ("minigrad.ops.arithmetic", "Minimum"),
        ("minigrad.ops.arithmetic", "Power"),
        ("minigrad.ops.arithmetic", "Where"),
        ("minigrad.flow", "Override"),
        ("minigrad.flow", "Stack"),
        ("minigrad.indices", "plain_index"),
        ("minigrad.late", "late"),
        ("minigrad.layers.nest", "like"),
        ("minigrad.layers.nest", "over"),
        ("minigrad.tape", "state"),
    ],
)
def test_a_pickle_of_version_0_1_0_finds_its_class(module: str, name: str) -> None:
    assert callable(pickle.loads(f"c{module}\n{name}\n.".encode()))


def test_a_list_of_callbacks_by_its_earlier_names() -> None:
    from minigrad.keras.callbacks import Callback, CallbackList

    seen = []

    class Batches(Callback):
        def on_train_batch_end(self, batch: int, logs: object = None) -> None:
            seen.append(batch)

    callbacks = CallbackList([Batches()], None, {})
    callbacks.tell("on_train_batch_end", 3)
    assert seen == [3]
    assert callbacks.for_batches
