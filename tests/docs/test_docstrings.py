"""Changes to the objects that Griffe read, so that MkDocs shows them as `help()` does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("griffe", reason="the API reference needs pip install -e '.[docs]'")

import griffe

from docs.builder.docstrings import Docstrings, arguments, entries, fenced

ROOT = Path(__file__).resolve().parents[2]


def test_doctests_become_blocks_of_code() -> None:
    assert fenced("It adds.\n\n>>> 1 + 1\n2\n\nSo it is.") == "It adds.\n\n```pycon\n>>> 1 + 1\n2\n```\n\nSo it is."
    assert (
        fenced("    >>> f(\n    ...     1)\n      x\n")
        == "    ```pycon\n    >>> f(\n    ...     1)\n      x\n    ```\n"
    )


def test_the_section_on_arguments() -> None:
    text = "One.\n\nArgs:\n    a: the first,\n        in two lines.\n\n    b: more.\n\nReturns:\n    c."
    assert arguments(text) == "Args:\n    a: the first,\n        in two lines.\n\n    b: more."
    assert arguments("One.\n\nReturns:\n    c.") == ""


@pytest.fixture(scope="module")
def minigrad() -> Any:
    extensions = griffe.Extensions(Docstrings())
    return griffe.load("minigrad", search_paths=[str(ROOT)], extensions=extensions)


def test_a_constructor_of_options_has_the_signature_that_python_gives_it(minigrad: Any) -> None:
    parameters = minigrad["layers.lstm.LSTMCell"].parameters
    names = [parameter.name for parameter in parameters if parameter.name != "self"]
    assert names[:3] == ["units", "activation", "recurrent_activation"]
    assert parameters["recurrent_activation"].default == "'sigmoid'"
    assert parameters["implementation"].kind is griffe.ParameterKind.keyword_only


def test_the_source_of_such_a_constructor_is_the_class(minigrad: Any) -> None:
    source = minigrad["layers.lstm.LSTMCell.__init__"].source
    assert source.startswith("class LSTMCell(LSTMCellV1):")
    assert "implementation: int = option(" in source


def test_a_subclass_says_what_its_arguments_are(minigrad: Any) -> None:
    text = minigrad["layers.lstm.LSTMCell"].docstring.value
    assert "recurrent_activation: σ, of the gates." in text
    assert "```pycon\n>>> import minigrad as tf" in text


def test_a_constructor_written_out_is_left_alone(minigrad: Any) -> None:
    names = [parameter.name for parameter in minigrad["engine.tensor.Tensor"].parameters]
    assert names[:3] == ["self", "array", "backend"]


def test_a_recurrent_layer_has_the_arguments_of_its_cell_and_no_others(minigrad: Any) -> None:
    lstm = minigrad["layers.lstm.LSTM"]
    found = list(entries(lstm.docstring.value))
    assert found[:3] == ["units", "activation", "recurrent_activation"]
    assert {"return_sequences", "tbptt", "implementation"} <= set(found)
    assert "cell" not in found
    assert lstm.bases == ["minigrad.compat.v1.keras.layers.LSTM"]
