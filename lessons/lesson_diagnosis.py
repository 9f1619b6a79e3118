"""Diagnoses of wrong numbers: from your array and the expected one to a sentence that says how they differ."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np

GATES = {"gates": "ifgo", "gates_ijfo": "ijfo"}  # the order of the blocks of columns, by the word for their axis
DIGITS = 1e-3  # a smaller relative difference is one of precision


@dataclass(frozen=True)
class Pair:
    """Your numbers and the expected ones, of one shape, and facts that help to explain a difference.

    Attributes:
        mine: yours.
        want: the expected ones.
        slack: the difference that is allowed.
        axes: a word for each axis, ``("step", "row", "unit")``; ``"gates"`` for blocks i, f, g, o, or "gates_ijfo".
        masked: True for each masked step (and row); of the shape of the first axes.
        terms: the terms of the sum that the expected numbers are, by their names.
        others: other arrays that yours may have been taken for, by their names.
        inputs: the arrays among the arguments of your function, by their names.
        sizes: lengths over which a mean or a sum may have been taken, with what they are lengths of.
    """

    mine: Any
    want: Any
    slack: float
    axes: tuple[str, ...] = ()
    masked: Any = None
    terms: Mapping[str, Any] = field(default_factory=dict)
    others: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, Any] = field(default_factory=dict)
    sizes: Mapping[int, str] = field(default_factory=dict)

    def close(self, a: Any, b: Any) -> bool:
        """Return whether two arrays agree, up to the allowed difference."""
        return np.shape(a) == np.shape(b) and bool((np.abs(np.subtract(a, b)) <= self.slack).all())

    def wrong(self) -> Any:
        """Return where the numbers differ."""
        return ~(np.abs(self.mine - self.want) <= self.slack)

    def axis(self, k: int) -> str:
        """Return the word for axis k."""
        usual = {1: ("entry",), 2: ("row", "column")}.get(self.want.ndim, ())
        words = self.axes if len(self.axes) == self.want.ndim else usual
        return words[k] if words else f"axis {k}, index"

    def blocks(self, k: int) -> str:
        """Return the letters of the gates whose columns lie along axis k; empty if no gates do."""
        return GATES.get(self.axis(k), "") if self.want.ndim and self.want.shape[k] % 4 == 0 else ""

    def word(self, k: int) -> str:
        """Return the word for one slice of axis k."""
        return "column" if self.axis(k) in GATES else self.axis(k)

    def at(self, k: int, which: Any) -> Pair:
        """Return the pair without the other slices of axis k."""
        parts = {name: np.take(term, which, k) for name, term in self.terms.items() if term.shape == self.want.shape}
        axes = tuple(self.word(j) if j == k else self.axis(j) for j in range(self.want.ndim))
        return replace(
            self, mine=np.take(self.mine, which, k), want=np.take(self.want, which, k), axes=axes, masked=None,
            terms=parts, others={},
        )  # fmt: skip


def diagnose(pair: Pair) -> str:
    """Return a sentence on how your numbers differ from the expected ones; empty if none fits."""
    if not np.isfinite(pair.mine).all():
        return not_finite(pair)
    if not pair.mine.any():
        return "Yours is 0 everywhere."
    looks = (
        ignored_mask, another_quantity, terms, factor, offset, gates, moved, factors, bent, digits, parts, rows_scaled,
        signs,
    )  # fmt: skip
    return next(filter(None, (look(pair) for look in looks)), "")


# --- the whole array --------------------------------------------------------------------------------------------------


def not_finite(pair: Pair) -> str:
    """NaN or infinity, and its place."""
    kind = "NaN" if np.isnan(pair.mine).any() else "infinity"
    bad = ~np.isfinite(pair.mine)
    causes = "0/0, the log of a negative number, infinity minus infinity" if kind == "NaN" else "an overflow, or x/0"
    place = "" if bad.all() else f", in {_fewest(pair, bad)}"
    return f"There is {kind} in yours{place}. Its usual causes: {causes}."


def ignored_mask(pair: Pair) -> str:
    """Masked steps that are treated like others."""
    if pair.masked is None:
        return ""
    hidden = np.broadcast_to(
        np.reshape(pair.masked, np.shape(pair.masked) + (1,) * (pair.want.ndim - np.ndim(pair.masked))), pair.want.shape
    )
    at_fault = pair.wrong() & hidden.astype(bool)
    if not at_fault.any():
        return ""
    steps = pair.axes.index("step") if "step" in pair.axes else 0
    place = np.argwhere(at_fault)[0]
    first = int(place[steps])
    row = f" in row {place[pair.axes.index('row')]}" if np.ndim(pair.masked) > 1 and "row" in pair.axes else ""
    slice_ = np.take(at_fault, first, steps)
    zero = not np.take(pair.want, first, steps)[slice_].any()
    says = "it should be 0 there" if zero else "it should be kept from the step before"
    alone = " The steps that are not masked are right." if not (pair.wrong() & ~hidden.astype(bool)).any() else ""
    return f"Step {first} is masked{row}, yet yours treats it like any other: {says}.{alone}"


def another_quantity(pair: Pair) -> str:
    """Equality with another array."""
    for name, other in pair.others.items():
        if pair.close(pair.mine, other) and not pair.close(other, 0 * other):
            return f"Yours is {name}."
    return ""


def terms(pair: Pair) -> str:
    """A term of a sum that is missing, is counted twice, has the wrong sign, or is alone."""
    for name, term in pair.terms.items():
        if not np.abs(term).max(initial=0.0) > 2 * pair.slack:
            continue
        rest = pair.want - term
        for value, says in (
            (rest, f"the term {name} is missing"),
            (rest + 2 * term, f"the term {name} is counted twice"),
            (rest - term, f"the term {name} has the wrong sign"),
            (term, f"only the term {name} is there"),
        ):
            if pair.close(pair.mine, value):
                return f"In yours {says}."
    return ""


def factor(pair: Pair) -> str:
    """One factor between all numbers: the wrong sign, a mean for a sum, one share too many."""
    ratio = _ratio(pair)
    if ratio is None:
        return ""
    if abs(ratio + 1) < 1e-3:
        return "Yours has the opposite sign everywhere."
    for n, what in pair.sizes.items():
        if n > 1 and abs(ratio * n - 1) < 1e-3:
            return f"Yours is 1/{n} times as large everywhere, and {n} is {what}: a mean where a sum is expected?"
        if n > 2 and abs(ratio / n - 1) < 1e-3:
            return f"Yours is {n} times as large everywhere, and {n} is {what}: a sum where a mean is expected?"
    if pair.want.size == 1 and min(abs(ratio - r) for r in (2, 0.5)) > 1e-3:
        return ""  # between two numbers there is always a factor
    whole = abs(1 / ratio - round(1 / ratio)) < 1e-3 and round(abs(1 / ratio)) > 1
    return f"Yours is {f'1/{round(1 / ratio)}' if whole else f'{ratio:.4g}'} times as large everywhere."


def _ratio(pair: Pair) -> float | None:
    """Return the factor between all numbers, if there is one."""
    scale = float((pair.want * pair.want).sum())
    if not scale or not np.abs(pair.want).max() > 10 * pair.slack:
        return None
    ratio = float((pair.mine * pair.want).sum()) / scale
    if abs(ratio) < 1e-9 or not replace(pair, slack=pair.slack * max(1.0, abs(ratio))).close(
        pair.mine, ratio * pair.want
    ):
        return None
    return ratio


def offset(pair: Pair) -> str:
    """One number added everywhere."""
    difference = pair.mine - pair.want
    step = float(np.mean(difference))
    if pair.want.size < 2 or not pair.close(difference, np.full_like(difference, step)):
        return ""
    return f"Yours is {abs(step):.4g} too {'large' if step > 0 else 'small'} everywhere."


def factors(pair: Pair) -> str:
    """A factor that is missing, is there once too often, or is in the place of another: an argument, or its slope."""
    known: list[tuple[str, Any]] = []
    for name, a in pair.inputs.items() if pair.want.size > 3 else ():
        if a.shape == pair.want.shape and np.ptp(a) > 0 and np.isfinite(a).all():
            known += [(name, a), (f"(1 − {name})", 1 - a), (f"(1 − {name}²)", 1 - a * a)]
            known += [(f"{name} (1 − {name})", a - a * a)]
    for says, a in known:
        if pair.close(pair.mine * a, pair.want):
            return f"In yours the factor {says} is missing."
        if pair.close(pair.mine, pair.want * a):
            return f"In yours the factor {says} is too much."
    for says, a in known:
        for other, b in known:
            if says != other and pair.close(pair.mine * a, pair.want * b):
                return f"In yours the factor {other} is in the place of {says}."
    return ""


def bent(pair: Pair) -> str:
    """A square, a root, a reciprocal, an absolute value, a tanh; the same numbers in other places."""
    want = pair.want
    if want.size < 2:
        return ""
    with np.errstate(all="ignore"):
        for value, says in (
            (np.abs(want), "the absolute value of the expected number"),
            (want * want, "the square of the expected number"),
            (np.sqrt(np.abs(want)), "the root of the expected number"),
            (1 / want, "1 divided by the expected number"),
            (np.tanh(want), "tanh of the expected number"),
            (np.arctanh(want), "the expected number before a tanh"),
        ):
            if np.isfinite(value).all() and pair.close(pair.mine, value) and not pair.close(value, want):
                return f"Each of yours is {says}."
    if pair.close(np.sort(pair.mine, axis=None), np.sort(want, axis=None)):
        return "The numbers are right, but in other places: is there a reshape where a transpose is needed?"
    return ""


def signs(pair: Pair) -> str:
    """Wrong signs of right sizes."""
    right = pair.want.size > 1 and pair.close(np.abs(pair.mine), np.abs(pair.want))
    return f"The sizes are right, and the signs are wrong in {_fewest(pair, pair.wrong())}." if right else ""


def digits(pair: Pair) -> str:
    """A difference in the last digits only."""
    difference, size = np.abs(pair.mine - pair.want).max(), np.abs(pair.want).max()
    if not 0 < difference < DIGITS * size:
        return ""
    return (
        f"Yours agrees to about {int(-np.log10(difference / size))} digits and no further: is a part of it in float32, "
        "rounded, or an approximation?"
    )


# --- places -----------------------------------------------------------------------------------------------------------


def gates(pair: Pair) -> str:
    """Blocks of columns in another order than the expected one."""
    if not (order := pair.blocks(-1)):
        return ""
    mine, want = (np.split(a, 4, axis=-1) for a in (pair.mine, pair.want))
    units = want[0].shape[-1]
    for k, block in enumerate(mine):
        if pair.close(block, want[k]):
            continue
        for j, other in enumerate(want):
            if pair.close(block, other) and np.abs(other).max() > 10 * pair.slack:
                columns = f"columns {k * units}–{(k + 1) * units - 1}" if units > 1 else f"column {k}"
                return f"Your {columns} look like {order[j]}, not {order[k]}: is the order {', '.join(order)}?"
    return ""


def moved(pair: Pair) -> str:
    """Right numbers, transposed, or in another order along an axis."""
    mine, want = pair.mine, pair.want
    if want.ndim > 1 and len(set(want.shape)) < want.ndim:
        for axes in ((*range(want.ndim - 2), want.ndim - 1, want.ndim - 2), tuple(range(want.ndim))[::-1]):
            if pair.close(mine.transpose(axes), want):
                return "The numbers are right, but transposed."
    for k in range(want.ndim):
        found = _order(pair, k)
        if found:
            return found
    return ""


def _order(pair: Pair, k: int) -> str:
    """Return a sentence if the slices of axis k are the expected ones in another order."""
    mine, want = (np.moveaxis(a, k, 0) for a in (pair.mine, pair.want))
    n, word = len(want), pair.word(k)
    if n < 2 or pair.close(want[1:], want[:-1]):
        return ""
    if pair.close(mine, want[::-1]):
        return f"The {_plural(word)} are right, but in reverse order."
    places = [next((j for j in range(n) if pair.close(row, want[j])), -1) for row in mine] if n <= 100 else []
    if sorted(places) == list(range(n)):
        first = next(i for i, j in enumerate(places) if i != j)
        return f"The {_plural(word)} are right, but in another order: your {word} {first} is {word} {places[first]}."
    for late in (1, -1):
        ours, theirs = (mine[1:], want[:-1]) if late > 0 else (mine[:-1], want[1:])
        if n > 2 and pair.close(ours, theirs):
            side = "before" if late > 0 else "after"
            return f"Yours is off by one {word}: at {word} 1 it has the numbers of the {word} {side} it."
    return ""


def parts(pair: Pair) -> str:
    """The steps, rows or gates that are wrong, where others are right, and how these differ."""
    wrong = pair.wrong()
    best: tuple[float, str, Pair] | None = None
    for k, which, says in _slices(pair, wrong):
        share = len(which) / pair.want.shape[k]
        if share < 1 and (best is None or share < best[0]):
            best = share, says, pair.at(k, which)
    if best is None:
        return ""
    _, says, inner = best
    more = diagnose(inner)
    return f"{says} {more and 'There: ' + more[0].lower() + more[1:]}".strip()


def _slices(pair: Pair, wrong: Any) -> Iterator[tuple[int, Any, str]]:
    """Yield (axis, the wrong slices, a sentence) for each axis."""
    for k in range(wrong.ndim):
        if k == wrong.ndim - 1 and (order := pair.blocks(k)):
            bad = [bool(part.any()) for part in np.split(wrong, 4, axis=-1)]
            names = [order[j] for j in range(4) if bad[j]], [order[j] for j in range(4) if not bad[j]]
            which = np.flatnonzero(np.repeat(bad, wrong.shape[k] // 4))
            yield k, which, f"Only the columns of {_and(names[0])} are wrong; those of {_and(names[1])} are right."
            continue
        word = pair.word(k)
        bad_ = wrong.any(axis=tuple(j for j in range(wrong.ndim) if j != k))
        which, fine = np.flatnonzero(bad_), np.flatnonzero(~bad_)
        if len(which) <= len(fine):
            yield k, which, f"Only {_listed(word, which)} {'is' if len(which) == 1 else 'are'} wrong."
        else:
            yield k, which, f"Only {_listed(word, fine)} {'is' if len(fine) == 1 else 'are'} right."


def rows_scaled(pair: Pair) -> str:
    """A factor for each row, step or unit."""
    for k in range(pair.want.ndim if pair.want.ndim > 1 else 0):
        if pair.want.shape[k] > 50 or pair.want.size // pair.want.shape[k] < 2:
            continue
        found = [_ratio(pair.at(k, [j])) for j in range(pair.want.shape[k])]
        known = [ratio for ratio in found if ratio is not None]
        if len(known) == len(found) > 1:
            shown = ", ".join(f"{ratio:.3g}" for ratio in known[:6])
            return f"Each {pair.word(k)} of yours has a factor: {shown}{' …' if len(known) > 6 else '.'}"
    return ""


# --- shapes -----------------------------------------------------------------------------------------------------------


def diagnose_shape(mine: Any, want: Any, slack: float) -> str:
    """Return a sentence on an array of a wrong shape; empty if none fits."""
    close: Callable[[Any], bool] = lambda a: a.shape == want.shape and bool((np.abs(a - want) <= slack).all())  # noqa: E731
    if mine.ndim > 1 and close(mine.T):
        return "The numbers are right, but transposed."
    if mine.ndim > 2 and any(close(np.swapaxes(mine, k, k + 1)) for k in range(mine.ndim - 1)):
        return "The numbers are right, but two axes are exchanged."
    if mine.size == want.size:
        right = close(mine.reshape(want.shape))
        return "The numbers are right; only the shape is not." if right else _by_shape(mine.shape, want.shape)
    for k in range(mine.ndim):
        for keepdims in (False, True):
            if close(mine.sum(axis=k, keepdims=keepdims)):
                return f"The sum over your axis {k} would be right."
            if close(mine.mean(axis=k, keepdims=keepdims)):
                return f"The mean over your axis {k} would be right."
    return _by_shape(mine.shape, want.shape)


def _by_shape(mine: Sequence[int], want: Sequence[int]) -> str:
    """Return what can be said from the shapes alone."""
    if sorted(mine) == sorted(want):
        return "The lengths are right, but in another order: is it transposed?"
    if len(mine) > len(want):
        return "Yours has an axis too many: is a sum missing?"
    return "An axis is missing in yours: did a sum remove it, or an index?" if len(mine) < len(want) else ""


# --- words ------------------------------------------------------------------------------------------------------------


def _fewest(pair: Pair, wrong: Any) -> str:
    """Return the smallest set of slices that holds all wrong places, in words."""
    sets = [np.flatnonzero(wrong.any(axis=tuple(j for j in range(wrong.ndim) if j != k))) for k in range(wrong.ndim)]
    if not sets:
        return "it"
    k = min(range(len(sets)), key=lambda k: len(sets[k]) / wrong.shape[k])
    return _listed(pair.word(k), sets[k])


def _listed(word: str, which: Any) -> str:
    """Return indices in words: ``step 4``, ``steps 0 to 3``, ``rows 1, 4 and 6``."""
    numbers = [int(n) for n in which]
    if len(numbers) == 1:
        return f"{word} {numbers[0]}"
    if len(numbers) > 2 and all(b - a == 1 for a, b in pairwise(numbers)):
        return f"{_plural(word)} {numbers[0]} to {numbers[-1]}"
    shown = [str(n) for n in numbers[:6]] + (["more"] if len(numbers) > 6 else [])
    return f"{_plural(word)} {_and(shown)}"


def _plural(word: str) -> str:
    return f"{word[:-1]}ies" if word.endswith("y") else word if word.endswith("index") else f"{word}s"


def _and(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1]))) if words else "none"
