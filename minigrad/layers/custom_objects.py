"""Custom classes and functions by name, for configurations that mention them.

    with custom_object_scope({"MyCell": MyCell}):    known in the block
    @register_keras_serializable(package="course")   known from now on, as ``course>MyCell``

A configuration from a file is read inside `only_given`: then a custom name is found in scopes and among the registered
ones alone, and never among the classes that a program happens to define.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, Self, TypeVar

from minigrad.engine.arguments import dictionary, function, text
from minigrad.engine.errors import OptionError, shown
from minigrad.engine.flow import FlowBlock, FlowStack
from minigrad.engine.foreign import attempted

T = TypeVar("T")

_scopes = FlowStack[dict[str, Any]]("custom objects")
_everywhere: dict[str, Any] = {}
_names: dict[Any, str] = {}  # a registered object → its name
_FILE: dict[str, Any] = {}  # the entry of `only_given`


class CustomObjectScope(FlowBlock[Any]):
    """Let configurations mention custom objects by name, in a block.

    Args:
        objects: dictionaries from names to classes or functions.
    """

    def __init__(self, *objects: Any) -> None:
        self._found: dict[str, Any] = {}
        for given in objects:
            self._found |= dictionary("custom_object_scope: `custom_objects`", {} if given is None else given)

    def __enter__(self) -> Self:
        _scopes.push(self._found)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _scopes.drop(self._found)


class _OnlyGiven(CustomObjectScope):
    def __init__(self) -> None:
        self._found = _FILE


custom_object_scope = CustomObjectScope
only_given = _OnlyGiven()


def reads_file() -> bool:
    """Return whether this code runs inside `only_given`."""
    return any(scope is _FILE for scope in _scopes)


def get_custom_objects() -> dict[str, Any]:
    """Return the dictionary of the objects that are known everywhere; additions to it hold from now on."""
    return _everywhere


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable[[T], T]:
    """Return a decorator that makes a class or function known everywhere, as ``package>name``.

    Args:
        package: the part of the name before ``>``.
        name: the name of the class or function by default.

    Raises:
        OptionError: a class without `get_config` is decorated.
    """
    text("register_keras_serializable: `package`", package)
    if name is not None:
        text("register_keras_serializable: `name`", name)

    def decorate(found: T) -> T:
        if isinstance(found, type) and not hasattr(found, "get_config"):
            raise OptionError(f"register_keras_serializable: expected a class with `get_config`, got {shown(found)}.")
        whole = f"{package}>{getattr(found, '__name__', '') if name is None else name}"
        _everywhere[whole] = found
        _names[found] = whole
        return found

    return decorate


def get_registered_name(obj: Any) -> str:
    """Return the name under which an object is registered, or else its own name."""
    function("get_registered_name: `obj`", obj)
    return attempted(_names.get, obj) or str(getattr(obj, "__name__", type(obj).__name__))


def get_registered_object(name: Any, custom_objects: Any = None, module_objects: Any = None) -> Any:
    """Return the object of a name, from the scopes around, the registered ones, or these dictionaries; else None."""
    where = "get_registered_object"
    text(f"{where}: `name`", name)
    others = {"custom_objects": custom_objects, "module_objects": module_objects}
    given = [dictionary(f"{where}: `{key}`", value) for key, value in others.items() if value is not None]
    return _found(name, given)


def _found(name: Any, given: Iterable[dict[str, Any]] = ()) -> Any:
    for known in (*reversed(tuple(_scopes)), _everywhere, *given):
        if isinstance(name, str) and name in known:
            return known[name]
    return None


def find(*names: Any) -> Any:
    """Return the custom object of the first of these names that is known, or None."""
    for name in names:
        found = _found(name)
        if found is not None:
            return found
    return None
