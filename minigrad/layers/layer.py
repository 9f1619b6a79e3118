"""Layer: weights, built when the first input shows its shape, and a call.

A custom layer defines `build(input_shape)`, which adds its weights, and `call(inputs)`:

    class Scale(Layer):
        def build(self, input_shape):
            self.scale = self.add_weight("scale", (input_shape[-1],), initializer="ones")
        def call(self, inputs):
            return inputs * self.scale
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ClassVar

from minigrad.engine import registry, tree
from minigrad.engine.conversion import constant
from minigrad.engine.creation import as_tensor
from minigrad.engine.dtypes import is_floating
from minigrad.engine.errors import MinigradError, ShapeError
from minigrad.engine.flow import FlowAttribute
from minigrad.engine.functional.half import narrowed, widened
from minigrad.engine.tensor import Tensor
from minigrad.layers import build_lock, call_context, checks, signatures
from minigrad.layers.catalogue import snake_case
from minigrad.layers.floatx import is_dtype, layer_dtype
from minigrad.layers.input_spec import InputSpec
from minigrad.layers.keras_arguments import taken
from minigrad.layers.masks import attach_masks, mask_of, masks_of
from minigrad.layers.options import Configured, Option, flag, has_options_only, option, optional, text
from minigrad.layers.recorded import Recorded, symbol_in
from minigrad.layers.signatures import Signature
from minigrad.layers.weighted_module import WeightedModule

Shape = tuple[int | None, ...]
CLASSES: dict[tuple[str, str], type[Layer]] = {}  # every layer class by the names under which it is serialized
_LOSSES = FlowAttribute[tuple[Tensor, ...]](())  # of the last call in this thread or task
_CACHES = ("_known", "_plan", "_cell_adapter", "_cell_adapted")  # recomputed by a copy
_CHECKS = ("_as_inputs", "_build_once", "_cast", "_check")


class _OptionPassedDown(Option):
    """An option that, set after the construction, is set for all layers inside too."""

    def set(self, instance: Any, value: Any) -> None:
        super().set(instance, value)
        if instance._constructed:
            instance._pass_down(self.name, getattr(instance, self.name))


class Layer(Configured, WeightedModule, Recorded):
    """The base class of all layers, as Keras'.

    Args:
        name: unique by default: ``"dense"``, ``"dense_1"`` …
        trainable: whether the optimizer updates the weights. Set later, it is set for all layers inside too: cells,
            wrapped layers, those of a model.
        dtype: of the weights; floating inputs are cast to it. `floatx` by default, float32.
        input_shape: the shape of one example; a Sequential is built from that of its first layer.
        weights: initial weights, a list of arrays as `set_weights` takes them. Further arguments that Keras' layers
            take, of any year, are in `minigrad.layers.keras_arguments`.

    Attributes:
        built: whether the weights have been made.
        computes_with_integers: whether integer inputs are cast to the layer's dtype too; they may be indices.
        supports_masking: whether the layer takes a mask and passes it on.
        input_spec: the shape expected of the inputs.
    """

    name: str = option(optional(text), None, keyword_only=True)
    trainable: bool = _OptionPassedDown(flag, True, keyword_only=True)  # type: ignore[assignment]
    dtype: Any = option(layer_dtype, None, keyword_only=True)

    serialized_module: ClassVar[str] = "keras.layers"
    _call: ClassVar[checks.CallSignature]
    _checks_by_signature: ClassVar[bool] = True
    _known: Signature | None = None  # of the inputs checked last
    _losses: Any = _LOSSES
    computes_with_integers = False
    supports_masking = False
    built = False
    _constructed = False
    _initial_weights: list[Any] | None = None  # the argument `weights`, until the layer is built
    batch_input_shape: Any = None
    input_spec: InputSpec | None = None
    activity_regularizer: Callable[[Tensor], Tensor] | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        cls = type(self)
        vars(self).update(taken(cls.__name__, kwargs, self._options, sequences=hasattr(cls, "return_sequences")))
        self._weights: list[Any] = []
        self._penalties: list[Callable[[], Tensor]] = []
        super().__init__(*args, **kwargs)
        self.name = self.name or call_context.unique_name(cls.__name__)
        self._constructed = True

    def __init_subclass__(cls, called: str | None = None) -> None:
        """Register the class by name, for `serialization`.

        Args:
            called: the name in messages and in files, where it is not the one in the source: two classes of one module
                may stand for one name at two addresses.
        """
        super().__init_subclass__()
        cls.__name__ = called or cls.__name__
        if not cls.__module__.startswith("minigrad."):
            cls.serialized_module = cls.__module__
        CLASSES[cls.serialized_module, cls.__name__] = cls
        cls._checks_by_signature = all(getattr(cls, name) is getattr(Layer, name) for name in _CHECKS)
        if "build" in vars(cls):
            setattr(cls, "build", _once_built(vars(cls)["build"]))  # noqa: B010  (to mypy, a method is not assigned to)

    def __setattr__(self, name: str, value: Any) -> None:
        own = vars(self)
        before = own.get(name)
        super().__setattr__(name, value)
        if own.get(name) is not before and name[0] != "_" and name != "path":
            signatures.renew()

    def __getstate__(self) -> dict[str, Any]:
        """Return the attributes, for `pickle` and `copy`; what a layer keeps of its calls is not among them."""
        return {name: value for name, value in vars(self).items() if name not in _CACHES}

    # --- to override --------------------------------------------------------------------------------------------------

    def build(self, input_shape: Any) -> None:
        """Add the weights; called once, before the first call.

        Args:
            input_shape: the shape of the inputs, or a list of shapes for a list of inputs.
        """
        self.built = True

    def call(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Compute the outputs; may take `training` and `mask`, which `__call__` fills in."""
        raise NotImplementedError(f"{type(self).__name__} must define call(inputs).")

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Return the mask of the outputs: that of the inputs, if the layer supports masking.

        Raises:
            MinigradError: the inputs have a mask, and the layer does not support masking.
        """
        if mask is None or self.supports_masking:
            return mask
        if "mask" not in self.call_parameters() and any(m is not None for m in tree.leaves(mask)):
            raise MinigradError(
                f"{self.name}: the input carries a mask, and {type(self).__name__} does not support "
                "masking. Set supports_masking = True to pass it on, or define compute_mask(inputs, mask)."
            )
        return None

    # --- losses -------------------------------------------------------------------------------------------------------

    def add_loss(self, losses: Any) -> None:
        """Add terms to `losses`: a tensor until the next call, a function without arguments permanently."""
        for term in checks.leaves(f"{self.name}.add_loss: `losses`", losses):
            if callable(term):
                self._penalties.append(term)
            else:
                self._losses = (*self._losses, as_tensor(term, None, f"{self.name}.add_loss: `losses`"))

    @property
    def losses(self) -> list[Tensor]:
        """The terms to add to the loss: of the last call in this thread or task, and of the weights' regularizers."""
        own = [*self._losses] + [penalty() for penalty in self._penalties]
        own = [checks.check_result(f"{self.name}.losses: `losses`, given to add_loss", term, ()) for term in own]
        own += [self._penalty_of(w) for w in self._weights if w.regularizer is not None]
        return own + [loss for layer in self._sublayers() for loss in layer.losses]

    def _sublayers(self) -> list[Layer]:
        return [part for part in self._parts() if isinstance(part, Layer)]

    def _forget_losses(self) -> None:
        del self._losses
        for layer in self._sublayers():
            layer._forget_losses()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {vars(self).get('name')!r}, {'built' if self.built else 'not built'}>"

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values.

        Raises:
            MinigradError: the class has a custom constructor and no `get_config`.
        """
        cls = type(self)
        if cls.get_config is Layer.get_config and not has_options_only(cls):
            raise MinigradError(
                f"{cls.__name__}.get_config: the class has a custom __init__. Define get_config() "
                'too: {**super().get_config(), "units": self.units}.'
            )
        shape = {"batch_input_shape": self.batch_input_shape} if self.batch_input_shape else {}
        return {**super().get_config(), **shape}

    # --- the call -----------------------------------------------------------------------------------------------------

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Build the layer on its first call, run `call`, and pass the mask to the outputs.

        Args:
            inputs: a tensor or array, or nested lists of them.
            args: further arguments of `call`.
            kwargs: further arguments of `call`; `training` and `mask` are filled in where it takes them.
        """
        parameters = vars(type(self)).get("_call") or self._read_call()
        if args or kwargs or parameters.required:
            args, kwargs = self._checked_arguments(parameters, args, kwargs)
        known = isinstance(inputs, Tensor) and self._knows(inputs)
        if not known:
            symbol = symbol_in(f"{self.name}.call: `inputs`", inputs)
            if symbol is not None:
                return symbol.record_call(self, inputs, args, kwargs)
            version, inputs = signatures.version, self._as_inputs(inputs)
            known = isinstance(inputs, Tensor) and self._knows(inputs)  # an array is a tensor from here on
        mask = kwargs.get("mask")
        if mask is None:
            mask = getattr(inputs, "_keras_mask", None) if known else masks_of(inputs)
            if mask is not None and "mask" in parameters.takes:
                kwargs["mask"] = mask
        around, training = call_context.frames.entries(), kwargs.pop("training", None)
        if training is None and around:
            training = around[-1].training
        if "training" in parameters.takes:
            kwargs["training"] = training
        frame = call_context.Frame(self, self._scope_name(), True, training)
        call_context.frames.replace(inside := (*around, frame))
        try:
            if _LOSSES.values() and not (around and around[-1].called):
                self._forget_losses()
            if not known:
                self._check_and_build(inputs, version)
            outputs = self.call(inputs, *args, **kwargs)
            return self._completed(outputs, inputs, mask)
        finally:
            same = call_context.frames.entries() is inside  # False where a suspended generator has left a frame
            call_context.frames.replace(around) if same else call_context.frames.drop(frame)

    def _checked_arguments(self, parameters: checks.CallSignature, args: Any, kwargs: Any) -> tuple[Any, Any]:
        """Return the arguments of `call` after the inputs, by name where that is possible."""
        if args or not parameters.required <= kwargs.keys() <= parameters.accepted:
            args, kwargs = parameters.by_name(f"{self.name}.call", args, kwargs)
        if type(kwargs.get("training", None)) not in (bool, type(None)):
            kwargs["training"] = flag.read(f"{self.name}.call: `training`", kwargs["training"])
        return args, kwargs

    def _completed(self, outputs: Any, inputs: Any, mask: Any) -> Any:
        """Return the outputs of a call, their penalty added to the losses and their mask to them."""
        if self.activity_regularizer is not None:
            for y in tree.leaves(outputs):
                penalty = checks.penalty(self.activity_regularizer, widened(y), f"{self.name}: `activity_regularizer`")
                self.add_loss(narrowed(penalty / float(y.shape[0]), y))
        mask = self.compute_mask(inputs, mask)
        if mask is not None:
            self._attach_masks(mask, outputs)
        return outputs

    def _check_and_build(self, inputs: Any, version: object) -> None:
        """Check the inputs, build the layer, and store the signature of a single tensor."""
        self._check(inputs)
        self._build_once(inputs)
        if not (isinstance(inputs, Tensor) and self._checks_once()):
            return
        if version is not signatures.version:  # an attribute has changed, e.g. the layer was built
            version = signatures.version
            if self._as_inputs(inputs) is not inputs:
                return
            self._check(inputs)
        self._known = Signature(version, inputs.shape, inputs.dtype)

    def _knows(self, x: Tensor) -> bool:
        """Return whether a tensor of this shape and dtype needs no cast and no check, and the layer is built."""
        checked, array = self._known, x.array
        return (
            checked is not None
            and checked.version is signatures.version
            and checked.dtype is array.dtype
            and checked.shape == array.shape
            and not build_lock.in_progress
        )

    def _checks_once(self) -> bool:
        """Return whether the checks depend on the signature alone; a subclass may replace one of them."""
        return type(self)._checks_by_signature

    @classmethod
    def call_parameters(cls) -> tuple[str, ...]:
        """Return the names of the arguments of `call` after the first, the inputs."""
        return cls._read_call().takes

    @classmethod
    def _read_call(cls) -> checks.CallSignature:
        if "_call" not in vars(cls):
            cls._call = checks.CallSignature(cls.call)
        return cls._call

    @classmethod
    def serialized_name(cls) -> str:
        """The class's name as layers are named: ``"lstm_cell"``."""
        return snake_case(cls.__name__)

    def _scope_name(self) -> str:
        """Return the part that the layer adds to the names of its weights."""
        return self.name

    def _as_inputs(self, inputs: Any) -> Any:
        """Return the inputs as tensors, floating ones in the layer's dtype."""
        if isinstance(inputs, Tensor):
            return self._cast(inputs)

        def read(x: Any) -> Any:
            if x is not None and not isinstance(x, Tensor):
                x = constant(x, registry.current(), f"{self.name}.call: `inputs`")
            return x if x is None else self._cast(x)

        one = hasattr(inputs, "dtype") or checks.is_list_of_numbers(f"{self.name}.call: `inputs`", inputs)
        return read(inputs) if one else tree.map(read, inputs)

    def _cast(self, x: Tensor) -> Tensor:
        """Return inputs in the layer's dtype, integers too if it computes with them; with their mask."""
        if is_dtype(x.dtype, self._cast_dtype) or not (is_floating(x.dtype) or self.computes_with_integers):
            return x
        y = x.astype(self._cast_dtype)
        self._attach_masks(mask_of(x), y)
        return y

    def _build_once(self, inputs: Any) -> None:
        if not self.built or build_lock.in_progress:
            self._build_for(tree.map(lambda x: None if x is None else x.shape, inputs))

    def _build_for(self, input_shape: Any) -> None:
        """Build the layer unless it is built; a second thread waits for the first."""
        with build_lock.alone(self):
            if not self.built:
                self.build(input_shape)
                self._set_initial_weights()

    def _set_initial_weights(self) -> None:
        """Set the weights given to the constructor, once."""
        if self._initial_weights is not None:
            self.set_weights(self._initial_weights)
            self._initial_weights = None

    def _attach_masks(self, mask: Any, outputs: Any) -> None:
        """Attach each mask to its output."""
        attach_masks(mask, outputs)

    def _check(self, inputs: Any) -> None:
        """Compare the (first) input with the input spec."""
        if self._call.one_tensor:
            checks.check_one_tensor(f"{self.name}.call", inputs)
        x = tree.first(inputs)
        if self.input_spec is not None and (x is None or not self.input_spec.admits(x.shape)):
            raise self._shape_error("call", None if x is None else x.shape)

    def _shape_error(self, where: str, shape: Any) -> ShapeError:
        given = "nothing." if shape is None else f"{tuple(shape)}.{self._hint(len(shape))}"
        return ShapeError(f"{self.name}.{where}: expected `inputs` of shape {self._expected()}, got {given}")

    @property
    def _cast_dtype(self) -> str:
        """The dtype in which the layer computes."""
        name: str = self.dtype
        return name

    def _expected(self) -> str:
        """Return the expected shape of the inputs, in words."""
        return str(self.input_spec)

    def _hint(self, ndim: int) -> str:
        """Return a hint for inputs of the wrong shape."""
        return ""


def _once_built(build: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    """Return a layer's `build` with checks, names of weights that begin with the layer's, and `built` set."""

    @wraps(build)
    def named(self: Layer, input_shape: Any) -> None:
        spec = self.input_spec
        if input_shape is not None or spec is not None:
            checks.check_input_shape(f"{self.name}.build", input_shape, one=self._read_call().one_tensor)
        if spec is not None and checks.is_shape(input_shape) and not spec.admits(tuple(input_shape)):
            raise self._shape_error("build", input_shape)
        count, built = len(self._weights), self.built
        try:
            with call_context.inside(self, self._scope_name()):
                build(self, input_shape)
        except Exception:
            del self._weights[count:]  # the next build makes them
            self.built = built
            raise
        self.built = True
        self._set_initial_weights()

    return named
