"""The computed tables in `docs/` are up to date, and hold for more than what they were computed from."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import minigrad as mg
from docs.tables import arguments, masks
from docs.tables.generated import TABLES, names, pages, renewed
from minigrad.convert import relayout
from spec.facts import FACTS
from spec.pages import PAGES

L, V1 = mg.keras.layers, mg.compat.v1.keras.layers
COMMAND = "python -m docs tables"


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_tables_are_up_to_date(page: Path) -> None:
    text = page.read_text("utf-8")
    new = renewed(text, TABLES)
    differing = [(a, b) for a, b in zip(text.splitlines(), new.splitlines(), strict=False) if a != b]
    assert text == new, f"{page.name} is not up to date: run {COMMAND}. First: {differing[:1]}"
    assert not names(text) or COMMAND in text


def test_every_table_stands_in_one_page() -> None:
    assert Counter(name for page in pages() for name in names(page.read_text("utf-8"))) == Counter(list(TABLES))


def test_a_table_that_is_not_up_to_date_is_seen() -> None:
    text = "before\n<!-- generated: a -->\n\n| old |\n\n<!-- end of a -->\nafter\n"
    assert renewed(text, {"a": lambda: "| new |\n"}) == text.replace("old", "new")
    assert renewed(text, {"a": lambda: "| old |\n"}) == text


def test_what_was_asked_is_a_fact_and_a_name() -> None:
    assert {program for part in arguments.ASKED.values() for program in part} <= set(FACTS)
    names_of_pages = {name for page in PAGES for _, name in page.names()}
    assert {name for part in arguments.ASKED.values() for found in part.values() for name in found} <= names_of_pages


# --- masks ------------------------------------------------------------------------------------------------------------

every_mask = pytest.mark.parametrize("mask", masks.MASKS.values())


@every_mask
@pytest.mark.parametrize("zeros", [False, True])
def test_the_tables_hold_for_every_layer(mask: str, zeros: bool) -> None:
    options: dict[str, Any] = {"zero_output_for_mask": True} if zeros else {}
    expected = masks.row(mask, **options)
    assert masks.row(mask, V1.LSTM, **options) == expected
    assert masks.row(mask, unroll=True, **options) == expected
    for of in (L.GRU, L.SimpleRNN, V1.GRU, V1.SimpleRNN):
        assert masks.row(mask, of, **options) == expected[:-1]  # they have no c


@every_mask
def test_backwards_is_the_mask_turned_round(mask: str) -> None:
    """Outputs in the order in which they were processed."""
    x, state = masks.inputs(mask), [masks.H, masks.C]
    seen = masks.np.array([[sign == "●" for sign in mask]])
    backwards = masks.layer(return_sequences=True, go_backwards=True)(x, mask=seen, initial_state=state)
    forwards = masks.layer(return_sequences=True)(x[:, ::-1], mask=seen[:, ::-1], initial_state=state)
    masks.np.testing.assert_array_equal(backwards.numpy(), forwards.numpy())


@every_mask
def test_bidirectional_puts_out_zeros(mask: str) -> None:
    both = L.Bidirectional(L.LSTM(2, return_sequences=True, dtype="float64"), dtype="float64")
    y = both(masks.inputs(mask), mask=masks.np.array([[sign == "●" for sign in mask]])).numpy()
    assert [bool((step == 0.0).all()) for step in y[0]] == [sign == "○" for sign in mask]


@pytest.mark.parametrize("length", range(masks.TIME + 1))
def test_lengths_are_trailing_masks_with_zeros(length: int) -> None:
    mask, outputs, h, c = masks.row_of_length(length)
    sequence, _, *state = masks.row(mask, zero_output_for_mask=True)
    assert (outputs, [h, c]) == (sequence, state)


@pytest.mark.parametrize("length", range(masks.TIME + 1))
def test_static_rnn_does_as_dynamic_rnn(length: int) -> None:
    def run(cell: Any, x: Any, **given: Any) -> Any:
        outputs, state = mg.compat.v1.nn.static_rnn(cell, mg.unstack(mg.tensor(x), 1), **given)
        return mg.stack(outputs, 1), state

    assert masks.row_of_length(length, run) == masks.row_of_length(length)


@pytest.mark.parametrize("length", range(masks.TIME + 1))
def test_bidirectional_rnns_of_two_generations_agree(length: int) -> None:
    """One turns each row round within its length, the other the whole sequence, mask and all."""
    x = masks.inputs("●" * masks.TIME)
    mg.compat.v1.reset_default_graph()
    cells = [mg.compat.v1.nn.rnn_cell.LSTMCell(masks.UNITS, dtype="float64") for _ in range(2)]
    (fw, bw), _ = mg.compat.v1.nn.bidirectional_dynamic_rnn(*cells, x, sequence_length=[length], dtype="float64")
    both = L.Bidirectional(L.LSTM(masks.UNITS, return_sequences=True, dtype="float64"), dtype="float64")
    both.build(x.shape)
    both.set_weights([w for cell in cells for w in relayout(cell.get_weights(), "tf1", "keras").values()])
    y = both(x, mask=masks.np.arange(masks.TIME)[None] < length)
    masks.np.testing.assert_allclose(mg.concat([fw, bw], 2).numpy(), y.numpy(), rtol=0, atol=1e-12)
    mg.compat.v1.reset_default_graph()


def test_a_number_that_is_nothing_known_is_refused() -> None:
    with pytest.raises(AssertionError, match="is none of"):
        masks.name_of(masks.np.ones(2), "y", {"y₁": masks.np.zeros(2)})
    with pytest.raises(AssertionError, match=r"\['y₁', 'y₂'\]"):
        masks.name_of(masks.np.ones(2), "y", {"y₁": masks.np.ones(2), "y₂": masks.np.ones(2)})
