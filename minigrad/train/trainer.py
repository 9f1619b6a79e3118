"""Training steps, and the complete state to resume them with the same numbers.

A step is truncated backpropagation through time: a window starts from the final state of the previous
window, and the gradient stops at the border.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from minigrad.distributed.exchange import shared
from minigrad.distributed.sharing import rows_of
from minigrad.engine import functional, random, tree
from minigrad.engine.autograd import grad, no_grad
from minigrad.engine.creation import tensor
from minigrad.engine.errors import NaNLossError, OptionError, shown
from minigrad.engine.memory import with_advice
from minigrad.engine.protocol import Array
from minigrad.engine.rows import of_batch
from minigrad.engine.tensor import Tensor
from minigrad.keras.optimizers import Adam
from minigrad.keras.optimizers.schedules import CosineDecay
from minigrad.train.batch import Batch
from minigrad.train.checkpoint import Checkpoint, grouped
from minigrad.train.errors import CheckpointError
from minigrad.train.model import SequenceModel, States
from minigrad.train.processes import all_rows, of_whole_batch, own_rows, shared_predict
from minigrad.train.task import RunOptions, Task


def _cross_entropy(outputs: Tensor, batch: Batch) -> Tensor:
    return functional.softmax_cross_entropy(outputs, batch.targets, mask=batch.weights)


def _squared_error(outputs: Tensor, batch: Batch) -> Tensor:
    weights = np.broadcast_to(batch.weights[..., None], batch.targets.shape)  # one per number
    return functional.mean_squared_error(outputs, batch.targets, mask=weights)


LOSSES = {"classes": _cross_entropy, "values": _squared_error}


class StepResult(NamedTuple):
    """Result of one training step."""

    loss: float  # in the task's unit
    gradient_norm: float  # before it was clipped
    learning_rate: float
    items: int  # time steps read


class Trainer:
    """A model in training on a task.

    Seeds `minigrad.random`, from which weights and dropout are drawn; the data come from a separate
    generator.

    Args:
        task: the data.
        options: the options of the training.

    Attributes:
        model: the model.
        step: the number of completed steps.
    """

    def __init__(self, task: Task, options: RunOptions) -> None:
        if not (callable(getattr(task, "batch", None)) and callable(getattr(task, "shape", None))):
            raise OptionError(f"Trainer: expected `task`, a Task, got {shown(task)}.")
        if not isinstance(options, RunOptions):
            raise OptionError(f"Trainer: expected `options`, RunOptions, got {shown(options)}.")
        self.task, self.options = task, options
        self.step = 0
        self._position = 0  # batches drawn
        self._states: States | None = None
        self._own_count: int | None = None  # rows of the states that belong to this process; None for all of them
        random.seed(options.seed)
        self._generator = random.generator_for(options.seed, 0xDA7A)
        shape = task.shape()
        self._loss = LOSSES[shape.head]
        self.model = SequenceModel(shape, options)
        empty = np.zeros((1, 1), np.int32) if shape.symbols else np.zeros((1, 1, shape.inputs), np.float32)
        self.predict(empty)  # builds the weights
        self._optimizer = Adam(_schedule(options), global_clipnorm=options.clip_norm)
        self._optimizer.build(self.model.trainable_weights)

    # --- training -----------------------------------------------------------------------------------------------------

    def advance(self) -> StepResult:
        """Run one training step.

        Raises:
            NaNLossError: the loss or its gradient is not finite; the weights are unchanged.
            OutOfMemoryError: the batch does not fit into memory; the message names a batch size that does.
        """
        options = self.options
        whole = self.task.batch(self._generator, self._position)
        rows, batch = own_rows(whole)
        self._own_count = None if rows is None else rows.stop - rows.start
        weights = self.model.trainable_weights
        with np.errstate(over="ignore", invalid="ignore"):  # NaN and infinity are checked below
            try:
                with of_batch(rows):
                    loss, states = self._forward(batch)
                gradients = grad(loss, weights)
            except MemoryError as error:
                where, count = f"train, step {self.step + 1}", batch.inputs.shape[0]
                raise with_advice(where, weights[0].backend, error, count) from error
            *gradients, loss = of_whole_batch([*gradients, loss.detach()], rows, batch, whole)
            value, norm = float(loss.item()) * self.task.per_unit, _norm(gradients)
        self.step += 1
        self._position += 1
        rate = self._optimizer.learning_rate
        if math.isfinite(value) and math.isfinite(norm):
            self._optimizer.apply_gradients(zip(gradients, weights, strict=True))
            self._states = states
        else:
            self._states = None  # NaN or infinity in a state would never leave it
            if options.on_nan == "stop":
                raise NaNLossError(self._not_finite(value, norm))
        return StepResult(value, norm, rate, math.prod(whole.inputs.shape[:2]))

    def _forward(self, batch: Batch) -> tuple[Tensor, States]:
        states = None if batch.fresh else self._states
        outputs, after = self.model(batch.inputs, states=states, training=True)
        return self._loss(outputs, batch), [[state.detach() for state in layer] for layer in after]

    def _not_finite(self, loss: float, norm: float) -> str:
        fault = f"the loss is {loss}" if not math.isfinite(loss) else f"the norm of the gradient is {norm}"
        return (
            f"train: {fault} at step {self.step}. Try a smaller --learning-rate (it is "
            f"{self.options.learning_rate:g}) or --clip-norm (it is {self.options.clip_norm:g}); "
            "--on-nan continue skips such steps instead."
        )

    # --- use ----------------------------------------------------------------------------------------------------------

    def predict(self, inputs: Array, states: Any = None) -> tuple[Array, Any]:
        """Return the model's outputs as a NumPy array, and its states: a task's `Predict`."""
        with no_grad():
            outputs, after = self.model(inputs, states=states, training=False)
        return outputs.numpy(), after

    def evaluate(self) -> dict[str, float]:
        """Return the task's numbers on its validation data; the processes of a job share each batch."""
        found: dict[str, float] = shared(self.task.evaluate(shared_predict(self.predict)))
        return found

    # --- checkpoints --------------------------------------------------------------------------------------------------

    def capture(self) -> Checkpoint:
        """Return everything that the next step depends on, and the description of the model."""
        states = all_rows([state.numpy()[: self._own_count] for layer in self._states or [] for state in layer])
        about = {
            "task": self.task.name,
            "options": self.options.to_dict(),
            "facts": self.task.facts(),
            "step": self.step,
            "position": self._position,
            "random": {"data": self._generator.bit_generator.state, "library": random.get_state()},
            "weights": [weight.name for weight in self.model.weights],
        }
        optimizer = {f"optimizer/{name}": array for name, array in self._optimizer.get_state().items()}
        arrays = grouped(weights=self.model.get_weights(), states=states)
        return Checkpoint(about, arrays | optimizer)

    def restore(self, checkpoint: Checkpoint) -> None:
        """Return to the state in which `capture` was called.

        Raises:
            CheckpointError: the checkpoint belongs to another model, or lacks a value.
        """
        with _as_checkpoint_error():
            self.restore_weights(checkpoint)
            self._restore_optimizer(checkpoint)
            self._states = self._saved_states(checkpoint)
            self.step, self._position = checkpoint.about["step"], checkpoint.about["position"]
            _restore_generator(self._generator.bit_generator, checkpoint.about["random"]["data"])
            _restore_generator(random.generator().bit_generator, checkpoint.about["random"]["library"])

    def _restore_optimizer(self, checkpoint: Checkpoint) -> None:
        slots, step = checkpoint.named("optimizer"), checkpoint.about["step"]
        for name, own in self._optimizer.get_state().items():
            if slots[name].dtype != own.dtype:
                raise CheckpointError(f"expected optimizer/{name} of dtype {own.dtype}, got {slots[name].dtype}.")
            _check_not_nan(f"optimizer/{name}", slots[name])
        updates = slots["iterations"]
        if updates.shape or not 0 <= updates <= step:
            raise CheckpointError(f"expected 0 to {step} for optimizer/iterations, got {shown(updates.tolist())}.")
        self._optimizer.set_state(slots)

    def _saved_states(self, checkpoint: Checkpoint) -> States | None:
        """Return the final states of the last batch; None before the first batch."""
        arrays = checkpoint.group("states")
        if not arrays:
            return None
        rows = self.task.batch(np.random.default_rng(0), 0).inputs.shape[0]
        sizes = [tree.leaves(layer.cell.state_size) for layer in self.model.recurrent]
        _check_arrays("states", [((rows, n), "float32") for of_layer in sizes for n in of_layer], arrays)
        own = rows_of(rows)
        self._own_count = own.stop - own.start
        left = iter([tensor(array[own.taken]) for array in arrays])
        return [[next(left) for _ in of_layer] for of_layer in sizes]

    def restore_weights(self, checkpoint: Checkpoint) -> None:
        """Load the weights alone, to use a trained model.

        Raises:
            CheckpointError: the checkpoint belongs to another model, or lacks weights.
        """
        with _as_checkpoint_error():
            given = checkpoint.group("weights")
            _check_arrays("weights", [(weight.shape, weight.dtype) for weight in self.model.weights], given)
            self.model.set_weights(given)


@contextmanager
def _as_checkpoint_error() -> Iterator[None]:
    """Convert errors of NumPy and Python about values that no run saved to CheckpointError."""
    try:
        yield
    except CheckpointError:  # a ValueError too
        raise
    except (LookupError, TypeError, ValueError, OverflowError) as error:
        raise CheckpointError(f"the checkpoint does not hold what its run needs: {error}") from error


def _check_arrays(name: str, own: list[tuple[Any, Any]], given: list[Array]) -> None:
    expected = [(tuple(shape), str(dtype)) for shape, dtype in own]
    got = [(array.shape, str(array.dtype)) for array in given]
    if expected == got:
        for k, array in enumerate(given):
            _check_not_nan(f"{name}/{k}", array)
        return
    if len(expected) != len(got):
        difference = f"{len(expected)} {name}, got {len(got)}"
    else:
        k = next(k for k in range(len(got)) if expected[k] != got[k])
        shape, dtype = expected[k]
        difference = f"{name}/{k} of shape {shape} and dtype {dtype}, got {got[k][0]} and {got[k][1]}"
    raise CheckpointError(f"the checkpoint is of another model: expected {difference}.")


def _check_not_nan(name: str, array: Array) -> None:
    if np.isnan(array).any():  # no run writes NaN: a step whose loss is not finite changes nothing
        raise CheckpointError(f"{name} holds NaN. The file was changed; start a new run.")


def _restore_generator(generator: Any, state: Any) -> None:
    generator.state = state
    if generator.state != state:  # NumPy rounds and cuts values that do not fit
        raise CheckpointError(f"expected the state of a random generator, got {shown(state)}.")


def _schedule(options: RunOptions) -> CosineDecay:
    """Return the learning rate: a linear warm-up of at most a tenth of the run, then a cosine decay."""
    warmup = min(options.warmup, options.steps // 10)
    peak = options.learning_rate
    return CosineDecay(
        initial_learning_rate=peak / (warmup + 1),
        warmup_target=peak,
        warmup_steps=warmup,
        decay_steps=options.steps - warmup,
        alpha=options.final_rate,
    )


def _norm(gradients: list[Any]) -> float:
    """√ Σ g² over all gradients."""
    squares = [functional.sum(functional.square(g)) for g in gradients if g is not None]
    return math.sqrt(float(functional.sum(functional.stack(squares)).item()))
