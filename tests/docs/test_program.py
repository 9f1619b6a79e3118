"""The Python of a page, run and shown with its printed output and its figures."""

from __future__ import annotations

from pathlib import Path

import pytest

from docs.builder.program import ProgramError, blocks, run, shown

PAGE = """# A page

```python
x = 1
print("one", x)
```

Text.

```sh
ls
```

```python
x += 1
```

```python
print(x)
```
"""


def test_blocks_are_one_program() -> None:
    assert [seen.text for seen in run("page", blocks(PAGE))] == ["one 1\n", "", "2\n"]


def test_what_was_printed_stands_below(tmp_path: Path) -> None:
    page = shown(PAGE, "page", tmp_path)
    assert 'print("one", x)\n```\n\n```text\none 1\n```\n\nText.' in page
    assert "x += 1\n```\n\n```python\nprint(x)\n```\n\n```text\n2\n```" in page
    assert list(tmp_path.iterdir()) == []


def test_a_picture_stands_below_with_its_alt_text(tmp_path: Path) -> None:
    program = "from minigrad import plot\n\nplot.learning_curve([0, 1, 2], [2.0, 1.0, 0.5])\n"
    page = shown(f"```python\n{program}```\n\n```python\n3\n```\n", "page", tmp_path)
    (picture,) = (tmp_path / "page").iterdir()
    assert picture.name == "figure-1.svg"
    assert picture.read_text("utf-8").startswith("<svg")
    (line,) = [line for line in page.splitlines() if line.startswith("![")]
    assert line.endswith("](page/figure-1.svg)")
    assert len(line) > 60
    assert page.endswith("```python\n3\n```\n")  # no picture, and nothing printed


def test_a_file_can_be_imported() -> None:
    seen = run("page", ["# two.py\nTWO = 2\n", "import two\nprint(two.TWO)\n"])
    assert [one.text for one in seen] == ["", "2\n"]


@pytest.mark.parametrize(
    ("block", "says"),
    [
        ("assert 1 == 2\n", "AssertionError"),
        ("import warnings\nwarnings.warn('mind')\n", "UserWarning: mind"),
        ("def f(:\n", "SyntaxError"),
    ],
)
def test_what_does_not_run_is_an_error(block: str, says: str) -> None:
    with pytest.raises(ProgramError, match="lstm: its Python does not run") as error:
        run("lstm", ["x = 1\n", block])
    assert says in str(error.value)
    assert "<block 2>" in str(error.value)
