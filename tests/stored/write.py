"""Write the files of `tests/stored/files` with the current version: ``(cd tests && python -m stored.write FOLDER)``.

Run once, with version 0.1.0. The files stay as they are: a test reads them with every later version.
"""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

import minigrad as mg
from minigrad.convert import write_safetensors
from minigrad.layers.serialization import serialize
from stored.kinds import RUNS, dense_chain, layers, sequence


def write_layers(folder: Path) -> None:
    """Write each layer's configuration, its weights, and what it answers."""
    configurations, arrays = {}, {}
    mg.random.seed(1)
    for name, (layer, x) in layers().items():
        y = layer(x)
        configurations[name] = serialize(layer)
        arrays |= {f"{name}/weight/{k}": weight for k, weight in enumerate(layer.get_weights())}
        arrays[f"{name}/output"] = y.numpy()
    (folder / "layers.json").write_text(json.dumps(configurations, indent=1) + "\n")
    write_safetensors(folder / "layers.safetensors", arrays)


def write_model(folder: Path) -> None:
    """Write a model's weights, and what it answers."""
    mg.random.seed(2)
    model = dense_chain()
    y = model(sequence())
    model.save_weights(str(folder / "model.npz"))
    np.save(folder / "model-output.npy", y.numpy())


def write_runs(folder: Path) -> None:
    """Train each task for four steps; and note the losses of a copy that is resumed for two more."""
    series = "\n".join(f"{math.sin(k / 3):.6f}" for k in range(200))
    (folder / "series.csv").write_text(f"level\n{series}\n")
    (folder / "text.txt").write_text("".join(f"line {k}: the quick brown fox, {k * k}\n" for k in range(150)))
    paces = ["--steps", "4", "--warmup", "2", "--evaluate-every", "2", "--save-every", "2"]
    for task, options in RUNS.items():
        command = [sys.executable, "-m", "minigrad", "train", task, *options, *paces, "--out", f"run-{task}"]
        subprocess.run(command, cwd=folder, check=True, env={**os.environ, "MPLBACKEND": "Agg"})
        (folder / f"run-{task}" / "curve.png").unlink(missing_ok=True)
        with tempfile.TemporaryDirectory() as place:
            run = Path(shutil.copytree(folder, place, dirs_exist_ok=True)) / f"run-{task}"
            resumed = [sys.executable, "-m", "minigrad", "train", "--resume", run.name, "--steps", "6"]
            subprocess.run(resumed, cwd=place, check=True, env={**os.environ, "MPLBACKEND": "Agg"})
            shutil.copy(run / "metrics.jsonl", folder / f"resumed-{task}.jsonl")


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    write_layers(target)
    write_model(target)
    write_runs(target)
