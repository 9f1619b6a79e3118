"""Layer: weights, built when the first input shows its shape, and a call.

A layer of one's own defines `build(input_shape)`, where it adds its weights, and `call(inputs)`:

    class Scale(Layer):
        def build(self, input_shape):
            self.scale = self.add_weight("scale", (input_shape[-1],), initializer="ones")

        def call(self, inputs):
            return inputs * self.scale
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from inspect import signature
from typing import Any, ClassVar, NamedTuple

from minigrad.backend import registry
from minigrad.creation import is_floating
from minigrad.errors import MinigradError, ShapeError
from minigrad.layers import constraints, context, initializers, nest, regularizers
from minigrad.layers.catalogue import snake_case
from minigrad.layers.floatx import floatx
from minigrad.layers.options import Configured, anything, flag, option
from minigrad.layers.weight import Weight
from minigrad.tensor import Tensor, TensorLike, constant

Shape = tuple[int | None, ...]
CLASSES: dict[tuple[str, str], type[Layer]] = {}  # every layer class by the names under which it is serialized


class InputSpec(NamedTuple):
    """What a layer asks of its input.

    Attributes:
        ndim: the number of axes.
        min_ndim: the least number of axes.
        axes: the size that an axis must have, by the axis.
    """

    ndim: int | None = None
    min_ndim: int | None = None
    axes: dict[int, int] | None = None


class Layer(Configured):
    """The base class of all layers, as Keras'.

    Args:
        name: unique by default: ``"dense"``, ``"dense_1"`` …
        trainable: may an optimizer change the weights?
        dtype: of the weights; floating inputs are cast to it. `floatx` by default, float32.
        input_shape: of one example; a Sequential builds itself from its first layer's.

    Attributes:
        built: have the weights been made?
        supports_masking: can the layer take a mask and pass it on?
        input_spec: what is asked of the inputs.
    """

    name: str = option(anything, None, keyword_only=True)
    trainable: bool = option(flag, True, keyword_only=True)
    dtype: Any = option(anything, None, keyword_only=True)

    serialized_module: ClassVar[str] = "keras.layers"
    _call_parameters: ClassVar[frozenset[str]]
    supports_masking = False
    built = False
    input_spec: InputSpec | None = None
    activity_regularizer: Callable[[Tensor], Tensor] | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        shape = kwargs.pop("input_shape", None)
        batch_shape = kwargs.pop("batch_input_shape", None)
        self.batch_input_shape = tuple(batch_shape) if batch_shape else (None, *shape) if shape is not None else None
        self._weights: list[Weight] = []
        self._losses: list[Tensor] = []  # of the last call
        super().__init__(*args, **kwargs)
        self.name = self.name or context.unique_name(type(self).__name__)
        self.dtype = dtype_name(self.dtype or floatx())

    def __init_subclass__(cls) -> None:
        """Makes the class known by name, for `serialization`."""
        super().__init_subclass__()
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
        consumed = self.supports_masking or "mask" in self.call_parameters()
        if not consumed and any(m is not None for m in nest.leaves(mask)):
            raise MinigradError(
                f"{self.name}: the input carries a mask, and {type(self).__name__} does not say what becomes of it. "
                "Set supports_masking = True to pass it on, or define compute_mask(inputs, mask)."
            )
        return mask if self.supports_masking else None

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
        start = initializers.option_kind.read(where, initializer or "glorot_uniform")
        dtype = dtype or self.dtype
        weight = Weight(
            start(tuple(shape), dtype=dtype),
            trainable=trainable,
            name=context.scoped(name or "weight") + ":0",
            dtype=dtype,
            regularizer=regularizers.option_kind.read(where, regularizer),
            constraint=constraints.option_kind.read(where, constraint),
        )
        self._weights.append(weight)
        return weight

    @property
    def weights(self) -> list[Weight]:
        """All weights, those of nested layers included, the trainable ones first."""
        return self.trainable_weights + self.non_trainable_weights

    @property
    def trainable_weights(self) -> list[Weight]:
        """The weights that an optimizer may change."""
        return [w for w, trainable in self._all_weights() if trainable]

    @property
    def non_trainable_weights(self) -> list[Weight]:
        """The weights that no optimizer changes."""
        return [w for w, trainable in self._all_weights() if not trainable]

    variables, trainable_variables = weights, trainable_weights

    def _all_weights(self, trainable: bool = True) -> list[tuple[Weight, bool]]:
        trainable = trainable and self.trainable
        own = [value for value in vars(self).values() if isinstance(value, Weight)]
        found = [(w, trainable and w.trainable) for w in _unique([*self._weights, *own])]
        for layer in self._sublayers():
            found += layer._all_weights(trainable)
        return list({id(w): (w, t) for w, t in reversed(found)}.values())[::-1]

    def _sublayers(self) -> list[Layer]:
        """The layers among the attributes, in the order in which they were set; lists of layers too."""
        return _unique(layer for value in vars(self).values() for layer in _layers_in(value))

    def get_weights(self) -> list[Any]:
        """Returns copies of all weights, NumPy arrays."""
        return [w.numpy() for w in self.weights]

    def set_weights(self, weights: Iterable[TensorLike]) -> None:
        """Sets all weights, in the order of `weights`.

        Raises:
            ShapeError: the number or a shape is wrong; then nothing is set.
        """
        own, given = self.weights, list(weights)
        if len(own) != len(given):
            listed = ", ".join(f"{w.name} {w.shape}" for w in own)
            unbuilt = "" if self.built else " It has not been built: call it on data first, or build(input_shape)."
            raise ShapeError(
                f"{self.name}.set_weights: expected {len(own)} arrays, got {len(given)}.{unbuilt} It has: {listed}."
            )
        tensors = [constant(array, w.backend) for w, array in zip(own, given, strict=True)]
        for w, value in zip(own, tensors, strict=True):
            if w.shape != value.shape:
                raise ShapeError(f"{self.name}.set_weights: expected {w.name} of shape {w.shape}, got {value.shape}.")
        for w, value in zip(own, tensors, strict=True):
            w.assign(value)

    def count_params(self) -> int:
        """Returns how many numbers the weights hold."""
        return sum(w.size for w in self.weights)

    # --- losses -------------------------------------------------------------------------------------------------------

    def add_loss(self, loss: Tensor) -> None:
        """Adds a term to `losses` until the next call."""
        self._losses.append(loss)

    @property
    def losses(self) -> list[Tensor]:
        """The terms to add to the loss: of the last call, and the regularizers' of the weights as they are now."""
        own = list(self._losses)
        own += [w.regularizer(w) for w in self._weights if w.regularizer is not None]
        return own + [loss for layer in self._sublayers() for loss in layer.losses]

    def _forget_losses(self) -> None:
        self._losses = []
        for layer in self._sublayers():
            layer._forget_losses()

    # --- the call -----------------------------------------------------------------------------------------------------

    def __call__(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Builds the layer if need be, calls it, and hands on the mask.

        Args:
            inputs: a tensor or array, or nested lists of them.
            args: what `call` takes beside.
            kwargs: what `call` takes beside; `training` and `mask` where it knows them.
        """
        inputs = self._as_inputs(inputs)
        takes = self.call_parameters()
        with context.calling(self, self._scope_name(), kwargs.get("training")) as outermost:
            if outermost:
                self._forget_losses()
            if "training" in takes and kwargs.get("training") is None:
                kwargs["training"] = context.training()
            mask = kwargs.get("mask")
            if mask is None:
                mask = nest.over(lambda x: getattr(x, "_keras_mask", None), inputs)
                if "mask" in takes and any(m is not None for m in nest.leaves(mask)):
                    kwargs["mask"] = mask
            self._check(inputs)
            self._build_once(inputs)
            outputs = self.call(inputs, *args, **kwargs)
            if self.activity_regularizer is not None:
                for y in nest.leaves(outputs):
                    self.add_loss(self.activity_regularizer(y) / float(y.shape[0]))
            self._hand_on(self.compute_mask(inputs, mask), outputs)
        return outputs

    @classmethod
    def call_parameters(cls) -> frozenset[str]:
        """The names of the arguments of `call`."""
        if "_call_parameters" not in vars(cls):
            cls._call_parameters = frozenset(signature(cls.call).parameters)
        return cls._call_parameters

    @classmethod
    def serialized_name(cls) -> str:
        """The class's name as layers are named: ``"lstm_cell"``."""
        return snake_case(cls.__name__)

    def _scope_name(self) -> str:
        """What the weights' names begin with."""
        return self.name

    def _as_inputs(self, inputs: Any) -> Any:
        """Arrays as tensors, floating ones in the layer's dtype."""

        def read(x: Any) -> Any:
            if x is None:
                return None
            if not isinstance(x, Tensor):
                x = constant(x, registry.current())
            return self._cast(x)

        numbers = isinstance(next(iter(nest.leaves(inputs)), None), (int, float))
        return read(inputs) if numbers else nest.over(read, inputs)

    def _cast(self, x: Tensor) -> Tensor:
        """Floating inputs in the layer's dtype."""
        return x.astype(self.dtype) if is_floating(x.dtype) and dtype_name(x.dtype) != self.dtype else x

    def _build_once(self, inputs: Any) -> None:
        if not self.built:
            self.build(nest.over(lambda x: None if x is None else x.shape, inputs))

    def _check(self, inputs: Any) -> None:
        """Compares the (first) input with the input spec."""
        spec, x = self.input_spec, next(iter(nest.leaves(inputs)), None)
        if spec is None or x is None:
            return
        where = f"{type(self).__name__} {self.name!r}"
        if spec.ndim is not None and x.ndim != spec.ndim:
            raise ShapeError(f"{where}: expected `inputs` with {spec.ndim} axes, got shape {x.shape}.{self._way_out()}")
        if spec.min_ndim is not None and x.ndim < spec.min_ndim:
            raise ShapeError(f"{where}: expected `inputs` with at least {spec.min_ndim} axes, got shape {x.shape}.")
        for axis, size in (spec.axes or {}).items():
            if x.shape[axis] != size:
                raise ShapeError(
                    f"{where}: expected `inputs` with {size} features along axis {axis}, for which it was built, got "
                    f"shape {x.shape}."
                )

    def _way_out(self) -> str:
        """A hint for inputs of the wrong rank."""
        return ""

    def _hand_on(self, mask: Any, outputs: Any) -> None:
        for y, m in zip(nest.leaves(outputs), nest.leaves(mask), strict=False):
            y._keras_mask = m


def dtype_name(dtype: Any) -> str:
    """Returns ``"float32"`` for whatever stands for it: a name, a NumPy dtype or scalar type, a backend's dtype."""
    name = dtype if isinstance(dtype, str) else getattr(dtype, "name", None) or getattr(dtype, "__name__", str(dtype))
    return str(name)


def _once_built(build: Callable[[Any, Any], None]) -> Callable[[Any, Any], None]:
    """A layer's `build`, so that its weights' names begin with the layer's and `built` is true afterwards."""

    @wraps(build)
    def named(self: Layer, input_shape: Any) -> None:
        with context.inside(self, self._scope_name()):
            build(self, input_shape)
        self.built = True

    return named


def _layers_in(value: Any) -> Iterator[Layer]:
    if isinstance(value, Layer):
        yield value
    elif isinstance(value, (list, tuple, dict)):
        for part in nest.leaves(value):
            if isinstance(part, Layer):
                yield part


def _unique(things: Iterable[Any]) -> list[Any]:
    """Each thing once, where it first came."""
    return list({id(thing): thing for thing in things}.values())
