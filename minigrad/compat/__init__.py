"""The older API generations under TensorFlow's own addresses: `tf.compat`."""

from minigrad.compat import v1

__all__ = ["v1"]
