"""load_model: a model from a file that Keras or `Model.save` wrote. No module is imported and no code is run for it."""

from __future__ import annotations

from typing import Any

from minigrad.engine.arguments import dictionary, flag
from minigrad.engine.errors import MinigradError, UnknownNameError
from minigrad.engine.foreign import naming
from minigrad.keras.models.keras_config import check_same_sigmoid
from minigrad.keras.models.keras_reading import compile_arguments, ours
from minigrad.keras.models.model import Model
from minigrad.keras.models.sequential import Sequential
from minigrad.keras.storage.errors import ConversionError, ForeignFileError
from minigrad.keras.storage.keras_file import read_for
from minigrad.keras.storage.keras_weights import set_from
from minigrad.keras.storage.paths import file_name
from minigrad.layers.custom_objects import CustomObjectScope, only_given

# Errors on configurations of the wrong types.
_MISTYPED = (TypeError, ValueError, LookupError, AttributeError)


def load_model(
    filepath: Any,
    custom_objects: dict[str, Any] | None = None,
    compile: bool = True,  # noqa: A002  (Keras' name)
    safe_mode: bool = True,
) -> Any:
    """Return the model in a file, with its weights.

    Args:
        filepath: a ``.keras`` or ``.h5`` file of a Sequential, or of a model made from symbols.
        custom_objects: classes and functions by the names in the file. A class that is neither among them nor
            registered (`register_keras_serializable`) is refused, and so is a function.
        compile: whether to compile the model as the file says. The state of the optimizer is not loaded.
        safe_mode: as in Keras; without effect, because no file is trusted.

    Raises:
        ForeignFileError: the file is missing, damaged, or was not written by Keras.
        ConversionError: the file holds weights alone, or a layer or an option that minigrad does not have.
    """
    path = file_name("load_model", filepath)
    flag("load_model: `compile`", compile)
    flag("load_model: `safe_mode`", safe_mode)
    given = dictionary("load_model: `custom_objects`", custom_objects or {})
    file = read_for(path)
    if file.config is None:
        raise ConversionError(f"{path}: holds weights and no configuration. Make the model, then use load_weights.")
    if str(file.keras_version or 2).partition(".")[0] not in ("0", "1", "2"):
        check_same_sigmoid(path, file.config, "loaded")
    with only_given, CustomObjectScope(given):
        model = _made(path, file.config)
        set_from(file, model, made=True)
        if compile:
            with naming(f"{path}: pass compile=False; `compile_config`"):
                arguments = compile_arguments(file.config, file.training)
                if arguments:
                    model.compile(**arguments)
    return model


def _made(path: str, config: dict[str, Any]) -> Model:
    try:
        entry = ours(path, config)
        kind: Any = Sequential if entry["class_name"] == "Sequential" else Model
        found: Model = kind.from_config(entry["config"])
    except UnknownNameError as error:
        raise ConversionError(f"{path}: {error}") from None
    except (ConversionError, ForeignFileError):
        raise
    except MinigradError as error:
        raise ConversionError(f"{path}: its configuration does not make a model: {error}") from error
    except _MISTYPED as error:
        raise ForeignFileError(f"{path}: its configuration cannot be read ({type(error).__name__}: {error}).") from None
    return found
