"""Random numbers. `tf.compat.v1.random`."""

from minigrad.compat.ops.draws import categorical, normal, shuffle, truncated_normal, uniform
from minigrad.compat.ops.draws import set_seed as set_random_seed
from minigrad.compat.out_of_scope import sentence
from minigrad.engine.lazy import lazy_getattr

__all__ = [
    "categorical", "normal", "set_random_seed", "shuffle", "truncated_normal", "uniform",
]  # fmt: skip

__getattr__ = lazy_getattr(__name__, __all__, missing=sentence)

del lazy_getattr, sentence
