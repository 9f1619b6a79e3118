"""Small helpers for scripts. `tf.keras.utils`."""

from minigrad.keras.utils.arrays import pad_sequences, set_random_seed, to_categorical
from minigrad.keras.utils.sequence import Sequence
from minigrad.keras.utils.timeseries import timeseries_dataset_from_array
from minigrad.layers.custom_objects import (
    CustomObjectScope,
    custom_object_scope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    register_keras_serializable,
)

__all__ = [
    "CustomObjectScope", "Sequence", "custom_object_scope", "get_custom_objects", "get_registered_name",
    "get_registered_object", "pad_sequences", "register_keras_serializable", "set_random_seed",
    "timeseries_dataset_from_array", "to_categorical",
]  # fmt: skip
