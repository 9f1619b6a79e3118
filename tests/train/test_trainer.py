"""Training steps, and going on with them bit for bit."""

from __future__ import annotations

import math

import numpy as np
import pytest

import minigrad as mg
from engine_errors import TOO_MANY_ROWS
from minigrad.engine.errors import NaNLossError, OutOfMemoryError
from minigrad.train.batch import Batch
from minigrad.train.checkpoint import Checkpoint, load, save
from minigrad.train.errors import CheckpointError
from minigrad.train.task import ModelShape, RunOptions
from minigrad.train.tasks import TASKS, Adding, Text
from minigrad.train.trainer import Trainer


def small(name, file, **more):
    kind = TASKS[name]
    given = {"file": str(file), "window": 8, "embedding": 5} if name == "text" else {}
    given |= {"steps": 20, "batch": 3, "units": 7, **more}
    return kind(kind.options_type(**given))


@pytest.fixture(scope="session")
def text(tmp_path_factory):
    path = tmp_path_factory.mktemp("text") / "text.txt"
    path.write_text("the quick brown fox jumps over the lazy dog.\n" * 60)
    return path


def trainer_of(task):
    return Trainer(task, task.options)


def losses(trainer, steps):
    return [trainer.advance().loss for _ in range(steps)]


def same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(a.get_weights(), b.get_weights(), strict=True))


@pytest.mark.parametrize("name", ["text", "reber", "adding"])
@pytest.mark.parametrize("cell", ["lstm", "gru", "simple_rnn"])
def test_going_on_from_a_checkpoint_is_as_if_it_had_never_stopped(tmp_path, text, name, cell):
    task = small(name, text, cell=cell, layers=2, dropout=0.2)
    whole = trainer_of(task)
    expected = losses(whole, 9)
    first = trainer_of(task)
    assert losses(first, 4) == expected[:4]
    save(tmp_path / "c.npz", first.capture())
    second = trainer_of(task)
    mg.random.seed(99)  # random numbers drawn in between
    second.restore(load(tmp_path / "c.npz"))
    assert losses(second, 5) == expected[4:]
    assert same(whole.model, second.model)
    for name_, array in whole.capture().arrays.items():
        np.testing.assert_array_equal(second.capture().arrays[name_], array)


def test_the_seed_decides(text):
    first, second, other = (trainer_of(small("text", text, seed=seed)) for seed in (0, 0, 1))
    assert same(first.model, second.model)
    assert not same(first.model, other.model)


class Recorder:
    """A task whose data are one repeated symbol, with a given `fresh`."""

    per_unit = 1.0

    def __init__(self, fresh):
        self.options = RunOptions(units=4, batch=1, steps=10)
        self.fresh = list(fresh)

    def shape(self):
        return ModelShape(inputs=2, outputs=2)

    def batch(self, generator, position):
        ones = np.ones((1, 5), np.int32)
        return Batch(ones, ones, np.ones((1, 5), np.float32), fresh=self.fresh[position])


def test_the_state_is_carried_over_unless_a_batch_is_fresh(monkeypatch):
    task = Recorder([True, False, True])
    trainer = Trainer(task, task.options)
    starts = []
    call = trainer.model.call

    def recorded(inputs, states=None, training=None):
        starts.append(states)
        return call(inputs, states=states, training=training)

    monkeypatch.setattr(trainer.model, "call", recorded)
    losses(trainer, 3)
    assert starts[0] is None
    assert [state.shape for state in starts[1][0]] == [(1, 4), (1, 4)]
    assert not any(state.requires_grad for state in starts[1][0])
    assert any(state.numpy().any() for state in starts[1][0])
    assert starts[2] is None


def test_the_loss_is_in_the_unit_of_the_task(text):
    trainer = trainer_of(small("text", text, learning_rate=1e-9))
    uniform = math.log2(len(trainer.task.vocabulary))
    step = trainer.advance()
    assert step.loss == pytest.approx(uniform, rel=0.05)
    assert step.items == 3 * 8
    assert trainer.evaluate()["bits_per_character"] == pytest.approx(uniform, rel=0.05)


def test_it_learns(text):
    trainer = trainer_of(small("text", text, steps=150, batch=8, units=32, learning_rate=0.02, warmup=5))
    first, *_, last = losses(trainer, 150)
    assert last < first / 4
    assert trainer.evaluate()["bits_per_character"] < first / 4


def test_the_gradient_is_clipped_and_its_norm_told(text):
    task = small("text", text, clip_norm=1e-9, learning_rate=0.1, warmup=0)
    trainer = trainer_of(task)
    step = trainer.advance()
    assert step.gradient_norm > 1e-3
    (m,) = (m for name, m in trainer.capture().arrays.items() if name == "optimizer/m/0")
    assert np.abs(m).max() < 1e-9


def test_the_learning_rate_goes_up_then_down_to_its_final_share(text):
    trainer = trainer_of(small("text", text, steps=60, warmup=4, learning_rate=0.01, final_rate=0.1))
    rates = [trainer.advance().learning_rate for _ in range(60)]
    assert rates[0] == pytest.approx(0.01 / 5)
    assert max(rates) == rates[4] == 0.01
    assert rates[:5] == sorted(rates[:5])
    assert rates[4:] == sorted(rates[4:], reverse=True)
    assert rates[-1] == pytest.approx(0.001, rel=0.1)


def test_a_short_run_warms_up_for_a_tenth_at_most(text):
    trainer = trainer_of(small("text", text, steps=10, warmup=50, learning_rate=0.01))
    assert [trainer.advance().learning_rate for _ in range(2)] == [pytest.approx(0.005), 0.01]
    assert trainer_of(small("text", text, steps=1)).advance().learning_rate > 0


def test_evaluation_leaves_no_trace_in_the_training(text):
    evaluated = trainer_of(small("text", text, dropout=0.3))
    found = losses(evaluated, 2)
    evaluated.evaluate()
    found += losses(evaluated, 2)
    assert found == losses(trainer_of(small("text", text, dropout=0.3)), 4)


class Explosive(Adding):
    """Bad numbers at one position."""

    def batch(self, generator, position):
        drawn = super().batch(generator, position)
        return drawn._replace(targets=drawn.targets * np.nan) if position == 2 else drawn


def test_a_loss_that_is_not_finite_stops_at_its_step_with_the_weights_untouched():
    task = Explosive(Adding.options_type(units=4, batch=2, length=6, steps=9))
    trainer = trainer_of(task)
    losses(trainer, 2)
    before = trainer.model.get_weights()
    with pytest.raises(NaNLossError, match=r"the loss is nan at step 3\. Try a smaller --learning-rate"):
        trainer.advance()
    for array, expected in zip(trainer.model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(array, expected)


def test_a_loss_that_is_not_finite_is_left_out_when_told_so():
    task = Explosive(Adding.options_type(units=4, batch=2, length=6, steps=9, on_nan="continue"))
    trainer = trainer_of(task)
    found = losses(trainer, 5)
    assert [math.isfinite(loss) for loss in found] == [True, True, False, True, True]
    assert all(np.isfinite(array).all() for array in trainer.model.get_weights())


def test_a_batch_that_does_not_fit_names_its_step_and_a_batch_that_might(text, monkeypatch):
    trainer = trainer_of(small("text", text, batch=6))
    losses(trainer, 1)

    def fails(*_):
        raise MemoryError("Unable to allocate 29.8 GiB")

    monkeypatch.setattr(trainer, "_forward", fails)
    with pytest.raises(OutOfMemoryError, match=rf"^train, step 2: {TOO_MANY_ROWS}6 .*batch_size=3\."):
        trainer.advance()


def test_the_checkpoint_of_another_model(text):
    small_one, large = (trainer_of(small("text", text, units=units)) for units in (4, 5))
    with pytest.raises(CheckpointError, match="of another model: expected weights/1 of shape"):
        large.restore(small_one.capture())


def test_a_checkpoint_names_its_weights(text):
    about = trainer_of(small("text", text)).capture().about
    assert len(about["weights"]) == 6
    assert any("recurrent_kernel" in name for name in about["weights"])
    assert isinstance(trainer_of(small("text", text)).capture(), Checkpoint)


def test_text_and_others_have_the_shapes_they_say(text):
    trainer = trainer_of(small("text", text))
    outputs, states = trainer.predict(np.zeros((2, 3), np.int32))
    assert outputs.shape == (2, 3, len(trainer.task.vocabulary))
    assert isinstance(trainer.task, Text)
    again, _ = trainer.predict(np.zeros((2, 3), np.int32), states)
    assert not np.array_equal(outputs, again)
