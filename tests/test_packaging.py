"""The installed files, their dependencies, and the modules that `import minigrad` loads."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")

# Modules that `import minigrad` must not load: each is needed by one command or one call, and is slow to import.
# (json belongs to saving, argparse to the command line, importlib.metadata to third parties' backends.)
HEAVY = {
    "argparse", "asyncio", "csv", "cupy", "doctest", "email", "http", "hypothesis", "importlib.metadata", "inspect",
    "json", "logging", "matplotlib", "multiprocessing", "numba", "pdb", "pickle", "PIL", "pytest", "scipy", "socket",
    "sqlite3", "subprocess", "tempfile", "tensorflow", "torch", "tqdm", "traceback", "unittest", "urllib", "xml",
    "zipfile",
}  # fmt: skip
LOADED = """
import sys
import numpy
before = set(sys.modules)
import minigrad
print(*sorted(set(sys.modules) - before))
"""


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def run_python(code: str) -> str:
    """Return the output of a fresh interpreter, away from the source tree."""
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd="/", check=False)
    assert process.returncode == 0, process.stderr
    return process.stdout


# --- metadata -----------------------------------------------------------------------------------


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[<>=!~\[; ]", requirement)[0] for requirement in requirements}


def test_only_numpy_and_tqdm_are_needed(project: dict[str, Any]) -> None:
    assert names(project["project"]["dependencies"]) == {"numpy", "tqdm"}


def test_the_installed_distribution_says_the_same(project: dict[str, Any]) -> None:
    installed = metadata.metadata("minigrad-bptt")
    assert installed["Requires-Python"] == ">=3.11"
    assert installed["License-Expression"] == "MIT"
    needed = [line for line in installed.get_all("Requires-Dist") or [] if "extra ==" not in line]
    assert names(needed) == {"numpy", "tqdm"}
    assert set(installed.get_all("Provides-Extra") or []) == set(project["project"]["optional-dependencies"])


def test_the_version_is_told_once_and_everywhere_the_same(project: dict[str, Any]) -> None:
    version = project["project"]["version"]
    assert run_python("import minigrad; print(minigrad.__version__)").strip() == version
    assert metadata.version("minigrad-bptt") == version


def test_the_cuda_extras_exclude_each_other_and_none_names_plain_cupy(project: dict[str, Any]) -> None:
    conflicts = project["tool"]["uv"]["conflicts"]
    assert [{e["extra"] for e in c} for c in conflicts] == [{"cuda12x", "cuda13x"}]
    extras = project["project"]["optional-dependencies"]
    assert "cupy" not in set().union(*(names(extra) for extra in extras.values()))


def test_every_backend_folder_is_shipped(project: dict[str, Any]) -> None:
    packages = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    folders = {f"backends/{path.parent.name}" for path in ROOT.glob("backends/*/__init__.py")}
    assert set(packages) == {"minigrad"} | folders


def test_every_package_is_typed() -> None:
    packages = [ROOT / "minigrad", *(path.parent for path in ROOT.glob("backends/*/__init__.py"))]
    assert len(packages) >= 2
    assert [path for path in packages if not (path / "py.typed").is_file()] == []


def test_every_folder_with_modules_is_a_package() -> None:
    folders = {path.parent for path in (ROOT / "minigrad").rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").is_file()] == []


# --- what import minigrad loads -----------------------------------------------------------------


def test_import_minigrad_loads_little_beyond_numpy() -> None:
    loaded = [name for name in run_python(LOADED).split() if not name.startswith("minigrad")]
    heavy = [name for name in loaded if name in HEAVY or name.split(".")[0] in HEAVY]
    assert not heavy, f"import minigrad loads {heavy}: import them where they are used, late if they are optional"
    strangers = {name.split(".")[0] for name in loaded} - {*sys.stdlib_module_names, "numpy", "cython_runtime"}
    strangers = {name for name in strangers if not name.startswith("_cython")}  # of numpy.random
    assert not strangers, f"import minigrad loads {strangers}, which it does not depend on"
    assert len(loaded) <= 40, f"import minigrad loads {len(loaded)} modules beyond NumPy's: {loaded}"


def test_import_minigrad_prints_nothing_and_chooses_no_backend() -> None:
    assert run_python("import minigrad, sys; print('minigrad_numpy' in sys.modules)") == "False\n"


# --- the two commands ---------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "does"), [("install", "-m minigrad train text"), ("test", "-m pytest -n auto")])
def test_each_readme_command_is_one_line_between_its_marks(name: str, does: str) -> None:
    block = re.findall(rf"<!-- the {name} command:.*-->\n```sh\n(.*)\n```\n<!-- end -->", README)
    assert len(block) == 1
    assert block[0].endswith(does)
    assert "pip install -e" in block[0]


def test_ci_reads_the_test_command_from_the_readme() -> None:
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111, "chmod +x .ci/run"
    assert "<!-- the test command:" in script.read_text("utf-8")
