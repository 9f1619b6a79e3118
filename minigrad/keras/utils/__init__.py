"""Small helpers for scripts. `tf.keras.utils`."""

from minigrad.keras.utils.arrays import pad_sequences, set_random_seed, to_categorical
from minigrad.layers.custom_objects import (
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)

__all__ = [
    "CustomObjectScope", "custom_object_scope", "get_custom_objects", "get_registered_name", "get_registered_object",
    "pad_sequences", "register_keras_serializable", "set_random_seed", "to_categorical",
]  # fmt: skip
