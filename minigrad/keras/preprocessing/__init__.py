"""Preparation of data: `tf.keras.preprocessing`."""

from minigrad.keras.preprocessing import sequence, text
from minigrad.keras.utils.timeseries import timeseries_dataset_from_array

__all__ = ["sequence", "text", "timeseries_dataset_from_array"]
