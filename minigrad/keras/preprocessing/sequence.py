"""Sequences of one length, and windows of a series as batches. `tf.keras.preprocessing.sequence`."""

from minigrad.keras.utils.arrays import pad_sequences
from minigrad.keras.utils.generators import TimeseriesGenerator

__all__ = ["TimeseriesGenerator", "pad_sequences"]
