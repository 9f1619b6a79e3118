"""The source tree for `architecture.py`: every file of minigrad/ and backends/, parsed, with its imports.

Nothing here imports minigrad: the files are read, not run.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Import:
    """One imported name: ``from base import name``, or ``import base`` with no name."""

    base: str
    name: str | None
    line: int
    late: bool  # inside a function
    types_only: bool  # under `if TYPE_CHECKING:`


@dataclass(frozen=True)
class Source:
    """One parsed file."""

    path: Path
    where: str  # relative to the root, for messages
    module: str
    text: str
    tree: ast.Module
    imports: tuple[Import, ...]

    @property
    def is_package(self) -> bool:
        return self.path.name == "__init__.py"

    @property
    def of_backend(self) -> bool:
        return not within(self.module, "minigrad")

    def says(self, line: int, what: str) -> str:
        return f"{self.where}:{line}: {what}"


Tree = dict[str, Source]


def within(module: str, package: str) -> bool:
    """Return whether a module is the package itself or inside it."""
    return module == package or module.startswith(package + ".")


def load(root: Path) -> Tree:
    """Parse every file of minigrad/ and backends/ under root, by module name."""
    tree: Tree = {}
    for top, base in (("minigrad", root), ("backends", root / "backends")):
        for path in sorted((root / top).rglob("*.py")):
            parts = path.relative_to(base).with_suffix("").parts
            module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            text = path.read_text("utf-8")
            parsed = ast.parse(text, str(path))
            package = module if path.name == "__init__.py" else module.rpartition(".")[0]
            imports = tuple(_imports(parsed, package))
            tree[module] = Source(path, path.relative_to(root).as_posix(), module, text, parsed, imports)
    return tree


def _imports(node: ast.AST, package: str, late: bool = False, types_only: bool = False) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            for alias in child.names:
                yield Import(alias.name, None, child.lineno, late, types_only)
        elif isinstance(child, ast.ImportFrom):
            base = child.module or ""
            if child.level:
                parents = package.split(".")[: len(package.split(".")) - child.level + 1]
                base = ".".join([*parents, base] if base else parents)
            for alias in child.names:
                yield Import(base, alias.name, child.lineno, late, types_only)
        else:
            inside = late or isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
            for part, typed in _branches(child, types_only):
                yield from _imports(part, package, inside, typed)


def _branches(node: ast.AST, types_only: bool) -> Iterator[tuple[ast.AST, bool]]:
    """Return the node, or the two branches of an ``if TYPE_CHECKING:``, of which the first never runs."""
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        yield ast.Module(node.body, []), True
        yield ast.Module(node.orelse, []), types_only
    else:
        yield node, types_only


def defining_module(tree: Tree, base: str, name: str | None) -> str:
    """Return the module that defines a name: a module of that name, or the source of the package's re-export."""
    if name is None:
        return base
    if f"{base}.{name}" in tree:
        return f"{base}.{name}"
    source = tree.get(base)
    if source is not None and source.is_package:
        for imp in source.imports:
            if imp.name == name and imp.base != base:
                return defining_module(tree, imp.base, name)
    return base
