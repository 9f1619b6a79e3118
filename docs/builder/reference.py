"""The pages of the API reference: the names of each page. Their docstrings are the text.

A name that several addresses share is described once: at the module that defines it, if that has a page, else at the
first address in the table below. The other addresses link to it.
"""

from __future__ import annotations

import inspect
import posixpath
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from docs.builder.links import ROOT, Links, place

# Public addresses. Where an asterisk follows, each class has a separate page, with all that it inherits.
MODULES = (
    "minigrad.engine.tensor", "minigrad.engine.creation", "minigrad.functional", "minigrad.engine.autograd",
    "minigrad.random",
    "minigrad.keras.layers *", "minigrad.keras.models", "minigrad.keras.losses", "minigrad.keras.metrics",
    "minigrad.keras.optimizers", "minigrad.keras.optimizers.schedules", "minigrad.keras.callbacks",
    "minigrad.keras.initializers", "minigrad.keras.regularizers", "minigrad.keras.constraints",
    "minigrad.keras.activations", "minigrad.keras.utils", "minigrad.keras.backend",
    "minigrad.compat.v1.keras.layers *", "minigrad.compat.v1.nn.rnn_cell *", "minigrad.compat.v1.nn",
    "minigrad.compat.v1.layers", "minigrad.compat.v1",
    "minigrad.recurrent.bptt", "minigrad.recurrent.bptt_options", "minigrad.recurrent.lstm", "minigrad.recurrent",
    "minigrad.engine.tape", "minigrad.engine.ops.op",
    "minigrad.engine.protocol", "minigrad.engine.registry", "minigrad.errors", "minigrad.tracing", "minigrad.plot",
    "minigrad.convert", "minigrad.testing", "minigrad.distributed", "minigrad.train", "minigrad.train.tasks",
    "minigrad.compat.v1.keras", "minigrad.compat", "minigrad.tf", "minigrad.keras", "minigrad",
)  # fmt: skip

# Three classes are called LSTMCell: in the search and in the navigation their titles differ.
GENERATIONS = {
    "minigrad.compat.v1.nn.rnn_cell": "first",
    "minigrad.compat.v1.keras.layers": "second",
    "minigrad.keras.layers": "third",
}

# Options of mkdocstrings for a name among several on a page, for a name alone, and for a module's docstring.
AMONG = "    options:\n      heading_level: 2\n"
INHERITED = "      inherited_members: true\n"
ALONE = "    options:\n      heading_level: 1\n      inherited_members: true\n      members_order: [alphabetical]\n"
MODULE = "    options:\n      members: false\n      show_root_heading: false\n      show_root_toc_entry: false\n"


@dataclass
class Page:
    """One page of the reference.

    Attributes:
        address: of a module, or of a class that has a page to itself.
        described: name → (address, object) of the names described here.
        elsewhere: name → (page, address there, object) of the names described on another page.
    """

    address: str
    alone: bool = False
    described: dict[str, tuple[str, Any]] = field(default_factory=dict)
    elsewhere: dict[str, tuple[str, str, Any]] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """Path of the page on the site."""
        return f"reference/{self.address}.md"


def names(module: ModuleType) -> dict[str, Any]:
    """Return the public names of a module: its ``__all__``, or all functions and classes that it defines."""
    listed = getattr(module, "__all__", None)
    if listed is not None:
        found = {name: getattr(module, name) for name in sorted(listed, key=lambda name: (name.lower(), name))}
        own = [name for name, value in found.items() if getattr(value, "__name__", name) == name]
        return {name: found[name] for name in [*own, *found]}  # second names of the same thing last
    return {
        name: value
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__ and callable(value)
    }


def pages() -> list[Page]:
    """Return all pages, each with the place where its names are described."""
    addresses = [entry.removesuffix(" *") for entry in MODULES]
    found: list[Page] = []
    homes: dict[int, tuple[str, str]] = {}  # by object: the page and the address
    waiting: list[tuple[Page, str, Any]] = []
    for entry, address in zip(MODULES, addresses, strict=True):
        page, module = Page(address), import_module(address)
        found.append(page)
        homes[id(module)] = (page.place, "")  # also where the module is a second name of another
        for name, value in names(module).items():
            own = getattr(value, "__module__", address)
            is_elsewhere = id(value) in homes or (own != address and own in addresses)
            if inspect.ismodule(value) or inspect.ismethod(value) or is_elsewhere:
                waiting.append((page, name, value))
                continue
            home = page
            if entry.endswith("*"):
                home = Page(f"{address}.{name}", alone=True)
                found.append(home)
                waiting.append((page, name, value))
            home.described[name] = (f"{address}.{name}", value)
            homes[id(value)] = (home.place, f"{address}.{name}")
    for page, name, value in waiting:
        page.elsewhere[name] = (*_home(value, homes), value)
    return found


def _home(value: Any, homes: dict[int, tuple[str, str]]) -> tuple[str, str]:
    """Return the page where an object is described, and its address there."""
    if id(value) not in homes:  # a module without a page, or a method of an object that is not public: its source
        return str(place(file_of(value))), ""
    return homes[id(value)]


def file_of(value: Any) -> str:
    """Return the file of the repository that defines something."""
    return Path(str(inspect.getsourcefile(value))).resolve().relative_to(ROOT).as_posix()


def line(value: Any) -> str:
    """Return the first paragraph of a docstring, in one line, fit for a table."""
    if not (inspect.ismodule(value) or callable(value)):
        return ""
    first = (inspect.getdoc(value) or "").partition("\n\n")[0]
    return " ".join(first.split()).replace("|", "\\|")


def written(page: Page, links: Links) -> str:
    """Return a page's Markdown."""
    if page.alone:
        ((address, value),) = page.described.values()
        module, _, name = address.rpartition(".")
        title = f"{name}, {GENERATIONS[module]} generation"
        return f"---\ntitle: {title}\n---\n\n::: {address}\n{ALONE}\n{_file(value, page, links)}\n"
    module = import_module(page.address)
    parts = [f"# {page.address}\n", f"::: {page.address}\n{MODULE}", f"{_file(module, page, links)}\n"]
    if page.elsewhere:
        links.files.update(file_of(value) for at, _, value in page.elsewhere.values() if at.startswith("source/"))
        parts += ["| name | description |", "|---|---|", *_rows(page), ""]
    for address, _ in page.described.values():  # a Tensor has most of its methods from a base class
        parts.append(f"::: {address}\n{AMONG}{INHERITED if address == 'minigrad.engine.tensor.Tensor' else ''}")
    return "\n".join(parts)


def _rows(page: Page) -> Iterator[str]:
    """Yield the rows of names that are described on other pages, or further down under another name."""
    for name, (at, address, value) in page.elsewhere.items():
        to = posixpath.relpath(at, "reference")
        yield f"| [`{name}`]({to}{'#' + address if address and address not in to else ''}) | {line(value)} |"


def _file(value: Any, page: Page, links: Links) -> str:
    """Return a link to the file that defines an object."""
    name = file_of(value)
    return links.turned(f"Defined in [`{name}`](../../{name}).", f"docs/{page.place}", page.place)


def overview(every: list[Page]) -> str:
    """Return the first page of the reference, which lists all others in order."""
    rows = {page.address: line(import_module(page.address)) for page in every if not page.alone}
    return "\n".join([
        "# API reference\n",
        "Every public name, with its docstring and its source. The path is the address: TensorFlow's",
        "`tf.keras.layers.LSTM` is `minigrad.keras.layers.LSTM` here.\n",
        "| module | description |",
        "|---|---|",
        *(f"| [`{address}`]({address}.md) | {rows[address]} |" for address in sorted(rows)),
        "",
    ])  # fmt: skip
