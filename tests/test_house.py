"""Hold the figures of `figures.py`: the reading order, the tree of packages, the calls, the language.

``python tests/house.py`` prints the figures with their places.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import calls
import figures
from figures import Figures, circles, code_in, floors, measure, needs, reading_paths
from source_tree import load

ROOT = Path(__file__).resolve().parents[1]

BOUNDS = {
    "path A: files": 11,
    "path A: lines": 1150,
    "path A: imports of files not yet read": 0,
    "path A: code in modules of types": 0,
    "entries of minigrad/": 16,
    "floors": 9,
    "circles, imports of types included": 0,
    "one LSTM forward: functions entered": 80,
    "one LSTM forward: files": 12,
    "bad first lines of docstrings": 0,
    "mannerisms": 0,
}


@pytest.fixture(scope="module")
def house() -> Figures:
    return measure()


@pytest.mark.parametrize("name", BOUNDS)
def test_bound(house: Figures, name: str) -> None:
    bound = BOUNDS[name]
    places = "\n".join(house.places.get(name, []))
    assert house.numbers[name] <= bound, f"{name}: at most {bound}; python tests/house.py\n{places}"


def test_the_reading_order_has_four_paths_of_files() -> None:
    paths = reading_paths((ROOT / "README.md").read_text("utf-8"))
    assert list(paths) == ["A", "B", "C", "D"]
    for path in paths.values():
        assert len(path) >= 5
        assert all((ROOT / name).is_file() for name in path)
    files = [name for path in paths.values() for name in path]
    assert len(files) == len(set(files))


def test_the_hours_of_the_paths_are_for_400_lines_an_hour() -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    hours = {path: int(n) for path, n in re.findall(r"^### Path (\w): .*\(about (\d+) hours\)$", text, re.MULTILINE)}
    for path, files in reading_paths(text).items():
        lines = sum(len((ROOT / name).read_text("utf-8").splitlines()) for name in files)
        assert abs(lines / 400 - hours[path]) <= 0.6, f"path {path}: {lines} lines"


@pytest.mark.parametrize("path", reading_paths((ROOT / "README.md").read_text("utf-8"))["A"])
def test_each_file_of_path_a_has_a_test_of_its_name(path: str) -> None:
    folder, _, name = path.removeprefix("minigrad/").rpartition("/")
    assert (ROOT / "tests" / folder / f"test_{name}").is_file()


def test_the_readme_names_the_functions_of_a_call_in_their_order() -> None:
    text = (ROOT / "README.md").read_text("utf-8").partition("A second call `lstm(x)` enters")[2].partition("\n\n")[0]
    named = re.findall(r"`([\w.]+)`", text)[:7]
    functions = [function for _, function in calls.entered(calls.lstm_call())]
    places = [functions.index(name) for name in named if name != "apply"]
    assert "apply" in named
    assert len(named) == 7
    assert places == sorted(places)


# --- the figures can be wrong -------------------------------------------------------------------------


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, "utf-8")
    return root


README = """# a
## The reading order
### Path A
1. [a](minigrad/engine/a.py) and [b](minigrad/engine/b.py)
### Path B
[c](minigrad/layers/c.py) [no file](docs/c.md)
## Later
[d](minigrad/d.py)
"""
FILES = {
    "README.md": README,
    "minigrad/__init__.py": "from minigrad.layers import c",
    "minigrad/__main__.py": "",
    "minigrad/engine/__init__.py": "",
    "minigrad/engine/a.py": "from minigrad.engine.errors import E\nfrom minigrad.engine.b import f\n",
    "minigrad/engine/b.py": "if TYPE_CHECKING:\n    from minigrad.layers.c import g\nfrom minigrad.engine.a import g\n",
    "minigrad/engine/errors.py": "",
    "minigrad/layers/__init__.py": "",
    "minigrad/layers/c.py": "def h():\n    from minigrad.engine import a\n",
}


def test_paths_are_links_under_their_headings() -> None:
    assert reading_paths(README) == {
        "A": ["minigrad/engine/a.py", "minigrad/engine/b.py"],
        "B": ["minigrad/layers/c.py"],
    }


def test_a_file_that_comes_later_is_found(tmp_path: Path) -> None:
    tree = load(write(tmp_path, FILES))
    assert needs(tree, ["minigrad/engine/a.py", "minigrad/engine/b.py"]) == [
        "minigrad/engine/a.py:2: needs minigrad.engine.b"
    ]


def test_code_in_a_module_of_types_is_found(tmp_path: Path) -> None:
    text = 'class A:\n    def f(self): ...\n    def g(self):\n        """D."""\n    def h(self):\n        return 1\n'
    tree = load(write(tmp_path, {"minigrad/engine/protocol.py": text, "backends/x/__init__.py": ""}))
    assert code_in(tree, ["minigrad.engine.protocol"]) == ["minigrad/engine/protocol.py:5: h"]


def test_circles_arrows_and_floors(tmp_path: Path) -> None:
    tree = load(write(tmp_path, FILES))
    assert figures.entries(tmp_path) == ["engine", "layers"]
    assert figures.arrows(tree) == {"engine": {"layers"}, "layers": {"engine"}}
    assert circles(figures.arrows(tree)) == [["engine", "layers"]]
    ring = ["minigrad.engine.a", "minigrad.engine.b", "minigrad.layers.c"]
    assert [module for circle in circles(figures.module_graph(tree)) for module in circle if module in ring] == ring
    assert floors({"a": ["b", "c"], "b": ["c"], "c": []}) == 3


def test_measures_a_small_tree(tmp_path: Path) -> None:
    numbers = measure(write(tmp_path, FILES)).numbers
    assert (numbers["path A: files"], numbers["path A: lines"]) == (2, 5)
    assert numbers["bad first lines of docstrings"] == 0
