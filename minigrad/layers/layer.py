"""Layer: weights, built when the first input shows its shape, and a call.

A layer of one's own defines `build(input_shape)`, where it adds its weights, and `call(inputs)`:

    class Scale(Layer):
        def build(self, input_shape):
            self.scale = self.add_weight("scale", (input_shape[-1],), initializer="ones")
        def call(self, inputs):
            return inputs * self.scale
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, ClassVar

from minigrad.engine import registry, tree
from minigrad.engine.conversion import array_from, constant
from minigrad.engine.dtypes import is_floating
from minigrad.engine.errors import MinigradError, ShapeError
from minigrad.engine.flow import FlowAttribute
from minigrad.engine.functional.half import narrowed, widened
from minigrad.engine.tensor import Tensor
from minigrad.layers import building, checks, constraints, context, initializers, regularizers
from minigrad.layers.catalogue import snake_case
from minigrad.layers.floatx import is_dtype, layer_dtype
from minigrad.layers.input_spec import InputSpec
from minigrad.layers.masks import hand_on, mask_of, masks_of
from minigrad.layers.module import Module
from minigrad.layers.options import Configured, Option, flag, has_options_only, option, optional, text
from minigrad.layers.weight import Weight

Shape = tuple[int | None, ...]
CLASSES: dict[tuple[str, str], type[Layer]] = {}  # every layer class by the names under which it is serialized
_UNBUILT = "call it on data first, or build(input_shape)"


class _OptionPassedDown(Option):
    """An argument that, set after the construction, is set for all layers inside too."""

    def set(self, instance: Any, value: Any) -> None:
        super().set(instance, value)
        if instance._constructed:
            instance._pass_down(self.name, getattr(instance, self.name))


class Layer(Configured, Module):
    """The base class of all layers, as Keras'.

    Args:
        name: unique by default: ``"dense"``, ``"dense_1"`` …
        trainable: whether an optimizer may change the weights. Set later, it is set for all layers inside too: cells,
            wrapped layers, those of a model.
        dtype: of the weights; floating inputs are cast to it. `floatx` by default, float32.
        input_shape: of one example; a Sequential builds itself from its first layer's.

    Attributes:
        built: have the weights been made?
        computes_with_integers: are whole numbers as inputs cast to the layer's dtype too? (They may be indices.)
        supports_masking: can the layer take a mask and pass it on?
        input_spec: what is asked of the inputs.
    """

    name: str = option(optional(text), None, keyword_only=True)
    trainable: bool = _OptionPassedDown(flag, True, keyword_only=True)  # type: ignore[assignment]
    dtype: Any = option(layer_dtype, None, keyword_only=True)

    serialized_module: ClassVar[str] = "keras.layers"
    _call: ClassVar[checks.Call]
    _losses: Any = FlowAttribute[tuple[Tensor, ...]](())  # of the last call in this thread or task
    computes_with_integers = False
    supports_masking = False
    built = False
    _constructed = False
    input_spec: InputSpec | None = None
    activity_regularizer: Callable[[Tensor], Tensor] | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        shape = kwargs.pop("input_shape", None)
        batch_shape = kwargs.pop("batch_input_shape", None)
        checks.input_shape(f"{type(self).__name__}: `input_shape`", batch_shape or shape or ())
        self.batch_input_shape = tuple(batch_shape) if batch_shape else (None, *shape) if shape is not None else None
        self._weights: list[Weight] = []
        self._penalties: list[Callable[[], Tensor]] = []
        super().__init__(*args, **kwargs)
        self.name = self.name or context.unique_name(type(self).__name__)
        self._constructed = True

    def __init_subclass__(cls, called: str | None = None) -> None:
        """Makes the class known by name, for `serialization`.

        Args:
            called: the name in messages and in files, where it is not the one in the source: two classes of one module
                may stand for one name at two addresses.
        """
        super().__init_subclass__()
        cls.__name__ = called or cls.__name__
        if not cls.__module__.startswith("minigrad."):
            cls.serialized_module = cls.__module__
        CLASSES[cls.serialized_module, cls.__name__] = cls
        if "build" in vars(cls):
            setattr(cls, "build", _once_built(vars(cls)["build"]))  # noqa: B010  (to mypy, a method is not assigned to)

    # --- to override --------------------------------------------------------------------------------------------------

    def build(self, input_shape: Any) -> None:
        """Adds the weights. Called once, before the first call.

        Args:
            input_shape: the shape of the inputs, or a list of shapes for a list of inputs.
        """
        self.built = True

    def call(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Computes the outputs. May take `training` and `mask`, which `__call__` fills in."""
        raise NotImplementedError(f"{type(self).__name__} must define call(inputs).")

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Returns the mask of the outputs: the inputs' own, if the layer supports masking.

        Raises:
            MinigradError: the layer was handed a mask and cannot pass it on.
        """
        if mask is None or self.supports_masking:
            return mask
        if "mask" not in self.call_parameters() and any(m is not None for m in tree.leaves(mask)):
            raise MinigradError(
                f"{self.name}: the input carries a mask, and {type(self).__name__} does not say what becomes of it. "
                "Set supports_masking = True to pass it on, or define compute_mask(inputs, mask)."
            )
        return None

    # --- weights ------------------------------------------------------------------------------------------------------

    def add_weight(
        self,
        name: str | None = None,
        shape: Iterable[int] = (),
        dtype: Any = None,
        initializer: Any = None,
        regularizer: Any = None,
        trainable: bool = True,
        constraint: Any = None,
    ) -> Weight:
        """Makes a weight of the layer.

        Args:
            name: its own name, to which those of the layers around are added.
            shape: its shape.
            dtype: the layer's by default.
            initializer: a name, an object or a function of (shape, dtype); Glorot's uniform by default.
            regularizer: a penalty to add to `losses`.
            trainable: may an optimizer change it?
            constraint: what it is brought back to after each update.
        """
        where = f"{self.name}.add_weight"
        trainable = flag.read(f"{where}: `trainable`", trainable)
        start = initializers.option_kind.read(where, initializer or "glorot_uniform")
        dtype, shape = dtype or self.dtype, checks.weight_shape(where, shape)
        weight = Weight(
            checks.returned(f"{where}: the initializer of {name!r}", start(shape, dtype=dtype), shape),
            trainable=trainable,
            name=context.scoped(name or "weight") + ":0",
            dtype=dtype,
            regularizer=regularizers.option_kind.read(where, regularizer),
            constraint=constraints.option_kind.read(where, constraint),
        )
        self._weights.append(weight)
        return weight

    def _add_weight(self, name: str, shape: Iterable[int], options: str = "", **changes: Any) -> Weight:
        """Makes a weight as the layer's options ``kernel_initializer``, ``kernel_regularizer`` … say."""
        kinds = ("initializer", "regularizer", "constraint")
        return self.add_weight(name, shape, **{k: getattr(self, f"{options or name}_{k}") for k in kinds} | changes)

    def _sublayers(self) -> list[Layer]:
        return [part for part in self._parts() if isinstance(part, Layer)]

    def get_weights(self) -> list[Any]:
        """Returns copies of all weights, NumPy arrays."""
        return [w.numpy() for w in self.weights]

    def set_weights(self, weights: Any) -> None:
        """Sets all weights, from a list of arrays in the order of `weights`.

        Raises:
            ShapeError: the number or a shape is wrong; then nothing is set.
            DTypeError: a weight's dtype cannot hold its numbers; nothing is set either.
        """
        own, given = self.weights, list(weights) if isinstance(weights, Iterable) else None
        if given is None or len(own) != len(given):
            came = f"no list: {weights!r}" if given is None else len(given)
            listed = ", ".join(f"{w.name} {w.shape}" for w in own)
            listed = f"It has: {listed}." if own else f"It has none{'' if self.built else f' yet: {_UNBUILT}'}."
            raise ShapeError(
                f"{self.name}.set_weights: expected {len(own)} arrays, got {came}. {listed}{self._moved_by}"
            )
        where = f"{self.name}.set_weights"
        tensors = [
            Tensor(array_from(x, w.dtype, w.backend, f"{where}: {w.name}"), w.backend)
            for w, x in zip(own, given, strict=True)
        ]
        for w, value in zip(own, tensors, strict=True):
            if w.shape != value.shape:
                came = f"expected {w.name} of shape {w.shape}, got {value.shape}.{self._moved_by}"
                raise ShapeError(f"{self.name}.set_weights: {came}")
        for w, value in zip(own, tensors, strict=True):
            w.assign(value)

    @property
    def _moved_by(self) -> str:
        """The way out for who has the weights of another generation or library."""
        recurrent = hasattr(self, "state_size") or hasattr(self, "cell")
        return " Weights in another layout are moved by minigrad.convert.relayout." if recurrent else ""

    def count_params(self) -> int:
        """Returns how many numbers the weights hold; a ShapeError (ValueError) before they are made."""
        if not self.built:
            raise ShapeError(f"{self.name}.count_params: it has no weights yet: {_UNBUILT}.")
        return sum(w.size for w in self.weights)

    # --- losses -------------------------------------------------------------------------------------------------------

    def add_loss(self, losses: Any) -> None:
        """Adds a term to `losses`, or a list of them: a tensor until the next call, a function of nothing for good."""
        for term in tree.leaves(losses):
            if callable(term):
                self._penalties.append(term)
            else:
                self._losses = (*self._losses, term)

    @property
    def losses(self) -> list[Tensor]:
        """The terms to add to the loss: of this thread's or task's last call, and the regularizers' of the weights."""
        own = [*self._losses] + [penalty() for penalty in self._penalties]
        own += [w.regularizer(w) for w in self._weights if w.regularizer is not None]
        where = f"{self.name}.losses: a regularizer or an added loss"
        own = [checks.returned(where, term, ()) for term in own]
        return own + [loss for layer in self._sublayers() for loss in layer.losses]

    def _forget_losses(self) -> None:
        del self._losses
        for layer in self._sublayers():
            layer._forget_losses()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {vars(self).get('name')!r}, {'built' if self.built else 'not built'}>"

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as plain values.

        Raises:
            MinigradError: the class has a constructor of its own and does not say what it was given.
        """
        cls = type(self)
        if cls.get_config is Layer.get_config and not has_options_only(cls):
            raise MinigradError(
                f"{cls.__name__}.get_config: the class defines __init__ with arguments of its own. Define get_config() "
                'too: {**super().get_config(), "units": self.units}.'
            )
        shape = {"batch_input_shape": self.batch_input_shape} if self.batch_input_shape else {}
        return {**super().get_config(), **shape}

    # --- the call -----------------------------------------------------------------------------------------------------

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Builds the layer if need be, calls it, and hands on the mask.

        Args:
            inputs: a tensor or array, or nested lists of them.
            args: what `call` takes beside.
            kwargs: what `call` takes beside; `training` and `mask` where it knows them.
        """
        takes = self.call_parameters()
        if args or not self._call.required <= kwargs.keys() <= self._call.accepted:
            args, kwargs = self._call.by_name(f"{self.name}.call", args, kwargs)
        if kwargs.get("training") is not None:
            kwargs["training"] = flag.read(f"{self.name}.call: `training`", kwargs["training"])
        inputs = self._as_inputs(inputs)
        mask = kwargs.get("mask")
        if mask is None:
            mask = masks_of(inputs)
            if mask is not None and "mask" in takes:
                kwargs["mask"] = mask
        with context.calling(self, self._scope_name(), kwargs.get("training")) as around:
            if around.outermost and Layer._losses.is_set():
                self._forget_losses()
            if "training" not in takes:
                kwargs.pop("training", None)  # for the layers inside
            elif kwargs.get("training") is None:
                kwargs["training"] = around.training
            self._check(inputs)
            self._build_once(inputs)
            outputs = self.call(inputs, *args, **kwargs)
            if self.activity_regularizer is not None:
                for y in tree.leaves(outputs):
                    self.add_loss(narrowed(self.activity_regularizer(widened(y)) / float(y.shape[0]), y))
            self._hand_on(self.compute_mask(inputs, mask), outputs)
        return outputs

    @classmethod
    def call_parameters(cls) -> tuple[str, ...]:
        """The names of the arguments of `call` behind its first, the inputs."""
        if "_call" not in vars(cls):
            cls._call = checks.Call(cls.call)
        return cls._call.takes

    @classmethod
    def serialized_name(cls) -> str:
        """The class's name as layers are named: ``"lstm_cell"``."""
        return snake_case(cls.__name__)

    def _scope_name(self) -> str:
        """What the weights' names begin with."""
        return self.name

    def _as_inputs(self, inputs: Any) -> Any:
        """Arrays as tensors, floating ones in the layer's dtype."""
        if isinstance(inputs, Tensor):
            return self._cast(inputs)

        def read(x: Any) -> Any:
            where = f"{self.name}.call: `inputs`"
            return (
                x if x is None else self._cast(x if isinstance(x, Tensor) else constant(x, registry.current(), where))
            )

        return read(inputs) if isinstance(tree.first(inputs), (int, float)) else tree.map(read, inputs)

    def _cast(self, x: Tensor) -> Tensor:
        """Inputs in the layer's dtype, whole numbers too if it computes with them; with the mask they came with."""
        if is_dtype(x.dtype, self._cast_dtype) or not (is_floating(x.dtype) or self.computes_with_integers):
            return x
        y = x.astype(self._cast_dtype)
        self._hand_on(mask_of(x), y)
        return y

    def _build_once(self, inputs: Any) -> None:
        if not self.built or building.in_progress():
            self._build_for(tree.map(lambda x: None if x is None else x.shape, inputs))

    def _build_for(self, input_shape: Any) -> None:
        """Builds the layer unless it is built; a second thread waits for the first."""
        with building.alone(self):
            if not self.built:
                self.build(input_shape)

    def _hand_on(self, mask: Any, outputs: Any) -> None:
        """Hangs each mask on its output."""
        hand_on(mask, outputs)

    def _check(self, inputs: Any) -> None:
        """Compares the (first) input with the input spec."""
        if self._call.one_tensor:
            checks.one_tensor(f"{self.name}.call", inputs)
        x = tree.first(inputs)
        if self.input_spec is not None and (x is None or not self.input_spec.admits(x.shape)):
            raise self._unfit("call", None if x is None else x.shape)

    def _unfit(self, where: str, shape: Any) -> ShapeError:
        came = "nothing." if shape is None else f"{tuple(shape)}.{self._way_out(len(shape))}"
        return ShapeError(f"{self.name}.{where}: expected `inputs` of shape {self._expected()}, got {came}")

    @property
    def _cast_dtype(self) -> str:
        """The dtype in which the layer computes."""
        name: str = self.dtype
        return name

    def _expected(self) -> str:
        """The shape that the inputs should have had, in words."""
        return str(self.input_spec)

    def _way_out(self, ndim: int) -> str:
        """A hint for inputs that do not fit."""
        return ""


def _once_built(build: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    """A layer's `build`, so that its weights' names begin with the layer's and `built` is true afterwards."""

    @wraps(build)
    def named(self: Layer, input_shape: Any) -> None:
        spec = self.input_spec
        if input_shape is not None or spec is not None:
            checks.input_shape(f"{self.name}.build", input_shape)
        if spec is not None and checks.is_shape(input_shape) and not spec.admits(tuple(input_shape)):
            raise self._unfit("build", input_shape)
        count, built = len(self._weights), self.built
        try:
            with context.inside(self, self._scope_name()):
                build(self, input_shape)
        except Exception:
            del self._weights[count:]  # another try makes them anew
            self.built = built
            raise
        self.built = True

    return named
