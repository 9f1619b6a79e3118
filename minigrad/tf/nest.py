"""Nested structures. `tf.nest`."""

from minigrad.compat.ops.nest import assert_same_structure, flatten, is_nested, map_structure, pack_sequence_as
from minigrad.compat.out_of_scope import sentence
from minigrad.engine.lazy import lazy_getattr

__all__ = ["assert_same_structure", "flatten", "is_nested", "map_structure", "pack_sequence_as"]

__getattr__ = lazy_getattr(__name__, __all__, missing=sentence)

del lazy_getattr, sentence
