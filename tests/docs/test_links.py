"""Links to files of the repository become links to pages of the site."""

from __future__ import annotations

import doctest

import pytest

from docs.builder import links
from docs.builder.links import LinkError, Links
from docs.builder.sources import source_page, source_pages


def test_what_the_docstrings_show() -> None:
    assert doctest.testmod(links) == (0, 2)


@pytest.mark.parametrize(
    ("source", "page", "link", "turned"),
    [
        ("docs/masks.md", "masks.md", "arguments.md#x", "arguments.md#x"),
        ("docs/masks.md", "masks.md", "../tests/support/rows.py", "source/tests/support/rows.py.md"),
        ("docs/derivations/tape.md", "derivations/tape.md", "../masks.md", "../masks.md"),
        ("docs/derivations/tape.md", "derivations/tape.md", "../../README.md#a", "../start.md#a"),
        ("README.md", "start.md", "lessons/README.md", "lessons/index.md"),
        ("lessons/01_x.md", "lessons/01_x.md", "02_broadcasting.md", "02_broadcasting.md"),
        ("lessons/README.md", "lessons/index.md", "09_masks.ipynb", "09_masks.md"),
        ("lessons/README.md", "lessons/index.md", "https://a.b/c.md", "https://a.b/c.md"),
        ("docs/masks.md", "masks.md", "#what", "#what"),
    ],
)
def test_a_link(source: str, page: str, link: str, turned: str) -> None:
    assert Links().turned(f"See [it]({link}).", source, page) == f"See [it]({turned})."


def test_files_that_were_linked_to_are_remembered() -> None:
    links = Links()
    links.turned("[a](minigrad/engine/tape.py) [b](docs/masks.md) [c](minigrad/recurrent)", "README.md", "start.md")
    assert links.files == {"minigrad/engine/tape.py", "minigrad/recurrent"}


def test_solutions_are_not_linked_to() -> None:
    links = Links()
    assert links.turned("the [`source/`](source)", "lessons/README.md", "lessons/index.md") == "the `source/`"
    assert not links.files


def test_code_and_pictures_are_left_alone() -> None:
    text = "```text\n[a](b)\n```\n\n![c](d.png)\n"
    assert Links().turned(text, "README.md", "start.md") == text


def test_a_link_to_nothing() -> None:
    with pytest.raises(LinkError, match=r"README\.md: the link to minigrad/tap\.py leads to nothing"):
        Links().turned("[a](minigrad/tap.py)", "README.md", "start.md")


def test_a_file_is_shown_as_it_is() -> None:
    page = source_page("minigrad/engine/lazy.py")
    text = (links.ROOT / "minigrad" / "engine" / "lazy.py").read_text("utf-8").rstrip()
    assert page.endswith(f'# minigrad/engine/lazy.py\n\n``` python linenums="1"\n{text}\n```\n')


def test_a_folder_has_its_files() -> None:
    pages = source_pages({"minigrad/recurrent"})
    listed = pages["source/minigrad/recurrent/index.md"]
    assert "- [`bptt.py`](bptt.py.md)\n" in listed
    assert "source/minigrad/recurrent/bptt.py.md" in pages
