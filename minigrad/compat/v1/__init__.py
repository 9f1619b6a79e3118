"""The first two API generations: `tf.compat.v1`. The first is imported at its first use."""

from typing import TYPE_CHECKING

from minigrad.compat.v1 import keras
from minigrad.engine.lazy import lazy_getattr

if TYPE_CHECKING:
    from minigrad.compat.v1 import layers, nn
    from minigrad.compat.v1.nn.tensor_array import TensorArray
    from minigrad.compat.v1.variables import (
        AUTO_REUSE,
        VariableScope,
        get_variable,
        get_variable_scope,
        global_variables,
        reset_default_graph,
        trainable_variables,
        variable_scope,
    )

__all__ = [
    "AUTO_REUSE", "TensorArray", "VariableScope", "get_variable", "get_variable_scope", "global_variables", "keras",
    "layers", "nn", "reset_default_graph", "trainable_variables", "variable_scope",
]  # fmt: skip

if not TYPE_CHECKING:  # otherwise mypy would accept any name
    __getattr__ = lazy_getattr(__name__, __all__, "layers", "nn", "variables", "nn.tensor_array")

del TYPE_CHECKING, lazy_getattr
