"""The door for backends: names, modules, three different errors, two claims to one name, nothing before its time."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

import pytest

import minigrad as mg
import minigrad_numpy
from minigrad.engine import registry
from minigrad.engine.errors import BackendContractError, BackendError, BackendUnavailableError, UnknownBackendError
from needed import needed

strict_backend = needed("strict_backend")


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on the path in which distributions can be 'installed'; what was loaded by name is forgotten."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(registry, "_loaded", {})
    modules = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - modules:
        del sys.modules[name]


def install(folder: Path, distribution: str, backend: str, module: str, source: str) -> None:
    """A distribution that registers a backend, as pip leaves it."""
    info = folder / f"{distribution}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{registry.GROUP}]\n{backend} = {module}\n")
    (folder / f"{module}.py").write_text(source)


WHOLE = "from minigrad_numpy import *\nname = 'other'\n"


def test_a_module_needs_no_name() -> None:
    with mg.using(strict_backend) as module:
        assert module is strict_backend
        assert mg.tensor(1.0).backend is strict_backend
    assert mg.tensor(1.0).backend is minigrad_numpy


def test_using_nests_and_ends_with_an_error_too() -> None:
    with pytest.raises(ZeroDivisionError), mg.using(strict_backend), mg.using("numpy"):
        raise ZeroDivisionError
    assert mg.tensor(1.0).backend is minigrad_numpy


def test_use() -> None:
    assert mg.use(strict_backend) is strict_backend
    assert mg.tensor(1.0).backend is strict_backend
    assert mg.use("numpy") is minigrad_numpy


def test_an_installed_backend_is_found_by_its_name(installed: Path) -> None:
    install(installed, "someones-backend", "other", "someones_backend", WHOLE)
    assert mg.backends()["other"] == "available"
    with mg.using("other") as module:
        assert mg.tensor([1.0]).backend is module is sys.modules["someones_backend"]
    mg.testing.check_backend("other")


def test_an_unknown_name(installed: Path) -> None:
    install(installed, "someones-backend", "other", "someones_backend", WHOLE)
    with pytest.raises(UnknownBackendError, match=r"'othr'. Did you mean 'other'\? Known are: .*numpy, other"):
        mg.use("othr")


MISSING = {
    "library": ("import a_library_that_is_not_there", "No module named 'a_library_that_is_not_there'"),
    "driver": ("raise OSError('libcuda.so.1: cannot open')", "libcuda.so.1: cannot open"),
    "runtime": ("raise RuntimeError('no device found')", "no device found"),
    "device": (WHOLE + "def probe(): return 'no device answers. Start one.'", "is installed, but no device answers"),
    "device that fails": (WHOLE + "def probe(): raise ValueError('launch failed')", "launch failed"),
}


@pytest.mark.parametrize(("source", "reason"), MISSING.values(), ids=MISSING)
def test_registered_but_unavailable(installed: Path, source: str, reason: str) -> None:
    install(installed, "someones-backend", "other", "someones_backend", source)
    with pytest.raises(BackendUnavailableError, match=reason) as caught:
        mg.use("other")
    assert "'other'" in str(caught.value)
    assert reason in mg.backends()["other"]
    assert mg.backends()["numpy"] == "available"


def test_the_command_that_mends_it_is_named(installed: Path) -> None:
    install(installed, "someones-backend", "other", "someones_backend", "import a_library_that_is_not_there")
    assert "pip install 'someones-backend[other]'" in mg.backends()["other"]


def test_what_numba_wants_where_it_is_not_installed() -> None:
    code = "import sys; sys.modules['numba'] = None; import minigrad as mg; print(mg.backends()['numba'])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "minigrad_numba cannot be imported" in told
    assert "pip install 'minigrad-bptt[numba]'" in told


def test_numba_is_never_taken_by_itself() -> None:
    code = "import minigrad as mg; mg.backends(); mg.tensor(1.0); print(mg.tensor(1.0).backend.name)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told == "numpy\n"


def test_a_broken_contract(installed: Path) -> None:
    install(installed, "someones-backend", "other", "someones_backend", WHOLE + "del tanh\npad = 3\n")
    with pytest.raises(BackendContractError, match=r"'other' is not a backend: it lacks tanh, pad. .*protocol"):
        mg.use("other")
    assert "lacks tanh, pad" in mg.backends()["other"]
    for stranger in (sys, None, 5):
        with pytest.raises(BackendContractError, match="is not a backend: it lacks name, "):
            mg.use(stranger)
    with pytest.raises(BackendContractError, match=r"lacks name, asarray, to_numpy, .* …\. The module minigrad"):
        mg.use(None)


def test_the_three_errors_are_three() -> None:
    kinds = {UnknownBackendError, BackendUnavailableError, BackendContractError}
    assert len(kinds) == 3
    assert all(issubclass(kind, BackendError) for kind in kinds)
    assert not any(issubclass(a, b) for a in kinds for b in kinds if a is not b)


@pytest.mark.parametrize("name", ["other", "numpy"])
def test_two_claims_to_one_name(installed: Path, name: str) -> None:
    install(installed, "first-backend", name, "first_backend", WHOLE)
    if name == "other":
        install(installed, "second-backend", name, "second_backend", WHOLE)
    owner = "second-backend" if name == "other" else "minigrad-bptt"
    with pytest.raises(BackendError, match=f"{name!r} is claimed by first-backend and {owner}. Uninstall one"):
        mg.use(name)
    assert "is claimed by" in mg.backends()[name]


def test_fake_entry_points(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a distribution too, as in a development tree."""
    pytest.importorskip("array_api_strict", reason="needs array-api-strict: pip install -e '.[test]'")
    point = metadata.EntryPoint("other", strict_backend.__name__, registry.GROUP)
    monkeypatch.setattr(metadata, "entry_points", lambda group: [point] if group == registry.GROUP else [])
    monkeypatch.setattr(registry, "_loaded", {})
    assert registry.resolve("other") is strict_backend


def test_a_failed_use_changes_nothing() -> None:
    for wrong in ("nmpy", sys):
        with pytest.raises(BackendError):
            mg.use(wrong)
        with pytest.raises(BackendError), mg.using(wrong):
            pass
    assert registry.current() is minigrad_numpy


LAZY = """
import sys
import minigrad as mg
assert "minigrad_numpy" not in sys.modules, "a backend was loaded at import"
assert "numpy.random" not in sys.modules, "random numbers were made ready at import"
assert "importlib.metadata" not in sys.modules, "entry points were searched at import"
mg.tensor(1.0)
assert "minigrad_numpy" in sys.modules
"""


def test_nothing_is_loaded_before_the_first_tensor() -> None:
    path = {"PYTHONPATH": ":".join(p for p in sys.path if p)}
    subprocess.run([sys.executable, "-c", LAZY], check=True, env=path)


@pytest.mark.skipif(find_spec("cupy") is not None, reason="CuPy is here")
def test_a_library_that_is_not_here() -> None:
    with pytest.raises(BackendUnavailableError) as caught:
        mg.use("cupy")
    assert str(caught.value) == (
        "mg.use: the backend 'cupy' of minigrad-bptt is registered, but minigrad_cupy cannot be imported: No module "
        "named 'cupy'. Install what it needs: pip install 'minigrad-bptt[cuda12x]', or cuda13x where nvidia-smi says "
        "CUDA 13."
    )
    assert mg.backends()["cupy"] == str(caught.value)
