"""All recipes, and the public names that they must cover."""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import minigrad as mg
from fuzz.recipe import Recipe
from fuzz.recipes_engine import ENGINE
from fuzz.recipes_keras import KERAS
from fuzz.recipes_layers import LAYERS
from fuzz.recipes_methods import METHODS
from fuzz.recipes_tools import TOOLS
from fuzz.recipes_v1 import FIRST
from minigrad import convert, plot, recurrent, show, testing, tracing, train
from minigrad.compat import v1

RECIPES: dict[str, Recipe] = {**ENGINE, **LAYERS, **KERAS, **FIRST, **TOOLS, **METHODS}
K = mg.keras
MODULES: list[ModuleType] = [
    mg, mg.functional, mg.random, K, K.activations, K.backend, K.callbacks, K.constraints, K.initializers, K.layers,
    K.losses, K.metrics, K.models, K.optimizers, K.optimizers.schedules, K.regularizers, K.utils, v1, v1.layers, v1.nn,
    v1.nn.rnn_cell, v1.keras.layers, recurrent, testing, tracing, convert, plot, show, train,
]  # fmt: skip
PARTS = {
    "Equations": "a base class without a constructor",
    "Formulas": "a part of the loops, which have no checks",
    "Plan": "a part of the loops",
    "SequenceOptions": "a part of the loops",
    "Sequence": "a part of the loops",
    "SequenceOp": "a part of the loops",
    "Step": "a part of the loops",
    "StepOp": "a part of the loops",
    "OneStep": "a part of the loops",
    **dict.fromkeys(
        ("clip", "dclip", "dphi", "dsigma", "phi", "sigma", "stop"), "a word of equations, read by their compiler"
    ),
    **dict.fromkeys(
        ("GRU", "GRUResetBefore", "LSTM", "LSTMP", "MGU", "SimpleRNN"), "equations or a layer with a recipe"
    ),
    **dict.fromkeys(("draw_orthogonal", "draw_truncated_normal"), "takes NumPy's generator; for initializers"),
    **dict.fromkeys(("check", "copied", "reset_copy", "for_output"), "a part of compile"),
    "Dimension": "a length of a TensorShape",
    "load_model": "reads files, whose readers are tested by files at random",
    "trace": "a context manager, in the recipe `trace`",
    "Difference": "a result",
    "Trace": "a result",
    "Tracer": "a result",
    "Task": "a base class",
    "GeneratedTask": "a base class; a subclass is tried",
    "javascript": "takes a description, an inner form of a cell; text_of is its public door",
    "outline": "takes a description",
    "python": "takes formulas",
}

# Operations and graphs by TensorFlow 1's names. Their arguments go to functions that have recipes; they have none yet.
UNTRIED = ("minigrad.compat.graphs", "minigrad.compat.ops", "minigrad.compat.v1.collections",
           "minigrad.compat.v1.core_layers", "minigrad.compat.v1.initial_values")  # fmt: skip


def public() -> Iterator[tuple[str, Any]]:
    """Yield every public callable that an odd value can be given to, with its address."""
    for module in MODULES:
        names = getattr(module, "__all__", None) or [
            name for name, value in vars(module).items()
            if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
        ]  # fmt: skip
        for name in names:
            value = getattr(module, name)
            is_error = isinstance(value, type) and issubclass(value, Exception)
            untried = str(getattr(value, "__module__", "")).startswith(UNTRIED)
            if callable(value) and not isinstance(value, ModuleType) and not is_error and not untried:
                yield f"{module.__name__}.{name}", value
