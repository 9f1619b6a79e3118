"""Diagnoses of wrong numbers, without a catalogue of mistakes: each kind on arrays of several shapes."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np
import pytest

from lessons.builder.run import at_hand

DRAW = np.random.default_rng(0)
DZ = DRAW.normal(size=(5, 3, 8))  # step, row, gates of two units
DW = DRAW.normal(size=(4, 4))
V = DRAW.normal(size=6)
STEPS = "step row gates"


@pytest.fixture
def tools(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    with at_hand(fast=True):
        import lesson_checks
        import lesson_mistakes

        monkeypatch.setattr(lesson_mistakes, "typical_mistakes", list)
        yield lesson_checks


def says(tools: ModuleType, mine: Any, want: Any, **facts: Any) -> str:
    with pytest.raises(tools.CheckError) as raised:
        tools.same("d", mine, want, **facts)
    return str(raised.value)


def changed(array: Any, where: Any, value: Any) -> Any:
    array = array.copy()
    array[where] = value
    return array


def blocks(order: str) -> Any:
    parts = dict(zip("ifgo", np.split(DZ, 4, axis=-1), strict=True))
    return np.concatenate([parts[k] for k in order], axis=-1)


WHOLE = {
    "sign": (-DZ, "opposite sign everywhere"),
    "double": (2 * DZ, "Yours is 2 times as large everywhere."),
    "a third": (DZ / 3, "Yours is 1/3 times as large everywhere."),
    "odd factor": (0.7 * DZ, "0.7 times as large everywhere"),
    "zero": (0 * DZ, "Yours is 0 everywhere"),
    "offset": (DZ + 0.25, "Yours is 0.25 too large everywhere"),
    "square": (DZ**2, "the square of the expected number"),
    "absolute": (np.abs(DZ), "the absolute value"),
    "root": (np.sqrt(np.abs(DZ)), "the root of"),
    "float16": (DZ.astype(np.float16), "digits and no further"),
    "reversed": (DZ[::-1], "The steps are right, but in reverse order."),
    "late": (np.concatenate([0 * DZ[:1], DZ[:-1]]), "step: at step 1 it has the numbers of the step before it"),
    "early": (np.concatenate([DZ[1:], 0 * DZ[:1]]), "at step 1 it has the numbers of the step after it"),
    "rows in another order": (DZ[:, [2, 0, 1]], "The rows are right, but in another order: your row 0 is row 2."),
    "one step": (changed(DZ, 3, 7.0), "Only step 3 is wrong."),
    "one step scaled": (changed(DZ, 3, 2 * DZ[3]), "step 3 is wrong. There: yours is 2 times as large everywhere."),
    "steps before": (changed(DZ, slice(0, 3), DRAW.normal(size=(3, 3, 8))), "Only steps 3 and 4 are right."),
    "one row": (changed(DZ, np.s_[:, 1], 0.0), "Only row 1 is wrong. There: yours is 0 everywhere."),
    "one gate": (changed(DZ, np.s_[..., 2:4], -DZ[..., 2:4]), "columns of f are wrong; those of i, g and o are right"),
    "gates i f o g": (blocks("ifog"), "Your columns 4–5 look like o, not g: is the order i, f, g, o?"),
    "gates f i g o": (blocks("figo"), "Your columns 0–1 look like f, not i"),
    "a factor for each row": (DZ * np.array([0.5, 2, 3])[:, None], "Each row of yours has a factor: 0.5, 2, 3."),
    "NaN": (changed(DZ, np.s_[2, :, 3], np.nan), "There is NaN in yours, in column 3"),
    "infinity": (changed(DZ, np.s_[4], np.inf), "There is infinity in yours, in step 4"),
}  # fmt: skip


@pytest.mark.parametrize("kind", WHOLE)
def test_kinds(tools: ModuleType, kind: str) -> None:
    mine, expected = WHOLE[kind]
    assert expected in says(tools, mine, DZ, axes=STEPS)


SHAPES = {
    "square, transposed": (DW.T, DW, "The numbers are right, but transposed."),
    "transposed": (DZ[0].T, DZ[0], "(3, 8); yours has (8, 3). The numbers are right, but transposed."),
    "two axes": (DZ.swapaxes(0, 1), DZ, "two axes are exchanged"),
    "reshaped": (DZ[0].T.reshape(3, 8), DZ[0], "in other places: is there a reshape where a transpose is needed?"),
    "flat": (DZ.ravel(), DZ, "The numbers are right; only the shape is not."),
    "no sum": (DZ, DZ.sum(0), "The sum over your axis 0 would be right."),
    "no mean": (DZ, DZ.mean(1), "The mean over your axis 1 would be right."),
    "no keepdims": (V, V[:, None], "The numbers are right; only the shape is not."),
    "other numbers": (DRAW.normal(size=(8, 3)), DZ[0], "in another order: is it transposed?"),
    "an axis missing": (np.ones(3), DZ[0], "An axis is missing in yours"),
    "an axis too many": (np.ones((2, 3, 8)), DZ[0], "Yours has an axis too many"),
    "a column": (changed(DW, np.s_[:, 2], 0.5), DW, "Only column 2 is wrong."),
    "an entry": (changed(V, 5, 9.0), V, "Only entry 5 is wrong."),
    "half a number": (0.5, 1.0, "1/2 times as large"),
}  # fmt: skip


@pytest.mark.parametrize("kind", SHAPES)
def test_shapes(tools: ModuleType, kind: str) -> None:
    mine, want, expected = SHAPES[kind]
    assert expected in says(tools, mine, want)


def test_a_number_has_no_factor(tools: ModuleType) -> None:
    assert says(tools, 0.3, 0.7) == "d: 1 of 1 numbers differ, most: yours 0.3, expected 0.7."


def test_masked_steps(tools: ModuleType) -> None:
    mask = np.zeros((5, 3), bool)
    mask[4, 1] = mask[2, 0] = True
    right = changed(DZ, mask, 0.0)
    expected = "Step 2 is masked in row 0, yet yours treats it like any other: it should be 0 there. The steps that"
    assert expected in says(tools, DZ, right, axes=STEPS, masked=mask)
    held = DZ[:, :, 0].copy()
    held[2, 0], held[4, 1] = held[1, 0], held[3, 1]
    assert "it should be kept from the step before" in says(tools, DZ[:, :, 0], held, axes="step row", masked=mask)
    assert "masked" not in says(tools, changed(right, np.s_[0, 0], 9.0), right, axes=STEPS, masked=mask)


def test_the_order_of_the_first_generation(tools: ModuleType) -> None:
    """Blocks of columns i, j, f, o."""
    order, moved = "step row gates_ijfo", blocks("igfo")
    assert "Your columns 2–3 look like f, not j: is the order i, j, f, o?" in says(tools, moved, DZ, axes=order)
    one = changed(DZ, np.s_[..., 2:4], 0.0)
    assert "Only the columns of j are wrong; those of i, f and o are right." in says(tools, one, DZ, axes=order)


def test_terms_of_a_sum(tools: ModuleType) -> None:
    terms = {"dz_i U_iᵀ": DRAW.normal(size=(3, 4)), "dz_f U_fᵀ": DRAW.normal(size=(3, 4)), "0": np.zeros((3, 4))}
    i, f, _ = terms.values()
    for mine, expected in (
        (f, "the term dz_i U_iᵀ is missing"),
        (i + 2 * f, "the term dz_f U_fᵀ is counted twice"),
        (i - f, "the term dz_f U_fᵀ has the wrong sign"),
    ):
        assert expected in says(tools, mine, i + f, terms=terms)
    assert "only the term dz_i U_iᵀ is there" in says(tools, i, i + f + 1, terms=terms)


def test_a_mean_for_a_sum_names_the_length(tools: ModuleType) -> None:
    """Lengths of the arguments of the last call."""
    xs = DRAW.normal(size=(7, 3, 2))
    mean = tools.ask(lambda xs: xs.sum(0).mean(0), xs)
    assert "Yours is 1/3 times as large everywhere, and 3 is the length of axis 1 of `xs`: a mean" in says(
        tools, mean, xs.sum((0, 1))
    )
    mean = tools.ask(lambda xs: xs.mean((0, 1)), xs)
    assert "1/21 times as large everywhere, and 21 is the number of rows in `xs`" in says(tools, mean, xs.sum((0, 1)))
    mean = tools.ask(lambda xs: xs.sum(0), xs)
    assert "7 times as large everywhere, and 7 is the length of axis 0 of `xs`: a sum" in says(tools, mean, xs.mean(0))
    assert "Yours is the argument `xs`, unchanged" in says(tools, tools.ask(lambda xs: xs, xs), np.tanh(xs))


class Kept(NamedTuple):
    f: np.ndarray
    g: np.ndarray


@pytest.mark.parametrize(
    ("mine", "expected"),
    [
        (lambda d, kept: d, "In yours the factor `kept.f` is missing."),
        (lambda d, kept: d * kept.f * kept.g, "In yours the factor `kept.g` is too much."),
        (lambda d, kept: d * kept.g, "In yours the factor `kept.g` is in the place of `kept.f`."),
        (lambda d, kept: d * kept.f * (1 - kept.g**2), "In yours the factor (1 − `kept.g`²) is too much."),
        (lambda d, kept: d * (1 - kept.f), "In yours the factor (1 − `kept.f`) is in the place of `kept.f`."),
    ],
)
def test_factors_among_the_arguments(tools: ModuleType, mine: Any, expected: str) -> None:
    d, f, g = DRAW.normal(size=(3, 3, 4))
    answer = tools.ask(lambda d, kept: mine(2 * d, kept), d, Kept(f, g))
    assert expected in says(tools, answer, 2 * d * f)
    padded = np.concatenate([answer, d, d, d], axis=-1)  # in one gate
    assert f"There: {expected[0].lower()}{expected[1:]}" in says(
        tools, padded, np.concatenate([2 * d * f, d, d, d], axis=-1), axes="row gates"
    )


def test_gate_orders(tools: ModuleType) -> None:
    """Results as of a student who names the four blocks in another order."""

    def step(W: Any, b: Any, order: str = "ifgo") -> Any:
        z = dict(zip(order, np.split(np.ones((2, 3)) @ W + b, 4, axis=-1), strict=True))
        return 2 * z["i"] + 3 * z["f"] + 5 * z["g"] + 7 * z["o"]

    W, b = DRAW.normal(size=(3, 8)), DRAW.normal(size=8)
    likely = tools.gate_orders(step, W, b)
    assert len(likely) == 23
    for order in ("ifog", "fgoi", "ogif"):
        expected = f"Yours is the result with the gates in the order {', '.join(order)}."
        assert expected in says(tools, step(W, b, order), step(W, b), others=likely)


def test_results_that_are_exchanged(tools: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    a, b, c = DRAW.normal(size=(3, 2, 4))
    with pytest.raises(tools.CheckError) as raised:
        tools.same_parts(("do", "di", "dg"), (a, c, b), (a, b, c))
    assert str(raised.value).startswith("do: right. di: 8 of 8 numbers differ")
    assert str(raised.value).endswith("Yours is the expected dg.")
    assert capsys.readouterr().out.startswith("do: as expected")
    tools.same_parts(("do", "di"), (a, b), (a, b), axes={"do": "row unit"})
    with pytest.raises(tools.CheckError, match="Only unit 3 is wrong"):
        tools.same_parts(("do", "di"), (changed(a, np.s_[:, 3], 0.1), b), (a, b), axes={"do": "row unit"})


def test_a_right_answer_needs_no_diagnosis(tools: ModuleType) -> None:
    mask = np.ones((5, 3))
    tools.same("d", DZ.astype("float32"), DZ, axes=STEPS, masked=mask, terms={"a": DZ}, others={"b": DZ})


def test_marks_of_typical_mistakes(tools: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """The nearest one whose place and numbers agree is named, and takes the place of the general diagnosis."""
    import lesson_mistakes

    mark = lesson_mistakes.mark
    known = [
        {"place": "d (4, 4)", "mark": mark(2 * DW), "says": "Twice."},
        {"place": "d (4, 4)", "mark": mark(2 * DW + 1e-6), "says": "Nearly twice."},
        {"place": "e (4, 4)", "mark": mark(3 * DW), "says": "Three times."},
        {"place": "# of # is wrong", "mark": mark([2, 3]), "says": "The second of three."},
    ]
    monkeypatch.setattr(lesson_mistakes, "typical_mistakes", lambda: known)
    assert says(tools, (2 * DW).astype("float32"), DW).endswith(". Twice.")
    assert says(tools, 3 * DW, DW).endswith("3 times as large everywhere.")
    for message, diagnosis in (("2 of 3 is wrong", " The second of three."), ("1 of 3 is wrong", "")):
        with pytest.raises(tools.CheckError) as raised:
            tools.check(False, message)
        assert str(raised.value) == message + diagnosis
