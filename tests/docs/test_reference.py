"""Every public name in the API reference."""

from __future__ import annotations

from importlib import import_module

import pytest

from docs.builder import reference
from docs.builder.links import Links

PAGES = {page.address: page for page in reference.pages()}


@pytest.mark.parametrize("entry", reference.MODULES)
def test_every_public_name_is_on_the_page(entry: str) -> None:
    address = entry.removesuffix(" *")
    page = PAGES[address]
    assert set(page.described) | set(page.elsewhere) == set(reference.names(import_module(address)))


def test_every_package_that_users_import_has_a_page() -> None:
    import pkgutil

    import minigrad as mg

    listed = {entry.removesuffix(" *") for entry in reference.MODULES}
    hidden = ("bench", "engine", "layers", "papers", "playground", "show")  # nothing to import
    inner = {f"minigrad.{name}" for name in hidden}
    top = {
        f"minigrad.{module.name}" for module in pkgutil.iter_modules(mg.__path__) if not module.name.startswith("__")
    }
    assert top - listed == inner


def test_each_object_is_described_once() -> None:
    described = [id(value) for page in PAGES.values() for _, value in page.described.values()]
    assert len(described) == len(set(described))


def test_what_is_elsewhere_is_there() -> None:
    places = {page.place: page for page in PAGES.values()}
    for page in PAGES.values():
        for at, address, _ in page.elsewhere.values():
            if not at.startswith("source/"):
                assert not address or address in {a for a, _ in places[at].described.values()}


def test_a_cell_has_a_page_to_itself() -> None:
    links = Links()
    text = reference.written(PAGES["minigrad.keras.layers.LSTMCell"], links)
    assert "::: minigrad.keras.layers.LSTMCell\n" in text
    assert "minigrad/layers/lstm.py" in links.files
    assert "[`LSTMCell`](minigrad.keras.layers.LSTMCell.md)" in reference.written(PAGES["minigrad.keras.layers"], links)


def test_shared_layers_lead_to_the_third_generation() -> None:
    text = reference.written(PAGES["minigrad.compat.v1.keras.layers"], Links())
    assert "[`Dense`](minigrad.keras.layers.Dense.md)" in text
    assert "[`LSTMCell`](minigrad.compat.v1.keras.layers.LSTMCell.md)" in text
