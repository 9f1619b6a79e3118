"""Sentences of the lessons on trainings: each is run again, over all seeds, and every sentence is held to its numbers.

No number of these is stored. A sentence that says "with every seed" is tested with every seed; one that names a median,
with the median.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import numpy as np
import pytest

from lessons.builder.lesson import Lesson, lessons
from lessons.builder.run import run

TRAINED = re.compile(r"\b(?:apply_gradients|train_on_batch|advance|descend|left_of_the_loss|fitted)\(")
HELD = {0, 2, 4, 5, 10, 12, 14}  # the lessons that train, each of which has a test below


def lesson(number: int) -> Lesson:
    return next(one for one in lessons() if one.number == number)


@cache
def names(number: int) -> dict[str, Any]:
    """The names of a lesson that was run as a student runs it, at full length."""
    done = run(lesson(number), lesson(number).for_students())
    assert done.broken() == []
    return done.names


def says(number: int, *sentences: str) -> None:
    """Agreement of the lesson's words with the test: when the words change, so must the test."""
    text = " ".join(" ".join(re.sub(r"^# ?", "", line) for line in lesson(number).source.splitlines()).split())
    assert [one for one in sentences if one not in text] == []


def test_every_lesson_that_trains_is_held() -> None:
    """Lesson 13's three steps, which count calls; the lesson does not mention their loss."""
    trains = {
        one.number for one in lessons() if any(TRAINED.search(c.text) for c in one.for_students() if not checks(c))
    }
    assert trains - {13} == HELD


def checks(cell: Any) -> bool:
    return cell.kind != "code" or "check" in cell.options


@pytest.mark.slow
def test_the_first_net_learns_to_write() -> None:
    says(
        0,
        "all five nets go from 5.6 bits to less than 1 bit",
        "At least eight in ten of the words that each of them writes are words of the tales.",
        "Of the words of the untrained net, at most one in five is.",
        "each net has such a unit, and in the untrained net the search finds almost nothing",
        "In some nets its gate opens at the space, in others it closes",
    )
    seen = names(0)
    assert len(seen["runs"]) >= 5
    assert all(5.5 < bits[0] < 5.7 for _, bits in seen["runs"])
    assert (seen["ends"] < 1).all()
    assert (seen["shares"] >= 0.8).all()
    assert seen["untrained"] <= 0.2
    opening = seen["opening"]
    assert (np.abs(opening) > 0.3).all()
    assert abs(seen["before"]) < 0.1
    assert 0 < np.mean(opening > 0) < 1
    written = [" ".join(part.partition("---\n")[2].split()) for part in seen["diary"]]
    assert " th" not in written[0]  # noise
    assert max(map(len, written[1].split())) < 15  # spaces in the right proportion
    assert " the " in written[2]  # short words
    assert seen["share_of_words"](written[-1], seen["text"]) > 0.8  # phrases


def test_the_flat_fit() -> None:
    says(2, "It learns the *mean*, each time")
    seen = names(2)
    for target, right, wrong in zip(seen["targets"], seen["right"], seen["wrong"], strict=True):
        assert abs(right[0] - 2) < 0.2
        assert abs(wrong[0]) < 0.005
        assert abs(wrong[1] - target.mean()) < 0.005
    assert len(seen["wrong"]) >= 5


@pytest.mark.slow
def test_the_ravine_and_the_sine() -> None:
    says(4, "Momentum is faster. Adam is *first* at the minimum and then circles around it")
    seen = names(4)
    sgd, momentum, adam = seen["arrival"].values()
    assert (adam <= momentum).all()
    assert (momentum < sgd).all()
    left = [np.median(v) for v in seen["left_over"].values()]
    assert left[1] < left[0] < left[2]  # Adam circles

    says(4, "SGD crosses it slowly, with every seed.", "with some seeds the one is ahead, with some the other")
    sgd, momentum, adam = seen["plateau"].values()
    assert len(sgd) >= 5
    assert (sgd > 1.5 * np.maximum(momentum, adam)).all()
    assert all(losses.shape[1] > 90 and (losses[:, 5] > 0.35).all() for losses in seen["runs"].values())  # the plateau
    assert ((losses := seen["runs"]["SGD, η = 0.1"])[:, 60:100] > 0.35).all(), losses[:, 100]
    ahead = [momentum < adam, seen["at_last"]["momentum 0.9, η = 0.05"] < seen["at_last"]["Adam, η = 0.01"]]
    assert 0 < np.mean(ahead) < 1


@pytest.mark.slow
def test_what_the_vanishing_gradient_leaves_to_be_learnt() -> None:
    says(5, "the net *does* learn, but only the last number.", "The loss falls from 2 to 1", "with any seed")
    learnt = names(5)["learnt"]
    near, far = (learnt[distance] for distance in (5, 20))
    assert len(far) >= 5
    assert (np.abs(near[:, :2] - 1) < 0.15).all()
    assert (near[:, 2] < 0.1).all()
    assert (np.abs(far[:, 0] - 1) < 0.15).all()
    assert (np.abs(far[:, 1]) < 0.15).all()
    assert (np.abs(far[:, 2] - 1) < 0.1).all()


@pytest.mark.slow
def test_clipping_past_the_cliff() -> None:
    says(5, "clipping by the global norm helps", "one step destroys all that was learnt")
    seen = names(5)
    free, clipped = seen["fates"].values()
    assert len(free) >= 5
    assert (free[:, 0] >= 5).all()
    assert (free[:, 1] < clipped[:, 1]).all()
    assert (clipped == [0, 60]).all()
    assert seen["unit_loss"](*seen["free"][-1]) > 0.5 > 0.02 > seen["unit_loss"](*seen["clipped"][-1])


@pytest.mark.slow
def test_what_is_learnt_beyond_the_border() -> None:
    says(
        10,
        "With windows of 8 the error of every seed ends within a few hundredths of 1",
        "the same learning rate",
    )
    short, long = (names(10)["ends"][k] for k in (8, 32))
    assert len(short) >= 5
    assert ((short > 0.9) & (short < 1.05)).all()
    assert (long < 0.3).all()
    assert np.median(long) < 0.15
    assert len(re.findall(r"optimizers\.Adam\(([^)]*)\)", lesson(10).source)) == 1  # one rate for both


@pytest.mark.slow
def test_truncation_costs_the_better_memory_more() -> None:
    says(10, "**The better the memory, the more the truncation costs**, with each of the five nets.")
    seen = names(10)
    fast, usual, slow = (seen["cosines"][bias] for bias in (-1, 1, 4))
    short = np.array(seen["REACHES"]) <= 10
    assert len(fast) >= 5
    assert (fast > usual)[:, short].all()
    assert (usual > slow)[:, short].all()
    assert (usual > slow)[:, :-1].all()
    beyond = np.array(seen["REACHES"]) >= seen["LAG"] + 2
    assert (usual[:, beyond] > 0.99).all()


@pytest.mark.slow
def test_the_noise_of_dropout() -> None:
    says(11, "Later its spread is about a third of that", "its error is about a seventh of the spread", "by chance")
    each, once, state = names(11)["late"].values()
    assert len(state) >= 5
    for inputs in (each, once):
        assert (np.abs(state[:, 0] / inputs[:, 0] - 1 / 3) < 0.06).all()
        assert abs(np.median(inputs[:, 1] / inputs[:, 0]) - 1 / 7) < 0.03
        assert (inputs[:, 1] > 1.5 * inputs[:, 0] / 20).all()  # the draws alone do not explain it
    assert (state[:, 1] < 1.5 * state[:, 0] / 20).all()
    assert np.abs(np.array(names(11)["spreads"]["state, one mask for a sequence"])[:, :, 0]).max() < 1e-12


@pytest.mark.slow
def test_all_sixteen_train() -> None:
    says(
        14,
        "With every suspect and every seed the loss falls, and with most of them as far as with the right gradients.",
    )
    remains = names(14)["remains"]
    assert remains.shape >= (17, 5)
    assert (remains < 0.95).all()
    right, *others = np.median(remains, axis=1)
    assert np.mean(np.array(others) < 1.5 * right) > 0.5


# --- untrained nets, with five seeds ---------------------------------------------------------------------------------


def test_differences_of_the_generations() -> None:
    says(
        8,
        "With each of the five nets the first generation gives the numbers of the third.",
        "The second differs by 0.01 to 0.03 at the first step.",
        "its largest difference becomes about five to ten times as large",
    )
    differences = np.array(names(8)["largest"]).reshape(-1, 2, 2)  # net; first, second; step 0, all steps
    assert len(differences) >= 5
    assert (differences[:, 0] == 0).all()
    at_step_0, over_40 = differences[:, 1].T
    assert ((at_step_0 > 0.01) & (at_step_0 < 0.03)).all()
    assert ((over_40 / at_step_0 > 4.5) & (over_40 / at_step_0 < 10.5)).all()

    says(8, "With each of the five nets the right order alone helps. The right forget bias alone does not")
    says(8, "the difference is even a little larger")
    loaded, order, bias, both = np.array(list(names(8)["remains"].values())).T
    assert (order < 0.6 * loaded).all()
    assert ((bias > loaded) & (bias < 1.2 * loaded)).all()
    assert (both < 1e-9).all()


def test_gradients_that_cross_a_hole() -> None:
    says(9, "With each net the hole gives exactly 1, and zeros as inputs give less.")
    crossed = np.array(list(names(9)["crossed"].values()))
    assert len(crossed) >= 5
    assert (crossed[:, 1] == 1).all()
    assert (crossed[:, [0, 2]] < 0.5).all()


# --- lesson 12 --------------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_every_task_is_learnt() -> None:
    five = names(12)["five"]
    better = {"adding": 0.1, "temporal order": 3.0, "Reber": 1.5, "text": 0.95}  # times the baseline, or that or less
    for name, trainers in five.items():
        assert len(trainers) >= 5
        task = trainers[0].task
        shares = [one.evaluate()[task.metric] / task.baseline().value for one in trainers]
        assert min(shares) > better[name] if task.higher_is_better else max(shares) < better[name]


@pytest.mark.slow
def test_the_gates_of_adding() -> None:
    says(
        12,
        "to about twice its value at the other steps",
        "The forget gate hardly moves",
        "at the marked steps it is about 1",
    )
    marked, others = (np.array([one[at] for one in names(12)["added"]]) for at in (True, False))
    assert ((marked[:, 0] / others[:, 0] > 1.6) & (marked[:, 0] / others[:, 0] < 2.7)).all()
    assert (np.abs(marked[:, 1] - others[:, 1]) < 0.1).all()
    assert (np.abs(marked[:, 2] - 1) < 0.3).all()
    assert (others[:, 2] < 0.25).all()


@pytest.mark.slow
def test_the_latch_counts() -> None:
    says(12, "The difference is more than kept, with every seed: the units go on *counting*")
    held = np.array(names(12)["held"])
    assert len(held) >= 5
    assert (held[:, 1] > 2 * held[:, 0]).all()
    assert (held[:, 2] > 2 * held[:, 1]).all()


@pytest.mark.slow
def test_the_output_gate_of_reber_is_half_of_the_story() -> None:
    says(12, "In four of five", "in the fifth it is not, and the distance grows there too")
    says(12, "With the gate frozen the distance at the end *stays* larger, in all five")
    says(12, r"$\tanh c$ itself is farther apart by then")
    peaks = names(12)["peaks"]
    assert len(peaks) >= 5
    assert min(found["h"] for found, _ in peaks) > 1
    assert min(found["h, gate frozen"] for found, _ in peaks) > 1
    assert min(found["tanh c"] for found, _ in peaks) > 1.2
    assert [then > inside + 0.03 for _, (inside, then) in peaks].count(True) == 4
    assert np.median([f["h"] for f, _ in peaks]) > np.median([f["h, gate frozen"] for f, _ in peaks])


@pytest.mark.slow
def test_what_training_does_to_saturation() -> None:
    says(
        12,
        "In all five the forget and the output gates are at the ends",
        "With the input gates it is the other way round",
    )
    before, after = (np.array(names(12)["ends"][k]) for k in ("untrained", "trained"))
    i, f, o = 0, 1, 2
    assert (after[:, [f, o]] > before[:, [f, o]]).all()
    assert (after[:, i] < before[:, i]).all()


@pytest.mark.slow
def test_the_probe_and_the_closing_bracket() -> None:
    says(12, "High, and yet not 1", "The bracket is right each time", "at the same step with each seed")
    seen = names(12)
    assert ((np.array(seen["highest"]) > 0.75) & (np.array(seen["highest"]) < 0.97)).all()
    probed = np.array(seen["probed"])
    assert len(probed) >= 5
    assert (probed[:, 0] > probed[:, 1]).all()
    assert all(fits for _, fits in seen["looks"])
    assert len(set(seen["strongest"])) > 1


@pytest.mark.slow
def test_how_far_it_carries() -> None:
    says(12, "At length 20 all three learn it.", "At 40 the simple net guesses", "At 80 that LSTM guesses too")
    says(12, "learns it with most seeds, and with some it does not")
    solved = names(12)["solved"]
    assert names(12)["LENGTHS"] == (20, 40, 80)
    scales, usual, simple = solved.values()
    assert all(len(found) >= 5 for found in solved.values())
    for found in solved.values():
        assert (found[:, 0] > 0.9).all()
    assert (np.median(scales, axis=0) > 0.9).all()
    assert (scales[:, 2] > 0.5).all()
    assert np.median(usual[:, 1]) > 0.9
    assert 0 < (usual[:, 1] < 0.9).mean() < 0.5
    assert usual[:, 1].min() < 0.35  # "no better than the simple net"
    assert (usual[:, 2] < 0.4).all()
    assert (simple[:, 1:] < 0.4).all()
