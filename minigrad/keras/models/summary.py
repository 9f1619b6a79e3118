"""A model as a table: its layers, with their output shapes, numbers of weights, masks and gates."""

from __future__ import annotations

from typing import Any

from minigrad.engine import tree
from minigrad.layers.core import Embedding, Masking
from minigrad.layers.layer import Layer

HEADS = ("Layer (type)", "Output", "Weights", "Mask", "Gates")


def table(model: Any, seen: dict[int, tuple[Any, Any]], connected: dict[int, list[str]] | None = None) -> str:
    """Return the table.

    Args:
        model: the model.
        seen: for each called layer, by identity: the shapes of its outputs, and whether one carried a mask.
        connected: of a graph, for each layer the names of those whose outputs it takes.
    """
    rows = [_row(layer, seen.get(id(layer))) for layer in model.layers]
    heads = HEADS if any(row[-1] for row in rows) else HEADS[:-1]
    rows = [row[: len(heads)] for row in rows]
    if connected is not None:
        heads = (*heads, "Connected to")
        rows = [(*row, ", ".join(connected.get(id(layer), []))) for row, layer in zip(rows, model.layers, strict=True)]
    widths = [max(len(row[k]) for row in (heads, *rows)) for k in range(len(heads))]
    line = "─" * (sum(widths) + 2 * (len(widths) - 1))

    def padded(cells: Any) -> str:
        return "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()

    trainable = sum(w.size for w in model.trainable_weights)
    total = sum(w.size for w in model.weights)
    counts = f"Weights: {total:,}, of which trainable: {trainable:,}." if model.built else "Not built: call it on data."
    title = f"{model.name} ({type(model).__name__})"
    return "\n".join([title, line, padded(heads), line, *map(padded, rows), line, counts])


def _row(layer: Layer, seen: tuple[Any, Any] | None) -> tuple[str, ...]:
    shape, masked = seen or (None, None)
    mask = ("yes" if masked else "–") if seen else _expected_mask(layer)
    weights = f"{layer.count_params():,}" if layer.built else "not built"
    cell = getattr(layer, "cell", layer)
    gates = getattr(cell, "gate_layout", "")
    return f"{layer.name} ({type(layer).__name__})", _shape(shape), weights, mask, ", ".join(gates)


def _expected_mask(layer: Any) -> str:
    """Return the effect on masks of a layer that has not been called, from its arguments."""
    if isinstance(layer, (Embedding, Masking)):
        return "makes one" if getattr(layer, "mask_zero", True) else "–"
    sequence = getattr(getattr(layer, "forward_layer", layer), "return_sequences", True)
    return "passes on" if layer.supports_masking and sequence else "–"


def _shape(shape: Any) -> str:
    return "?" if shape is None else ", ".join(str(s) for s in shape)


def seen_of(outputs: Any) -> tuple[Any, Any]:
    """Return the shapes of outputs, the batch as None, and whether one carries a mask."""
    tensors = tree.leaves(outputs)
    return [(None, *y.shape[1:]) for y in tensors], any(getattr(y, "_keras_mask", None) is not None for y in tensors)


def common_shapes(seen: dict[int, tuple[Any, Any]], other: dict[int, tuple[Any, Any]]) -> dict[int, tuple[Any, Any]]:
    """Return the output shapes of two calls, with None for the sizes that differ."""

    def both(shapes: Any, others: Any) -> list[Any]:
        pairs = zip(shapes, others, strict=True)
        return [tuple(n if n == m else None for n, m in zip(*pair, strict=True)) for pair in pairs]

    return {key: (both(shapes, other[key][0]), masked) for key, (shapes, masked) in seen.items()}
