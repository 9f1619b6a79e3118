"""The rules of the house, each a function of the parsed source tree that returns what breaks it.

`test_architecture.py` runs them on this repository, and on small bad trees to show that each can fail. `source_tree.py`
reads the trees.

Two kinds of import are not counted as imports of the graph: those under ``if TYPE_CHECKING:``, which never run, and
those of packages outside the tree.
"""

from __future__ import annotations

import ast
import sys
from graphlib import CycleError, TopologicalSorter

from source_tree import Tree, defining_module, within
from source_tree import load as load  # the argument of the rules

# Who may import whom: a module imports from its own floor and from those above it in this table, never from below.
FLOORS: tuple[tuple[str, ...], ...] = (
    ("minigrad.engine",),
    ("minigrad.recurrent",),
    ("minigrad.layers",),
    ("minigrad.distributed",),
    ("minigrad.keras", "minigrad.compat"),
    ("minigrad.tf",),
    ("minigrad.convert", "minigrad.tracing", "minigrad.train", "minigrad.plot", "minigrad.testing"),
    ("minigrad.show", "minigrad.bench", "minigrad.papers"),
    ("minigrad.playground",),
)  # fmt: skip
APART = (("minigrad.keras", "minigrad.compat"),)  # side by side: neither imports the other
TOP = ("minigrad", "minigrad.__main__")  # these two may import anything
ADDRESSES = (
    "minigrad.keras",
    "minigrad.compat",
    "minigrad.tf",
    "minigrad.convert",
)  # public addresses: they gather names from the floors below too
# Where a host array is the point.
HOST = (
    "minigrad.engine.random", "minigrad.engine.npz", "minigrad.keras.storage", "minigrad.keras.utils",
    "minigrad.testing", "minigrad.convert", "minigrad.plot", "minigrad.tracing", "minigrad.train", "minigrad.papers",
    "minigrad.distributed", "minigrad.bench.workers.recording", "minigrad.bench.job",
)  # fmt: skip
# A backend, and a layer in a file, by their names; names that few programs ask for; modules at an earlier address; the
# module of a cell that the user typed on the command line, ``--cell my_cells:Coupled``.
LATE = (
    "minigrad.engine.registry", "minigrad.layers.serialization", "minigrad.engine.lazy", "minigrad.engine.aliases",
    "minigrad.train.cells",
)  # fmt: skip
ARRAY_LIBRARIES = ("cupy", "cupyx", "numpy")

FILE_LINES = 400
FUNCTION_LINES = 40  # without the docstring


def floor_of(module: str) -> int | None:
    """Return the floor in FLOORS, or None for a module without a floor."""
    fits = [(len(name), floor) for floor, names in enumerate(FLOORS) for name in names if within(module, name)]
    return max(fits)[1] if fits else None


# --- imports ------------------------------------------------------------------------------------


def floors(tree: Tree) -> list[str]:
    """Imports from a floor above the module's own."""
    found = []
    for source in tree.values():
        if source.of_backend or source.module in TOP:
            continue
        own = floor_of(source.module)
        if own is None:
            found.append(source.says(1, f"{source.module} has no floor: add it to FLOORS"))
            continue
        for imp in source.imports:
            target = defining_module(tree, imp.base, imp.name)
            theirs = floor_of(target)
            if not imp.types_only and target in tree and theirs is not None and theirs > own:
                what = f"{source.module} (floor {own}) imports {target} (floor {theirs}): "
                found.append(source.says(imp.line, what + "move what it needs down, or itself up"))
    return found


def apart(tree: Tree) -> list[str]:
    """Imports between packages that are side by side."""
    return [
        source.says(imp.line, f"{source.module} imports {imp.base}: {one} and {other} are side by side")
        for source in tree.values()
        for imp in source.imports
        for pair in APART
        for one, other in (pair, pair[::-1])
        if within(source.module, one) and within(defining_module(tree, imp.base, imp.name), other)
    ]


def circles(tree: Tree) -> list[str]:
    """Circles of imports.

    An import of a.b.c runs a and a.b first, so those are edges too, except packages that contain the importer: they
    have begun to run before it.
    """
    graph: dict[str, list[str]] = {}
    for source in tree.values():
        edges: set[str] = set()
        for imp in source.imports:
            target = defining_module(tree, imp.base, imp.name)
            if imp.types_only or source.module == "minigrad":
                continue
            names = (imp.base, target)
            parts = {".".join(n.split(".")[: k + 1]) for n in names for k in range(n.count(".") + 1)}
            edges |= {p for p in parts if p in tree and not within(source.module, p)}
        graph[source.module] = sorted(edges)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle = error.args[1][::-1]  # graphlib goes from what is imported to who imports
        what = " imports ".join(circle) + ": cut it where it is thinnest"
        return [tree[circle[0]].says(1, what)]
    return []


def late_imports(tree: Tree) -> list[str]:
    """Imports inside functions, except those of optional libraries and, in one place, of the backend."""
    found = []
    for source in tree.values():
        if source.module in LATE or source.of_backend:
            continue
        for imp in source.imports:
            top = imp.base.partition(".")[0]
            at_hand = top in sys.stdlib_module_names or top in ("minigrad", "numpy")
            if imp.late and at_hand:
                what = f"{imp.base} is imported inside a function: import it at the top of the file"
                found.append(source.says(imp.line, what))
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Call) and _called(node) in ("import_module", "__import__"):
                what = f"an import by name: only {', '.join(LATE)} does that"
                found.append(source.says(node.lineno, what))
    return found


def self_imports(tree: Tree) -> list[str]:
    """Imports of minigrad as a whole inside minigrad, where it is not yet complete."""
    found = []
    for source in tree.values():
        if source.of_backend or source.module in TOP:
            continue
        for imp in source.imports:
            whole = within(imp.base, "minigrad") if imp.name is None else imp.base == "minigrad"
            if whole and not (imp.name and f"minigrad.{imp.name}" in tree):
                what = "this goes through minigrad/__init__.py: write `from minigrad.module import name`"
                found.append(source.says(imp.line, what))
    return found


def backends_alone(tree: Tree) -> list[str]:
    """Imports of minigrad in a backend."""
    return [
        source.says(imp.line, f"a backend imports {imp.base}: it must not import minigrad")
        for source in tree.values()
        if source.of_backend
        for imp in source.imports
        if within(imp.base, "minigrad")
    ]


def array_libraries(tree: Tree) -> list[str]:
    """Imports of NumPy outside the backends and the HOST modules, and of CuPy outside the backends."""
    found = []
    for source in tree.values():
        if source.of_backend:
            continue
        host = any(within(source.module, name) for name in HOST)
        for imp in source.imports:
            top = imp.base.partition(".")[0]
            if top in ARRAY_LIBRARIES and not (top == "numpy" and host):
                what = f"{top} is imported: take the array namespace `xp` as an argument instead"
                found.append(source.says(imp.line, what))
    return found


def init_files(tree: Tree) -> list[str]:
    """Statements of an `__init__.py` other than its docstring, re-exports, `__all__`, constants and `del`."""
    found = []
    for source in tree.values():
        if not source.is_package or source.of_backend:
            continue
        for node in source.tree.body:
            if not _is_reexport(node):
                what = "an __init__.py only re-exports: move this to a module"
                found.append(source.says(node.lineno, what))
        for imp in source.imports:
            lower = any(within(source.module, a) for a in ADDRESSES) and within(imp.base, "minigrad")
            inside = within(imp.base, source.module) or imp.base in ("__future__", "typing", "minigrad.engine.lazy")
            if not (inside or lower):
                what = f"re-exports from {imp.base}, outside its own package"
                found.append(source.says(imp.line, what))
            if imp.name == "*":
                found.append(source.says(imp.line, "re-exports *: name what is public"))
    return found


def _is_reexport(node: ast.stmt) -> bool:
    if isinstance(node, (ast.Import, ast.ImportFrom, ast.Delete)):
        return True
    if isinstance(node, ast.Expr):
        return isinstance(node.value, ast.Constant)
    if isinstance(node, ast.If):  # names that come late, for type checkers
        known = ast.unparse(node.test) in ("TYPE_CHECKING", "not TYPE_CHECKING")
        return known and all(map(_is_reexport, node.body)) and not node.orelse
    if isinstance(node, ast.Assign) and ast.unparse(node).startswith("__getattr__ = lazy_getattr(__name__, __all__, "):
        return True
    if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
        return not any(isinstance(part, ast.Call) for part in ast.walk(node.value))
    return False


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


# --- sizes --------------------------------------------------------------------------------------


def file_lengths(tree: Tree) -> list[str]:
    """Files of more than FILE_LINES lines."""
    found = []
    for source in tree.values():
        lines = len(source.text.splitlines())
        if lines > FILE_LINES:
            what = f"{lines} lines, at most {FILE_LINES}: split the file by its ideas"
            found.append(source.says(FILE_LINES + 1, what))
    return found


def function_lengths(tree: Tree) -> list[str]:
    """Functions of more than FUNCTION_LINES lines without their docstring."""
    found = []
    for source in tree.values():
        for node in ast.walk(source.tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                lines = _lines(node) - (_lines(node.body[0]) if ast.get_docstring(node) else 0)
                if lines > FUNCTION_LINES:
                    what = f"{node.name} has {lines} lines without its docstring, at most {FUNCTION_LINES}: split it"
                    found.append(source.says(node.lineno, what))
    return found


def _lines(node: ast.stmt) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


# --- manners ------------------------------------------------------------------------------------


def asserts(tree: Tree) -> list[str]:
    """Assertions: a user's mistake must raise an error with a remedy, and `assert` vanishes under -O."""
    return [
        source.says(node.lineno, "assert: raise an error with the expected and the given value")
        for source in tree.values()
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Assert)
    ]


def swallowed(tree: Tree) -> list[str]:
    """Errors that are lost: in a bare except, or an except Exception that does nothing."""
    found = []
    for source in tree.values():
        for node in ast.walk(source.tree):
            if isinstance(node, ast.ExceptHandler):
                nothing = all(isinstance(n, (ast.Pass, ast.Continue)) for n in node.body)
                lost = node.type is None or (nothing and _is_wide(node.type))
            else:
                suppresses = isinstance(node, ast.Call) and _called(node) == "suppress"
                lost = suppresses and any(_is_wide(arg) for arg in node.args)
            if lost:
                what = "every error is swallowed here: name the one that is expected"
                found.append(source.says(node.lineno, what))
    return found


def _is_wide(node: ast.expr) -> bool:
    names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
    return bool(names & {"Exception", "BaseException"})


def docstrings(tree: Tree) -> list[str]:
    """Modules, public functions and public classes without a docstring."""
    found = []
    for source in tree.values():
        if not ast.get_docstring(source.tree):
            found.append(source.says(1, "the module has no docstring"))
        for node in source.tree.body:
            named = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
            if named and not (node.name.startswith("_") or ast.get_docstring(node) or _is_overload(node)):
                found.append(source.says(node.lineno, f"{node.name} is public and has no docstring"))
    return found


def _is_overload(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    return any("overload" in ast.unparse(decorator) for decorator in node.decorator_list)


RULES = (
    floors,
    apart,
    circles,
    late_imports,
    self_imports,
    backends_alone,
    array_libraries,
    init_files,
    file_lengths,
    function_lengths,
    asserts,
    swallowed,
    docstrings,
)
