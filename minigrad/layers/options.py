"""Options: a constructor's arguments, each declared once.

A layer with seventeen arguments usually repeats each of them four times: in the signature, in an assignment, in
`get_config`, and in the call that makes its cell. Here a class body lists them:

    class Dense(Layer):
        units: int = option(positive_int)
        activation: Activation = option(activations.option, None)

One line is the argument, its default, its check, the attribute and its entry in `get_config`. A subclass that changes
a default repeats that line alone. The kinds of values are in `minigrad.engine.kinds`, and those of plain values are
found here too.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from inspect import Parameter, Signature
from typing import Any, ClassVar

from minigrad.engine.arguments import dictionary
from minigrad.engine.errors import MinigradError
from minigrad.engine.errors import OptionError as OptionError
from minigrad.engine.foreign import naming
from minigrad.engine.kinds import Kind as Kind
from minigrad.engine.kinds import anything as anything
from minigrad.engine.kinds import axes as axes
from minigrad.engine.kinds import choice as choice
from minigrad.engine.kinds import flag as flag
from minigrad.engine.kinds import fraction as fraction
from minigrad.engine.kinds import non_negative as non_negative
from minigrad.engine.kinds import number as number
from minigrad.engine.kinds import optional as optional
from minigrad.engine.kinds import positive_int as positive_int
from minigrad.engine.kinds import text as text
from minigrad.layers.custom_objects import CustomObjectScope

REQUIRED: Any = Parameter.empty


class OptionTypeError(MinigradError, TypeError):
    """Missing or unknown arguments of a constructor, or an argument of the wrong type."""


class UninitializedError(MinigradError, AttributeError):
    """Use of a custom object whose constructor has not called that of its base class."""


class Option:
    """One argument. Made by `option`.

    Each object stores its value in its `__dict__` under the option's name, where Python finds it without a call of
    `__get__`. `Configured.__setattr__` calls `set`.
    """

    def __init__(
        self, kind: Kind, default: Any, keyword_only: bool = False, quiet: bool = False, after: str | None = None
    ) -> None:
        self.kind, self.default, self.keyword_only, self.quiet, self.after = kind, default, keyword_only, quiet, after
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: Any, owner: type) -> Any:
        """Return the option itself for a class; raise for an object without a value."""
        if instance is None:
            return self
        name = type(instance).__name__
        raise UninitializedError(
            f"{name}: it has no `{self.name}` yet. Call super().__init__() first in {name}.__init__."
        ) from None

    def set(self, instance: Any, value: Any) -> None:
        """Check a value and store it in the object."""
        instance.__dict__[self.name] = self.kind.read(f"{type(instance).__name__}: `{self.name}`", value)


class ComputedOption(Option):
    """An option whose value is computed when it is read: a subclass defines `__get__`."""

    def __get__(self, instance: Any, owner: type) -> Any:
        """Return the stored value; the option itself for a class."""
        if instance is None or self.name not in instance.__dict__:
            return super().__get__(instance, owner)
        return instance.__dict__[self.name]

    def __set__(self, instance: Any, value: Any) -> None:
        """Store a value. Python calls `__get__` for each read of an attribute whose class defines `__set__` too."""
        self.set(instance, value)


def option(
    kind: Kind, default: Any = REQUIRED, keyword_only: bool = False, quiet: bool = False, after: str | None = None
) -> Any:
    """Declare a constructor's argument in a class body.

    Args:
        kind: how values are read and written.
        default: the default; without one the argument is required.
        keyword_only: whether the argument is given by name only.
        quiet: whether `get_config` leaves it out at its default (for arguments that Keras does not have).
        after: the inherited argument after which it comes; by default it comes last.
    """
    return Option(kind, default, keyword_only, quiet, after)


class _SignatureOfOptions:
    """The signature of a constructor for `help()`, computed on request and not at import."""

    def __get__(self, instance: Any, owner: Any) -> Signature:
        if instance is not None or not has_options_only(owner):
            raise AttributeError("__signature__")
        return Signature(owner._parameters())


class Configured:
    """A class whose constructor's arguments are its options, in the order of the class bodies, base classes first.

    With ``class Family(Configured, own_options_first=True)``, the constructor of a subclass takes its own options
    first, then those of the family, and `name` last: ``SGD(0.1, 0.9)``.

    >>> class Point(Configured):
    ...     x: int = option(positive_int)
    ...     y: int = option(positive_int, 2)
    >>> Point(1).get_config()
    {'x': 1, 'y': 2}
    >>> Point(x=-1)
    Traceback (most recent call last):
        ...
    minigrad.engine.errors.OptionError: Point: `x`: expected a positive integer, got -1.
    """

    _options: ClassVar[dict[str, Option]] = {}
    _family: ClassVar[type[Configured] | None] = None  # the base class whose options come after a subclass's own

    __signature__ = _SignatureOfOptions()

    def __init_subclass__(cls, own_options_first: bool = False) -> None:
        """Collect the options."""
        super().__init_subclass__()
        if own_options_first:
            cls._family = cls
        cls._options = cls._arranged(_ordered(cls))

    @classmethod
    def _arranged(cls, options: dict[str, Option]) -> dict[str, Option]:
        """Return the options in the order in which the constructor takes them."""
        if cls._family is None:
            return options
        shared = [name for name, value in vars(cls._family).items() if isinstance(value, Option) and name != "name"]
        own = [name for name in options if name not in shared and name != "name"]
        return {name: options[name] for name in [*own, *shared, "name"] if name in options}

    @classmethod
    def _parameters(cls) -> list[Parameter]:
        kinds = {True: Parameter.KEYWORD_ONLY, False: Parameter.POSITIONAL_OR_KEYWORD}
        ordered = sorted(cls._options.items(), key=lambda item: item[1].keyword_only)
        return [Parameter(name, kinds[o.keyword_only], default=o.default) for name, o in ordered]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        cls = type(self)
        positional = [name for name, o in self._options.items() if not o.keyword_only]
        if len(args) > len(positional):
            raise OptionTypeError(f"{cls.__name__}: takes {len(positional)} positional arguments, got {len(args)}.")
        given = dict(zip(positional, args, strict=False))
        twice = given.keys() & kwargs.keys()
        if twice:
            raise OptionTypeError(f"{cls.__name__}: got `{min(twice)}` twice, by position and by name.")
        given |= kwargs
        for name in given.keys() - self._options.keys():
            raise unexpected(cls.__name__, name, cls._options)
        for name, o in self._options.items():
            if name not in given and o.default is REQUIRED:
                raise OptionTypeError(f"{cls.__name__}: the argument `{name}` is missing.")
            setattr(self, name, given.get(name, o.default))

    def __setattr__(self, name: str, value: Any) -> None:
        option = type(self)._options.get(name)
        if option is None:
            super().__setattr__(name, value)
        else:
            option.set(self, value)

    def arguments(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {name: getattr(self, name) for name in self._options}

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain values: ``type(self).from_config(self.get_config())``."""
        values = self.arguments()
        shown = {name: o for name, o in self._options.items() if not (o.quiet and values[name] == o.default)}
        return {name: o.kind.plain(values[name]) for name, o in shown.items()}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """Return a new object with the configuration that `get_config` returned.

        Args:
            config: the configuration.
            custom_objects: a dictionary of custom classes and functions by the names in the configuration.
        """
        where = f"{cls.__name__}.from_config: `config`"
        with naming(where), CustomObjectScope(custom_objects):
            return cls(**dictionary(where, config))


def has_options_only(cls: type) -> bool:
    """Return whether the constructor takes options alone; a custom class may define ``__init__(self, units)``."""
    code = getattr(cls.__init__, "__code__", None)  # type: ignore[misc]  # it is read, not called
    return code is not None and code.co_argcount + code.co_kwonlyargcount == 1


def _ordered(cls: type) -> dict[str, Option]:
    """Return the options of a class, base classes' first, without those that a subclass replaces by an attribute."""
    found: dict[str, Option] = {}
    places: dict[str, str] = {}  # an option → the one before it; a subclass that changes a default keeps the place
    for base in reversed(cls.__mro__):
        for name, value in vars(base).items():
            if isinstance(value, Option):
                found[name] = value
                places |= {name: value.after} if value.after else {}
            else:
                found.pop(name, None)
    for name, neighbour in places.items():
        names = [other for other in found if other != name]
        names.insert(names.index(neighbour) + 1, name)
        found = {key: found[key] for key in names}
    return found


def unexpected(where: str, name: str, known: Iterable[str]) -> OptionTypeError:
    """Return the error for an unknown argument, with the nearest known one, or the one with these initials."""
    nearest = [k for k in known if name == "".join(part[:1] for part in k.split("_"))]
    nearest = nearest or difflib.get_close_matches(name, known, n=1)
    guess = f" Did you mean `{nearest[0]}`?" if nearest else f" It takes: {', '.join(known)}."
    return OptionTypeError(f"{where}: unexpected argument `{name}`.{guess}")
