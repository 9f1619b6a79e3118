"""The test that shows the effect of each name of TensorFlow's pages, and a way to remove the effect.

    @shows("argument", "units", "num_units")
    def test_units(page, name): ...

runs the test for each page that has the name, and puts it down in `SHOWN`. `without` makes the name do nothing: a test
that still passes then shows no effect, and `test_pages.py` says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.layers.options import Option
from oracle.reader import resolve
from spec.pages import PAGES, Page

ROOT = Path(__file__).resolve().parents[2]
Key = tuple[str, str, str]  # page, section, name
SHOWN: dict[Key, Callable[[Page, str], None]] = {}


def shows(section: str, *names: str, first: bool | None = None) -> Callable[[Callable[[Page, str], None]], Any]:
    """Mark a test that shows the effect of names.

    Args:
        section: their section on the page: ``"argument"``, ``"method"`` …
        names: the names.
        first: only on the page of the first generation, or only on the others.
    """

    def mark(test: Callable[[Page, str], None]) -> Any:
        found = [
            (page, name)
            for page in PAGES
            for name in names
            if (section, name) in page.names() and first in (None, "rnn_cell" in page.title)
        ]
        assert {name for _, name in found} == set(names), f"no page has all of {names} as {section}"
        for page, name in found:
            SHOWN[page.title, section, name] = test
        cases = [*getattr(test, "cases", []), *found]  # a test may be marked more than once
        test.cases, test.pytestmark = cases, []  # type: ignore[attr-defined]
        ids = [f"{page.title}-{name}" for page, name in cases]
        return pytest.mark.parametrize(("page", "name"), cases, ids=ids)(test)

    return mark


def place(test: Callable[[Page, str], None]) -> tuple[str, str]:
    """A test's file, relative to the repository, and its name."""
    return Path(test.__code__.co_filename).relative_to(ROOT).as_posix(), test.__name__


@contextmanager
def without(page: Page, section: str, name: str) -> Iterator[None]:
    """Make a name without effect: an argument is dropped, a result is replaced."""
    cls = resolve(page.address, mg)
    method, _, argument = name.partition(": ")
    if section == "argument":
        target, new = "__init__", _dropping(cls.__init__, name)
    elif section == "call argument":
        target, new = "__call__", _dropping(cls.__call__, name)
    elif section == "method argument":
        target, new = method, _dropping(getattr(cls, method), argument)
    elif section == "method":
        target, new = method, lambda self, *args, **kwargs: None
    else:
        target, new = name, _blinded(cls, name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cls, target, new)
        yield


def _dropping(original: Callable[..., Any], name: str) -> Callable[..., Any]:
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        if name in ("units", "num_units", "inputs", "states") and args:
            place = 1 if name == "states" else 0
            args = (*args[:place], _another(args[place]), *args[place + 1 :])
        kwargs.pop(name, None)
        return original(self, *args, **kwargs)

    return call


def _another(value: Any) -> Any:
    if isinstance(value, int):
        return value + 1
    return [np.zeros_like(v) for v in value] if isinstance(value, list) else np.zeros_like(value)


def _blinded(cls: type, name: str) -> property:
    """An attribute that can be set, and whose value is useless when it is read."""
    original = next((vars(base)[name] for base in cls.__mro__ if name in vars(base)), None)

    def keep(self: Any, value: Any) -> None:
        write = original.set if isinstance(original, Option) else original.__set__
        write(self, value)

    return property(lambda self: object(), keep)
