"""The first two API generations: `tf.compat.v1`."""

from minigrad.compat.v1 import keras

__all__ = ["keras"]
