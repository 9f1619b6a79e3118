"""A valid call of each public callable, repeated with an odd value, and its outcome."""

from __future__ import annotations

import contextlib
import inspect
import io
import re
import signal
import time
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from inspect import Parameter
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple

import minigrad as mg
from fuzz.reasons import ARGUMENTS, reason
from fuzz.values import ODD, CallersError
from minigrad.compat import v1
from minigrad.engine import recording, registry
from minigrad.engine.autograd import GradientTape
from minigrad.engine.errors import MinigradError
from minigrad.engine.flow import FlowStack
from minigrad.keras import backend as keras_backend
from minigrad.layers import custom_objects

SECONDS = 5.0  # processor time that one call may take
ARITHMETIC = ("divide by zero", "invalid value", "overflow", "underflow")  # ln 0 is −∞, with NumPy's warning
SIGNATURE = re.compile(
    r"missing \d|unexpected keyword|invalid keyword|takes (no|from|\d|exactly|at most)|multiple values|positional"
    r"|argument.* expected, got"
    r"|expected (at least |at most )?\d arguments?, got|no valid signature"
)


BATCHES = ("x", "validation_data", "data")  # arguments that may be an iterable of the caller, read while a model trains


class Recipe(NamedTuple):
    """A public callable, and a valid call of it.

    Attributes:
        target: the callable; a method is given as the function in its class, with `self` among its arguments.
        needed: makes the arguments that have no default, or whose default is of no interest. ``"*"`` names a list of
            further positional arguments.
        then: a use of the result, since an object may take a value that only its use refuses.
        fixed: arguments that no odd value replaces.
        words: other words by which a message may name an argument: those of the call that passes it on.
    """

    target: Callable[..., Any]
    needed: Callable[[], dict[str, Any]] = dict
    then: Callable[[Any], Any] = lambda result: result
    fixed: tuple[str, ...] = ()
    words: dict[str, tuple[str, ...]] = {}  # noqa: RUF012  (read only)


class Slow(BaseException):
    """A call took longer than `SECONDS`."""


class Outcome(NamedTuple):
    """The outcome of a call.

    Attributes:
        kind: ``"result"``, ``"refused"``, ``"unnamed"`` (refused without the name of the argument), ``"signature"``
            (Python's own error about missing or unexpected arguments), ``"theirs"`` (an error in a function of the
            caller, or in an iterator of batches, as it was raised), ``"raw"`` (any other exception) or ``"slow"``.
        text: the error's class and message.
        place: the last lines of the traceback.
    """

    kind: str
    text: str = ""
    place: str = ""


@cache
def parameters(target: Callable[..., Any]) -> dict[str, Parameter]:
    """Return the parameters of a callable by name."""
    return dict(inspect.signature(target).parameters)


def arguments(recipe: Recipe) -> list[str]:
    """Return the names of the arguments that odd values replace; ``"*0"`` is the first of ``*args``."""
    with unchanged():
        needed = recipe.needed()
    own = list(parameters(recipe.target).items())["self" in needed :]  # without a method's self, under any name
    names = [n for n, p in own if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    names += [n for n in needed if n not in names and n != "*"]
    names += [f"*{k}" for k in range(len(needed.get("*", ())))]
    return [n for n in names if n not in ("self", "cls", *recipe.fixed)]


def call(recipe: Recipe, odd: dict[str, Any]) -> Any:
    """Make the valid call with some arguments replaced."""
    given = recipe.needed()
    further = list(given.pop("*", ()))
    self = [given.pop("self")] if "self" in given else []
    for name, value in odd.items():
        if name.startswith("*"):
            further[int(name[1:])] = value
        else:
            given[name] = value
    before = []
    if further:  # those before *args are given by position
        kinds = parameters(recipe.target)
        star = [n for n, p in kinds.items() if p.kind is p.VAR_POSITIONAL]
        names = [n for n in list(kinds)[: list(kinds).index(star[0])] if n != "self"] if star else []
        before = [given.pop(n) for n in names if n in given]
    return recipe.then(recipe.target(*self, *before, *further, **given))


def outcome(recipe: Recipe, odd: dict[str, Any]) -> Outcome:
    """Return the outcome of a call, and restore all global state."""
    with quiet(), unchanged(), limited(), warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", ".*are deprecated and have no effect", DeprecationWarning)
        warnings.filterwarnings("ignore", f"({'|'.join(ARITHMETIC)}) encountered", RuntimeWarning)
        try:
            call(recipe, odd)
        except MinigradError as error:
            named = any(is_named(name, value, str(error), recipe) for name, value in odd.items())
            return Outcome("refused" if named else "unnamed", said(error), place(error))
        except Slow as error:
            return Outcome("slow", place=place(error))
        except CallersError as error:
            rightly = str(error) == "call" or (
                str(error) in ("iter", "next", "len") and not odd.keys().isdisjoint(BATCHES)
            )
            return Outcome("theirs" if rightly else "raw", said(error), place(error))
        except (Exception, SystemExit) as error:  # noqa: BLE001  (the point)
            is_signature = isinstance(error, TypeError) and SIGNATURE.search(str(error)) is not None
            kind = "signature" if is_signature else "theirs" if in_method_of(error, odd.values()) else "raw"
            return Outcome(kind, said(error), place(error))
    return Outcome("result")


def in_method_of(error: BaseException, values: Iterable[Any]) -> bool:
    """Return whether the call went to a method of one of these values first, as an operator's to its left side."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__) if "/tests/fuzz/" not in _file(frame)]
    return bool(frames) and any(frames[0].f_locals.get("self") is value for value in values)


def _file(frame: FrameType) -> str:
    return frame.f_code.co_filename


class Recorded:
    """A function that keeps the errors that it raises."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function, self.raised = function, list[str]()
        with contextlib.suppress(TypeError, ValueError):
            self.__signature__ = inspect.signature(function)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return self.function(*args, **kwargs)
        except Exception as error:
            self.raised.append(said(error))
            raise


def raised_by_function(recipe: Recipe, odd: dict[str, Any], text: str) -> bool:
    """Return whether a call raises an error of this text because a function among its odd values does."""
    recorded = {name: Recorded(value) if callable(value) else value for name, value in odd.items()}
    found = outcome(recipe, recorded)
    return found.text == text and any(text in f.raised for f in recorded.values() if isinstance(f, Recorded))


def is_named(name: str, value: Any, message: str, recipe: Recipe) -> bool:
    """Return whether a message has an argument's name as a word, or another word that the recipe gives it.

    A file is named by its path, at the beginning of the message, and a layer by its own name.
    """
    if (
        name in ARGUMENTS["path"].split()
        and isinstance(value, (str, Path))
        and re.match(rf"{re.escape(str(value))}(\.\w+)?: ", message)
    ):
        return True
    if isinstance(value, mg.keras.layers.Layer) and re.search(rf"\b{re.escape(value.name)}\b", message):
        return True
    star = [n for n, p in parameters(recipe.target).items() if p.kind is p.VAR_POSITIONAL]
    also = recipe.words.get(name, ())
    name = star[0] if name.startswith("*") else name
    also = ("inputs", *also) if name == "input_shape" else also  # their shape
    words = (name, name.replace("_", "-"), *also)  # options of the command line have hyphens
    return any(re.search(rf"\b{re.escape(word)}\b", message) for word in words)


def said(error: BaseException) -> str:
    """Return an error's class and message, on one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}"[:300]


def place(error: BaseException) -> str:
    """Return the file and line where an error was raised, and the function."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if "/tests/fuzz/" not in f.filename]
    return " < ".join(f"{'/'.join(f.filename.split('/')[-2:])}:{f.lineno} {f.name}" for f in reversed(frames[-4:]))


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Print nothing."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield


@contextlib.contextmanager
def limited() -> Iterator[None]:
    """Raise `Slow` in the block when its time is over."""

    def stop(*_: Any) -> None:
        raise Slow

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


@contextlib.contextmanager
def unchanged() -> Iterator[None]:
    """Restore the backend, the default dtype, the variables of the first generation, and close open blocks."""
    backend, objects = registry.current(), dict(custom_objects.get_custom_objects())
    try:
        yield
    finally:
        recording.set_state(recording.State())
        GradientTape._open = ()
        for stack in FlowStack.everywhere:
            stack.clear()
        registry.use(backend)
        keras_backend.set_floatx("float32")
        custom_objects.get_custom_objects().clear()
        custom_objects.get_custom_objects().update(objects)
        v1.reset_default_graph()
        mg.random.seed(0)


class Finding(NamedTuple):
    """One call that was made: its recipe, the odd values by argument, what became of it, and its seconds."""

    recipe: str
    odd: dict[str, str]
    outcome: Outcome
    seconds: float

    @property
    def title(self) -> str:
        """The call, for a message."""
        return f"{self.recipe}({', '.join(f'{name}={label}' for name, label in self.odd.items())})"


def made(odd: dict[str, str]) -> dict[str, Any]:
    """Return odd values for their labels."""
    return {argument: ODD[label]() for argument, label in odd.items()}


def tried(name: str, recipe: Recipe, odd: dict[str, str]) -> Finding:
    """Make one call, its odd values given by their labels."""
    start = time.process_time()
    found = outcome(recipe, made(odd))
    takes_functions = all(reason(name, argument, "lambda") for argument in odd)
    if found.kind == "raw" and takes_functions and raised_by_function(recipe, made(odd), found.text):
        found = found._replace(kind="theirs")
    return Finding(name, odd, found, time.process_time() - start)
