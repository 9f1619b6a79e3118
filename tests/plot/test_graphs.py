"""Drawings of the tape."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

import minigrad as mg
from minigrad.engine.errors import GradientError, MinigradError
from minigrad.plot import alt_text, graph

SVG = "{http://www.w3.org/2000/svg}"


def texts(drawing):
    return [element.text for element in ET.fromstring(drawing.svg).iter(f"{SVG}text")]


@pytest.fixture
def neuron():
    w, b, x = mg.tensor(2.0, requires_grad=True), mg.tensor(-1.0, requires_grad=True), mg.tensor(0.75)
    return {"w": w, "b": b, "x": x, "y": (w * x + b) ** 2}


def test_boxes_hold_operation_value_and_gradient(neuron):
    drawing = graph(neuron["y"], neuron)
    assert sorted(texts(drawing)) == sorted(
        ["w", "2", "∂: 0.75", "b", "-1", "∂: 1", "x", "0.75", "2", "Multiply", "1.5", "∂: 1"]
        + ["Add", "0.5", "∂: 1", "y = Power", "0.25", "∂: 1"]
    )
    for said in ("3 operations (1 Multiply, 1 Add and 1 Power), 2 leaves", "∂output/∂w is 0.75.", "∂output/∂b is 1."):
        assert said in alt_text(drawing)


def test_it_changes_nothing(neuron):
    graph(neuron["y"])
    assert neuron["w"].grad is None
    neuron["y"].backward()
    assert neuron["w"].grad.item() == 0.75
    with pytest.raises(GradientError, match=r"backward\(\) freed this graph"):
        graph(neuron["y"])


def test_shapes_and_norms_of_many_numbers():
    W = mg.tensor([[3.0, 0.0, 0.0], [0.0, 4.0, 0.0]], requires_grad=True)
    drawn = texts(graph(mg.tanh(mg.ones((1, 2)) @ W), {"W": W}))
    assert "W (2, 3)" in drawn
    assert "‖·‖ = 5" in drawn
    assert "MatMul (1, 3)" in drawn
    assert not any(line.startswith("∂") for line in texts(graph(W.sum(), numbers=False)))


def test_operations_with_several_outputs():
    x = mg.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)
    a, b = mg.split(x, 2)
    drawn = texts(graph((a * b).sum(), {"x": x}))
    assert "Split 2 × (2,)" in drawn
    assert "∂: ‖·‖ = 5.48" in drawn


def test_weights_have_their_names():
    dense = mg.keras.layers.Dense(1)
    assert any("/kernel" in line and ":0" not in line for line in texts(graph(dense(mg.ones((1, 2))))))


def test_the_picture_is_one_accessible_element(neuron, tmp_path):
    drawing = graph(neuron["y"], {"<x>": neuron["x"]})
    root = ET.fromstring(drawing.svg)
    assert root.tag == f"{SVG}svg"
    assert root.get("role") == "img"
    assert root.get("aria-label") == drawing.alt
    assert "<x>" in texts(drawing)
    assert drawing._repr_svg_() == drawing.svg
    drawing.save(tmp_path / "graph.svg")
    assert (tmp_path / "graph.svg").read_text("utf-8") == drawing.svg


def test_what_cannot_be_drawn():
    with pytest.raises(GradientError, match="expected `output` on the tape"):
        graph(mg.tensor(1.0))
    y = x = mg.tensor(1.0, requires_grad=True)
    for _ in range(200):
        y = mg.tanh(y)
    with pytest.raises(MinigradError, match="at most 150 boxes"):
        graph(y)
    assert "150" not in graph(mg.tanh(x)).alt


def test_on_every_backend(backend):
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    assert "∂: [2, 4]" in texts(graph((x * x).sum(), {"x": x}))
