"""One description for every option of a run.

An option is a field of a frozen dataclass. Its name, type, default, limits and help text stand
there once; the command line (`add_options`, `Options.from_text`), the check of values, the file
``config.json`` (`Options.to_dict`) and its reader (`Options.from_dict`) all come from it:

    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True, kw_only=True)
    ... class Walk(Options):
    ...     steps: int = option(10, "how many steps", minimum=1)
    >>> Walk(steps=3).to_dict()
    {'steps': 3}
    >>> Walk(steps=0)
    Traceback (most recent call last):
    minigrad.engine.errors.OptionError: --steps: expected a whole number of at least 1, got 0.
"""

from __future__ import annotations

import dataclasses
import math
import re
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self

from minigrad.engine.errors import unknown_name
from minigrad.train.errors import OptionError, shortened

LARGEST = 2**128  # whole number of an option: any seed, and still a float


def option(
    default: Any,
    help: str,  # noqa: A002 (argparse's own word for it)
    *,
    minimum: float | None = None,
    above: float | None = None,
    maximum: float | None = None,
    ceiling: int | None = None,
    choices: tuple[str, ...] = (),
    or_like: str = "",
) -> Any:
    """Describe one option: a dataclass field that carries its help text and limits.

    Args:
        default: the value where the user gives none.
        help: what the option does, one line.
        minimum: the smallest value allowed.
        above: a limit that the value must exceed.
        maximum: the largest value allowed.
        ceiling: a bound far above what is useful; an error names it only where it is passed.
        choices: the words allowed.
        or_like: the form of other texts allowed beside these words, such as ``"module:Name"``: identifiers, and what is
            between them.
    """
    limits = {
        "minimum": minimum,
        "above": above,
        "maximum": maximum,
        "ceiling": ceiling,
        "choices": choices,
        "or_like": or_like,
    }
    return dataclasses.field(default=default, metadata={"help": help, **limits})


def adapted(base: type[Options], name: str, default: Any) -> Any:
    """Describe an option that `base` has already, with another default: its text stays there."""
    (field,) = (f for f in dataclasses.fields(base) if f.name == name)
    return dataclasses.field(default=default, metadata=field.metadata)


@dataclass(frozen=True, kw_only=True)
class Options:
    """Base of every set of options: checks values, and turns into JSON and back."""

    def __post_init__(self) -> None:
        for each in describe(type(self)):
            value = each.checked(getattr(self, each.name))
            object.__setattr__(self, each.name, value)

    def to_dict(self) -> dict[str, Any]:
        """Return the options as plain values, in the order in which they are declared."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], source: str = "options") -> Self:
        """Return the options that `values` holds; what is absent takes its default.

        Args:
            values: name to value, e.g. read from ``config.json``.
            source: what to call the place they come from in an error.

        Raises:
            OptionError: a name is unknown or a value is not allowed.
        """
        known = [each.name for each in describe(cls)]
        for name in values:
            if name not in known:
                raise OptionError(str(unknown_name(f"{source}: option", str(name)[:80], known)))
        try:
            return cls(**values)
        except OptionError as error:
            raise OptionError(f"{source}: {error}") from None

    @classmethod
    def from_text(cls, values: Mapping[str, str | None]) -> Self:
        """Return the options of a command line: text as it was typed, or None for the default."""
        given = {each: values.get(each.name) for each in describe(cls)}
        return cls(**{each.name: each.parsed(text) for each, text in given.items() if text is not None})


@dataclass(frozen=True)
class Description:
    """What is known of one option, read from its field."""

    name: str
    kind: type
    optional: bool
    default: Any
    help: str
    minimum: float | None
    above: float | None
    maximum: float | None
    ceiling: int | None
    choices: tuple[str, ...]
    or_like: str

    @property
    def flag(self) -> str:
        """The option as it is typed: ``learning_rate`` is ``--learning-rate``."""
        return "--" + self.name.replace("_", "-")

    def expected(self) -> str:
        """Say in words what values are allowed."""
        if self.choices:
            return "one of " + ", ".join(self.choices) + (f", or {self.or_like}" if self.or_like else "")
        what = {int: "a whole number", float: "a number", str: "text"}[self.kind]
        limits = [
            f"{word} {limit:g}"
            for word, limit in (
                ("of at least", self.minimum),
                ("above", self.above),
                ("of at most", self.maximum),
            )
            if limit is not None
        ]
        return " ".join([what, " and ".join(limits)]) if limits else what

    def checked(self, value: Any) -> Any:
        """Return the value, an int as a float where a float is meant; raises OptionError."""
        if value is None and self.optional:
            return None
        ceiling = self.ceiling or (LARGEST if type(value) is int else math.inf)
        if type(value) in (int, float) and value > ceiling:
            raise OptionError(f"{self.flag}: expected at most {ceiling:,}, got {shortened(value)}.")
        if self.kind is float and type(value) is int and value > -LARGEST:
            value = float(value)
        if self.choices and isinstance(value, str) and value not in self.choices and not self._is_like(value):
            hint = f"Or write {self.or_like}." if self.or_like else ""
            raise OptionError(str(unknown_name(self.flag, value[:80], self.choices, hint)))
        if type(value) is not self.kind or not self._allows(value):
            raise OptionError(f"{self.flag}: expected {self.expected()}, got {shortened(value)}.")
        return value

    def parsed(self, text: str) -> Any:
        """Return the value that a text stands for; raises OptionError."""
        try:
            return self.kind(text)
        except ValueError:
            raise OptionError(f"{self.flag}: expected {self.expected()}, got {shortened(text)}.") from None

    def _is_like(self, value: str) -> bool:
        form = re.sub(r"\w+", r"[A-Za-z_][\\w.]*", re.escape(self.or_like))
        return bool(self.or_like) and len(value) <= 200 and re.fullmatch(form, value) is not None

    def _allows(self, value: Any) -> bool:
        if self.kind is str:
            return True
        return (
            (self.kind is int or math.isfinite(value))
            and (self.minimum is None or value >= self.minimum)
            and (self.above is None or value > self.above)
            and (self.maximum is None or value <= self.maximum)
        )


def describe(options: type[Options]) -> list[Description]:
    """Return the descriptions of all options of a class, in order."""
    hints = typing.get_type_hints(options)
    descriptions = []
    for field in dataclasses.fields(options):
        kind, optional = _kind(hints[field.name])
        descriptions.append(Description(field.name, kind, optional, field.default, **field.metadata))
    return descriptions


def _kind(hint: Any) -> tuple[type, bool]:
    """Split ``int | None`` into (int, True) and ``int`` into (int, False)."""
    if isinstance(hint, types.UnionType):
        (kind,) = (part for part in typing.get_args(hint) if part is not type(None))
        return kind, True
    return hint, False


class Parser(Protocol):
    """The one method of `argparse.ArgumentParser` that is needed: argparse stays in the CLI."""

    def add_argument(self, *names: str, **settings: Any) -> Any:
        """Add one option to the command line."""


def add_options(parser: Parser, options: type[Options]) -> None:
    """Offer every option on a command line; what the user does not give is None.

    The parser only collects texts: `Options.from_text` reads them, so an error is ours.
    """
    for each in describe(options):
        shown = "" if each.default in (None, "") else f" (default: {each.default})"
        parser.add_argument(
            each.flag,
            metavar=_metavar(each),
            help=(each.help + shown).replace("%", "%%"),
        )


def _metavar(each: Description) -> str:
    """``N`` for a count, ``X`` for a number; words are listed; a text is called by the last word of its name."""
    if each.choices:
        return "{" + ",".join(each.choices) + "}"
    return {int: "N", float: "X"}.get(each.kind) or each.name.rsplit("_", 1)[-1].upper()
