"""Model: a layer with a training loop."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

from minigrad.engine import tree
from minigrad.engine.arguments import choice, dictionary, flag, function, integer
from minigrad.engine.errors import ShapeError, UnknownNameError, shown, unknown_name
from minigrad.engine.foreign import naming
from minigrad.engine.functional import zeros
from minigrad.engine.recording import no_grad
from minigrad.keras import saving
from minigrad.keras.models import summary
from minigrad.keras.models.data import tensors
from minigrad.keras.models.graph import Graph
from minigrad.keras.models.graph_config import config_of, ends_of
from minigrad.keras.models.keras_config import described
from minigrad.keras.models.training import Trainer
from minigrad.keras.storage.keras_weights import load_keras
from minigrad.keras.storage.paths import file_name
from minigrad.keras.storage.writing import HDF5, ending_of, write_model, write_weights
from minigrad.layers.custom_objects import CustomObjectScope
from minigrad.layers.layer import Layer
from minigrad.layers.module import Module
from minigrad.layers.options import OptionTypeError
from minigrad.layers.recorded import NoSymbolsError
from minigrad.layers.rnn import RNN
from minigrad.layers.symbol import Symbol
from minigrad.layers.weight import Weight


class Model(Trainer):
    """The base class of custom models: make the layers in ``__init__``, use them in ``call``.

        class Tagger(Model):
            def __init__(self, words, tags):
                super().__init__()
                self.embedding = Embedding(words, 16, mask_zero=True)
                self.lstm = LSTM(32, return_sequences=True)
                self.dense = Dense(tags)

            def call(self, inputs, training=None):
                return self.dense(self.lstm(self.embedding(inputs), training=training))

    Or from symbols, which stand for tensors that are given later:

        words = Input((None,), dtype="int32")
        model = Model(words, Dense(tags)(LSTM(32)(Embedding(words_known, 16)(words))))

    A model is a layer, and can be part of another model. Its layers cast the inputs; the model does not.

    Args:
        inputs: the symbols of the inputs: one, or a list or dictionary of them.
        outputs: the symbols of the outputs, in any structure.
        name: unique by default.

    Raises:
        SymbolError: (a TypeError) inputs or outputs are not symbols.
        DisconnectedError: (a ValueError) the outputs depend on an input that is not among `inputs`.
    """

    _graph: Graph | None = None  # of a model made from symbols

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        where = type(self).__name__
        if args and not {"inputs", "outputs"} & kwargs.keys() and len(args) in (2, 3) and _are_symbols(args[0]):
            kwargs |= dict(zip(("inputs", "outputs", "name"), args, strict=False))
            args = ()
        ends = [kwargs.pop(end, None) for end in ("inputs", "outputs")]
        if (args and type(self) is Model) or (ends[0] is None) != (ends[1] is None):
            raise OptionTypeError(
                f"{where}: expected Model(inputs, outputs), symbols from keras.Input and layers called on it. Or "
                "derive a class from Model, with the layers in __init__ and their use in call."
            )
        super().__init__(*args, **kwargs)
        if ends[0] is not None:
            self._graph = Graph(self.name, *ends)
            self.built = True

    def call(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        """Return the outputs of a model made from symbols; other models define their own `call`."""
        if self._graph is None:
            return super().call(inputs)
        return self._graph.run(inputs)

    @property
    def inputs(self) -> list[Symbol]:
        """The symbols of the inputs, of a model made from symbols."""
        return tree.leaves(self._known_graph("inputs").inputs)

    @property
    def outputs(self) -> list[Symbol]:
        """The symbols of the outputs, of a model made from symbols."""
        return tree.leaves(self._known_graph("outputs").outputs)

    def _known_graph(self, name: str) -> Graph:
        if self._graph is None:
            raise NoSymbolsError(f"{self.name}.{name}: the model was not made from symbols, Model(inputs, outputs).")
        return self._graph

    def _only_call(self, name: str) -> Any:
        if self._graph is None:
            return super()._only_call(name)
        return self._graph.inputs, self._graph.outputs

    @property
    def layers(self) -> list[Layer]:
        """The layers in the order of the weights: of a model made from symbols the graph's, else that of attributes."""
        return self._sublayers()

    def _parts(self) -> list[Module]:
        return super()._parts() if self._graph is None else [*self._graph.layers]

    @property
    def weights(self) -> list[Weight]:
        """All weights in the order of the layers, then the model's own; freezing does not change the order."""
        return self._lasting_weights()

    variables = weights

    def _lasting_weights(self) -> list[Weight]:
        found = [w for part in self._parts() for w in part._lasting_weights()] + self._own_weights()
        return list({id(w): w for w in found}.values())

    def _all_weights(self, trainable: bool = True) -> list[tuple[Weight, bool]]:
        """Return the weights as a layer does, but with the model's own last."""
        trainable = trainable and self.trainable
        found: dict[int, tuple[Weight, bool]] = {}
        for w, t in (pair for part in self._parts() for pair in part._all_weights(trainable)):
            found.setdefault(id(w), (w, t))
        for w in self._own_weights():
            found.setdefault(id(w), (w, trainable and w.trainable))
        return list(found.values())

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """Return a layer by its name or its index.

        Raises:
            UnknownNameError: there is no such layer.
        """
        found = {layer.name: layer for layer in self.layers}
        if index is not None:
            k = integer(f"{self.name}.get_layer: `index`", index)
            if -len(found) <= k < len(found):
                return self.layers[k]
            raise UnknownNameError(f"{self.name}.get_layer: expected `index` below {len(found)}, got {shown(k)}.")
        if not isinstance(name, str) or name not in found:
            raise unknown_name(f"{self.name}.get_layer: `name`, without an `index`", name, found)
        return found[name]

    def build(self, input_shape: Any) -> None:
        """Make the weights, by a call on zeros.

        Args:
            input_shape: with the batch as its first axis, e.g. (None, 10, 8); a list of shapes for a list of inputs.

        Raises:
            ShapeError: a layer is stateful, and the batch size is None.
        """
        if isinstance(input_shape, dict):
            raise ShapeError(f"{self.name}.build: expected `input_shape`, a shape or a list of them, got a dictionary.")
        single = not input_shape or input_shape[0] is None or isinstance(input_shape[0], int)
        shapes = [input_shape] if single else list(input_shape)
        with naming(f"{self.name}.build: `input_shape`"):
            inputs = [zeros(tuple(1 if n is None else n for n in shape)) for shape in shapes]
        for layer in self._every_layer():
            if isinstance(layer, RNN) and layer.stateful and len(shapes[0]) > 2:
                layer.batch_to_bind(shapes[0])
        with no_grad():
            self(inputs[0] if single else inputs)
        self.reset_states()

    def _every_layer(self) -> Iterator[Layer]:
        """Yield the layers, and those inside them."""
        waiting = self._sublayers()[::-1]
        while waiting:
            yield (layer := waiting.pop())
            waiting += layer._sublayers()[::-1]

    # --- as a layer ---------------------------------------------------------------------------------------------------

    def _build_once(self, inputs: Any) -> None:
        if type(self).build is not Model.build:
            super()._build_once(inputs)
        self.built = True  # the layers build themselves in the call

    def _as_inputs(self, inputs: Any) -> Any:
        return tensors(f"{self.name}: `inputs`", inputs)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Return None, because the layers inside have set the masks of their outputs."""
        return None

    def _attach_masks(self, mask: Any, outputs: Any) -> None:
        if any(m is not None for m in tree.leaves(mask)):  # from an overridden compute_mask
            super()._attach_masks(mask, outputs)

    def reset_states(self) -> None:
        """Set the states of all stateful layers to zero."""
        waiting: list[Any] = self._sublayers()[:]
        while waiting:
            layer = waiting.pop()
            if getattr(layer, "stateful", False):
                layer.reset_states()
            else:
                waiting += layer._sublayers()

    def reset_state(self) -> None:
        """`reset_states` by its newer name."""
        self.reset_states()

    def get_config(self) -> dict[str, Any]:
        """Return the arguments as plain values; of a model made from symbols its layers and their calls."""
        if self._graph is None or type(self).__init__ is not Model.__init__:
            return super().get_config()
        return {"name": self.name, "trainable": self.trainable, **config_of(self._graph)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """Return a new model, with new weights, from the value of `get_config`; `custom_objects`: as for a layer."""
        where = f"{cls.__name__}.from_config: `config`"
        given = dictionary(where, config)
        if "input_layers" not in given:
            return super().from_config(given, custom_objects)
        with naming(where):
            with CustomObjectScope(custom_objects):
                inputs, outputs = ends_of(where, given)
            model = cls(inputs=inputs, outputs=outputs, name=given.get("name"))
        if given.get("trainable") is False:
            model.trainable = False
        return model

    # --- summary and files --------------------------------------------------------------------------------------------

    def summary(self, print_fn: Callable[[str], Any] = print) -> None:
        """Print the layers: names, outputs, weights, masks, the order of the gates, and of a graph the connections."""
        connected = None if self._graph is None else self._graph.connections()
        printer = function(f"{self.name}.summary: `print_fn`", print_fn)
        with naming(f"{self.name}.summary: `print_fn`"):
            printer(summary.table(self, self._seen(), connected))

    def _seen(self) -> dict[int, tuple[Any, Any]]:
        """Return the known output shapes of the layers, for `summary`."""
        return {} if self._graph is None else self._graph.seen()

    def save(self, filepath: Any, overwrite: bool = True, keras_version: int = 2) -> None:
        """Write the model, its configuration and weights, into a ``.keras`` or ``.h5`` file, for `load_model`.

        TensorFlow's Keras (2.12 to 2.15) and Keras 3 read both. The model is a Sequential or was made from symbols.

        Args:
            filepath: the file.
            overwrite: whether to replace a file.
            keras_version: 3 writes nested models, initial states and operators of a graph as Keras 3 reads them alone.

        Raises:
            WeightsFileError: the ending is another one, or the file exists and must not be replaced.
            ConversionError: the model has a layer that no file can hold.
            ForeignFileError: the file cannot be written.
        """
        path = file_name("save", filepath)
        if ending_of(path) not in (".keras", ".h5", ".hdf5"):
            raise saving.WeightsFileError(f"{path}: expected a name that ends in .keras or .h5. Or use save_weights.")
        version = choice("save: `keras_version`", keras_version, (2, 3))
        self._check_writing(path, flag("save: `overwrite`", overwrite))
        write_model(path, self, described(path, self, version), version)

    def save_weights(self, filepath: Any, overwrite: bool = True) -> None:
        """Write the weights into a file, whole or not at all.

        A name that ends in ``.weights.h5`` or ``.h5`` makes a file that Keras reads, any other a ``.npz`` file. Missing
        folders of the path of the latter are created.

        Raises:
            WeightsFileError: the file exists and must not be replaced, or has another ending, or the model has no
                weights yet.
            FileError: the file cannot be written.
        """
        foreign = isinstance(filepath, (str, os.PathLike)) and ending_of(str(filepath)) in HDF5
        path = str(filepath) if foreign else saving.file_name(filepath)
        self._check_writing(path, flag("save_weights: `overwrite`", overwrite))
        if foreign:
            write_weights(path, self)
        else:
            saving.save(path, [(w.name, w.numpy()) for w in self.weights])

    def _check_writing(self, path: str, overwrite: bool) -> None:
        if not self.built:
            raise saving.WeightsFileError(
                f"{path}: {self.name!r} has no weights yet. Call it on data first, or model.build(input_shape)."
            )
        if not overwrite and os.path.exists(path):
            raise saving.WeightsFileError(f"{path}: the file exists already. Pass overwrite=True to replace it.")

    def load_weights(self, filepath: Any, by_name: bool = False) -> None:
        """Read the weights from a file that `save_weights`, `save` or Keras wrote.

        Args:
            filepath: the file; ``.keras``, ``.weights.h5`` and ``.h5`` are read as `minigrad.convert.load_keras` does.
            by_name: for the latter: whether to set only the layers whose names are in the file.

        Raises:
            WeightsFileError: the file is missing, damaged, or of another model.
            ConversionError: (a ValueError) a file of Keras is of another model.
            DTypeError: a weight's dtype cannot hold its numbers. In all cases nothing is changed.
        """
        by_name = flag(f"{self.name}.load_weights: `by_name`", by_name)
        if isinstance(filepath, (str, os.PathLike)) and ending_of(str(filepath)):
            load_keras(str(filepath), self, by_name=by_name)
            return
        path, weights = saving.file_name(filepath), self.weights
        loaded = saving.load(path, [(w.name, w.shape) for w in weights])
        arrays = [w.checked_array(array, f"{path}: {w.name}") for w, (_, array) in zip(weights, loaded, strict=True)]
        for w, array in zip(weights, arrays, strict=True):
            w.array = array


def _are_symbols(given: Any) -> bool:
    return any(isinstance(leaf, Symbol) for leaf in tree.leaves(given, "Model: `inputs`"))


def clone_model(model: Model) -> Any:
    """Return a model with the same layers and new weights.

    Args:
        model: a Sequential, a model made from symbols, or one that defines `get_config`.
    """
    if not isinstance(model, Model):
        raise OptionTypeError(f"clone_model: `model`: expected a model, got {shown(model)}.")
    return type(model).from_config(model.get_config())
