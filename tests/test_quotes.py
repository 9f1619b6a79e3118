"""One place for each wording of a message in the tests, and examples of what breaks the rule."""

from __future__ import annotations

import pytest

from quotes import SUPPORT, listed, quoted

PACKAGE = {
    "minigrad/a.py": '''"""Return the tensor of the wrong shape."""
def f(x):
    raise ValueError(f"f: expected a tensor of one axis, got {x}. Sum over the others first, or flatten it.")
''',
}


def test_no_wording_is_quoted_in_two_places() -> None:
    """A constant in `tests/support` holds it; `python tests/support/quotes.py` lists the places."""
    found = listed()
    assert not found, "\n".join(found)


def places(*tests: tuple[str, str]) -> list[str]:
    found = quoted(PACKAGE, dict(tests))
    return sorted({path for places in found.values() for path in places})


@pytest.mark.parametrize(
    "text",
    [
        'says == "f: expected a tensor of one axis, got 3."',
        'match=r"expected a tensor of one axis"',
        r'match=r".*Sum over the others first\. \d+"',
        'f"expected a tensor of one axis, got {x}"',
        'says = ("f: expected a tensor "\n "of one axis, got 3.")',
    ],
)
def test_a_second_quote_is_found(text: str) -> None:
    quote = 'f"{what}: expected a tensor of one axis, got 3. Sum over the others first, or"'
    assert places(("tests/a.py", quote), ("tests/b.py", text)) == ["tests/a.py", "tests/b.py"]
    assert places(("tests/a.py", quote), (f"{SUPPORT}/b.py", text)) == ["tests/a.py", f"{SUPPORT}/b.py"]


@pytest.mark.parametrize(
    "text",
    [
        "match=ONE_AXIS",
        'f"f: {ONE_AXIS}, got 3."',
        'match="expected a tensor of"',
        'match="a tensor of .* axis"',
        'def test() -> None:\n    """Test the message: expected a tensor of one axis, got 3."""',
        'match="the tensor of the wrong shape"',
    ],
)
def test_what_is_no_second_quote(text: str) -> None:
    quote = 'says = "f: expected a tensor of one axis, got 3."'
    assert places(("tests/a.py", quote), ("tests/b.py", text)) == []


def test_two_files_of_support_are_one_place() -> None:
    quote = 'SAYS = "expected a tensor of one axis"'
    assert places((f"{SUPPORT}/a.py", quote), (f"{SUPPORT}/b.py", quote)) == []
