"""Products of matrices. `tf.linalg`."""

from minigrad.compat.ops.arrays import eye
from minigrad.compat.ops.elementwise import einsum, l2_normalize, matmul, matvec, tensordot
from minigrad.compat.ops.reductions import global_norm, norm
from minigrad.compat.out_of_scope import sentence
from minigrad.engine.lazy import lazy_getattr

__all__ = [
    "einsum", "eye", "global_norm", "l2_normalize", "matmul", "matvec", "norm", "tensordot",
]  # fmt: skip

__getattr__ = lazy_getattr(__name__, __all__, missing=sentence)

del lazy_getattr, sentence
