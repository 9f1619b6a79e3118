"""Layers around a layer: TimeDistributed and Bidirectional, and their base class Wrapper."""

from __future__ import annotations

from typing import Any

from minigrad.engine import functional as F
from minigrad.engine import tree
from minigrad.engine.creation import as_tensor
from minigrad.engine.errors import MinigradError, ShapeError, shown
from minigrad.engine.foreign import with_name
from minigrad.engine.tensor import Tensor
from minigrad.layers import call_context
from minigrad.layers.cell_adapter import adapter_of
from minigrad.layers.input_spec import InputSpec
from minigrad.layers.layer import Layer
from minigrad.layers.masks import attach_masks, mask_of
from minigrad.layers.module import Module
from minigrad.layers.options import OptionError, choice, option, optional
from minigrad.layers.recorded import map_shapes
from minigrad.layers.rnn import RNN
from minigrad.layers.sequence_inputs import mask_of_inputs, number_of_constants, split_inputs
from minigrad.layers.serialization import clone, layer_kind
from minigrad.layers.states import StateError, check_state_order


class Wrapper(Layer):
    """The base class of layers around a layer. A subclass defines `call`.

    Args:
        layer: the layer.
    """

    layer: Any = option(layer_kind)

    def build(self, input_shape: Any = None) -> None:
        """Build the layer inside."""
        self.layer._build_for(input_shape)


class TimeDistributed(Wrapper):
    """Apply a layer to every time step by itself: steps and rows become one batch.

    Args:
        layer: the layer.

    Shapes:
        inputs (batch, time, …), or a list of such tensors for a layer of several inputs → (batch, time, …)
    """

    supports_masking = True
    input_spec = InputSpec(min_ndim=3)

    def build(self, input_shape: Any = None) -> None:
        """Build the layer for one time step; as in Keras its name is not among those of its weights."""
        with call_context.inside(self.layer, ""):
            self.layer._build_for(
                map_shapes(f"{self.name}.build: `input_shape`", input_shape, lambda shape: (shape[0], *shape[2:]))
            )

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Return the layer's outputs, side by side in time.

        Args:
            inputs: (batch, time, …), or a list of such tensors.
            training: whether dropout acts.
            mask: (batch, time) of bools, which passes by the layer; or (batch, time, words, …), whose part
                (words, …) of each time step goes to the layer. Several inputs have none.

        Raises:
            ShapeError: the mask does not begin with the axes (batch, time) of the inputs.
            MinigradError: the layer keeps the words and does not support masks: later layers would read padding.
        """
        several, known = not isinstance(inputs, Tensor), {}
        x = tree.map(self._flattened, inputs) if several else self._flattened(inputs)
        inputs = self._first_of(inputs) if several else inputs
        if "training" in self.layer.call_parameters():
            known["training"] = training
        inner = None if several else self._flattened_mask(inputs, mask)
        words = inner if inner is not None and inner.ndim > 1 else None
        if words is not None and self._asks_for_masks:
            attach_masks(words, x)
        try:
            outputs = self.layer(x, **known)
        except MinigradError as error:
            raise with_name(error, f"{self.name}: `layer`") from error.__cause__
        if words is not None and not self._asks_for_masks and any(_keeps(words, x, y) for y in tree.leaves(outputs)):
            self.layer.compute_mask(x, words)  # raises: the layer does not support masks
        made = tree.map(lambda y: self._side_by_side(inputs, y), outputs)
        for y, y_made in zip(tree.leaves(outputs), tree.leaves(made), strict=True):
            if mask_of(y) is not None:
                y_made._keras_mask = self._side_by_side(inputs, mask_of(y))
        return made

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Return the mask of the outputs: the layer's masks of the single steps, side by side in time.

        Where the layer makes none, as an LSTM that returns its last output, a step counts if any of its words does:
        (batch, time, words) becomes (batch, time).
        """
        if isinstance(inputs, (list, tuple, dict)):
            return None
        mask = mask_of_inputs(mask, f"{self.name}.compute_mask")
        inputs = as_tensor(inputs, None, f"{self.name}.compute_mask: `inputs`")
        if inputs.ndim < 2:
            raise ShapeError(f"{self.name}.compute_mask: expected `inputs` (batch, time, …), got {inputs.shape}.")
        inner, made = self._flattened_mask(inputs, mask), None
        if self._asks_for_masks:
            of_steps = inner is not None and inner.ndim == 1 and isinstance(self.layer, TimeDistributed)
            made = self.layer.compute_mask(self._flattened(inputs), None if of_steps else inner)
        if any(m is not None for m in tree.leaves(made)):
            return tree.map(lambda m: mask if m is inner else m if m is None else self._side_by_side(inputs, m), made)
        return mask if mask is None or mask.ndim == 2 else F.any(mask != 0, tuple(range(2, mask.ndim)))

    @property
    def _asks_for_masks(self) -> bool:
        """Whether the layer handles masks."""
        layer = self.layer
        overridden = type(layer).compute_mask is not Layer.compute_mask
        return bool(overridden or layer.supports_masking or "mask" in layer.call_parameters())

    def _attach_masks(self, mask: Any, outputs: Any) -> None:
        """Attach each mask to its output, unless the layer has: the masks of a model come from the layers inside."""
        if all(mask_of(y) is None for y in tree.leaves(outputs)):
            super()._attach_masks(mask, outputs)

    def _first_of(self, inputs: Any) -> Tensor:
        """Return the first of several inputs, which all have the axes (batch, time)."""
        shapes = [x.shape for x in tree.leaves(inputs)]
        if any(len(shape) < 3 or shape[:2] != shapes[0][:2] for shape in shapes):
            raise ShapeError(f"{self.name}.call: expected `inputs` with equal axes (batch, time), got {shapes}.")
        first: Tensor = tree.first(inputs)
        return first

    @staticmethod
    def _flattened(x: Tensor) -> Tensor:
        """Return (batch, time, …) as (batch · time, …)."""
        return x.reshape((x.shape[0] * x.shape[1], *x.shape[2:]))

    @staticmethod
    def _side_by_side(inputs: Tensor, y: Tensor) -> Tensor:
        """Return (batch · time, …) as (batch, time, …)."""
        return y.reshape((*inputs.shape[:2], *y.shape[1:]))

    def _flattened_mask(self, inputs: Tensor, mask: Any) -> Tensor | None:
        mask = mask_of_inputs(mask, f"{self.name}.call")
        if mask is None:
            return None
        if mask.ndim < 2 or mask.shape[:2] != inputs.shape[:2]:
            raise ShapeError(
                f"{self.name}.call: expected `mask` to begin with the axes (batch, time) = {inputs.shape[:2]}, got "
                f"{mask.shape}."
            )
        return self._flattened(mask)


def _keeps(mask: Tensor, x: Tensor, y: Tensor) -> bool:
    """Return whether the outputs y of the inputs x still have the axes of their mask."""
    return y.ndim == x.ndim and y.shape[: mask.ndim] == mask.shape


class Bidirectional(Wrapper):
    """Run a recurrent layer over the sequence and a second one over the sequence reversed.

    Args:
        layer: the recurrent layer; the forward and the backward layer are made from its arguments. A layer of another
            kind has the attributes and arguments `go_backwards`, `return_sequences` and `return_state`. Its `call` need
            not take `mask` or `training`.
        merge_mode: how the two outputs are merged: ``"concat"``, ``"sum"``, ``"mul"``, ``"ave"``; None returns both.
        backward_layer: another layer for the reversed direction, with the opposite `go_backwards`.
        num_constants: the number of constants at the end of a call's list of inputs, as for the layer.

    Shapes:
        as for the layer, twice the units with ``"concat"``. The outputs of the reversed direction are reversed again,
        so that the two outputs of one time step are at the same index. States: the forward layer's, then the backward
        layer's.
    """

    layer: Any = option(layer_kind)
    merge_mode: str | None = option(optional(choice("concat", "sum", "mul", "ave")), "concat")
    backward_layer: Any = option(optional(layer_kind), None, keyword_only=True, quiet=True)
    num_constants: int | None = option(number_of_constants, None, keyword_only=True, quiet=True)

    supports_masking = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        one, other = self.layer, self.backward_layer
        back = other or one
        for name_of, layer in (("layer", one), ("backward_layer", back)):
            missing = [
                name for name in ("go_backwards", "return_sequences", "return_state") if not hasattr(layer, name)
            ]
            if missing:
                raise OptionError(
                    f"Bidirectional: expected `{name_of}`, a recurrent layer, got {type(layer).__name__}, which has no "
                    f"`{missing[0]}`."
                )
        for name in ("return_sequences", "return_state", "stateful", "time_major"):
            if getattr(one, name, False) != getattr(back, name, False):
                raise OptionError(f"Bidirectional: expected layer and backward_layer to have the same `{name}`.")
        if other is not None and other.go_backwards == one.go_backwards:
            raise OptionError("Bidirectional: expected layer and backward_layer to differ in `go_backwards`.")
        self._given_backward = other
        self.batch_input_shape = self.batch_input_shape or one.batch_input_shape
        self.forward_layer = self._copy_of(one, "forward", one.go_backwards)
        self.backward_layer = self._copy_of(back, "backward", not one.go_backwards)

    def _copy_of(self, layer: Any, direction: str, go_backwards: bool) -> Any:
        """Return a layer with the same arguments that runs in one direction."""
        changes = {"name": f"{direction}_{layer.name}", "go_backwards": go_backwards}
        if isinstance(layer, RNN):
            # As in Keras: a repeated output would pair one direction's past with the other's future.
            changes["zero_output_for_mask"] = layer.return_sequences
        if self.batch_input_shape:
            changes["batch_input_shape"] = self.batch_input_shape
        return clone(layer, **changes)

    @property
    def _both(self) -> tuple[Any, Any]:
        return self.forward_layer, self.backward_layer

    def _parts(self) -> list[Module]:
        return list(self._both)

    def arguments(self) -> dict[str, Any]:
        """Return the constructor's arguments; `backward_layer` only where it was given."""
        return {**super().arguments(), "backward_layer": self._given_backward}

    def _check(self, inputs: Any) -> None:
        super()._check(inputs)
        if tree.first(inputs) is None:
            raise ShapeError(f"{self.name}.call: expected `inputs`, a sequence, got {shown(inputs)}.")

    def build(self, input_shape: Any = None) -> None:
        """Build both layers."""
        for layer in self._both:
            layer._build_for(input_shape)

    def call(
        self,
        inputs: Any,
        training: bool | None = None,
        mask: Any = None,
        initial_state: Any = None,
        constants: Any = None,
    ) -> Any:
        """Run both layers and merge their outputs.

        Args:
            inputs: (batch, time, features), or a list of that, the initial states and the constants.
            training: whether dropout acts.
            mask: as for the layer, for both.
            initial_state: the forward layer's states, then the backward layer's.
            constants: as for the layer, for both.

        Raises:
            ShapeError: the number of initial states is wrong.
            StateError: the list of inputs does not hold what it should.
        """
        if constants is not None:
            self.num_constants = len(constants) if isinstance(constants, (list, tuple)) else 1
        where = f"{self.name}.call"
        inputs, initial_state, constants = split_inputs(where, inputs, initial_state, constants, self.num_constants)
        known = {"mask": mask_of_inputs(mask, where), "training": training}
        given = {"constants": constants} if constants is not None else {}
        results = []
        for layer, half in zip(self._both, self._halves("call", initial_state), strict=True):
            taken = {name: value for name, value in known.items() if name in layer.call_parameters()}
            taken |= {"initial_state": half} if half is not None else {}
            results.append(layer(inputs, **taken, **given))
        outputs = [r[0] if self._both_have("return_state") else r for r in results]
        if self._both_have("return_sequences"):
            outputs[1] = F.flip(outputs[1], 0 if self._both_have("time_major") else 1)
        merged = self._merged(*outputs)
        if not self._both_have("return_state"):
            return merged
        states = [state for r in results for state in r[1:]]
        return [*merged, *states] if isinstance(merged, list) else [merged, *states]

    def _halves(self, where: str, states: Any) -> tuple[Any, Any]:
        """Return the forward layer's states and the backward layer's."""
        if states is None:
            return None, None
        if not hasattr(self.forward_layer, "cell"):
            raise StateError(
                f"{self.name}.{where}: got states, and {type(self.layer).__name__} has no cell to take them."
            )
        check_state_order(f"{self.name}.{where}", self.forward_layer.cell, states)
        given = tree.leaves(states)
        there, back = (len(tree.leaves(layer.cell.state_size)) for layer in self._both)
        if len(given) != there + back:
            raise ShapeError(
                f"{self.name}.{where}: expected `initial_state` of {there + back} arrays, the forward layer's {there} "
                f"and then the backward layer's {back}, got {len(given)}."
            )
        like = [adapter_of(layer.cell).structure() for layer in self._both]
        return tree.unflatten(like[0], given[:there]), tree.unflatten(like[1], given[there:])

    def _both_have(self, argument: str) -> bool:
        return bool(getattr(self.forward_layer, argument, False))

    def _merged(self, y: Tensor, y_back: Tensor) -> Any:
        if self.merge_mode is None:
            return [y, y_back]
        if self.merge_mode == "concat":
            return F.concat([y, y_back], -1)
        if self.merge_mode == "mul":
            return y * y_back
        return y + y_back if self.merge_mode == "sum" else 0.5 * (y + y_back)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Return the mask if the output is a sequence, twice without a merge; None for each returned state."""
        mask = mask_of_inputs(mask) if self._both_have("return_sequences") else None
        of_outputs = [mask, mask] if self.merge_mode is None else [mask]
        if self._both_have("return_state"):
            of_outputs += [None] * len(self.states)
        return of_outputs if len(of_outputs) > 1 else mask

    def reset_states(self, states: Any = None) -> None:
        """Set the states of both layers; see `RNN.reset_states`. `states`: the forward layer's, then the other's."""
        for layer, half in zip(self._both, self._halves("reset_states", states), strict=True):
            layer.reset_states(half)

    reset_state = reset_states

    @property
    def states(self) -> list[Any]:
        """The states of both layers."""
        return [state for layer in self._both for state in layer.states]

    @states.setter
    def states(self, states: Any) -> None:
        for layer, half in zip(self._both, self._halves("states", states), strict=True):
            layer.states = half

    @property
    def stateful(self) -> bool:
        """Whether the layers carry their states from batch to batch."""
        return self._both_have("stateful")
