"""A third party's backend: the counting backend of `docs/backends.md`, passed as a module, and installed by pip."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest

import counting_backend
import minigrad as mg

SOURCE = Path(counting_backend.__file__)
PAGE = SOURCE.parents[2] / "docs" / "backends.md"
INFO = "counting_backend-1.0.dist-info"
DISTRIBUTION = {
    f"{INFO}/METADATA": "Metadata-Version: 2.1\nName: counting-backend\nVersion: 1.0\n",
    f"{INFO}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    f"{INFO}/entry_points.txt": "[minigrad.backends]\ncounting = counting_backend\n",
    f"{INFO}/RECORD": "",
}
PROGRAM = """
import sys
import minigrad as mg
assert "counting_backend" not in sys.modules
print(mg.backends()["counting"], mg.tensor(1.0).backend.name)
import importlib.metadata
module = mg.use("counting")
x = mg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
module.calls.clear()
(x @ x).sum().backward()
print(x.backend.name, module.calls["matmul"], importlib.metadata.version("counting-backend"))
print(module.__file__)
"""


def test_the_page_shows_this_module() -> None:
    source = SOURCE.read_text("utf-8")
    assert f"```python\n{source}```" in PAGE.read_text("utf-8")
    assert len(source.splitlines()) <= 35


def test_handed_in_as_a_module() -> None:
    mg.testing.check_backend(counting_backend)
    with mg.using(counting_backend):
        layer = mg.keras.layers.LSTM(4)
        x = mg.ones((2, 3, 5))
        counting_backend.calls.clear()
        layer(x).sum().backward()
    assert layer.path == "explicit BPTT, formulas of LSTM: the counting backend compiles no loops"
    assert counting_backend.calls["matmul"] == 1 + 3 + 3 + 3  # x W; h U and dz Uᵀ in each step; dx, dW and dU
    assert counting_backend.calls["to_numpy"] == 0


@pytest.mark.skipif(find_spec("pip") is None, reason="needs pip, to install the package")
def test_installed_as_a_package(tmp_path: Path) -> None:
    wheel, site = tmp_path / "counting_backend-1.0-py3-none-any.whl", tmp_path / "site"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.write(SOURCE, SOURCE.name)
        for name, text in DISTRIBUTION.items():
            archive.writestr(name, text)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps", "--target", site, wheel]
    subprocess.run(pip, check=True, capture_output=True)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(site), *filter(None, sys.path)])}
    told = subprocess.run(
        [sys.executable, "-c", PROGRAM], check=True, capture_output=True, text=True, env=environment
    ).stdout
    assert told.splitlines() == ["available numpy", "counting 3 1.0", str(site / SOURCE.name)]
