"""Outputs, h and c of layers under a mask, found by running the layers.

Every output is identified by its value, among the values of a run without the masked steps: y₁ is the output after the
first unmasked step, h₁ and c₁ the state after it; h₀ and c₀ are the initial state.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import minigrad as mg
from docs.tables.markdown import table
from minigrad.compat.v1.nn.rnn_cell import LSTMStateTuple

Array = Any
TIME, FEATURES, UNITS = 4, 3, 2
MASKS = {
    "nothing masked": "●●●●",
    "leading": "○○●●",
    "inner": "●○○●",
    "trailing": "●●○○",
    "leading, inner and trailing": "○●○●●○",
    "all masked": "○○○○",
}
numbers = np.random.default_rng(0)
H, C = numbers.normal(size=(2, 1, UNITS))


def inputs(mask: str) -> Array:
    """Return random inputs (1, time, features)."""
    return np.random.default_rng(1).normal(size=(1, len(mask), FEATURES))


def layer(of: Any = mg.keras.layers.LSTM, **options: Any) -> Any:
    """Return a layer with the same random weights every time."""
    made = of(UNITS, dtype="float64", **options)
    made.build((None, None, FEATURES))
    rng = np.random.default_rng(2)
    made.set_weights([rng.normal(size=w.shape) for w in made.weights])
    return made


def known(cell: Any, x: Array, kept: list[int], state: Any, letters: str = "hc") -> dict[str, Array]:
    """Return name → value of all possible outputs and states: those of a run over the unmasked steps alone."""
    found = {"0": np.zeros(UNITS)} | {f"{letter}₀": s[0] for letter, s in zip(letters, state, strict=False)}
    for k, t in enumerate(kept, 1):
        output, state = cell(x[:, t], state)
        found[f"y{_low(k)}"] = output.numpy()[0]
        found |= {f"{letter}{_low(k)}": s.numpy()[0] for letter, s in zip(letters, state, strict=False)}
    return found


def _low(k: int) -> str:
    return "₀₁₂₃₄₅₆₇₈₉"[k]


def name_of(value: Array, letters: str, candidates: dict[str, Array]) -> str:
    """Return the name of a value: 0, or the one candidate with one of these letters that equals it."""
    names = [n for n, v in candidates.items() if n[0] in letters + "0" and np.allclose(value, v, rtol=0, atol=1e-12)]
    if len(names) != 1:
        raise AssertionError(f"{value} is {names or 'none'} of {candidates}")
    return names[0]


def row(mask: str, of: Any = mg.keras.layers.LSTM, **options: Any) -> list[str]:
    """Return the outputs of all steps, the last output, and the final states, by name."""
    x, kept = inputs(mask), [t for t, sign in enumerate(mask) if sign == "●"]
    states = [H, C] if "LSTM" in of.__name__ else [H]
    given: dict[str, Any] = {"mask": np.array([[sign == "●" for sign in mask]]), "initial_state": states}
    candidates = known(layer(of).cell, x, kept, states)
    sequence = layer(of, return_sequences=True, **options)(x, **given).numpy()[0]
    last, *final = (t.numpy()[0] for t in layer(of, return_state=True, **options)(x, **given))
    return [
        " ".join(name_of(y, "y", candidates) for y in sequence),
        name_of(last, "y", candidates),
        *(name_of(s, letter, candidates) for letter, s in zip("hc", final, strict=False)),
    ]


HEAD = ["mask", "", "outputs, `return_sequences=True`", "output, `return_sequences=False`", "final h", "final c"]


def of_keras() -> str:
    """Return the table of Keras' layers, in which a masked step keeps the state and repeats the output."""
    return table(HEAD, [[name, mask, *row(mask)] for name, mask in MASKS.items()])


def of_keras_with_zeros() -> str:
    """Return the same table with ``zero_output_for_mask=True``."""
    return table(HEAD, [[name, mask, *row(mask, zero_output_for_mask=True)] for name, mask in MASKS.items()])


def row_of_length(length: int, run: Any = mg.compat.v1.nn.dynamic_rnn) -> list[str]:
    """Return the outputs of all steps of `dynamic_rnn`, and the final state, by name."""
    mg.compat.v1.reset_default_graph()
    mask = "●" * length + "○" * (TIME - length)
    x, state = inputs(mask), LSTMStateTuple(C, H)
    cell = mg.compat.v1.nn.rnn_cell.LSTMCell(UNITS, dtype="float64")
    cell.build((None, FEATURES))
    cell.set_weights([np.random.default_rng(2).normal(size=w.shape) for w in cell.weights])
    candidates = known(cell, x, list(range(length)), state, "ch")
    outputs, final = run(cell, x, sequence_length=[length], initial_state=state)
    mg.compat.v1.reset_default_graph()
    return [
        mask,
        " ".join(name_of(y, "y", candidates) for y in outputs.numpy()[0]),
        name_of(final.h.numpy()[0], "h", candidates),
        name_of(final.c.numpy()[0], "c", candidates),
    ]


def of_dynamic_rnn() -> str:
    """Return the table of the first generation: zeros beyond a row's length, the state copied through."""
    head = ["`sequence_length`", "", "outputs", "final h", "final c"]
    return table(head, [[str(length), *row_of_length(length)] for length in (TIME, 2, 1, 0)])
