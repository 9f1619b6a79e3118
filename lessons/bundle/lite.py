"""The students' bundle as a JupyterLite site: static files, with Python running in the browser by Pyodide."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from lessons.builder.percent import LessonError
from lessons.bundle.archives import Files

APPS = ("lab", "notebooks")
NEEDED = ("jupyterlite_core", "jupyterlite_pyodide_kernel", "jupyter_server")
PYODIDE = "pyodide.mjs"
SETTINGS = {
    "jupyter-lite-schema-version": 0,
    "jupyter-config-data": {"appName": "minigrad", "exposeAppInBrowser": True},
}


def write_site(files: Files, folder: Path, pyodide: Path | None) -> None:
    """Write the site into a folder; it needs no network.

    Args:
        files: the students' files.
        folder: where the site goes.
        pyodide: the folder of a Pyodide distribution, copied into the site; None leaves it with its public server.

    Raises:
        LessonError: JupyterLite is missing or fails, the folder holds another site's files, or there is no Pyodide.
    """
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        raise LessonError(f"{', '.join(missing)} is missing: python -m pip install -e '.[lessons,lite]'")
    if pyodide is not None and not (pyodide / PYODIDE).is_file():
        raise LessonError(f"expected --pyodide to be a folder with {PYODIDE}, got {pyodide}")
    if any(folder.iterdir()) and not (folder / "jupyter-lite.json").is_file():
        raise LessonError(f"{folder} holds other files: choose an empty folder")
    with tempfile.TemporaryDirectory() as name:
        site = Path(name)
        for path, content in files.items():
            place = site / ("pypi" if path.endswith(".whl") else "files") / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        (site / "jupyter-lite.json").write_text(json.dumps(SETTINGS), "utf-8")
        if pyodide is not None:
            shutil.copytree(pyodide, site / "static" / "pyodide")
        _build(site, folder)


def _build(site: Path, folder: Path) -> None:
    """Run JupyterLite's own program."""
    apps = [part for app in APPS for part in ("--apps", app)]
    done = subprocess.run(  # noqa: S603  (the interpreter of this process)
        [
            sys.executable, "-m", "jupyterlite_core", "build", "--lite-dir", str(site), "--contents",
            str(site / "files"), "--output-dir", str(folder.resolve()), "--no-libarchive", *apps,
        ],
        cwd=site, capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip
    if done.returncode or not (folder / "lab" / "index.html").is_file():
        raise LessonError(f"JupyterLite could not build the site: {(done.stderr or done.stdout).strip()[-2000:]}")
