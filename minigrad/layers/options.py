"""A constructor's arguments, each described once.

A layer with seventeen arguments usually says each of them four times: in the signature, in an assignment, in
`get_config`, and once more where it hands them to its cell. Here a class body lists them,

    class Dense(Layer):
        units: int = option(positive_int)
        activation: Activation = option(activations.option, None)

and that one line is the argument, its default, its check, the attribute, and its entry in `get_config`. A subclass
that changes only a default says only that.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from inspect import Parameter, Signature
from numbers import Real
from typing import Any, ClassVar, NamedTuple, cast

from minigrad.engine import arguments
from minigrad.engine.errors import MinigradError, shown
from minigrad.engine.errors import OptionError as OptionError  # found here too

REQUIRED: Any = Parameter.empty


class OptionTypeError(MinigradError, TypeError):
    """A constructor was called with missing or unknown arguments, or one of the wrong type."""


class UninitializedError(MinigradError, AttributeError):
    """A constructor of one's own did not call that of its base class."""


class Kind(NamedTuple):
    """How values of an option are read and written.

    Attributes:
        read: makes the value that the object keeps, or raises; it gets ``"Class: argument"`` for its message.
        plain: makes the value that `get_config` shows.
    """

    read: Callable[[str, Any], Any]
    plain: Callable[[Any], Any] = lambda value: value


class Option:
    """One argument. Made by `option`.

    The value of each object stands in the object's `__dict__` under the option's name, where Python finds it without a
    call of `__get__`. `Configured.__setattr__` calls `set`.
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
    """Declares a constructor's argument in a class body.

    Args:
        kind: how values are read and written.
        default: none makes the argument a required one.
        keyword_only: must it be given by name?
        quiet: leave it out of `get_config` where it has its default (for arguments that Keras does not know).
        after: stand after this inherited argument rather than last.
    """
    return Option(kind, default, keyword_only, quiet, after)


class _SignatureOfOptions:
    """What `help()` shows of a constructor, made when it is asked for and not at import."""

    def __get__(self, instance: Any, owner: Any) -> Signature:
        if instance is not None or not has_options_only(owner):
            raise AttributeError("__signature__")
        return Signature(owner._parameters())


class Configured:
    """A class whose constructor's arguments are its options, in the order of the class bodies, base classes first.

    >>> class Point(Configured):
    ...     x: int = option(positive_int)
    ...     y: int = option(positive_int, 2)
    >>> Point(1).get_config()
    {'x': 1, 'y': 2}
    >>> Point(x=-1)
    Traceback (most recent call last):
        ...
    minigrad.errors.OptionError: Point: `x`: expected a positive integer, got -1.
    """

    _options: ClassVar[dict[str, Option]] = {}

    __signature__ = _SignatureOfOptions()

    def __init_subclass__(cls) -> None:
        """Collects the options."""
        super().__init_subclass__()
        cls._options = cls._arranged(_ordered(cls))

    @classmethod
    def _arranged(cls, options: dict[str, Option]) -> dict[str, Option]:
        """The options in the order in which the constructor takes them; base classes' first unless overridden."""
        return options

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
            raise OptionTypeError(f"{cls.__name__}: got `{min(twice)}` twice, by place and by name.")
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
        """Returns the constructor's arguments."""
        return {name: getattr(self, name) for name in self._options}

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments as plain values: ``type(self).from_config(self.get_config())``."""
        values = self.arguments()
        shown = {name: o for name, o in self._options.items() if not (o.quiet and values[name] == o.default)}
        return {name: o.kind.plain(values[name]) for name, o in shown.items()}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Returns a new object from what `get_config` returned."""
        return cls(**config)


def has_options_only(cls: type) -> bool:
    """Are the options all that the constructor takes? A class of one's own may define ``__init__(self, units)``."""
    code = getattr(cls.__init__, "__code__", None)  # type: ignore[misc]  # it is only looked at
    return code is not None and code.co_argcount + code.co_kwonlyargcount == 1


def _ordered(cls: type) -> dict[str, Option]:
    """The options of a class: base classes' first, each in its place; without those that a subclass made its own."""
    found: dict[str, Option] = {}
    places: dict[str, str] = {}  # who stands after whom; a subclass that changes the default leaves the place
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
    """Returns the error for an argument that is not known, with the nearest that is, or that with these initials."""
    nearest = [k for k in known if name == "".join(part[:1] for part in k.split("_"))]
    nearest = nearest or difflib.get_close_matches(name, known, n=1)
    guess = f" Did you mean `{nearest[0]}`?" if nearest else f" It takes: {', '.join(known)}."
    return OptionTypeError(f"{where}: unexpected argument `{name}`.{guess}")


# --- kinds of plain values --------------------------------------------------------------------------------------------


def _positive_int(where: str, value: Any) -> int:
    whole = hasattr(value, "__index__") and not getattr(value, "shape", ()) and not isinstance(value, bool)
    if not whole or int(value) <= 0:
        raise OptionError(f"{where}: expected a positive integer, got {shown(value)}.")
    return int(value)


def _fraction(where: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, Real) or not 0.0 <= float(value) <= 1.0:
        raise OptionError(f"{where}: expected a number from 0 to 1, the fraction to drop, got {value!r}.")
    return float(value)


def _number(where: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, Real) or value != value:
        raise OptionError(f"{where}: expected a number, got {value!r}.")
    return cast(float, value)


def _non_negative(where: str, value: Any) -> float:
    if _number(where, value) < 0:
        raise OptionError(f"{where}: expected a number that is not negative, got {value!r}.")
    return cast(float, value)


def _text(where: str, value: Any) -> str:
    if not isinstance(value, str):
        raise OptionError(f"{where}: expected a string, got {value!r}.")
    return value


def choice(*allowed: Any) -> Kind:
    """A value that must be one of a few."""

    def read(where: str, value: Any) -> Any:
        if value not in allowed:
            raise OptionError(f"{where}: expected one of {', '.join(map(repr, allowed))}, got {value!r}.")
        return value

    return Kind(read)


def optional(kind: Kind) -> Kind:
    """The same kind, or None."""
    return Kind(
        lambda where, value: None if value is None else kind.read(where, value),
        lambda value: None if value is None else kind.plain(value),
    )


anything = Kind(lambda where, value: value)
positive_int = Kind(_positive_int)
fraction = Kind(_fraction)
number = Kind(_number)
non_negative = Kind(_non_negative)
flag = Kind(arguments.flag)
text = Kind(_text)
