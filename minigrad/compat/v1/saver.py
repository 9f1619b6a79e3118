"""Files of variables: `Saver`. The file is minigrad's, of named arrays; TensorFlow's checkpoints are not read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from minigrad.compat.graphs import state
from minigrad.engine.errors import MinigradError, ShapeError
from minigrad.engine.npz import read_arrays, write_arrays
from minigrad.layers.weight import Weight

SUFFIX = ".npz"


class CheckpointError(MinigradError, ValueError):
    """Raised for a file that lacks a variable."""


class Saver:
    """Write variables to a file, and read them.

    Args:
        var_list: the variables, or a dictionary of them by name; all of the graph by default.
        without_effect: TensorFlow's other arguments, such as `max_to_keep`.
    """

    def __init__(self, var_list: Any = None, **without_effect: Any) -> None:
        self.var_list = var_list

    def save(self, sess: Any, save_path: str, global_step: Any = None, **without_effect: Any) -> str:
        """Write the variables, and return the path, which `restore` takes."""
        if global_step is not None:
            step = global_step.item() if hasattr(global_step, "item") else global_step
            save_path = f"{save_path}-{step}"
        write_arrays(f"{save_path}{SUFFIX}", {name: v.numpy() for name, v in self._variables().items()})
        return save_path

    def restore(self, sess: Any, save_path: str) -> None:
        """Read the variables.

        Raises:
            CheckpointError: the file is not one of `save`, or lacks a variable.
            ShapeError: a variable has another shape.
        """
        found = read_arrays(f"{save_path}{SUFFIX}", CheckpointError)
        wanted = self._variables()
        missing = [name for name in wanted if name not in found]
        if missing:
            raise CheckpointError(
                f"{save_path}: expected variables {', '.join(wanted)}, got none named {', '.join(missing)}. Pass "
                "Saver(var_list=…) with those of the file."
            )
        for name, v in wanted.items():
            if tuple(found[name].shape) != tuple(v.shape):
                raise ShapeError(f"{save_path}: {name}: expected shape {v.shape}, got {found[name].shape}.")
        for name, v in wanted.items():
            Weight.assign(v, found[name])

    def _variables(self) -> dict[str, Any]:
        if isinstance(self.var_list, dict):
            return dict(self.var_list)
        chosen = state.current().variables.values() if self.var_list is None else self.var_list
        return {v.name.partition(":")[0]: v for v in chosen}


def latest_checkpoint(checkpoint_dir: str) -> str | None:
    """Return the path of the newest file of `Saver.save` in a folder, or None."""
    files = sorted(Path(checkpoint_dir).glob(f"*{SUFFIX}"), key=lambda path: path.stat().st_mtime_ns)
    return str(files[-1])[: -len(SUFFIX)] if files else None
