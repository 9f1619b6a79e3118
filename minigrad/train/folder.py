"""The folder of a run: its files, and checks of its state.

A run exists once its folder holds ``config.json`` and a checkpoint. A run that was stopped before its first checkpoint
leaves nothing to resume, so a new run may use its folder.
"""

from __future__ import annotations

import os
from pathlib import Path

from minigrad.engine.errors import shown
from minigrad.engine.files import a_path, cannot_write
from minigrad.train.checkpoint import BEST, LAST
from minigrad.train.errors import OptionError, RunError
from minigrad.train.json_files import read_json
from minigrad.train.lock import GUARD, NAME, TEMPORARY, abandoned, check_unlocked
from minigrad.train.task import RunOptions
from minigrad.train.tasks.table import TASKS, find

CONFIG = "config.json"
RESULT = "result.json"
CURVE = "curve.png"


def locate(path: str | Path) -> tuple[Path, Path | None]:
    """Return the folder of a run, and the checkpoint if the path names one.

    Raises:
        RunError: the checkpoint is not in the folder of a run.
    """
    path = a_path("run: `folder`", path)
    if os.path.isdir(path) or path.suffix != ".npz":
        return path, None
    if os.path.exists(path) and not os.path.exists(path.parent / CONFIG):
        raise RunError(f"{path}: expected a checkpoint of a run, got a file in a folder without config.json.")
    return path.parent, path


def read_config(folder: Path) -> tuple[str, RunOptions]:
    """Return the task's name and the options of a run.

    Raises:
        RunError: the folder is not that of a run.
        OptionError: the options do not fit the task.
    """
    path = folder / CONFIG
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        raise RunError(f"{folder}: {_explain_no_run(folder)}") from None
    except (OSError, ValueError) as error:
        raise RunError(f"{folder}: cannot be read: {getattr(error, 'strerror', None) or error}.") from None
    config = read_json(path)
    name = config.get("task")
    if not isinstance(name, str) or not isinstance(config.get("options"), dict):
        raise RunError(f"{path}: expected a task and its options. Restore the file, or start a new run.")
    if name not in TASKS:
        raise RunError(
            f"{path}: expected one of the tasks {', '.join(TASKS)}, got {shown(name)}. Restore the file, or start "
            "a new run."
        )
    return name, find(name).options_type.from_dict(config["options"], str(path))


def _explain_no_run(path: Path) -> str:
    """Return the reason why a folder without ``config.json`` is not a run."""
    if os.path.isdir(path):
        if _is_unstarted(path):
            check_unlocked(path)
            return f"it has no config.json, so it is not a run. Begin one with --out {path}."
        return "it has no config.json, so it is not a run."
    if os.path.exists(path):
        nearest = f" Did you mean {str(path.parent)!r}?" if os.path.exists(path.parent / CONFIG) else ""
        return f"expected the folder of a run, or one of its checkpoints (.npz), got another file.{nearest}"
    return "there is no such folder."


def check_unused(folder: Path) -> None:
    """Raise an error unless a new run may use a folder: it is absent, empty, or of a run without a checkpoint.

    Raises:
        RunError: the folder is in use. If it is a run, the message names the command that resumes it.
    """
    if not os.path.lexists(folder):
        return
    if _is_unstarted(folder):
        check_unlocked(folder)
        return
    if os.path.exists(folder / CONFIG):
        check_unlocked(folder)
    resumed = _resumable(folder)
    how = f"resume it by --resume {resumed}, or " if resumed else ""
    raise RunError(f"--out {folder}: this folder exists already; {how}choose another place with --out.")


def _resumable(folder: Path) -> Path | None:
    if not os.path.exists(folder / CONFIG):
        return None
    if os.path.exists(folder / LAST):
        return folder
    return folder / BEST if os.path.exists(folder / BEST) else None


def _is_unstarted(folder: Path) -> bool:
    """True for an empty folder, or for one of a run that was stopped before its first checkpoint."""
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
    except (RunError, OptionError):  # written by another program, or edited: keep it
        return False
    return True


def check_started(folder: Path) -> None:
    """Raise an error if a run has no checkpoint yet.

    Raises:
        RunError: the run was stopped before its first checkpoint, or another process is creating it now.
    """
    if _is_unstarted(folder):
        check_unlocked(folder)
        raise RunError(
            f"{folder}: its run was stopped before the first checkpoint. Begin it again with --out {folder}."
        )


def create_folder(folder: Path) -> None:
    """Create the folder of a new run, and its parents.

    Raises:
        RunError: the folder cannot be created.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        failure = error if isinstance(error, OSError) else OSError(str(error))
        raise RunError(str(cannot_write(f"--out {folder}", failure))) from None


def has_leftovers(folder: Path) -> bool:
    """True if a process that has ended left its lock or a temporary file."""
    return os.path.lexists(folder / NAME) or bool(abandoned(folder))
