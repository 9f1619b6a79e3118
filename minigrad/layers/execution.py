"""The run of a cell over a sequence, for `RNN` and `dynamic_rnn`.

It takes the first possible path of three. The explicit loop over time of `minigrad.recurrent` is one node on the tape
for each layer of the cell; it runs in the backend's fused kernel if there is one. Otherwise the cell's `call` runs step
by step. A cell with equations is then one node for each step, with the same hand-derived gradient; any other cell has
one node for each operation. `SequenceResult.path` names the path taken and the reason.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from minigrad.engine import functional as F
from minigrad.engine import tree
from minigrad.engine.dtypes import dtype_name
from minigrad.engine.errors import MinigradError
from minigrad.engine.ops.shape import Reshape
from minigrad.engine.tensor import Tensor, apply
from minigrad.layers import signatures
from minigrad.layers.cell_adapter import CellAdapter
from minigrad.layers.plan import CallPlan, can_keep, signature
from minigrad.layers.recurrence import Recurrence
from minigrad.recurrent import Formulas, SequenceOp, SequenceOptions, StepOp
from minigrad.recurrent.backend_loop import BackendLoop, backend_loop
from minigrad.recurrent.on_tape import is_on_tape
from minigrad.recurrent.step import Step
from minigrad.recurrent.watch import watch_of


class SequenceResult(NamedTuple):
    """Result of running a cell over a sequence."""

    outputs: Any  # (time, batch, …), nested as the cell's output is
    last: Any  # the output of the last step
    states: list[Any]  # the final states, flat
    path: str  # the path taken, and the reason


def run(
    cell: CellAdapter,
    x: Any,
    states: list[Any],
    structure: Any,
    mask: Tensor | None = None,
    training: bool | None = None,
    constants: Any = None,
    zero_output: bool = False,
    tbptt: tuple[int, int] | None = None,
    by_steps: str = "",
    name: str = "",
) -> SequenceResult:
    """Run a cell over a sequence.

    Args:
        cell: the adapter of the cell, which is built.
        x: (time, batch, features), or nested tensors of such shapes.
        states: the initial states, flat.
        structure: the structure of the states.
        mask: (time, batch) of bools; where False, the row keeps its states and repeats its output.
        training: whether dropout acts.
        constants: passed to the cell at every step.
        zero_output: at masked steps the output is zero instead of repeated.
        tbptt: (k1, k2): after every k1 steps, the loss is propagated backward through k2 steps.
        by_steps: the reason to call the cell step by step; empty to prefer the explicit loop.
        name: the layer's name, for messages.

    Raises:
        MinigradError: `tbptt` is given, and the explicit loop cannot run.
    """
    by_steps = by_steps or ("the cell is given constants" if constants is not None else "")
    if any(map(is_on_tape, cell.innermost())):
        by_steps = "mg.testing.on_tape"
    found = by_steps or _recurrences(cell, x, training, repeats=mask is not None and not zero_output)
    if not isinstance(found, str):
        return _explicit(cell, found, x, states, structure, mask, zero_output, tbptt)
    if tbptt:
        raise MinigradError(f"{name}: tbptt={tbptt} needs the explicit loop over time, but {found}.")
    outputs, last, states = _by_steps(cell, x, states, structure, mask, training, constants, zero_output)
    return SequenceResult(outputs, last, states, cell.path_by_steps(_first_step(x), found))


def plan_of(
    cell: Any,
    x: Tensor,
    zero_states: Callable[[], list[Tensor]],
    training: bool | None,
    zero_output: bool,
    tbptt: tuple[int, int] | None,
    batch_axis: int,
) -> CallPlan | None:
    """Return the plan for calls like this one; None where the next one may differ.

    Args:
        cell: the cell, built.
        x: the inputs.
        zero_states: makes the initial states.
        training: whether dropout acts.
        zero_output: whether the output at masked steps is zero instead of repeated.
        tbptt: (k1, k2), or None.
        batch_axis: 0 for (batch, time, features), 1 for (time, batch, features).
    """
    version, drops = signatures.version, bool(cell.dropout or cell.recurrent_dropout)
    if (drops and training) or not can_keep():
        return None
    found = cell.recurrence(_first_step(x, 1 - batch_axis), training)
    if isinstance(found, str):
        return None
    step, weights, _ = found
    zeros = zero_states()
    if zeros[0].backend is not x.backend:
        return None
    own_loop, path = _choose(x, step, weights, tbptt, traced=False)
    by_formulas = own_loop is not None and not getattr(own_loop.loop, "single_steps", True)
    return CallPlan(
        version,
        x.backend,
        x.dtype,
        x.shape[batch_axis],
        batch_axis,
        bool(training),
        signature(zeros),
        set(),
        weights if cell.has_plain_weights else None,
        SequenceOptions(step, len(zeros), None, zero_output, tbptt, own_loop, batch_first=batch_axis == 0),
        zeros,
        f"explicit BPTT, {path}",
        drops,
        f"explicit BPTT, formulas of {_name_of(step)}: one time step" if by_formulas else "",
    )


def run_plan(plan: CallPlan, cell: Any, x: Tensor, states: list[Tensor], mask: Tensor | None) -> SequenceResult:
    """Run a cell over a sequence as planned; arguments and result as for `run`, the axes of x as planned."""
    weights = plan.weights or cell.step_weights(None, None)
    if plan.path_of_one_step and mask is None and x.array.shape[1 - plan.batch_axis] == 1:
        return _run_one_step(plan, x, states, weights)
    options = plan.options if mask is None else plan.options._replace(mask=mask.array)
    y, *final = apply(SequenceOp, x, *states, *weights, options=options)
    last = final[options.step.output] if mask is None else y[:, -1] if options.batch_first else y[-1]
    return SequenceResult(y, last, final, plan.path)


def _run_one_step(plan: CallPlan, x: Tensor, states: list[Tensor], weights: Any) -> SequenceResult:
    """Run a sequence of one time step as that step alone."""
    x_0 = apply(Reshape, x, shape=(plan.batch, x.array.shape[2]))
    final = list(apply(StepOp, x_0, *states, *weights, options=plan.options))
    last = final[plan.options.step.output]
    shape = (*x.array.shape[:2], last.array.shape[1])
    return SequenceResult(apply(Reshape, last, shape=shape), last, final, plan.path_of_one_step)


def _recurrences(cell: CellAdapter, x: Any, training: bool | None, repeats: bool) -> list[Recurrence] | str:
    """Return a `Recurrence` for each layer of the cell, or the reason why the explicit loop cannot run."""
    x_0 = _first_step(x)
    if x_0 is None:
        return "the inputs are nested"
    found = cell.recurrences(x_0, training)
    if repeats and not isinstance(found, str) and found[-1].wrapper is not None:
        return "a masked step would repeat the output of the cell, not that of its wrapper"
    return found


def _first_step(x: Any, axis: int = 0) -> Tensor | None:
    """Return the inputs of the first step, (batch, features), as a constant; None if they are nested."""
    index = (slice(None),) * axis + (0,)
    return Tensor(x.backend.getitem(x.array, index), x.backend) if isinstance(x, Tensor) else None


def _explicit(
    cell: CellAdapter,
    found: list[Recurrence],
    x: Tensor,
    states: list[Any],
    structure: Any,
    mask: Tensor | None,
    zero_output: bool,
    tbptt: Any,
) -> SequenceResult:
    """Run each layer of the cell over the whole sequence, from the lowest up: one node on the tape for each."""
    y, state = x, cell.to_arrays(states, structure)
    mask_array = None if mask is None else mask.array
    final: list[Tensor] = []
    paths: list[str] = []
    layers = zip(found, cell.innermost(), cell.array_sizes(), strict=True)
    for (step, weights, wrapper), innermost, sizes in layers:
        watch = watch_of(innermost, step)
        own_loop, path = _choose(x, step, weights, tbptt, watch is not None)
        paths += [] if path in paths else [path]
        own, state = state[: len(sizes)], state[len(sizes) :]
        options = SequenceOptions(step, len(sizes), mask_array, zero_output and not state, tbptt, own_loop, watch)

        def sequence(x: Tensor, own: list[Any] = own, weights: Any = weights, options: Any = options) -> Tensor:
            y, *new = apply(SequenceOp, x, *own, *weights, options=options)
            final.extend(new)
            return y

        y = sequence(y) if wrapper is None else wrapper(y, sequence)
    if wrapper is not None and mask is not None:
        y = F.where(F.expand_dims(mask, -1), y, 0.0)
    # At a masked step the last output may be zero while the state is not; without a mask it is the state.
    last = final[len(final) - len(sizes) + step.output] if mask is None and wrapper is None else y[-1]
    return SequenceResult(y, last, cell.from_arrays(final), f"explicit BPTT, {'; '.join(paths)}")


def _choose(
    x: Tensor, step: Step, weights: tuple[Any, ...], tbptt: tuple[int, int] | None, traced: bool
) -> tuple[BackendLoop | None, str]:
    """Return the backend's loop for a step, or None; and the path in words."""
    name = _name_of(step)
    reason = "traced" if traced else f"tbptt={tbptt}" if tbptt else ""
    found = reason or backend_loop(x.backend, step, weights, dtype_name(x.dtype))
    if isinstance(found, str):
        return None, f"formulas of {name}: {found}"
    return found, f"fused kernel of the {x.backend.name} backend"


def _name_of(step: Step) -> str:
    return step.equations.__qualname__ if isinstance(step, Formulas) else type(step).__name__


def _by_steps(
    cell: CellAdapter,
    x: Any,
    states: list[Any],
    structure: Any,
    mask: Tensor | None,
    training: bool | None,
    constants: Any,
    zero_output: bool,
) -> tuple[Any, Any, list[Any]]:
    """Call the cell step by step; the masked step is the same as in `recurrent.masks`."""
    steps = [F.unstack(part) for part in tree.leaves(x)]
    masks = [None] * len(steps[0]) if mask is None else [F.expand_dims(mask_t, -1) for mask_t in F.unstack(mask)]
    call = cell.caller(structure, training, constants)
    outputs: list[Any] = []
    for mask_t, *x_t in zip(masks, *steps, strict=True):
        output, new = call(x_t[0] if isinstance(x, Tensor) else tree.unflatten(x, x_t), states)
        if mask_t is not None:
            before = outputs[-1] if outputs and not zero_output else tree.map(lambda _: 0.0, output)
            output = tree.map(lambda y, old: select_rows(mask_t, y, old), output, before)  # noqa: B023  (used at once)
            new = [select_rows(mask_t, s, old) for s, old in zip(new, states, strict=True)]
        states = new
        outputs.append(output)
    return tree.map(lambda *ys: F.stack(ys), outputs[0], *outputs[1:]), outputs[-1], states


def select_rows(mask: Tensor, new: Tensor, old: Any) -> Tensor:
    """Return the new numbers in the unmasked rows, the old ones in the others; on the backend of the new ones.

    Like TensorFlow, return the new value of a state without rows: a scalar or a TensorArray.
    """
    if getattr(new, "shape", ()) == ():
        return new
    if new.ndim != 2:
        mask = F.reshape(mask, (-1, *[1] * (new.ndim - 1)))
    return F.where(mask.to(new.backend), new, old.to(new.backend) if isinstance(old, Tensor) else old)
