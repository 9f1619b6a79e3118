"""Optimizers and files of variables. `tf.compat.v1.train`."""

from minigrad.compat.out_of_scope import sentence
from minigrad.compat.v1.optimizers import (
    AdagradOptimizer,
    AdamOptimizer,
    GradientDescentOptimizer,
    MomentumOptimizer,
    Optimizer,
    RMSPropOptimizer,
    exponential_decay,
    get_global_step,
    get_or_create_global_step,
)  # fmt: skip
from minigrad.compat.v1.saver import Saver, latest_checkpoint
from minigrad.engine.lazy import lazy_getattr

__all__ = [
    "AdagradOptimizer", "AdamOptimizer", "GradientDescentOptimizer", "MomentumOptimizer", "Optimizer",
    "RMSPropOptimizer", "Saver", "exponential_decay", "get_global_step", "get_or_create_global_step",
    "latest_checkpoint",
]  # fmt: skip

__getattr__ = lazy_getattr(__name__, __all__, missing=sentence)

del lazy_getattr, sentence
