"""Hold the rules of `language.py` on this repository, and show that each of them can fail."""

from __future__ import annotations

import pytest

from language import ROOT, Place, check, files, first_line, mannerisms, prose, texts


@pytest.fixture(scope="module")
def places() -> list[Place]:
    return [place for path in files() for place in check(path)]


def test_every_area_is_found() -> None:
    found = {path.relative_to(ROOT).as_posix() for path in files()}
    assert {"minigrad/engine/tensor.py", "docs/glossary.md", "README.md", "tests/support/architecture.py"} <= found
    assert {"lessons/kit/slides/00.md", "lessons/bundle/words.py", "lessons/README.md", "lessons/mynet.py"} <= found


@pytest.mark.parametrize("kind", ["first line", "mannerism"])
def test_no_text_breaks_the_rules(places: list[Place], kind: str) -> None:
    """`python tests/support/language.py PATH` lists them too."""
    found = [str(place) for place in places if place.kind == kind]
    assert not found, "\n".join(found)


# --- the rules fire, and only where they should ------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        "Return the gradient of x.",
        "Run the cell over a sequence.",
        "y = tanh x",
        "∂loss/∂y as a tensor of y's shape.",
        "True if a line is elementwise.",
        "Whether the layer adds a bias.",
        "The gradient of z, where y = σ(z) and dy is the upstream gradient.",
        "A vector that is never made.",
        "Names of the states.",
        "Weights from files that Keras wrote.",
        "Raised when an array has the wrong rank.",
        "Return copies of all weights.",
        "Data, the shape of a model for them, and a measure of success.",
        "Cached arrays for the backward pass; they are freed with the node.",
    ],
)
def test_good_first_lines(line: str) -> None:
    assert first_line(line) is None


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("Is z kept rather than what `step` keeps?", "question"),
        ("What a sequence came to.", "question"),
        ("How many steps there are.", "question"),
        ("The same numbers, or others?", "question"),
        ("Returns the gradient.", "third person"),
        ("Names the line that is wrong.", "third person"),
        ("y is x in another dtype.", "clause"),
        ("The wrapper keeps its state.", "clause"),
        ("A backend may offer `probe()`.", "clause"),
        ("An array has the wrong rank.", "clause"),
        ("A cell cannot be printed.", "clause"),
        ("The equations come first.", "clause"),
    ],
)
def test_bad_first_lines(line: str, fault: str) -> None:
    assert first_line(line) == fault


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("The way\nback through time.", ["way back"]),
        ("A cell of one's own, for whoever reads.", ["one's own", "whoever"]),
        ("It takes a list. What is left goes to the end.", ["What is left goes …"]),
        ("What is a tape? A list.", []),
        ("Derived by hand on paper.", []),
        ("It hands on the mask.", ["hands on"]),
        ("`told_by` is a name", []),
        ("The user wants a bias.", ["wants"]),
        ("A name that is no\nargument stands there.", ["is no argument", "stands there"]),
        ("There is no backend; it is no longer there.", []),
        (
            "It stands for zeros, one matrix a gate, beside others of their own.",
            ["one matrix a gate", "beside", "of their own"],
        ),
    ],
)
def test_mannerisms(text: str, found: list[str]) -> None:
    assert [words for _, words in mannerisms(text)] == found


def test_code_of_a_page_is_no_prose() -> None:
    page = "a\n```python\nsomebody = 1  # nobody\n```\nb"
    assert [words for _, words in mannerisms(prose(page))] == ["nobody"]


def test_a_reference_to_a_lessons_heading_is_no_prose() -> None:
    page = "## A\nat: What it costs, core\n\n{table: What it costs}\n\nNote: What it costs is seen."
    assert [words for _, words in mannerisms(prose(page))] == ["What it costs is …"]


def test_docstrings_comments_and_messages_are_read() -> None:
    source = '"""A."""\nx = 1\n"""B."""\n# C\n# D\nraise E(f"F {x} G")\n'
    assert sorted(text for _, text, _ in texts(source)) == ["A.", "B.", "C\nD", "F … G"]
