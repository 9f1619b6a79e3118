"""Options of a run, each described once for the command line, config.json and the checks.

An option is a field of a frozen dataclass, which states its name, type, default, limits and help
text once. From it come the command line (`add_options`, `Options.from_text`), the check of values,
the file ``config.json`` (`Options.to_dict`) and its reader (`Options.from_dict`):

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

from minigrad.engine.arguments import among
from minigrad.engine.errors import shown, unknown_name
from minigrad.train.errors import OptionError, shortened

MAX_INTEGER = 2**128  # of an option: any seed, and still a float


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
        default: the default value.
        help: the text of the option on the command line, one line.
        minimum: the smallest value allowed.
        above: a limit that the value must exceed.
        maximum: the largest value allowed.
        ceiling: a bound far above useful values; only the error for a larger value names it.
        choices: the words allowed.
        or_like: the form of further allowed texts, such as ``"module:Name"``: identifiers with separators.
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


def adapted(base: Any, name: str, default: Any) -> Any:
    """Return an option of `base` with another default; its help text and limits stay those of `base`."""
    if not isinstance(base, type) or not issubclass(base, Options):
        raise OptionError(f"adapted: expected `base`, a subclass of Options, got {shown(base)}.")
    fields = {field.name: field for field in dataclasses.fields(base)}
    if not among(name, fields):
        raise unknown_name("adapted: `name`", name, fields)
    field = fields[name]
    return dataclasses.field(default=default, metadata=field.metadata)


@dataclass(frozen=True, kw_only=True)
class Options:
    """Base of every set of options: checks of values, conversion to JSON and back."""

    def __post_init__(self) -> None:
        for each in option_specs(type(self)):
            value = each.validate(getattr(self, each.name))
            object.__setattr__(self, each.name, value)

    def to_dict(self) -> dict[str, Any]:
        """Return the options as plain values, in the order of declaration."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], source: str = "options") -> Self:
        """Return the options that `values` holds; absent ones take their defaults.

        Args:
            values: name → value, for example read from ``config.json``.
            source: the origin of the values, for messages.

        Raises:
            OptionError: a name is unknown or a value is not allowed.
        """
        known = [each.name for each in option_specs(cls)]
        for name in values:
            if name not in known:
                raise OptionError(str(unknown_name(f"{source}: option", str(name)[:80], known)))
        try:
            return cls(**values)
        except OptionError as error:
            raise OptionError(f"{source}: {error}") from None

    @classmethod
    def from_text(cls, values: Mapping[str, str | None]) -> Self:
        """Return the options of a command line.

        Args:
            values: name → text as typed, or None for the default.
        """
        given = {each: values.get(each.name) for each in option_specs(cls)}
        return cls(**{each.name: each.parse(text) for each, text in given.items() if text is not None})


@dataclass(frozen=True)
class OptionSpec:
    """Description of one option, read from its field."""

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
        """Flag on the command line: ``--learning-rate`` for ``learning_rate``."""
        return "--" + self.name.replace("_", "-")

    def expected(self) -> str:
        """Return the allowed values in words."""
        if self.choices:
            return "one of " + ", ".join(self.choices) + (f", or {self.or_like}" if self.or_like else "")
        kind = {int: "a whole number", float: "a number", str: "text"}[self.kind]
        limits = [
            f"{word} {limit:g}"
            for word, limit in (
                ("of at least", self.minimum),
                ("above", self.above),
                ("of at most", self.maximum),
            )
            if limit is not None
        ]
        return " ".join([kind, " and ".join(limits)]) if limits else kind

    def validate(self, value: Any) -> Any:
        """Return the value, with an int converted for an option of type float; raise OptionError if invalid."""
        if value is None and self.optional:
            return None
        ceiling = self.ceiling or (MAX_INTEGER if type(value) is int else math.inf)
        if type(value) in (int, float) and value > ceiling:
            raise OptionError(f"{self.flag}: expected at most {ceiling:,}, got {shortened(value)}.")
        if self.kind is float and type(value) is int and value > -MAX_INTEGER:
            value = float(value)
        if self.choices and isinstance(value, str) and value not in self.choices and not self._is_like(value):
            hint = f"Or write {self.or_like}." if self.or_like else ""
            raise OptionError(str(unknown_name(self.flag, value[:80], self.choices, hint)))
        if type(value) is not self.kind or not self._allows(value):
            raise OptionError(f"{self.flag}: expected {self.expected()}, got {shortened(value)}.")
        return value

    def parse(self, text: str) -> Any:
        """Return the value that a text stands for; raise OptionError if there is none."""
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


def option_specs(options: type[Options]) -> list[OptionSpec]:
    """Return the descriptions of all options of a class, in order."""
    hints = typing.get_type_hints(options)
    descriptions = []
    for field in dataclasses.fields(options):
        kind, optional = _kind(hints[field.name])
        descriptions.append(OptionSpec(field.name, kind, optional, field.default, **field.metadata))
    return descriptions


def _kind(hint: Any) -> tuple[type, bool]:
    """Split ``int | None`` into (int, True) and ``int`` into (int, False)."""
    if isinstance(hint, types.UnionType):
        (kind,) = (part for part in typing.get_args(hint) if part is not type(None))
        return kind, True
    return hint, False


class ArgumentParserLike(Protocol):
    """The one method of `argparse.ArgumentParser` that `add_options` calls."""

    def add_argument(self, *names: str, **settings: Any) -> Any:
        """Add one option to the command line."""


def add_options(parser: ArgumentParserLike, options: type[Options]) -> None:
    """Add every option to a command line; options that the user omits are None.

    The parser only collects texts. `Options.from_text` reads them, so that errors have minigrad's wording.
    """
    for each in option_specs(options):
        shown = "" if each.default in (None, "") else f" (default: {each.default})"
        parser.add_argument(
            each.flag,
            metavar=_metavar(each),
            help=(each.help + shown).replace("%", "%%"),
        )


def _metavar(each: OptionSpec) -> str:
    """Return ``N`` for a count, ``X`` for a number, the list of choices, or the last word of the option's name."""
    if each.choices:
        return "{" + ",".join(each.choices) + "}"
    return {int: "N", float: "X"}.get(each.kind) or each.name.rsplit("_", 1)[-1].upper()
