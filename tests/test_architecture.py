"""Hold the rules of `architecture.py` on this repository, and show that each of them can fail."""

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
    for module in ("minigrad", "minigrad.engine.ops.op", "minigrad.engine.tensor", "minigrad_numpy"):
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
        {"minigrad/recurrent/bptt.py": "", "minigrad/engine/tape.py": "\nfrom minigrad.recurrent.bptt import forward"},
        "minigrad/engine/tape.py:2",
    ),
    (
        architecture.floors,
        {"minigrad/recurrent/bptt.py": "", "minigrad/engine/tape.py": "from minigrad.recurrent import bptt"},
        "minigrad/engine/tape.py:1",
    ),
    (
        architecture.floors,
        {"minigrad/recurrent/bptt.py": "", "minigrad/engine/tape.py": "from ..recurrent.bptt import forward"},
        "minigrad/engine/tape.py:1",
    ),
    (
        architecture.floors,  # through a package that re-exports
        {
            "minigrad/recurrent/__init__.py": "from minigrad.recurrent.bptt import forward",
            "minigrad/recurrent/bptt.py": "",
            "minigrad/engine/ops/op.py": "from minigrad.recurrent import forward",
        },
        "minigrad/engine/ops/op.py:1",
    ),
    (
        architecture.apart,
        {"minigrad/keras/lstm.py": "", "minigrad/compat/v1/lstm.py": "import minigrad.keras.lstm"},
        "minigrad/compat/v1/lstm.py:1",
    ),
    (
        architecture.apart,
        {"minigrad/keras/lstm.py": "from minigrad.compat.v1 import lstm", "minigrad/compat/v1/lstm.py": ""},
        "minigrad/keras/lstm.py:1",
    ),
    (architecture.floors, {"minigrad/attic.py": ""}, "minigrad/attic.py:1"),
    (
        architecture.circles,
        {
            "minigrad/engine/ops/a.py": "from minigrad.engine.ops.b import x",
            "minigrad/engine/ops/b.py": "from minigrad.engine.ops import c",
            "minigrad/engine/ops/c.py": "from minigrad.engine.ops.a import x",
        },
        "minigrad.engine.ops.c imports minigrad.engine.ops.a",
    ),
    (
        architecture.circles,  # to import errors from a package is to run the package
        {
            "minigrad/engine/ops/__init__.py": "from minigrad.engine.ops.op import Op",
            "minigrad/engine/ops/op.py": "from minigrad.engine.tape import Node",
            "minigrad/engine/ops/shape.py": "",
            "minigrad/engine/tape.py": "from minigrad.engine.ops.shape import Reshape",
        },
        "minigrad.engine.tape imports minigrad.engine.ops",
    ),
    (
        architecture.late_imports,
        {"minigrad/engine/tensor.py": "def f():\n    from minigrad import functional\n"},
        "minigrad/engine/tensor.py:2",
    ),
    (
        architecture.late_imports,
        {"minigrad/engine/tensor.py": "class A:\n    def f():\n        import json\n"},
        "minigrad/engine/tensor.py:3",
    ),
    (
        architecture.late_imports,
        {"minigrad/engine/tensor.py": "import importlib\nm = importlib.import_module('minigrad_numpy')"},
        "minigrad/engine/tensor.py:2",
    ),
    (architecture.self_imports, {"minigrad/keras/models.py": "import minigrad as mg"}, "models.py:1"),
    (architecture.self_imports, {"minigrad/keras/models.py": "import minigrad.engine.tensor"}, "models.py:1"),
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
    (architecture.array_libraries, {"minigrad/engine/ops/op.py": "import numpy as np"}, "op.py:1"),
    (architecture.array_libraries, {"minigrad/keras/io.py": "def f():\n    import numpy.linalg"}, "io.py:2"),
    (architecture.array_libraries, {"minigrad/train/run.py": "from cupy import ndarray"}, "run.py:1"),
    (architecture.init_files, {INIT: "def f():\n    pass"}, f"{INIT}:1"),
    (architecture.init_files, {INIT: "from minigrad.engine.tensor import tensor\nx = tensor(1)"}, f"{INIT}:2"),
    (
        architecture.init_files,
        {"minigrad/engine/ops/__init__.py": "from minigrad.engine.tape import Node"},
        "ops/__init__.py:1",
    ),
    (architecture.init_files, {INIT: "from minigrad.functional import *"}, f"{INIT}:1"),
    (architecture.file_lengths, {"backends/b/__init__.py": "x = 1\n" * 401}, "backends/b/__init__.py:401"),
    (architecture.function_lengths, {"minigrad/engine/tensor.py": LONG_FUNCTION}, "minigrad/engine/tensor.py:2"),
    (architecture.asserts, {"minigrad/engine/tape.py": "def f(x):\n    assert x"}, "minigrad/engine/tape.py:2"),
    (architecture.swallowed, {"minigrad/engine/tape.py": "try:\n    f()\nexcept:\n    g()"}, "tape.py:3"),
    (
        architecture.swallowed,
        {"minigrad/engine/tape.py": "try:\n    f()\nexcept (OSError, Exception):\n    pass"},
        "tape.py:3",
    ),
    (
        architecture.swallowed,
        {"minigrad/engine/tape.py": "with contextlib.suppress(Exception):\n    f()"},
        "tape.py:1",
    ),
    (architecture.docstrings, {"minigrad/engine/tape.py": '"""D."""\nclass Node:\n    x = 1'}, "tape.py:2"),
    (architecture.docstrings, {"minigrad/engine/tape.py": "x = 1"}, "tape.py:1"),
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
    INIT: '"""D."""\nfrom minigrad.engine.tensor import Tensor\n__version__ = "0.1.0"\n__all__ = ["Tensor"]',
    "minigrad/__main__.py": '"""D."""\nimport minigrad',
    "minigrad/engine/errors.py": '"""D."""\ntry:\n    x = 1\nexcept KeyError:\n    pass',
    "minigrad/engine/protocol.py": '"""D."""',
    "minigrad/engine/registry.py": '"""D."""\ndef _f():\n    import importlib\n    importlib.import_module("x")',
    "minigrad/engine/ops/__init__.py": '"""D."""',
    "minigrad/engine/ops/op.py": '"""D."""\nfrom minigrad.engine.protocol import Xp',
    "minigrad/engine/ops/shape.py": DOCSTRING_ONLY,
    "minigrad/engine/tape.py": '"""D."""\nif TYPE_CHECKING:\n    from minigrad.engine.tensor import Tensor',
    "minigrad/engine/tensor.py": (
        '"""D."""\nfrom minigrad.engine.tape import Node\nfrom minigrad.engine.ops import shape'
    ),
    "minigrad/engine/functional.py": '"""D."""\nfrom minigrad.engine.tensor import Tensor\n@overload\ndef f(x): ...',
    "minigrad/engine/random.py": '"""D."""\nimport numpy as np\nfrom minigrad.engine import functional',
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
