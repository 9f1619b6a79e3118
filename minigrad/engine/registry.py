"""The registry of backends: `use`, `using`, `backends`.

A backend is found by name, in the table of those that come with minigrad or in the entry-point group
``minigrad.backends`` of any installed package, or it is given as a module. All three pass the same loader and the same
check. Nothing is imported before the first tensor calls `current()`.
"""

from __future__ import annotations

import importlib
from types import ModuleType

from minigrad.engine.errors import (
    BackendContractError,
    BackendError,
    BackendUnavailableError,
    UnknownBackendError,
    shown,
    unknown_name,
)
from minigrad.engine.flow import FlowBlock, FlowStack
from minigrad.engine.protocol import REQUIRED, BackendModule

GROUP = "minigrad.backends"
SHIPPED = {"numpy": "minigrad_numpy", "numba": "minigrad_numba", "cupy": "minigrad_cupy"}  # name -> module
REMEDIES = {  # by installing an extra, which for CuPy depends on the driver
    "cupy": "pip install 'minigrad-bptt[cuda12x]', or cuda13x where nvidia-smi says CUDA 13",
}
DEFAULT = "numpy"

_loaded: dict[str, BackendModule] = {}  # by `resolve`; loading twice at once does no harm
_chosen: BackendModule | None = None  # by `use`, for all threads
_default: BackendModule | None = None  # loaded at first use


def use(backend: str | BackendModule) -> BackendModule:
    """Make a backend the one on which new tensors are created, in all threads of the process.

    `using` blocks of other threads and tasks stay in effect. Those around this call end with it: the latest choice
    holds.

    The default is NumPy's backend, even if a faster one is installed: a program's text shows which backend it computes
    with and whether it waits for a compiler. `layer.path` says which loop a recurrent layer ran in.

    Args:
        backend: a name that `backends()` lists, or any module that satisfies `minigrad.engine.protocol`.

    Returns:
        The backend's module.

    Raises:
        UnknownBackendError: there is no backend of that name.
        BackendUnavailableError: there is one, but its library or its device is missing.
        BackendContractError: it lacks functions that the engine needs.

    >>> import minigrad as mg
    >>> mg.use("numpy").name
    'numpy'
    """
    global _chosen
    module = resolve(backend)
    _chosen = module
    _blocks.clear()
    return module


class using(FlowBlock[BackendModule]):  # noqa: N801  (a `with` statement reads it as a word)
    """Make a backend the current one inside a `with` block, or in a function that it decorates.

    It holds in the thread or task that enters the block; a new thread starts from what `use` chose.
    """

    def __init__(self, backend: str | BackendModule) -> None:
        self.backend = backend

    def __enter__(self) -> BackendModule:
        self.module = resolve(self.backend)
        _blocks.push(self)
        return self.module

    def __exit__(self, *error: object) -> None:
        _blocks.drop(self)


_blocks: FlowStack[using] = FlowStack("mg.using")


def current() -> BackendModule:
    """Return the backend in use; the first call loads the default, NumPy."""
    blocks = _blocks.entries()
    if blocks:
        return blocks[-1].module
    return _chosen if _chosen is not None else _default or _load_default()


def _load_default() -> BackendModule:
    """Load the default without choosing it: another thread may call `use` meanwhile, and that choice holds."""
    global _default
    _default = resolve(DEFAULT)
    return _default


def resolve(backend: str | BackendModule) -> BackendModule:
    """Return the module for a name, or check a module that is given. Raises as `use` does."""
    if isinstance(backend, str):
        if backend not in _loaded:
            _loaded[backend] = _load(backend)
        return _loaded[backend]
    if backend is _chosen:
        return backend
    return _checked(backend, shown(getattr(backend, "__name__", backend)))


def backends() -> dict[str, str]:
    """Return the registered names, each with ``"available"`` or with the reason why not and the remedy.

    >>> import minigrad as mg
    >>> mg.backends()["numpy"]
    'available'
    """
    return {name: _state(name) for name in sorted(_claims())}


def _state(name: str) -> str:
    try:
        resolve(name)
    except BackendError as error:
        return str(error)
    return "available"


def _load(name: str) -> BackendModule:
    """Import a backend by name: the only import of the project at run time."""
    module_name, owner = _claim(name)
    try:
        module = importlib.import_module(module_name)
    except Exception as error:  # a library without its driver raises various errors, not only ImportError
        remedy = REMEDIES.get(name, f"pip install '{owner}[{name}]', or see its documentation")
        raise BackendUnavailableError(
            f"mg.use: the backend {name!r} of {owner} is registered, but {module_name} cannot be imported: {error}. "
            f"Install what it needs: {remedy}."
        ) from error
    return _probed(_checked(module, repr(name)), name)


def _claim(name: str) -> tuple[str, str]:
    """Return the only module of a name, and its distribution."""
    registered = _claims()
    if name not in registered:
        unknown = unknown_name("mg.use: `backend`", name, registered, "Or pass a module: mg.use(my_module).")
        raise UnknownBackendError(str(unknown))
    if len(registered[name]) > 1:
        owners = " and ".join(sorted(owner for _, owner in registered[name]))
        raise BackendError(f"mg.use: the backend name {name!r} is claimed by {owners}. Uninstall one of them.")
    return registered[name][0]


def missing(module: object) -> list[str]:
    """Return the names that `module` lacks or that cannot be called: empty for a whole backend."""
    absent = [name for name in REQUIRED if not callable(getattr(module, name, None))]
    return absent if isinstance(getattr(module, "name", None), str) else ["name", *absent]


def _checked(module: ModuleType, label: str) -> BackendModule:
    absent = missing(module)
    if absent:
        raise BackendContractError(
            f"mg.use: {label} is not a backend: it lacks {', '.join(absent[:9])}{' …' if absent[9:] else ''}. "
            "The module minigrad.engine.protocol describes each of them."
        )
    return module


def _probed(module: BackendModule, name: str) -> BackendModule:
    """Call `probe()` of a backend that has one: it returns None, or the reason why the device does not answer."""
    probe = getattr(module, "probe", None)
    try:
        reason = None if probe is None else probe()
    except Exception as error:
        raise BackendUnavailableError(f"mg.use: {name!r} is installed, but its device failed: {error}") from error
    if reason:
        raise BackendUnavailableError(f"mg.use: the backend {name!r} is installed, but {reason}")
    return module


def _claims() -> dict[str, list[tuple[str, str]]]:
    """Return the backends of minigrad and of installed packages: name -> [(module, distribution)]."""
    # importlib.metadata costs a fifth of `import numpy`: imported when a backend is first looked up.
    metadata = importlib.import_module("importlib.metadata")
    claims = {name: [(module, "minigrad-bptt")] for name, module in SHIPPED.items()}
    for point in metadata.entry_points(group=GROUP):
        owner = point.dist.name if point.dist is not None else "an unnamed distribution"
        claims.setdefault(point.name, []).append((point.value, owner))
    return claims
