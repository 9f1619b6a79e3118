"""Every name of TensorFlow's five pages exists, and a test shows its effect: one that fails when it has none."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

import minigrad as mg
from oracle.reader import resolve
from spec import test_first_generation_names, test_keras_names  # SHOWN lists their effects
from spec.pages import PAGES, REQUIRED, Page
from spec.shows import SHOWN, place, without

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.title)
NAMES = [(page, section, name) for page in PAGES for section, name in page.names()]

pytestmark = pytest.mark.usefixtures("fresh_variables")


def test_every_name_has_a_test() -> None:
    names = {(page.title, section, name) for page, section, name in NAMES}
    assert set(SHOWN) == names
    files = {place(test)[0] for test in SHOWN.values()}
    modules = (test_first_generation_names, test_keras_names)
    assert files == {f"tests/spec/{module.__name__.rpartition('.')[2]}.py" for module in modules}
    collected = {place(value) for module in modules for name, value in vars(module).items() if name.startswith("test_")}
    assert {place(test) for test in SHOWN.values()} <= collected  # else pytest would not run it


@every_page
def test_arguments_stand_in_their_order_with_their_defaults(page: Page) -> None:
    taken = inspect.signature(resolve(page.address, mg)).parameters
    for name, default in page.arguments.items():
        assert taken[name].default == (inspect.Parameter.empty if default == REQUIRED else default), name
    by_place = [name for name, p in taken.items() if p.kind is p.POSITIONAL_OR_KEYWORD and name in page.arguments]
    assert by_place == [name for name in page.arguments if name in by_place]
    by_name = set(page.arguments) - set(by_place)
    assert by_name <= {"name", "dtype", "trainable", "implementation"}


@every_page
def test_methods_take_their_arguments_in_order(page: Page) -> None:
    for method, arguments in page.methods.items():
        taken = inspect.signature(getattr(resolve(page.address, mg), method)).parameters
        assert list(taken)[1 : 1 + len(arguments)] == list(arguments), method


ABLE = [entry for entry in NAMES if entry[1] != "base class"]


@pytest.mark.parametrize(
    ("page", "section", "name"), ABLE, ids=[f"{page.title}-{section}-{name}" for page, section, name in ABLE]
)
def test_a_test_of_a_name_fails_where_the_name_does_nothing(page: Page, section: str, name: str) -> None:
    test: Any = SHOWN[page.title, section, name]
    with without(page, section, name), pytest.raises((Exception, pytest.fail.Exception)):
        test(page, name)


@every_page
def test_nothing_stays_behind_when_a_name_did_nothing(page: Page) -> None:
    cls = resolve(page.address, mg)
    before = dict(vars(cls))
    for section, name in page.names():
        if section != "base class":
            with without(page, section, name):
                assert dict(vars(cls)) != before
    assert dict(vars(cls)) == before
