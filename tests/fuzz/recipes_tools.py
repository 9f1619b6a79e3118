"""Valid calls of the tools: equations, checks, traces, plots, conversion, training, printed cells."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import minigrad as mg
from fuzz.recipe import Recipe
from fuzz.recipes_layers import SEQUENCE
from minigrad import convert, plot, recurrent, show, testing, tracing, train
from minigrad.keras import layers as L


@cache
def seen() -> Any:
    """Return a trace of a training step."""
    layer = L.LSTM(2, return_sequences=True, name="lstm")
    with mg.trace(layer) as tracer:
        layer(mg.tensor(SEQUENCE, requires_grad=True)).sum().backward()
    return tracer


@cache
def axes() -> Any:
    """Return drawn axes."""
    return plot.gates(seen())


def traced(**given: Any) -> Callable[[], dict[str, Any]]:
    """Return a maker of arguments: a trace, and these."""
    return lambda: {"source": seen(), **given}


def entered(block: Any) -> Any:
    """Run a layer in a block."""
    with block as found:
        L.LSTM(2)(SEQUENCE)
    return found


def trace_of(layer: Any, **how: Any) -> Any:
    """Trace a call of a layer."""
    with mg.trace(layer, **how) as found:
        layer(SEQUENCE)
    return found.names and found.runs(found.names[0])


def lstm() -> Any:
    """Return a layer with weights."""
    made = L.LSTM(2, name="lstm")
    made(SEQUENCE)
    return made


def cell(**how: Any) -> Any:
    """Return a cell with weights."""
    made = L.LSTMCell(2, **how)
    made.build((None, 3))
    return made


def gru_weights() -> dict[str, Any]:
    """Return the weights of a Keras GRU by name."""
    layer = L.GRU(2)
    layer(SEQUENCE)
    return dict(zip(("kernel", "recurrent_kernel", "bias"), layer.get_weights(), strict=True))


def weights() -> dict[str, Any]:
    """Return the weights of a Keras LSTM by name."""
    kernel, recurrent_kernel, bias = lstm().get_weights()
    return {"kernel": kernel, "recurrent_kernel": recurrent_kernel, "bias": bias}


def sequences() -> Any:
    """Return a layer with an output at every step."""
    made = L.LSTM(2, name="lstm", return_sequences=True)
    made(SEQUENCE)
    return made


KERAS_FILE = Path(__file__).parents[1] / "convert" / "data" / "sequential.h5"


def of_the_file() -> Any:
    """Return a layer of the shape of one in the file."""
    layer = L.LSTM(4)
    layer.build((None, None, 3))
    return layer


@cache
def run_folder() -> str:
    """Return a folder with a run."""
    folder = tempfile.mkdtemp()
    train.Run.create(f"{folder}/run", options(), "adding").train()
    return f"{folder}/run"


def state_dict() -> Any:
    """Return PyTorch's weights of a layer."""
    return convert.to_torch_state_dict(lstm())


def safetensors() -> str:
    """Return the name of a file."""
    convert.write_safetensors("arrays.safetensors", {"a": np.ones(2, "float32")})
    return "arrays.safetensors"


def options(**given: Any) -> Any:
    """Return the options of a tiny training."""
    task = train.TASKS["adding"]
    return task.options_type(**{"steps": 2, "units": 2, "batch": 2, "length": 6, "layers": 1, **given})


def adding(**given: Any) -> Any:
    """Train with options for one step."""
    chosen = train.TASKS["adding"].options_type(**given)
    return chosen.to_dict()


PLOTS: dict[str, Recipe] = {
    "plot.Drawing": Recipe(plot.Drawing, lambda: {"svg": "<svg></svg>", "alt": "nothing"}),
    "plot.Page": Recipe(plot.Page, lambda: {"title": "title"}),
    "plot.alt_text": Recipe(plot.alt_text, lambda: {"picture": axes()}),
    "plot.animate": Recipe(plot.animate, lambda: {"traces": {1: seen()}}),
    "plot.compare_generations": Recipe(plot.compare_generations, lambda: {"traces": {"a": seen(), "b": seen()}}),
    **{
        f"plot.{name}": Recipe(getattr(plot, name), traced())
        for name in ("cell_diagram", "cell_state", "gate_heatmap", "gates", "gradient_ledger", "saliency", "saturation")
    },
    "plot.gradient_flow": Recipe(plot.gradient_flow, lambda: {"models": seen()}),
    "plot.jacobian_norms": Recipe(plot.jacobian_norms, lambda: {"models": seen()}),
    "plot.graph": Recipe(plot.graph, lambda: {"output": (mg.tensor([1.0], requires_grad=True) * 2.0).sum()}),
    "plot.input_gradients": Recipe(plot.input_gradients, lambda: {"layer": sequences(), "x": SEQUENCE}),
    "plot.learning_curve": Recipe(plot.learning_curve, lambda: {"steps": [1, 2, 3], "losses": [3.0, 2.0, 1.0]}),
    "plot.report": Recipe(plot.report, lambda: {"seen": seen(), "title": "title"}),
    "plot.svg": Recipe(plot.svg, lambda: {"ax": axes()}),
    "plot.tbptt_band": Recipe(plot.tbptt_band, lambda: {"band": np.tril(np.ones((4, 4)))}),
}

TRAIN: dict[str, Recipe] = {
    "train.Batch": Recipe(train.Batch, lambda: {"inputs": SEQUENCE, "targets": SEQUENCE, "weights": SEQUENCE}),
    "train.ModelShape": Recipe(train.ModelShape, lambda: {"inputs": 2, "outputs": 2}),
    "train.Options": Recipe(train.Options),
    "train.RunOptions": Recipe(train.RunOptions, then=lambda made: made.to_dict()),
    "train.Sampling": Recipe(train.Sampling, then=lambda made: made.to_dict()),
    "train.Score": Recipe(train.Score, lambda: {"name": "n", "value": 1.0}),
    "train.GeneratedTask": Recipe(train.TASKS["adding"], lambda: {"options": options()}, lambda task: task.shape()),
    "train.Run": Recipe(
        train.Run, lambda: {"folder": Path("run"), "task": train.TASKS["adding"](options()), "options": options()}
    ),
    "train.Run.create": Recipe(
        train.Run.create,
        lambda: {"folder": tempfile.mkdtemp(dir=".") + "/run", "options": options(), "task": "adding"},
    ),
    "train.Run.resume": Recipe(train.Run.resume, lambda: {"folder": run_folder(), "steps": 3}),
    "train.Trainer": Recipe(
        train.Trainer, lambda: {"task": train.TASKS["adding"](options()), "options": options()}, lambda t: t.advance()
    ),
    "train.adapted": Recipe(train.adapted, lambda: {"base": train.RunOptions, "name": "steps", "default": 3}),
    "train.option": Recipe(train.option, lambda: {"default": 1, "help": "a number"}),
    "train.trained": Recipe(train.trained, lambda: {"folder": run_folder()}),
}

OTHERS: dict[str, Recipe] = {
    "testing.check_backend": Recipe(testing.check_backend, lambda: {"module": "numpy"}),
    "testing.check_cell": Recipe(testing.check_cell, lambda: {"equations": recurrent.SimpleRNN}),
    "testing.check_gradient": Recipe(
        testing.check_gradient, lambda: {"f": mg.exp, "*": [np.array([0.5, 1.0])]}, words={"*0": ("input 0",)}
    ),
    "testing.on_tape": Recipe(testing.on_tape, lambda: {"layer": lstm()}, entered),
    "trace": Recipe(trace_of, lambda: {"layer": lstm(), "every": 1, "units": None}),
    "tracing.Tracer.jacobian_norms": Recipe(tracing.Tracer.jacobian_norms, lambda: {"self": seen()}),
    "tracing.Tracer.runs": Recipe(tracing.Tracer.runs, lambda: {"self": seen(), "name": "lstm"}),
    "convert.GateLayout": Recipe(
        convert.GateLayout,
        lambda: {"name": "n", "gates": "ifgo", "letters": "ifgo", "kernel": "k", "recurrent": "r", "bias": "b"},
    ),
    "convert.KerasFile": Recipe(
        convert.KerasFile,
        lambda: {
            "path": "p",
            "layers": (),
            "config": None,
            "keras_version": None,
            "named": False,
            "by_place": False,
        },
    ),
    "convert.KerasLayer": Recipe(convert.KerasLayer, lambda: {"name": "n", "weights": {}}),
    "convert.explain_difference": Recipe(
        convert.explain_difference, lambda: {"cell_a": cell(), "cell_b": cell(recurrent_activation="hard_sigmoid")}
    ),
    "convert.from_torch_state_dict": Recipe(
        convert.from_torch_state_dict, lambda: {"state": state_dict(), "target": lstm()}
    ),
    "convert.load_keras": Recipe(
        convert.load_keras, lambda: {"path": KERAS_FILE, "target": of_the_file(), "name": "lstm"}
    ),
    "convert.read_keras": Recipe(convert.read_keras, lambda: {"path": KERAS_FILE}),
    "convert.read_safetensors": Recipe(convert.read_safetensors, lambda: {"path": safetensors()}),
    "convert.relayout": Recipe(convert.relayout, lambda: {"weights": weights(), "src": "keras", "dst": "torch"}),
    "convert.relayout_gru": Recipe(
        convert.relayout_gru, lambda: {"weights": gru_weights(), "src": "keras", "dst": "torch"}
    ),
    "convert.sequence_lengths": Recipe(convert.sequence_lengths, lambda: {"mask": [[True, True, False]]}),
    "convert.to_onnx": Recipe(convert.to_onnx, lambda: {"layer": lstm(), "path": "model.onnx"}),
    "convert.to_torch_state_dict": Recipe(convert.to_torch_state_dict, lambda: {"target": lstm()}),
    "convert.write_safetensors": Recipe(
        convert.write_safetensors, lambda: {"path": "other.safetensors", "arrays": {"a": np.ones(2, "float32")}}
    ),
    "show.latex": Recipe(show.latex, lambda: {"equations": recurrent.LSTM}),
    "show.text_of": Recipe(show.text_of, lambda: {"equations": recurrent.LSTM}),
}

TOOLS: dict[str, Recipe] = {**PLOTS, **TRAIN, **OTHERS}
