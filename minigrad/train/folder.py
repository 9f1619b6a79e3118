"""The folder of a run: what stands in it, and whether it is one.

A run is there once its folder holds ``config.json`` and a checkpoint. A folder in which a run was begun but stopped
before the first checkpoint holds nothing to resume, so a new run may take it.
"""

from __future__ import annotations

import os
from pathlib import Path

from minigrad.engine.files import cannot_write
from minigrad.train.checkpoint import BEST, LAST
from minigrad.train.errors import OptionError, RunError, shortened
from minigrad.train.json_files import read_json
from minigrad.train.lock import GUARD, NAME, TEMPORARY, abandoned, refuse_if_held
from minigrad.train.task import RunOptions
from minigrad.train.tasks.table import TASKS, find

CONFIG = "config.json"
RESULT = "result.json"
CURVE = "curve.png"


def place(path: str | Path) -> tuple[Path, Path | None]:
    """Return the folder of a run, and the checkpoint if one was named in its place.

    Raises:
        RunError: the checkpoint is not in the folder of a run.
    """
    path = Path(path)
    if os.path.isdir(path) or path.suffix != ".npz":
        return path, None
    if os.path.exists(path) and not os.path.exists(path.parent / CONFIG):
        raise RunError(f"{path}: there is no config.json beside it, so it is no checkpoint of a run.")
    return path.parent, path


def read_config(folder: Path) -> tuple[str, RunOptions]:
    """Return the task's name and the options of a run.

    Raises:
        RunError: the folder is no run.
        OptionError: the options are not those of the task.
    """
    path = folder / CONFIG
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        raise RunError(f"{folder}: {_no_run(folder)}") from None
    except (OSError, ValueError) as error:
        raise RunError(f"{folder}: cannot be read: {getattr(error, 'strerror', None) or error}.") from None
    config = read_json(path)
    name = config.get("task")
    if not isinstance(name, str) or not isinstance(config.get("options"), dict):
        raise RunError(f"{path}: expected a task and its options. Was it edited?")
    if name not in TASKS:
        raise RunError(f"{path}: expected one of the tasks {', '.join(TASKS)}, got {shortened(name)}. Was it edited?")
    return name, find(name).options_type.from_dict(config["options"], str(path))


def _no_run(path: Path) -> str:
    if os.path.isdir(path):
        if _unbegun(path):
            refuse_if_held(path)
            return f"it has no config.json, so it is no run. Begin one with --out {path}."
        return "it has no config.json, so it is no run."
    if os.path.exists(path):
        nearest = f" Did you mean {str(path.parent)!r}?" if os.path.exists(path.parent / CONFIG) else ""
        return f"expected the folder of a run, or one of its checkpoints (.npz), got another file.{nearest}"
    return "there is no such folder."


def refuse_if_used(folder: Path) -> None:
    """Do nothing where a new run may be made: there is nothing, or what was left of a run before its first checkpoint.

    Raises:
        RunError: there is something, with the way to resume it if it is a run.
    """
    if not os.path.lexists(folder):
        return
    if _unbegun(folder):
        refuse_if_held(folder)
        return
    if os.path.exists(folder / CONFIG):
        refuse_if_held(folder)
    resumed = _resumable(folder)
    how = f"go on with it by --resume {resumed}, or " if resumed else ""
    raise RunError(f"--out {folder}: this exists already; {how}choose another place with --out.")


def _resumable(folder: Path) -> Path | None:
    if not os.path.exists(folder / CONFIG):
        return None
    if os.path.exists(folder / LAST):
        return folder
    return folder / BEST if os.path.exists(folder / BEST) else None


def _unbegun(folder: Path) -> bool:
    """True for an empty folder, or one of a run that was stopped before its first checkpoint."""
    try:
        names = set(os.listdir(folder))
    except (OSError, ValueError):
        return False
    if any(not TEMPORARY.fullmatch(name) for name in names - {NAME, GUARD, CONFIG}):
        return False
    if CONFIG not in names:
        return True
    try:
        read_config(folder)
    except (RunError, OptionError):  # another program's, or edited: not ours to replace
        return False
    return True


def refuse_if_unbegun(folder: Path) -> None:
    """Do nothing where there is a checkpoint.

    Raises:
        RunError: the run was stopped before the first one, or is being made now.
    """
    if _unbegun(folder):
        refuse_if_held(folder)
        raise RunError(
            f"{folder}: its run was stopped before the first checkpoint. Begin it again with --out {folder}."
        )


def make(folder: Path) -> None:
    """Make the folder of a new run, and those above it.

    Raises:
        RunError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        failure = error if isinstance(error, OSError) else OSError(str(error))
        raise RunError(str(cannot_write(f"--out {folder}", failure))) from None


def left_by_the_dead(folder: Path) -> bool:
    """True if a process that is no more left its lock or a temporary file."""
    return os.path.lexists(folder / NAME) or bool(abandoned(folder))
