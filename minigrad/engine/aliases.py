"""Earlier addresses of modules: ``import minigrad.tape`` gives `minigrad.engine.tape`, the same module object.

`minigrad/__init__.py` imports this module last. An earlier address is looked up at its first use: by `AliasFinder` in
an import, by the package's `__getattr__` in ``mg.tape``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Any

from minigrad.engine import earlier  # noqa: F401  (gives Op its earlier spelling)

if TYPE_CHECKING:
    from importlib.abc import Loader
else:  # `importlib.abc` loads tempfile and urllib
    Loader = object

ALIASES = {
    "minigrad.arguments": "minigrad.engine.arguments",
    "minigrad.autograd": "minigrad.engine.autograd",
    "minigrad.backend": "minigrad.engine",
    "minigrad.compat.v1.keras.layers.gru": "minigrad.compat.v1.keras.layers",
    "minigrad.compat.v1.keras.layers.lstm": "minigrad.compat.v1.keras.layers",
    "minigrad.convert.cells": "minigrad.convert.levels",
    "minigrad.convert.difference_cells": "minigrad.convert.difference.inspected_cell",
    "minigrad.convert.difference_conventions": "minigrad.convert.difference.conventions",
    "minigrad.convert.difference_formulas": "minigrad.convert.difference.parametric_cell",
    "minigrad.convert.difference_table": "minigrad.convert.difference.table",
    **{
        f"minigrad.convert.{name}": f"minigrad.keras.storage.{name}"
        for name in ("errors", "hdf5_content", "hdf5_worker", "keras_file", "keras_weights", "paths")
    },
    "minigrad.creation": "minigrad.engine.creation",
    "minigrad.errors": "minigrad.engine.errors",
    "minigrad.flow": "minigrad.engine.flow",
    "minigrad.functional": "minigrad.engine.functional",
    "minigrad.indices": "minigrad.engine.indices",
    "minigrad.interop": "minigrad.engine.host",
    "minigrad.keras.archives": "minigrad.engine.archives",
    "minigrad.keras.bounds": "minigrad.engine.kinds",
    "minigrad.keras.callback": "minigrad.keras.callbacks.base",
    "minigrad.keras.files": "minigrad.engine.files",
    "minigrad.keras.layers.gru": "minigrad.keras.layers",
    "minigrad.keras.layers.lstm": "minigrad.keras.layers",
    "minigrad.keras.own_first": "minigrad.layers.options",
    "minigrad.keras.progress": "minigrad.keras.callbacks.progress",
    "minigrad.keras.reduction": "minigrad.keras.losses.reduction",
    "minigrad.keras.untrusted": "minigrad.engine.untrusted",
    "minigrad.late": "minigrad.engine.lazy",
    "minigrad.layers.building": "minigrad.layers.build_lock",
    "minigrad.layers.built_in": "minigrad.layers.recurrent_layer",
    "minigrad.layers.cell_protocol": "minigrad.layers.cell_adapter",
    "minigrad.layers.context": "minigrad.layers.call_context",
    "minigrad.layers.kinds": "minigrad.engine.kinds",
    "minigrad.layers.loop": "minigrad.layers.execution",
    "minigrad.layers.nest": "minigrad.engine.tree",
    "minigrad.numpy_calls": "minigrad.engine.numpy_calls",
    "minigrad.ops": "minigrad.engine.ops",
    "minigrad.plot.cell_pictures": "minigrad.plot.circuits",
    "minigrad.plot.layered": "minigrad.plot.graph_layout",
    "minigrad.random": "minigrad.engine.random",
    "minigrad.recurrent.body": "minigrad.recurrent.compiler.body",
    "minigrad.recurrent.checked": "minigrad.recurrent.compiler.checked",
    "minigrad.recurrent.compiled": "minigrad.recurrent.backend_loop",
    "minigrad.recurrent.derived": "minigrad.recurrent.compiler.derived",
    "minigrad.recurrent.products": "minigrad.recurrent.dropout",
    "minigrad.recurrent.simplify": "minigrad.recurrent.compiler.simplify",
    "minigrad.recurrent.widths": "minigrad.recurrent.compiler.widths",
    "minigrad.starting": "minigrad.engine.interrupt",
    "minigrad.tape": "minigrad.engine.tape",
    "minigrad.tensor": "minigrad.engine.tensor",
    "minigrad.tf.compat": "minigrad.compat",
    "minigrad.tf.keras": "minigrad.keras",
    "minigrad.tracing.reading": "minigrad.tracing.assembly",
    "minigrad.train.files": "minigrad.train.json_files",
}
"""Earlier address → today's. Modules inside a package move with it."""

NAMES = {
    "minigrad.engine.creation": {"beside": "minigrad.engine.creation.as_tensor_like"},
    "minigrad.engine.flow": {"Override": "minigrad.engine.flow.FlowBlock", "Stack": "minigrad.engine.flow.FlowStack"},
    "minigrad.engine.indices": {
        "plain_index": "minigrad.engine.indices.normalize_index",
        "mixed": "minigrad.engine.errors.mixed_backends_error",
    },
    "minigrad.engine.lazy": {"late": "minigrad.engine.lazy.lazy_getattr"},
    "minigrad.engine.ops.arithmetic": {
        "Maximum": "minigrad.engine.ops.selection.Maximum",
        "Minimum": "minigrad.engine.ops.selection.Minimum",
        "Power": "minigrad.engine.ops.power.Power",
        "Where": "minigrad.engine.ops.selection.Where",
    },
    "minigrad.engine.protocol": {"missing": "minigrad.engine.registry.missing"},
    "minigrad.engine.tape": {
        "State": "minigrad.engine.recording.State",
        "blocks": "minigrad.engine.recording.blocks",
        "enabled": "minigrad.engine.recording.enabled",
        "observing": "minigrad.engine.recording.observing",
        "propagate": "minigrad.engine.earlier.propagate",
        "recording": "minigrad.engine.recording.recording",
        "state": "minigrad.engine.recording.state",
    },
    "minigrad.engine.tensor": {
        "array_from": "minigrad.engine.conversion.array_from",
        "constant": "minigrad.engine.conversion.constant",
        "mixed": "minigrad.engine.errors.mixed_backends_error",
        "plain_index": "minigrad.engine.indices.normalize_index",
        "recording": "minigrad.engine.recording.recording",
    },
    "minigrad.engine.tree": {"like": "minigrad.engine.tree.unflatten", "over": "minigrad.engine.tree.map"},
}
"""Module → earlier name in it → today's address. These modules are loaded with `minigrad`."""


def resolve(name: str) -> str | None:
    """Return today's address of a module, or None if `name` is not an earlier address."""
    head = name
    while head:
        if head in ALIASES:
            return ALIASES[head] + name[len(head) :]
        head = head.rpartition(".")[0]
    return None


class AliasFinder(Loader):
    """Finder of modules at their earlier addresses."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return a spec for an earlier address, or None for any other name."""
        if not fullname.startswith("minigrad.") or resolve(fullname) is None:
            return None
        return ModuleSpec(fullname, self)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return the module at today's address."""
        module = import_module(resolve(spec.name) or spec.name)
        spec.loader_state = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Give the module its own spec back: the import system has put the alias's in its place."""
        spec = module.__spec__
        if spec is not None and spec.loader is self:
            module.__spec__ = spec.loader_state


def _find_earlier(package: str) -> Callable[[str], Any]:
    """Return the `__getattr__` of a package: its modules of earlier versions, then its own `__getattr__`, if any."""
    own = vars(sys.modules[package]).get("__getattr__")

    def find(name: str) -> Any:
        if f"{package}.{name}" in ALIASES:
            return import_module(f"{package}.{name}")
        if own is None:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return own(name)

    return find


sys.meta_path.insert(0, AliasFinder())
for _package in {_old.rpartition(".")[0] for _old in ALIASES} & sys.modules.keys():
    vars(sys.modules[_package])["__getattr__"] = _find_earlier(_package)
sys.modules["minigrad.tensor"] = sys.modules["minigrad.engine.tensor"]  # its import would hide the function mg.tensor
for _name, _moved in NAMES.items():
    for _old, _new in _moved.items():
        _home, _, _attribute = _new.rpartition(".")
        setattr(sys.modules[_name], _old, getattr(sys.modules[_home], _attribute))
