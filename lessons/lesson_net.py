"""The growing project `mynet.py`: the report of each lesson's section "Your net", and the comparison with minigrad."""

from __future__ import annotations

import contextlib
import io
import linecache
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from lesson_checks import CheckError, check
from lesson_net_checks import PARTS, Check, side_by_side
from lesson_text import Written, class_text
from lesson_tools import table

FILE = "mynet.py"
AGREE = 1e-10  # losses of your net and of minigrad's


class NetError(Exception):
    """Raised when `mynet.py` cannot be read or run. Jupyter shows the message alone."""

    def _render_traceback_(self) -> list[str]:
        return [str(self)]


def load(path: str | Path | None = None) -> Any:
    """Return `mynet.py` as a module, as it is on the disk now.

    Args:
        path: of the file; by default next to the notebook, or next to this module.

    Raises:
        NetError: there is no such file, or it stops with an error.
    """
    near = [Path(FILE), Path(__file__).with_name(FILE)] if path is None else [Path(path)]
    file = next((one for one in near if one.is_file()), None)
    if file is None:
        raise NetError(f"There is no {near[0]} next to this notebook. Copy it from the course's folder.")
    module = ModuleType("mynet")
    module.__file__ = str(file)
    linecache.checkcache(str(file))
    try:
        exec(compile(file.read_text("utf-8"), str(file), "exec"), module.__dict__)  # noqa: S102  (a student's own file)
    except SyntaxError as error:
        raise NetError(f"{FILE}, line {error.lineno}: {error.msg}: `{(error.text or '').strip()}`") from None
    except Exception as error:  # noqa: BLE001  (each error of a student's file becomes a sentence)
        raise NetError(f"{FILE} stops with an error: {type(error).__name__}: {error}") from None
    return module


def your_net(lesson: int, path: str | Path | None = None) -> None:
    """Check the parts of `mynet.py` up to a lesson, and print a line for each."""
    try:
        net = load(path)
    except NetError as error:
        print(f"Not yet: {error}")
        return
    wide = max(len(name) for _, name, _ in PARTS)
    print(f"Your net, lessons 1 to {lesson}:" if lesson > 1 else "Your net, lesson 1:")
    for number, name, says in progress(net, lesson):
        print(f"  {number}  {name.ljust(wide)}  {says}")


def progress(net: Any, lesson: int) -> Iterator[tuple[int, str, str]]:
    """Yield the lesson, the name and the state of each part up to a lesson; the state of a right one is "right"."""
    for number, name, part in PARTS:
        if number <= lesson:
            yield number, name, _state(net, name, part)


def _state(net: Any, name: str, part: Check) -> str:
    """Return what the check of a part says."""
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said), np.errstate(all="ignore"):
            check(callable(getattr(net, name, None)), f"{FILE} has no `{name}`.")
            part(net)
    except NotImplementedError as error:
        return "yours to write" if str(error).startswith(f"{name} (") else f"waits for another part: {error}"
    except CheckError as error:
        return f"Not yet: {error}".replace("of its cell", f"of {FILE}")
    except Exception as error:  # noqa: BLE001  (each error of a student's code becomes a sentence)
        return f"Not yet: it stops with an error: {type(error).__name__}: {error}"
    notes = [line for line in said.getvalue().splitlines() if " writes into " in line]
    return " ".join(["right", *(f"({note})" for note in notes)])


# --- the comparison with minigrad -------------------------------------------------------------------------------------


def compare_with_minigrad(path: str | Path | None = None) -> None:
    """Train your net and minigrad's for twenty steps, and print the losses next to each other."""
    net = _finished(path)
    if net is None:
        return
    losses, *_ = side_by_side(net)
    rows = [(str(k + 1), f"{losses[k, 0]:.12f}", f"{losses[k, 1]:.12f}") for k in (0, 1, 4, 9, 19)]
    table(["step", "your net", "minigrad"], rows)
    apart = np.abs(losses[:, 0] - losses[:, 1]).max()
    check(apart <= AGREE, f"the losses differ by up to {apart:.1e}; expected {AGREE:.0e} or less.")
    print(f"All twenty losses agree to {AGREE:.0e}. This is your net.")


def your_net_writes(
    steps: int = 600, length: int = 300, text: str | None = None, path: str | Path | None = None
) -> Any:
    """Train your net, without minigrad, and show what it writes; `text` is as in lesson 0."""
    net = _finished(path)
    if net is None:
        return None
    text = class_text() if text is None else text
    characters = sorted(set(text))
    numbers = np.array([characters.index(character) for character in text])
    yours = net.Net(*net.first_weights(len(characters), 64))
    optimizer, starts = net.Adam(yours.weights), np.random.default_rng(0).integers(len(numbers) - 32, size=(steps, 32))
    losses = [net.train_step(yours, optimizer, numbers[at[:, None] + np.arange(33)].T) for at in starts]
    bits = np.mean(losses[-20:]) / np.log(2)
    return Written(f"{bits:.2f} bits per character", "", net.write(yours, characters, length))


def _finished(path: str | Path | None) -> Any:
    """Return the module if all of its parts are right; else print what is missing, and return None."""
    try:
        net = load(path)
    except NetError as error:
        print(f"Not yet: {error}")
        return None
    open_ = [f"{name} (lesson {number})" for number, name, says in progress(net, 99) if not says.startswith("right")]
    if open_:
        print(f"Not yet. Your net still needs {', '.join(open_)}.")
    return None if open_ else net
