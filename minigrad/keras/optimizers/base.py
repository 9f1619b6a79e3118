"""The base class of optimizers: clipping, weight decay, averages of the weights, and the state as named arrays."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import Any

from minigrad.engine.arguments import listed
from minigrad.engine.autograd import GradientTape, grad
from minigrad.engine.conversion import array_from
from minigrad.engine.creation import as_tensor_like, tensor
from minigrad.engine.dtypes import is_half
from minigrad.engine.errors import GradientError, MinigradError, OptionError, ShapeError, shown
from minigrad.engine.foreign import naming, with_name
from minigrad.engine.kinds import at_least_0, text, unit
from minigrad.engine.protocol import Array, Xp
from minigrad.engine.recording import no_grad
from minigrad.engine.tensor import Tensor
from minigrad.keras.optimizers.pack import Pack, make_packs
from minigrad.layers.options import Configured, flag, option, optional, positive_int


class Optimizer(Configured, own_options_first=True):
    """The base class of optimizers: w ← w − Δ, where a subclass defines Δ.

        class SignDescent(Optimizer):
            learning_rate: float = learning_rate(0.01)

            def update(self, xp, g, slots, rate, t):
                return rate * xp.sign(g)

    Args:
        name: the class's name by default.
        weight_decay: λ of w ← (1 − η λ) w − Δ; None for none. It is part of neither the loss nor a gradient.
        clipnorm: the largest norm of each gradient; a longer one is scaled down to it.
        global_clipnorm: the largest norm of all gradients as one vector.
        clipvalue: the largest absolute value in a gradient. At most one of the three may be given.
        use_ema: whether to keep an average of the weights, a ← ema_momentum · a + (1 − ema_momentum) w.
        ema_momentum: the momentum of that average.
        ema_overwrite_frequency: the number of updates after which the weights are set to the average. None for never;
            `finalize_variable_values`, which `fit` calls at its end, sets them in any case.
        jit_compile: as in Keras; without effect.
        is_legacy_optimizer: as in Keras; without effect.

    Attributes:
        learning_rate: the rate of the next update. It can be set unless it is a schedule.
        iterations: the number of updates so far.
    """

    learning_rate: float
    name: str = option(optional(text), None)
    weight_decay: float | None = option(optional(at_least_0), None)
    clipnorm: float | None = option(optional(at_least_0), None)
    clipvalue: float | None = option(optional(at_least_0), None)
    global_clipnorm: float | None = option(optional(at_least_0), None)
    use_ema: bool = option(flag, False)
    ema_momentum: float = option(unit, 0.99)
    ema_overwrite_frequency: int | None = option(optional(positive_int), None)
    jit_compile: bool = option(flag, False)
    is_legacy_optimizer: bool = option(flag, False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.iterations = 0
        self._packs: list[Pack] = []
        self._built: list[Tensor] = []
        self._order: dict[int, int] = {}  # a weight's identity → its index
        self._undecayed: tuple[list[Tensor], list[str]] = ([], [])  # without weight decay: weights, and words in names
        super().__init__(*args, **kwargs)
        self.name = self.name or type(self).__name__
        given = [name for name in ("clipnorm", "global_clipnorm", "clipvalue") if getattr(self, name) is not None]
        if len(given) > 1:
            raise OptionError(f"{self.name}: expected at most one kind of clipping, got {' and '.join(given)}.")

    @property
    def schedule(self) -> Any:
        """The learning rate as it was given: a number or a schedule."""
        return vars(self).get("learning_rate")

    @property
    def lr(self) -> float:
        """The learning rate by its older name."""
        return self.learning_rate

    @lr.setter
    def lr(self, value: float) -> None:
        self.learning_rate = value

    # --- to override --------------------------------------------------------------------------------------------------

    def slots(self) -> dict[str, float]:
        """Return the names of the arrays that are kept for each weight, with their initial values."""
        return {}

    def update(self, xp: Xp, g: Array, slots: dict[str, Array], rate: float, t: int) -> Array:
        """Return Δ, and put the slots' new arrays into `slots`.

        Args:
            xp: the array functions of the weight's backend.
            g: ∂loss/∂w. Never write into it: it may be shared.
            slots: the optimizer's arrays of g's shape, which may be updated in place.
            rate: η.
            t: the number of this update, counted from 1.
        """
        raise NotImplementedError(f"{type(self).__name__} must define update(xp, g, slots, rate, t).")

    # --- updates ------------------------------------------------------------------------------------------------------

    def build(self, var_list: Iterable[Tensor]) -> None:
        """Make the slots of all weights, once; the first `apply_gradients` calls this."""
        if self._packs:
            return
        self._built = weights_in(f"{self.name}.build: `var_list`", var_list)
        self._order = {id(w): k for k, w in enumerate(self._built)}
        averages = {"average": 0.0} if self.use_ema else {}
        self._packs = make_packs([(w, self._decays(w)) for w in self._built], {**self.slots(), **averages})
        if self.use_ema:
            for pack in self._packs:
                pack.slots["average"] = pack.join([w.array for w in pack.weights])

    def exclude_from_weight_decay(self, var_list: Sequence[Tensor] = (), var_names: Sequence[str] = ()) -> None:
        """Exclude weights, or those whose name contains one of the words, e.g. ``"bias"``. Call this before `build`."""
        if self._packs:
            raise GradientError(f"{self.name}.exclude_from_weight_decay: call it before the first update.")
        where = f"{self.name}.exclude_from_weight_decay"
        words = [var_names] if isinstance(var_names, str) else listed(f"{where}: `var_names`", var_names)
        if not all(isinstance(word, str) for word in words):
            raise OptionError(f"{where}: expected `var_names`, a list of words, got {shown(var_names)}.")
        self._undecayed = weights_in(f"{where}: `var_list`", var_list), words

    def _decays(self, w: Tensor) -> bool:
        weights, words = self._undecayed
        return not any(w is excluded for excluded in weights) and not any(word in _name(w) for word in words)

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore a copy, with the indices of its copied weights."""
        self.__dict__.update(state)
        self._order = {id(w): k for k, w in enumerate(self._built)}

    def apply_gradients(self, grads_and_vars: Iterable[tuple[Any, Tensor]], where: Any = None) -> int:
        """Run one update.

        Args:
            grads_and_vars: pairs (∂loss/∂w, w); a weight whose gradient is None stays as it is.
            where: a bool. If False, weights and slots stay as they are. Its value is not read here, so that a bool on a
                device stays there.

        Returns:
            The number of updates so far.

        Raises:
            GradientError: there is no gradient at all, or a weight is not among those of `build`.
            ShapeError: a gradient does not have the weight's shape.
        """
        pairs: list[Any] = listed(f"{self.name}.apply_gradients: `grads_and_vars`", grads_and_vars)
        for pair in pairs:
            if not isinstance(pair, (tuple, list)) or len(pair) != 2 or not isinstance(pair[1], Tensor):
                raise GradientError(
                    f"{self.name}.apply_gradients: expected pairs (gradient, Tensor), got {shown(pair)} in "
                    "`grads_and_vars`."
                )
        if where is not None and (not isinstance(where, Tensor) or where.ndim):
            raise OptionError(f"{self.name}.apply_gradients: expected `where`, a bool tensor, got {shown(where)}.")
        if not pairs:
            return self.iterations
        self.build(w for _, w in pairs)
        given = self._gradient_arrays(pairs)
        t = self.iterations + 1
        rate = float(at_least_0.read(f"{self.name}: the learning rate of update {t}", self.learning_rate))
        for pack, g in self._clip_global_norm(self._packed_gradients(given)):
            self._update(pack, g, rate, t, None if where is None else where.array)
        self.iterations = t
        for _, w in pairs:
            constraint = getattr(w, "constraint", None)
            if constraint is not None and id(w) in given:
                with no_grad():
                    w.assign(constraint(w))
        return t

    def _gradient_arrays(self, pairs: list[tuple[Any, Tensor]]) -> dict[int, Array]:
        """Return the gradients that are given, arrays by the identity of their weight, each clipped."""
        given = {}
        for g, w in pairs:
            if id(w) not in self._order:
                raise GradientError(
                    f"{self.name}.apply_gradients: {_name(w)!r} is not among the {len(self._order)} weights that the "
                    "optimizer was built for. Give each model its own optimizer, by compile, and compile again "
                    "to train a layer that was frozen; or call optimizer.build(all weights) before the first update."
                )
            if g is not None:
                g = as_tensor_like(w, g, f"{self.name}.apply_gradients")
                if g.shape != w.shape:
                    raise ShapeError(
                        f"{self.name}.apply_gradients: expected a gradient of shape {w.shape} for {_name(w)!r}, got "
                        f"{g.shape}."
                    )
                given[id(w)] = self._clip(w.backend, (g if g.dtype == w.dtype else g.astype(w.dtype)).array)
        missing = [_name(w) for _, w in pairs if id(w) not in given]
        if not given:
            raise GradientError(
                f"{self.name}.apply_gradients: no gradient for any of {', '.join(missing)}: the loss does not depend "
                "on them, or it was computed under no_grad."
            )
        if missing:
            warnings.warn(f"{self.name}: no gradient for {', '.join(missing)}; they stay as they are.", stacklevel=3)
        return given

    def _clip(self, xp: Xp, g: Array) -> Array:
        if self.clipnorm:
            scale = self.clipnorm / xp.maximum(xp.sqrt(_square(xp, g)), self.clipnorm)
            return g * xp.astype(scale, g.dtype)
        return xp.clip(g, -self.clipvalue, self.clipvalue) if self.clipvalue else g

    def _packed_gradients(self, given: dict[int, Array]) -> list[tuple[Pack, Array]]:
        """Return each pack with its gradients. A pack with only some gradients is split, and stays so."""
        whole: list[Pack] = []
        for pack in self._packs:
            has_gradient = [id(w) in given for w in pack.weights]
            whole += pack.unpacked() if any(has_gradient) and not all(has_gradient) else [pack]
        self._packs = whole
        return [(p, p.join([given[id(w)] for w in p.weights])) for p in whole if id(p.weights[0]) in given]

    def _clip_global_norm(self, packs: list[tuple[Pack, Array]]) -> list[tuple[Pack, Array]]:
        if not self.global_clipnorm:
            return packs
        square = sum(_square(pack.xp, g) for pack, g in packs)
        xp = packs[0][0].xp
        scale = self.global_clipnorm / xp.maximum(xp.sqrt(square), self.global_clipnorm)
        return [(pack, g * (xp.astype(scale, "float16") if is_half(g.dtype) else scale)) for pack, g in packs]

    def _update(self, pack: Pack, g: Array, rate: float, t: int, where: Array | None) -> None:
        w = old = pack.join([w.array for w in pack.weights])
        slots = {} if where is None else {name: pack.xp.asarray(slot, copy=True) for name, slot in pack.slots.items()}
        step = self.update(pack.xp, g, pack.slots, rate, t)
        if self.weight_decay and pack.decays:
            w = w - w * (self.weight_decay * rate)
        w = w - step
        if self.use_ema:
            average = pack.slots["average"]
            average = pack.slots["average"] = self.ema_momentum * average + (1.0 - self.ema_momentum) * w
            if self.ema_overwrite_frequency and t % self.ema_overwrite_frequency == 0:
                w = average
        if where is not None:
            w = pack.xp.where(where, w, old)
            pack.slots = {name: pack.xp.where(where, pack.slots[name], slot) for name, slot in slots.items()}
        for weight, array in zip(pack.weights, pack.split(w), strict=True):
            weight.array = array  # a new array: the old one stays valid for others, and the tape notices the change

    def finalize_variable_values(self, var_list: Iterable[Tensor]) -> None:
        """Set these weights to their averages, with `use_ema`; others, such as frozen ones, stay as they are."""
        wanted = {id(w) for w in weights_in(f"{self.name}.finalize_variable_values: `var_list`", var_list)}
        for pack in self._packs if self.use_ema else []:
            for w, array in zip(pack.weights, pack.split(pack.slots["average"]), strict=True):
                if id(w) in wanted:
                    w.array = array

    def minimize(self, loss: Any, var_list: Any, tape: Any = None, where: Tensor | None = None) -> None:
        """Compute the gradients of a loss, and run one update.

        Args:
            loss: a tensor, or a function without arguments that computes it.
            var_list: the weights, or a function that returns them, called after the loss.
            tape: the GradientTape that recorded the loss; None by default, since weights are always watched.
            where: a bool, as in `apply_gradients`.
        """
        place = f"{self.name}.minimize"
        if callable(loss):
            with naming(f"{place}: `loss`"):
                loss = loss()
        if callable(var_list):
            with naming(f"{place}: `var_list`"):
                var_list = var_list()
        weights = weights_in(f"{place}: `var_list`", var_list)
        if tape is not None and not isinstance(tape, GradientTape):
            raise OptionError(f"{place}: expected `tape`, a GradientTape or None, got {shown(tape)}.")
        if not weights:  # for a model without weights
            return
        try:
            gradients = grad(loss, weights) if tape is None else tape.gradient(loss, weights)
        except MinigradError as error:
            raise with_name(error, f"{place}: `loss`") from error.__cause__
        try:
            self.apply_gradients(zip(gradients, weights, strict=True), *([] if where is None else [where]))
        except MinigradError as error:
            raise with_name(error, f"{place}: `var_list`") from error.__cause__

    # --- state --------------------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values."""
        config = super().get_config()
        return {**config, "learning_rate": self._options["learning_rate"].kind.plain(self.schedule)}

    def get_state(self) -> dict[str, Any]:
        """Return the state of the next update other than weights and arguments, NumPy arrays by name.

        ``"iterations"``; ``"learning_rate"``, unless it is a schedule; and each slot of each weight, e.g. ``"m/0"``.
        Weights are numbered as in the list given to `build`.
        """
        state = {"iterations": tensor(self.iterations, "int64").numpy()}
        if not callable(self.schedule):
            state["learning_rate"] = tensor(float(self.learning_rate), "float64").numpy()
        slots = {}
        for pack in self._packs:
            for name, slot in pack.slots.items():
                for w, array in zip(pack.weights, pack.split(slot), strict=True):
                    slots[name, self._order[id(w)]] = pack.xp.to_numpy(array)
        names = list(self._packs[0].slots) if self._packs else []
        return state | {f"{name}/{k}": slots[name, k] for name in names for k in range(len(self._order))}

    def set_state(self, state: Any) -> None:
        """Restore a state from `get_state`.

        Raises:
            GradientError: the optimizer has no slots yet.
            ShapeError: the state is of another optimizer, or of other weights.
            DTypeError: its numbers do not fit the dtype of their weight. In each case nothing is set.
        """
        own = self.get_state()
        values = state.values() if isinstance(state, dict) else [None]
        if not all(hasattr(value, "shape") for value in values):
            raise ShapeError(
                f"{self.name}.set_state: expected the dictionary that get_state returns, got `state` = {shown(state)}."
            )
        if not self._packs and len(state) > len(own):
            raise GradientError(f"{self.name}.set_state: call optimizer.build(model.trainable_weights) before it.")
        shapes, theirs = ({name: tuple(array.shape) for name, array in s.items()} for s in (own, state))
        wrong = [name for name in {**shapes, **theirs} if shapes.get(name) != theirs.get(name)]
        if wrong:
            raise ShapeError(
                f"{self.name}.set_state: the `state` is of another optimizer or of other weights: expected "
                f"{wrong[0]!r} of shape {shapes.get(wrong[0])}, got {theirs.get(wrong[0])}."
            )
        read = [
            {name: [self._slot(state, f"{name}/{self._order[id(w)]}", w) for w in pack.weights] for name in pack.slots}
            for pack in self._packs
        ]
        self.iterations = int(state["iterations"])
        if "learning_rate" in state:
            self.learning_rate = float(state["learning_rate"])
        for pack, slots in zip(self._packs, read, strict=True):
            for name, arrays in slots.items():
                pack.slots[name] = pack.join([pack.xp.asarray(a, dtype=pack.dtype, copy=True) for a in arrays])

    def _slot(self, state: dict[str, Any], name: str, weight: Tensor) -> Any:
        """Return an entry of a state in the dtype of its weight, which must hold its numbers."""
        return array_from(state[name], weight.dtype, weight.backend, f"{self.name}.set_state: {name!r}")

    def get_weights(self) -> list[Any]:
        """Return the values of `get_state`, in order."""
        return list(self.get_state().values())

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Restore a list of arrays from `get_weights`."""
        names = list(self.get_state())
        weights = listed(f"{self.name}.set_weights: `weights`", weights)
        if len(names) != len(weights):
            raise ShapeError(f"{self.name}.set_weights: expected {len(names)} arrays, got {len(weights)} in `weights`.")
        self.set_state(dict(zip(names, weights, strict=True)))

    variables = property(get_weights)


def weights_in(where: str, values: Any) -> list[Tensor]:
    """Return weights as a list."""
    found = listed(where, [values] if isinstance(values, Tensor) else values)
    for w in found:
        if not isinstance(w, Tensor):
            raise OptionError(f"{where}: expected a list of weights, got {shown(w)} in it.")
    return found


def _name(w: Tensor) -> str:
    return getattr(w, "name", f"a tensor of shape {w.shape}")


def _square(xp: Xp, g: Array) -> Array:
    """Σ g², of float16 in float32."""
    wide = xp.astype(g, "float32") if is_half(g.dtype) else g
    return xp.sum(wide * wide)
