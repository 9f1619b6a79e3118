"""The figures of the house: the reading order, the tree of packages, the calls of a forward pass, the language.

``python tests/house.py`` prints them; `test_house.py` holds them. Lines are plain line counts of files.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from pathlib import Path

import calls
import language
from source_tree import Source, Tree, load, within

ROOT = Path(__file__).resolve().parents[2]
# Not part of path A, though its files import them: errors, and modules of types, which have no code in their functions.
ERRORS = ("minigrad.engine.errors", "minigrad.recurrent.errors")
TYPES = ("minigrad.engine.protocol", "minigrad.recurrent.description", "minigrad.recurrent.protocol")

Graph = Mapping[str, Collection[str]]


@dataclass(frozen=True)
class Figures:
    """All figures; the lists say where to look."""

    numbers: dict[str, int] = field(default_factory=dict)
    places: dict[str, list[str]] = field(default_factory=dict)

    def count(self, name: str, places: Iterable[str]) -> None:
        """Set a figure to the number of places, and remember them."""
        self.places[name] = list(places)
        self.numbers[name] = len(self.places[name])

    def __str__(self) -> str:
        lines = []
        for name, number in self.numbers.items():
            lines.append(f"{name:<46} {number:>6}")
            lines += [f"    {place}" for place in self.places.get(name, [])]
        return "\n".join(lines)


def measure(root: Path = ROOT) -> Figures:
    """Return the figures of a source tree."""
    figures = Figures()
    tree = load(root)
    _path_figures(figures, root, tree)
    _tree_figures(figures, root, tree)
    if root == ROOT:
        _call_figures(figures)
    _language_figures(figures, root)
    return figures


# --- the reading order ------------------------------------------------------------------------------


def reading_paths(readme: str) -> dict[str, list[str]]:
    """Return the files of ``### Path A`` … under ``## The reading order``, in order; each is a link from the root."""
    section = re.split(r"^## ", readme.partition("## The reading order\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
    paths = {}
    for part in re.split(r"^### Path ", section, flags=re.MULTILINE)[1:]:
        links = re.findall(r"\]\(([\w./]+\.py)\)", part)
        paths[part[0]] = list(dict.fromkeys(links))
    return paths


def needs(tree: Tree, path: list[str]) -> list[str]:
    """Return the imports, at module level, of files that come later on a path or never."""
    by_file = {source.where: source for source in tree.values()}
    read: set[str] = set()
    found = []
    for where in path:
        source = by_file[where]
        read.add(source.module)
        for imp in source.imports:
            target = imported(tree, imp.base, imp.name)
            if imp.late or imp.types_only or target not in tree or target in read or target in ERRORS + TYPES:
                continue
            found.append(source.says(imp.line, f"needs {target}"))
    return list(dict.fromkeys(found))


def code_in(tree: Tree, modules: Collection[str]) -> list[str]:
    """Return the functions of modules, properties aside, whose bodies are more than a docstring and ``...``."""
    return [
        tree[module].says(node.lineno, node.name)
        for module in modules
        if module in tree
        for node in ast.walk(tree[module].tree)
        if isinstance(node, ast.FunctionDef)
        and not any(ast.unparse(decorator) == "property" for decorator in node.decorator_list)
        and not all(_is_constant(part) for part in node.body)
    ]


def _is_constant(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def imported(tree: Tree, base: str, name: str | None) -> str:
    """Return the module that an import statement names."""
    return f"{base}.{name}" if name and f"{base}.{name}" in tree else base


def _path_figures(figures: Figures, root: Path, tree: Tree) -> None:
    for letter, path in reading_paths((root / "README.md").read_text("utf-8")).items():
        lines = {where: len((root / where).read_text("utf-8").splitlines()) for where in path}
        figures.count(f"path {letter}: files", [f"{count:>4}  {where}" for where, count in lines.items()])
        figures.numbers[f"path {letter}: lines"] = sum(lines.values())
        if letter == "A":
            figures.count("path A: imports of files not yet read", needs(tree, path))
            figures.count("path A: code in modules of types", code_in(tree, TYPES))


# --- the tree of packages ---------------------------------------------------------------------------


def entries(root: Path) -> list[str]:
    """Return the packages and modules of minigrad/, ``__init__`` and ``__main__`` aside."""
    inside = (root / "minigrad").iterdir()
    names = [p.stem for p in inside if p.suffix == ".py" or (p.is_dir() and any(p.glob("*.py")))]
    return sorted(name for name in names if not name.startswith("__"))


def arrows(tree: Tree) -> dict[str, set[str]]:
    """Return, for each entry of minigrad/, the entries that it imports; imports of types count."""
    graph: dict[str, set[str]] = {}
    for source in tree.values():
        own = _entry(source.module)
        if own is None:
            continue
        graph.setdefault(own, set())
        for imp in source.imports:
            other = _entry(imported(tree, imp.base, imp.name))
            if other not in (None, own):
                graph[own].add(str(other))
    return graph


def _entry(module: str) -> str | None:
    parts = module.split(".")
    return parts[1] if parts[0] == "minigrad" and len(parts) > 1 and parts[1] != "__main__" else None


def module_graph(tree: Tree) -> dict[str, set[str]]:
    """Return the imports among modules; an import of a.b.c is one of a and a.b too, unless these contain the module."""
    graph = {}
    for source in tree.values():
        if source.module != "minigrad" and not source.of_backend:
            graph[source.module] = _edges(tree, source)
    return graph


def _edges(tree: Tree, source: Source) -> set[str]:
    edges = set()
    for imp in source.imports:
        parts = imported(tree, imp.base, imp.name).split(".")
        names = {".".join(parts[: k + 1]) for k in range(1, len(parts))}
        edges |= {name for name in names if name in tree and not within(source.module, name)}
    return edges


def circles(graph: Graph) -> list[list[str]]:
    """Return the groups of modules that import each other in a circle."""
    reachable = {name: _reach(graph, name) for name in graph}
    components = {
        tuple(sorted(other for other in reachable[name] if name in reachable.get(other, ()))) for name in graph
    }
    return sorted(list(component) for component in components if len(component) > 1)


def _reach(graph: Graph, start: str) -> set[str]:
    seen: set[str] = set()
    open_ = list(graph[start])
    while open_:
        name = open_.pop()
        if name not in seen:
            seen.add(name)
            open_ += graph.get(name, ())
    return seen


def floors(graph: Graph) -> int:
    """Return the length of the longest chain of packages, each of which imports the next."""
    height: dict[str, int] = {}
    for name in TopologicalSorter(graph).static_order():
        height[name] = 1 + max((height[other] for other in graph.get(name, ())), default=0)
    return max(height.values(), default=0)


def _tree_figures(figures: Figures, root: Path, tree: Tree) -> None:
    figures.count("entries of minigrad/", [" ".join(entries(root))])
    figures.numbers["entries of minigrad/"] = len(entries(root))
    packages = arrows(tree)
    figures.numbers["arrows between them"] = sum(map(len, packages.values()))
    rings = [" ↔ ".join(ring) for graph in (packages, module_graph(tree)) for ring in circles(graph)]
    figures.count("circles, imports of types included", rings)
    figures.numbers["floors"] = floors(packages) if not circles(packages) else len(packages)


# --- one forward pass -------------------------------------------------------------------------------


def _call_figures(figures: Figures) -> None:
    counted = calls.lstm_forward()
    figures.numbers["one LSTM forward: functions entered"] = counted.functions
    figures.numbers["one LSTM forward: files"] = counted.files
    figures.numbers["one LSTM forward: moves between files"] = counted.moves


# --- the language -----------------------------------------------------------------------------------


def _language_figures(figures: Figures, root: Path) -> None:
    places = [place for path in language.files(root) for place in language.check(path, root)]
    for kind, name in (("first line", "bad first lines of docstrings"), ("mannerism", "mannerisms")):
        areas = Counter(place.area for place in places if place.kind == kind)
        figures.places[name] = [f"{count:>4}  {area}" for area, count in sorted(areas.items())]
        figures.numbers[name] = sum(areas.values())
