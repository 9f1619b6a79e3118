"""The base class of Keras' recurrent cells: options, states, and dropout masks that last a sequence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import is_
from typing import Any, ClassVar

from minigrad.engine import functional as F
from minigrad.engine import random, tree
from minigrad.engine.creation import as_tensor
from minigrad.engine.errors import ShapeError
from minigrad.engine.flow import FlowAttribute
from minigrad.engine.tensor import Tensor, TensorLike, apply
from minigrad.layers import activations, constraints, initializers, regularizers, signatures
from minigrad.layers.input_spec import InputSpec
from minigrad.layers.layer import Layer
from minigrad.layers.options import flag, fraction, option, positive_int
from minigrad.layers.plan import CallPlan, can_keep, signature
from minigrad.layers.recurrence import Recurrence, has_rules, one_step
from minigrad.layers.states import check_state_order, zero_state
from minigrad.recurrent.formulas import Formulas
from minigrad.recurrent.protocol import SequenceOptions
from minigrad.recurrent.single_step import StepOp

_PLANNED = (
    "call", "recurrence", "time_step", "get_initial_state", "get_dropout_mask_for_cell",
    "get_recurrent_dropout_mask_for_cell", "reset_dropout_mask", "reset_recurrent_dropout_mask", "_masks",
)  # fmt: skip


class Cell(Layer):
    """The base class of the recurrent cells of Keras.

    A subclass names its equations, the number of gates in its kernel, and the weights that the equations take.

    Attributes:
        equations: the equations of a step.
        gates: the number of matrices side by side in the kernel.
        can_plan: whether the plan of a call without dropout may be kept, `plan.CallPlan`.
        has_plain_weights: whether `step_weights` returns attributes, and no tensors computed from them.
        state_size: the size of each state, an int or nested lists of ints.
        output_size: the size of the output.
    """

    units: int = option(positive_int)
    activation: activations.Activation = option(activations.option, "tanh")
    use_bias: bool = option(flag, True)
    kernel_initializer: Any = option(initializers.option_kind, "glorot_uniform")
    recurrent_initializer: Any = option(initializers.option_kind, "orthogonal")
    bias_initializer: Any = option(initializers.option_kind, "zeros")
    kernel_regularizer: Any = option(regularizers.option_kind, None)
    recurrent_regularizer: Any = option(regularizers.option_kind, None)
    bias_regularizer: Any = option(regularizers.option_kind, None)
    kernel_constraint: Any = option(constraints.option_kind, None)
    recurrent_constraint: Any = option(constraints.option_kind, None)
    bias_constraint: Any = option(constraints.option_kind, None)
    dropout: float = option(fraction, 0.0)
    recurrent_dropout: float = option(fraction, 0.0)

    computes_with_integers = True
    gates = 1
    equations: Any = None
    input_spec = InputSpec(ndim=2)
    can_plan: ClassVar[bool] = True
    _plan: CallPlan | None = None
    has_plain_weights: ClassVar[bool] = True
    _dropout_masks = FlowAttribute[list[Tensor] | None](None)
    _recurrent_dropout_masks = FlowAttribute[list[Tensor] | None](None)

    def __init_subclass__(cls, called: str | None = None) -> None:
        """Note whether the class overrides a method that a plan of a call relies on."""
        super().__init_subclass__(called)
        for given, other in (("time_step", "formulas"), ("formulas", "time_step")):  # `formulas` is its earlier name
            if given in vars(cls) and other not in vars(cls):
                setattr(cls, other, vars(cls)[given])
        cls.can_plan = all(getattr(cls, name) is getattr(Cell, name) for name in _PLANNED)
        cls.has_plain_weights = cls.step_weights is Cell.step_weights

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.bias_initializer = self.bias_initializer or "glorot_uniform"  # as `add_weight` reads None

    # --- to define ----------------------------------------------------------------------------------------------------

    @property
    def state_size(self) -> Any:
        """The size of each state."""
        return self.units

    @property
    def output_size(self) -> int:
        """The size of the output."""
        return self.units

    @property
    def gate_layout(self) -> tuple[str, ...]:
        """The names of the gates, in the order of their columns in the kernel."""
        names = self.time_step().gates
        return names if len(names) > 1 else ()

    def time_step(self) -> Formulas:
        """Return the cell's step and its gradient."""
        if self.equations is None:
            raise NotImplementedError(f"{type(self).__name__} must define `equations`, a minigrad.recurrent.Equations.")
        sigma = getattr(self, "recurrent_activation", F.sigmoid)
        separate = getattr(self, "implementation", 2) == 1
        return activations.bind(self.equations, sigma, self.activation, separate)

    formulas = time_step  # the earlier name

    def step_weights(self, x_masks: Tensor | None, h_masks: Tensor | None) -> tuple[Tensor | None, ...]:
        """Return the weights in the order of the equations, by default W, U, b; None for those that are absent."""
        return self.kernel, self.recurrent_kernel, self.bias, x_masks, h_masks

    def initial_bias(self, shape: tuple[int, ...], dtype: Any) -> Tensor:
        """Return the initial values of the bias."""
        start: Tensor = self.bias_initializer(shape, dtype=dtype)
        return start

    def bias_shape(self) -> tuple[int, ...]:
        """Return the shape of the bias."""
        return (self.gates * self.units,)

    # --- the layer ----------------------------------------------------------------------------------------------------

    def build(self, input_shape: tuple[int, ...]) -> None:
        """Add kernel (features, gates · units), recurrent_kernel (units, gates · units) and bias."""
        features, columns = input_shape[-1], self.gates * self.units
        self.input_spec = InputSpec(ndim=2, axes={-1: features})
        self.kernel = self._add_weight("kernel", (features, columns))
        self.recurrent_kernel = self._add_weight("recurrent_kernel", (self.units, columns), "recurrent")
        self.bias = None
        if self.use_bias:
            self.bias = self._add_weight("bias", self.bias_shape(), initializer=self.initial_bias)

    def call(self, inputs: TensorLike, states: Any, training: bool | None = None) -> tuple[Tensor, Any]:
        """Run one time step, as one operation with the hand-derived gradient.

        Args:
            inputs: (batch, features).
            states: the state before the step: a list of tensors (batch, size), or the one tensor.
            training: whether dropout acts.

        Returns:
            The output, (batch, units), and the new state in the structure of `states`.

        Raises:
            ShapeError: the states do not fit the cell.
            StateError: they are the first generation's (c, h).
        """
        if not isinstance(inputs, Tensor):
            inputs = as_tensor(inputs, None, f"{self.name}.call: `inputs`")
        plan = self._plan
        if plan is None or not (plan.fits(inputs, training) and plan.knows(states)):
            return self._checked_call(inputs, states, training)
        state = (states,) if isinstance(states, Tensor) else states
        new = apply(StepOp, inputs, *state, *(plan.weights or self.step_weights(None, None)), options=plan.options)
        return new[plan.options.step.output], new[0] if isinstance(states, Tensor) else type(states)(new)

    def _checked_call(self, inputs: Tensor, states: Any, training: bool | None) -> tuple[Tensor, Any]:
        """Run one time step on inputs and states of a new signature, and keep the plan of it."""
        version = signatures.version
        check_state_order(f"{self.name}.call", self, states, "`states`")
        state = tuple(self._cast(as_tensor(s, None, f"{self.name}.call: `states`")) for s in tree.leaves(states))
        expected = [(inputs.shape[0], size) for size in tree.leaves(self.state_size)]
        if [s.shape for s in state] != expected:
            raise ShapeError(
                f"{self.name}.call: expected `states` of shapes {_listed(expected)}, got "
                f"{_listed(s.shape for s in state)}. cell.get_initial_state(inputs) makes zeros."
            )
        step = self.time_step()
        x_masks, h_masks = self._masks(inputs, state[step.output], training)
        weights = self.step_weights(x_masks, h_masks)
        state_new = one_step(self, step, inputs, state, weights)
        plain = type(states) in (list, tuple, Tensor) and all(map(is_, state, tree.leaves(states)))
        if plain and x_masks is h_masks is None and self.can_plan and can_keep() and has_rules(step):
            self._plan = CallPlan(
                version,
                inputs.backend,
                inputs.dtype,
                inputs.shape[0],
                0,
                bool(training),
                signature(state),
                {type(states)},
                weights if self.has_plain_weights else None,
                SequenceOptions(step, len(state)),
            )
        return state_new[step.output], tree.unflatten(states, list(state_new))

    def recurrence(self, inputs: Tensor, training: bool | None) -> Recurrence | str:
        """Return the step and weights for the explicit loop, or in a few words the reason why it cannot run.

        Args:
            inputs: (batch, features), one time step, for the shape of the dropout masks.
            training: whether dropout acts.
        """
        if type(self).call is not Cell.call:
            return f"{type(self).__name__} overrides call"
        for name in ("activation", "recurrent_activation"):
            activation = getattr(self, name, None)
            if activation is not None and activations.rule(activation) is None:
                return f"{name} {activations.serialize(activation)!r} has no hand-derived derivative"
        like_h = F.zeros((inputs.shape[0], self.output_size), self.dtype) if training else None
        return Recurrence(self.time_step(), self.step_weights(*self._masks(inputs, like_h, training)))

    def get_initial_state(self, inputs: Any = None, batch_size: int | None = None, dtype: Any = None) -> Any:
        """Return zeros, in the structure of `state_size`.

        Args:
            inputs: a tensor with the batch size and dtype, or None.
            batch_size: the batch size, where there are no inputs.
            dtype: the dtype, where there are no inputs.
        """
        return zero_state(self, inputs, batch_size, dtype)

    def _hint(self, ndim: int) -> str:
        return " A cell takes one time step; wrap it in RNN(cell) for a sequence." if ndim == 3 else ""

    # --- dropout ------------------------------------------------------------------------------------------------------

    def _masks(self, x: Tensor, h: Tensor | None, training: bool | None) -> tuple[Tensor | None, Tensor | None]:
        """Return the dropout masks of x and of h as the step takes them: (1 or gates, batch, size), or None."""
        return self._stacked_masks(x, h, training, (self.gates, self.gates))

    def _stacked_masks(
        self, x: Tensor, h: Tensor | None, training: bool | None, counts: Sequence[int]
    ) -> tuple[Tensor | None, Tensor | None]:
        """Return the dropout masks for these numbers of columns of x and of h."""
        if not training or h is None:
            return None, None
        x_masks = self.get_dropout_mask_for_cell(x, training, count=counts[0]) if counts[0] else None
        h_masks = self.get_recurrent_dropout_mask_for_cell(h, training, count=counts[1]) if counts[1] else None
        one = getattr(self, "implementation", 2) != 1
        stacked = (None if not masks else F.stack(masks[:1] if one else masks) for masks in (x_masks, h_masks))
        of_x, of_h = stacked
        return of_x, of_h

    def get_dropout_mask_for_cell(self, inputs: Tensor, training: bool | None, count: int = 1) -> list[Tensor] | None:
        """Return the dropout masks of the inputs, drawn once and kept until `reset_dropout_mask`.

        Each thread or task has its own.

        Args:
            inputs: (batch, features), for the shape.
            training: without it the masks are all ones.
            count: the number of masks, one for each gate.

        Returns:
            A list of tensors of the inputs' shape, 0 or 1/(1 − dropout); None where `dropout` is 0.
        """
        return self._drawn("_dropout_masks", self.dropout, inputs, training, count)

    def get_recurrent_dropout_mask_for_cell(
        self, inputs: Tensor, training: bool | None, count: int = 1
    ) -> list[Tensor] | None:
        """Return the dropout masks of the state, drawn once and kept until `reset_recurrent_dropout_mask`.

        Args and result as for `get_dropout_mask_for_cell`, with `recurrent_dropout`.
        """
        return self._drawn("_recurrent_dropout_masks", self.recurrent_dropout, inputs, training, count)

    def _drawn(self, name: str, rate: float, like: Tensor, training: bool | None, count: int) -> list[Tensor] | None:
        if rate and getattr(self, name) is None:
            count = positive_int.read(f"{self.name}: `count` of dropout masks", count)
            training = training is not None and flag.read(f"{self.name}: `training`", training)
            like = self._cast(as_tensor(like, None, f"{self.name}: `inputs` of a dropout mask"))
            shape, dtype, n = like.shape, like.dtype, range(count)
            setattr(self, name, [random.dropout_mask(shape, rate, dtype) if training else F.ones_like(like) for _ in n])
        masks: list[Tensor] | None = getattr(self, name) if rate else None
        return masks

    def reset_dropout_mask(self) -> None:
        """Reset the dropout masks of the inputs; a recurrent layer does so at the start of each call."""
        del self._dropout_masks

    def reset_recurrent_dropout_mask(self) -> None:
        """Reset the dropout masks of the state; a recurrent layer does so at the start of each call."""
        del self._recurrent_dropout_masks


def _listed(shapes: Iterable[tuple[int, ...]]) -> str:
    return ", ".join(map(str, shapes)) or "none"
