"""Third generation: documents of sentences of words, where TimeDistributed makes, passes and reduces masks."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from oracle.reader import Case
from oracle.record.cases_wrappers import KINDS, spec
from oracle.record.draw import balanced, generator, mask, normal
from oracle.record.layers import Setup, record, start

GRID = {
    "start": ["embedding", "masking", "model", "embedding"],
    "between": [None, "Dense", "Dropout", "recurrent", "bidirectional"],
    "words": KINDS,
    "both_ways": [False, False, True],
    "sentences": KINDS,
    "return_sequences": [False, True],
    "nested": [False, False, True],
    "mask": ["right", "left", "holes", "dead_row"],
}


def keras_hierarchies() -> list[Case]:
    """Sequential models of layers for each sentence, then layers over the sentences; with the mask of the output."""
    family = "keras_hierarchies"
    rng = generator(family)
    cases = []
    for i, drawn in enumerate(balanced(rng, 36, GRID)):
        setup = _hierarchy(rng, f"hierarchy_{i:03d}", drawn)
        case = record(family, setup)
        found = getattr(start(setup)(tf.constant(setup.x)), "_keras_mask", None)
        case.info["mask_out"] = found is not None
        if found is not None:
            case.arrays["output_mask"] = found.numpy()
        cases.append(case)
    return cases


def _recurrent(kind: str, units: int, both_ways: bool = False, **options: Any) -> dict[str, Any]:
    layer = spec(f"layers.{kind}", units=units, **options)
    return spec("layers.Bidirectional", layer=layer) if both_ways else layer


def _hierarchy(rng: np.random.Generator, name: str, drawn: dict[str, Any]) -> Setup:
    shape = (2, 2, 3, 4) if drawn["nested"] else (2, 3, 4)

    def each(layer: dict[str, Any]) -> dict[str, Any]:
        around = spec("layers.TimeDistributed", layer=layer)
        return spec("layers.TimeDistributed", layer=around) if drawn["nested"] else around

    rows = int(np.prod(shape[:-1]))
    counts = mask(rng, drawn["mask"], rows, shape[-1]).reshape(shape)
    counts[0, -1] = False  # a sentence that is padding, before and after others
    counts[1, 0] = False
    words = _recurrent(drawn["words"], 2, drawn["both_ways"])
    embedding = spec("layers.Embedding", input_dim=6, output_dim=3, mask_zero=True)
    x = np.where(counts, rng.integers(1, 6, size=shape), 0)
    if drawn["start"] == "masking":
        x = normal(rng, (*shape, 2)) * counts[..., None]
        layers = [each(spec("layers.Masking", mask_value=0.0))]
    else:
        layers = [each(embedding)]
    between = {
        "Dense": spec("layers.Dense", units=3, activation="tanh"),
        "Dropout": spec("layers.Dropout", rate=0.5),
        "recurrent": _recurrent(drawn["words"], 3, return_sequences=True),
        "bidirectional": _recurrent(drawn["words"], 2, True, return_sequences=True),
    }.get(drawn["between"])
    layers += [each(between)] if between else []
    layers.append(each(words))
    if drawn["start"] == "model":  # a sentence's encoder is a separate model, and its masks stay inside
        layers = [each(spec("Sequential", layers=[embedding, *([between] if between else []), words]))]
    options = {"return_sequences": True} if drawn["return_sequences"] else {}
    above = _recurrent(drawn["sentences"], 2, **options)
    if drawn["nested"]:
        layers.append(spec("layers.TimeDistributed", layer=above))
        layers.append(
            _recurrent(drawn["sentences"], 2)
            if not options
            else spec("layers.TimeDistributed", layer=spec("layers.Dense", units=2))
        )
    else:
        layers.append(above)
    return Setup(name, "keras.Sequential", {"layers": layers}, x, info={"mask": drawn["mask"]})
