"""Tools of all lessons: a picture with its description in words, a comparison that reports differences, a table."""

from __future__ import annotations

import html
import inspect
import io
import os
import textwrap
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from weakref import WeakSet

import numpy as np

FAST = os.environ.get("MINIGRAD_LESSON_FAST", "0") not in ("", "0")
NO_MATPLOTLIB = "The pictures need matplotlib: run `python -m pip install matplotlib` and restart the kernel."

# Okabe and Ito's colours, which people with any colour vision tell apart; each also has its own line style and marker,
# so that nothing depends on colour.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#AA4499", "#E69F00", "#56B4E9", "#000000")
STYLES = ("-", "--", "-.", (0, (1, 1)), (0, (5, 1, 1, 1, 1, 1)), (0, (8, 2)), (0, (3, 4)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X")


def scaled(full: int, fast: int) -> int:
    """Return the number of training steps: `fast` if the variable MINIGRAD_LESSON_FAST is 1, else `full`."""
    return fast if FAST else full


def line(k: int, marker: bool = False) -> dict[str, Any]:
    """Return the style of the k-th line of a figure, as keyword arguments for matplotlib."""
    k %= len(COLOURS)
    look: dict[str, Any] = {"color": COLOURS[k], "linestyle": STYLES[k]}
    return {**look, "marker": MARKERS[k], "markersize": 4} if marker else look


def medians(ax: Any, x: Sequence[float], found: Any, label: str, k: int) -> None:
    """Draw the results of several runs: each as a point, and their median as the k-th line of a figure.

    Args:
        ax: matplotlib's axes.
        x: the position of each column of `found`.
        found: a row for each run, (runs, len(x)).
        label: for the legend.
        k: which line.
    """
    found = np.asarray(found, float)
    look = line(k, marker=True)
    ax.plot(x, np.median(found, axis=0), label=label, **{**look, "marker": None})
    shifted = np.asarray(x, float) * (1 + 0.015 * (k - 1)) if len(x) > 1 else np.asarray(x, float)
    for row in found:
        ax.plot(shifted, row, alpha=0.6, **{**look, "linestyle": "none"})


# --- pictures -----------------------------------------------------------------------------------------------------


class Picture:
    """A figure that a notebook shows, with its description in words for readers who cannot see it.

    Attributes:
        figure: matplotlib's; None where matplotlib is missing, or where there is `svg`.
        alt: what there is to see, in words.
        svg: a drawing, as the text of an SVG file.
    """

    def __init__(self, figure: Any, alt: str, svg: str = "") -> None:
        self.figure = figure
        self.alt = alt
        self.svg = svg

    def __repr__(self) -> str:
        """Return the description, or the reason why there is no picture."""
        return (
            NO_MATPLOTLIB
            if self.figure is None and not self.svg
            else "\n".join(textwrap.wrap(f"Figure: {self.alt}", 100))
        )

    def png(self) -> bytes:
        """Return the picture as a PNG file."""
        file = io.BytesIO()
        self.figure.savefig(file, format="png", dpi=110, metadata={"Software": None, "Description": self.alt})
        return file.getvalue()

    def _ipython_display_(self) -> None:
        """Show the picture in Jupyter, with its description folded below it.

        The description is the image's alternative text too (`metadata`); few viewers of notebooks hand that on.
        """
        from IPython.display import display

        if self.figure is None and not self.svg:
            print(NO_MATPLOTLIB)
            return
        kind, image = ("image/svg+xml", self.svg) if self.svg else ("image/png", self.png())
        display({kind: image, "text/plain": repr(self)}, metadata={kind: {"alt": self.alt}}, raw=True)
        words = f"<details><summary>This figure in words</summary><p>{html.escape(self.alt)}</p></details>"
        display({"text/html": words, "text/plain": repr(self)}, raw=True)


def picture(
    draw: Any, alt: str = "", *, rows: int = 1, columns: int = 1, size: tuple[float, float] | None = None
) -> Picture:
    """Draw a figure. Make it the last line of a cell.

    Args:
        draw: is called with matplotlib's axes, one argument for each; or a `minigrad.plot.Drawing`.
        alt: what there is to see, in words: the axes, the curves, and what they show. At least a sentence. It can be
            left out where functions of `minigrad.plot` draw, which say it themselves.
        rows: of axes.
        columns: of axes.
        size: in inches.
    """
    if not callable(draw):
        return Picture(None, _said(alt or draw.alt), draw.svg)
    try:
        from matplotlib import rc_context
        from matplotlib.figure import Figure
    except ImportError:
        return Picture(None, alt)
    with rc_context({"axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.alpha": 0.3}):
        figure = Figure(figsize=size or (4.2 * columns if columns > 1 else 6.5, 3.4 * rows), layout="constrained")
        draw(*np.ravel(figure.subplots(rows, columns)))
    if not alt:
        from minigrad.plot import alt_text

        alt = alt_text(figure)
    return Picture(figure, _said(alt))


def _said(alt: str) -> str:
    """Return the description, if it is one."""
    if len(alt.split()) < 8:
        raise ValueError(f"picture: expected `alt` to say in a sentence what there is to see, got {alt!r}.")
    return alt


# --- checks -------------------------------------------------------------------------------------------------------


class CheckError(AssertionError):
    """Raised when an answer is not right yet. Jupyter shows the message alone."""

    def _render_traceback_(self) -> list[str]:
        return [f"Not yet: {self}"]


def check(condition: Any, says: str) -> None:
    """Raise `CheckError` with a message if a condition is false."""
    if not condition:
        raise CheckError(says)


def ask(
    function: Callable[..., Any],
    *arguments: Any,
    parts: Sequence[str] = (),
    shape: tuple[int, ...] | None = None,
    **options: Any,
) -> Any:
    """Return the answer of your function, if it has the required form.

    The function gets copies of all arrays, so it may write into them. If it does, a sentence says so, once.

    Args:
        function: yours.
        *arguments: its arguments; arrays in them, also those inside lists, tuples and dictionaries, are copied.
        parts: where it is to return several things, what they are called.
        shape: where it is to return one array, its shape.
        **options: its keyword arguments.

    Raises:
        CheckError: the function takes other arguments, returns None, or returns another form.
    """
    name = getattr(function, "__name__", "your function")
    try:
        call = inspect.signature(function).bind(*arguments, **options)
    except TypeError as error:
        raise CheckError(f"{name} should take the arguments that the exercise names: {error}.") from None
    given = dict(call.arguments)
    call.arguments.update({key: _copied(value) for key, value in given.items()})
    handed = dict(call.arguments)
    answer = function(*call.args, **call.kwargs)
    written = [f"`{key}`" for key in given if _contents(given[key]) != _contents(handed[key])]
    if written and function not in _TOLD:
        _TOLD.add(function)
        print(
            f"{name} writes into its argument {', '.join(written)}. That costs no points: a check hands out copies. "
            "A caller who still needs the old numbers would miss them."
        )
    return returned(name, answer, *parts, shape=shape)


_TOLD: WeakSet[Callable[..., Any]] = WeakSet()  # functions of which it was said that they write into their arguments


def _copied(x: Any) -> Any:
    """Return the same value with a copy of every array in it."""
    if isinstance(x, np.ndarray):
        return x.copy()
    if isinstance(x, dict):
        return {key: _copied(value) for key, value in x.items()}
    if isinstance(x, (list, tuple)):
        parts = [_copied(part) for part in x]
        return type(x)(*parts) if hasattr(x, "_fields") else type(x)(parts)  # a NamedTuple takes them one by one
    return x


def _contents(x: Any) -> list[tuple[Any, ...]]:
    """Return the shape, dtype and bytes of every array in a value: equal for NaN too."""
    return [(a.shape, a.dtype.str, a.tobytes()) for a in _arrays(x)]


def _arrays(x: Any) -> Iterator[Any]:
    """Yield the arrays in a value."""
    if isinstance(x, np.ndarray):
        yield x
    elif isinstance(x, (list, tuple, dict)):
        for part in x.values() if isinstance(x, dict) else x:
            yield from _arrays(part)


def returned(what: str, answer: Any, *parts: str, shape: tuple[int, ...] | None = None) -> Any:
    """Return an answer if it has the required form; lists of numbers become arrays.

    Args:
        what: the function's name.
        answer: what it returned.
        *parts: where it is to return several things, what they are called.
        shape: where it is to return one array, its shape.

    Raises:
        CheckError: it is None, or has another form.
    """
    check(answer is not None, f"{what} returned None. Is there a `return` at its end?")
    if parts:
        several = isinstance(answer, (tuple, list)) or (isinstance(answer, np.ndarray) and len(answer) == len(parts))
        count = len(answer) if several else 1
        came = "one thing" if count == 1 else f"{count} things"
        check(count == len(parts), f"{what} should return {', '.join(parts)}; yours returned {came}.")
        missing = [part for part, one in zip(parts, answer, strict=True) if one is None]
        check(not missing, f"{what}: {', '.join(missing)} of what yours returned is None.")
        return tuple(_array(part, one) for part, one in zip(parts, answer, strict=True))
    if shape is not None:
        answer = _array(what, answer)
        came = answer.shape if hasattr(answer, "shape") else np.shape(answer)  # a Tensor will not be NumPy's
        check(came == shape, f"{what} should return an array of shape {shape}; yours returned one of shape {came}.")
    return answer


def _array(name: str, x: Any) -> Any:
    """Return a list of numbers as an array, and any other value unchanged."""
    if not isinstance(x, (list, tuple)):
        return x
    try:
        return np.asarray(x)
    except ValueError:
        raise CheckError(
            f"{name} should be one array; yours is a {type(x).__name__} of parts that do not fit."
        ) from None


def same(name: str, yours: Any, expected: Any, rtol: float = 1e-5, atol: float = 1e-9) -> None:
    """Compare two numbers, arrays or Tensors, and report the difference, its place and its size.

    A right answer that was computed in float32 is right.

    Args:
        name: of the quantity, such as ``"dx"``.
        yours: what your code says.
        expected: what it should be.
        rtol: the difference allowed, relative to the largest of the expected numbers.
        atol: the difference allowed besides.

    Raises:
        CheckError: they differ.
    """
    mine, want = _host(name, yours), _host(name, expected)
    check(mine.shape == want.shape, f"{name} should have shape {want.shape}; yours has {mine.shape}.")
    difference = np.abs(mine - want)
    wrong = ~(difference <= rtol * np.abs(want).max(initial=0.0) + atol)  # not for NaN either
    if wrong.any():
        at = np.unravel_index(np.nan_to_num(np.where(wrong, difference, -1.0), nan=np.inf).argmax(), mine.shape)
        place = f" at {name}[{', '.join(map(str, at))}]" if mine.ndim else ""
        raise CheckError(
            f"{name}: {int(wrong.sum())} of {wrong.size} numbers differ, most{place}: yours {mine[at]:.6g}, "
            f"expected {want[at]:.6g}.{_hint(mine, want)}"
        )
    print(f"{name}: as expected (largest difference {difference.max(initial=0.0):.1e})")


def _host(name: str, x: Any) -> Any:
    """Return a value as a float64 array."""
    if x is None or x is Ellipsis:
        raise CheckError(f"{name} is {x}. Does your function return it?")
    array = np.asarray(_array(name, x.numpy() if hasattr(x, "numpy") else x))
    check(array.dtype.kind in "fiub", f"{name} should be numbers; yours is {type(x).__name__}.")
    return array.astype(np.float64)


def _hint(mine: Any, want: Any) -> str:
    """Return a description of the difference."""
    known = (np.abs(want) > 1e-12) & np.isfinite(mine)
    if known.all() and want.size > 1:
        ratio = mine / want
        if np.ptp(ratio) <= 1e-5 * np.abs(ratio).max() and abs(ratio.flat[0]) > 1e-12:
            return f" Yours is {ratio.flat[0]:.4g} times as large everywhere."
    if np.isnan(mine).any():
        return " There is NaN in yours."
    return " Yours is 0 everywhere." if not mine.any() else ""


def table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Print a table with columns as wide as their contents."""
    texts = [[str(x) if not isinstance(x, float) else f"{x:.4g}" for x in row] for row in [list(header), *rows]]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    texts.insert(1, ["-" * width for width in widths])
    for first, *others in texts:
        print("  ".join([first.ljust(widths[0]), *map(str.rjust, others, widths[1:])]).rstrip())
