"""Import of the package on demand, and the names in `__all__`."""

from __future__ import annotations

import subprocess
import sys

from minigrad import convert


def test_import_minigrad_does_not_load_it() -> None:
    code = "import minigrad, sys; print('minigrad.convert' in sys.modules)"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert process.stdout == "False\n"


def test_it_loads_no_optional_library() -> None:
    code = (
        "import sys; from minigrad import convert; print({'h5py', 'onnx', 'safetensors', 'torch'} & set(sys.modules))"
    )
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert process.stdout == "set()\n"


def test_every_public_name_is_there_and_described() -> None:
    for name in convert.__all__:
        value = getattr(convert, name)
        assert name.endswith("LAYOUTS") or value.__doc__
