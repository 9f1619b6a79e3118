"""Holds the rules of `architecture.py` on this repository, and shows that each of them can fail."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import architecture
from architecture import RULES, Tree, load

ROOT = Path(__file__).resolve().parents[1]
Rule = Callable[[Tree], list[str]]


@pytest.fixture(scope="module")
def repository() -> Tree:
    return load(ROOT)


def test_the_tree_is_found(repository: Tree) -> None:
    for module in ("minigrad", "minigrad.ops.op", "minigrad.tensor", "minigrad_numpy"):
        assert module in repository


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_holds(rule: Rule, repository: Tree) -> None:
    found = rule(repository)
    assert not found, "\n".join([f"{rule.__doc__}", *found])


# --- each rule fires ----------------------------------------------------------------------------

INIT = "minigrad/__init__.py"
LONG_FUNCTION = '"""D."""\ndef f():\n    """D.\n' + "\n" * 50 + '    """\n' + "    x = 1\n" * 40
DOCSTRING_ONLY = '"""D."""\ndef f():\n    """D.\n' + "\n" * 90 + '    """\n' + "    x = 1\n" * 39

# rule, the bad tree (file → text), where it must be found
BAD: list[tuple[Rule, dict[str, str], str]] = [
    (
        architecture.floors,
        {"minigrad/tensor.py": "", "minigrad/tape.py": "\nfrom minigrad.tensor import Tensor"},
        "minigrad/tape.py:2",
    ),
    (
        architecture.floors,
        {"minigrad/tensor.py": "", "minigrad/tape.py": "from minigrad import tensor"},
        "minigrad/tape.py:1",
    ),
    (
        architecture.floors,
        {"minigrad/tensor.py": "", "minigrad/tape.py": "from .tensor import Tensor"},
        "minigrad/tape.py:1",
    ),
    (
        architecture.floors,  # through a package that re-exports
        {
            "minigrad/backend/__init__.py": "from minigrad.backend.registry import use",
            "minigrad/backend/registry.py": "",
            "minigrad/ops/op.py": "from minigrad.backend import use",
        },
        "minigrad/ops/op.py:1",
    ),
    (
        architecture.floors,
        {"minigrad/keras/lstm.py": "", "minigrad/compat/v1/lstm.py": "import minigrad.keras.lstm"},
        "minigrad/compat/v1/lstm.py:1",
    ),
    (architecture.floors, {"minigrad/attic.py": ""}, "minigrad/attic.py:1"),
    (
        architecture.circles,
        {
            "minigrad/ops/a.py": "from minigrad.ops.b import x",
            "minigrad/ops/b.py": "from minigrad.ops import c",
            "minigrad/ops/c.py": "from minigrad.ops.a import x",
        },
        "minigrad.ops.c imports minigrad.ops.a",
    ),
    (
        architecture.circles,  # to import errors from a package is to run the package
        {
            "minigrad/ops/__init__.py": "from minigrad.ops.op import Op",
            "minigrad/ops/op.py": "from minigrad.tape import Node",
            "minigrad/ops/shape.py": "",
            "minigrad/tape.py": "from minigrad.ops.shape import Reshape",
        },
        "minigrad.tape imports minigrad.ops",
    ),
    (
        architecture.late_imports,
        {"minigrad/tensor.py": "def f():\n    from minigrad import functional\n"},
        "minigrad/tensor.py:2",
    ),
    (
        architecture.late_imports,
        {"minigrad/tensor.py": "class A:\n    def f():\n        import json\n"},
        "minigrad/tensor.py:3",
    ),
    (
        architecture.late_imports,
        {"minigrad/tensor.py": "import importlib\nm = importlib.import_module('minigrad_numpy')"},
        "minigrad/tensor.py:2",
    ),
    (architecture.self_imports, {"minigrad/keras/models.py": "import minigrad as mg"}, "models.py:1"),
    (architecture.self_imports, {"minigrad/keras/models.py": "import minigrad.tensor"}, "models.py:1"),
    (
        architecture.self_imports,
        {"minigrad/keras/models.py": "from minigrad import Tensor"},
        "models.py:1",
    ),
    (
        architecture.backends_alone,
        {"backends/minigrad_numpy/__init__.py": "from minigrad.errors import BackendError"},
        "backends/minigrad_numpy/__init__.py:1",
    ),
    (architecture.array_libraries, {"minigrad/ops/op.py": "import numpy as np"}, "op.py:1"),
    (architecture.array_libraries, {"minigrad/keras/io.py": "def f():\n    import numpy.linalg"}, "io.py:2"),
    (architecture.array_libraries, {"minigrad/train/run.py": "from cupy import ndarray"}, "run.py:1"),
    (architecture.init_files, {INIT: "def f():\n    pass"}, f"{INIT}:1"),
    (architecture.init_files, {INIT: "from minigrad.tensor import tensor\nx = tensor(1)"}, f"{INIT}:2"),
    (architecture.init_files, {"minigrad/ops/__init__.py": "from minigrad.tape import Node"}, "ops/__init__.py:1"),
    (architecture.init_files, {INIT: "from minigrad.functional import *"}, f"{INIT}:1"),
    (architecture.file_lengths, {"backends/b/__init__.py": "x = 1\n" * 401}, "backends/b/__init__.py:401"),
    (architecture.function_lengths, {"minigrad/tensor.py": LONG_FUNCTION}, "minigrad/tensor.py:2"),
    (architecture.asserts, {"minigrad/tape.py": "def f(x):\n    assert x"}, "minigrad/tape.py:2"),
    (architecture.swallowed, {"minigrad/tape.py": "try:\n    f()\nexcept:\n    g()"}, "tape.py:3"),
    (
        architecture.swallowed,
        {"minigrad/tape.py": "try:\n    f()\nexcept (OSError, Exception):\n    pass"},
        "tape.py:3",
    ),
    (
        architecture.swallowed,
        {"minigrad/tape.py": "with contextlib.suppress(Exception):\n    f()"},
        "tape.py:1",
    ),
    (architecture.docstrings, {"minigrad/tape.py": '"""D."""\nclass Node:\n    x = 1'}, "tape.py:2"),
    (architecture.docstrings, {"minigrad/tape.py": "x = 1"}, "tape.py:1"),
]


def write(root: Path, files: dict[str, str]) -> Tree:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, "utf-8")
    return load(root)


@pytest.mark.parametrize(
    ("rule", "files", "where"), BAD, ids=[f"{rule.__name__}-{k}" for k, (rule, *_) in enumerate(BAD)]
)
def test_fires(rule: Rule, files: dict[str, str], where: str, tmp_path: Path) -> None:
    found = rule(write(tmp_path, files))
    assert len(found) == 1, found
    assert where in found[0]


def test_every_rule_is_shown_to_fire() -> None:
    assert {rule for rule, *_ in BAD} == set(RULES)


# --- and not where it must not ------------------------------------------------------------------

GOOD: dict[str, str] = {
    INIT: '"""D."""\nfrom minigrad.tensor import Tensor\n__version__ = "0.1.0"\n__all__ = ["Tensor"]',
    "minigrad/__main__.py": '"""D."""\nimport minigrad',
    "minigrad/errors.py": '"""D."""\ntry:\n    x = 1\nexcept KeyError:\n    pass',
    "minigrad/backend/__init__.py": '"""D."""',
    "minigrad/backend/protocol.py": '"""D."""',
    "minigrad/backend/registry.py": '"""D."""\ndef _f():\n    import importlib\n    importlib.import_module("x")',
    "minigrad/ops/__init__.py": '"""D."""',
    "minigrad/ops/op.py": '"""D."""\nfrom minigrad.backend.protocol import Xp',
    "minigrad/ops/shape.py": DOCSTRING_ONLY,
    "minigrad/tape.py": '"""D."""\nif TYPE_CHECKING:\n    from minigrad.tensor import Tensor',
    "minigrad/tensor.py": '"""D."""\nfrom minigrad.tape import Node\nfrom minigrad.ops import shape',
    "minigrad/functional.py": '"""D."""\nfrom minigrad.tensor import Tensor\n@overload\ndef f(x): ...',
    "minigrad/random.py": '"""D."""\nimport numpy as np\nfrom minigrad import functional',
    "minigrad/layers/__init__.py": '"""D."""',
    "minigrad/layers/base.py": '"""D."""\nfrom minigrad.functional import tanh',
    "minigrad/keras/__init__.py": '"""D."""\nfrom minigrad.keras import layers',
    "minigrad/keras/layers/__init__.py": '"""D."""\nfrom minigrad.layers.base import Layer\nX = ("a", 1)',
    "minigrad/train/__init__.py": '"""D."""',
    "minigrad/train/progress.py": '"""D."""\ndef _bar():\n    from tqdm import tqdm',
    "backends/minigrad_numpy/__init__.py": '"""D."""\nimport numpy\ndef zeros():\n    """D."""',
}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_lets_a_good_tree_pass(rule: Rule, tmp_path: Path) -> None:
    assert rule(write(tmp_path, GOOD)) == []
