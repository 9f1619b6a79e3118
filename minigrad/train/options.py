"""Options of a run, each described once for the command line, config.json and the checks.

An option is a field of a frozen dataclass, which states its name, type, default, limits and help text once. The type
and the limits make its `Kind`, which checks a value as it does an argument of a layer. A command line (`add_options`,
`Options.from_text`) adds the reading of texts, and the file ``config.json`` (`Options.to_dict`, `Options.from_dict`)
names and values:

    >>> from dataclasses import dataclass
    >>> @dataclass(frozen=True, kw_only=True)
    ... class Walk(Options):
    ...     steps: int = option(10, "how many steps", minimum=1)
    >>> Walk(steps=3).to_dict()
    {'steps': 3}
    >>> Walk(steps=0)
    Traceback (most recent call last):
    minigrad.engine.errors.OptionError: --steps: expected a positive integer, got 0.
"""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self

from minigrad.engine import kinds
from minigrad.engine.arguments import among
from minigrad.engine.errors import shown, unknown_name
from minigrad.engine.kinds import Kind
from minigrad.train.errors import OptionError

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

    The field's type is int, float, str or bool, or one of these ``| None``.

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
    limits = {"minimum": minimum, "above": above, "maximum": maximum, "ceiling": ceiling}
    of_text = {"choices": choices, "or_like": or_like}
    return dataclasses.field(default=default, metadata={"help": help, **limits, **of_text})


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
    """Description of one option, read from its field.

    Attributes:
        name: the field's name.
        type: int, float, str or bool.
        kind: the values allowed.
        default: the default value.
        help: the text of the option on the command line.
        choices: the words allowed; empty if others are.
    """

    name: str
    type: type
    kind: Kind
    default: Any
    help: str
    choices: tuple[str, ...]

    @property
    def flag(self) -> str:
        """Flag on the command line: ``--learning-rate`` for ``learning_rate``."""
        return "--" + self.name.replace("_", "-")

    def validate(self, value: Any) -> Any:
        """Return the value, with an int converted for an option of type float; raise OptionError if invalid."""
        value = self.kind.read(self.flag, value)
        return float(value) if self.type is float and value is not None else value

    def parse(self, text: str) -> Any:
        """Return the value that a text stands for; raise OptionError if there is none."""
        try:
            value = PARSERS[self.type](text)
        except (KeyError, ValueError):
            value = text  # which the check refuses
        return self.validate(value)


PARSERS: dict[type, Callable[[str], Any]] = {
    int: int,
    float: float,
    bool: lambda text: {"true": True, "false": False}[text.lower()],
    str: str,
}
"""Type of an option → the conversion of a text."""


def option_specs(options: type[Options]) -> list[OptionSpec]:
    """Return the descriptions of all options of a class, in order."""
    hints = typing.get_type_hints(options)
    return [_spec(options, field, hints[field.name]) for field in dataclasses.fields(options)]


def _spec(options: type[Options], field: dataclasses.Field[Any], hint: Any) -> OptionSpec:
    parts = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
    plain = [part for part in parts if part is not type(None)]
    if len(plain) != 1 or plain[0] not in PARSERS:
        where = f"{options.__name__}: `{field.name}`"
        raise OptionError(f"{where}: expected the type int, float, str or bool, or one of them | None, got {hint}.")
    kind = _kind(plain[0], **{name: value for name, value in field.metadata.items() if name != "help"})
    kind = kinds.optional(kind) if len(parts) > 1 else kind
    return OptionSpec(field.name, plain[0], kind, field.default, field.metadata["help"], field.metadata["choices"])


def _kind(of: type, choices: tuple[str, ...], or_like: str, ceiling: int | None, **limits: Any) -> Kind:
    """Return the kind of values of a type within the limits of an option."""
    if choices:
        return kinds.choice(*choices, other=or_like, is_other=lambda text: _is_like(or_like, text))
    if of is int:
        return kinds.whole(limits["minimum"], limits["maximum"], ceiling=ceiling or MAX_INTEGER)
    if of is float:
        return kinds.real(**limits, ceiling=ceiling)
    return kinds.flag if of is bool else kinds.text


def _is_like(form: str, text: str) -> bool:
    """Return whether a text has a form such as ``module:Name``: identifiers with the same separators."""
    pattern = re.sub(r"\w+", r"[A-Za-z_][\\w.]*", re.escape(form))
    return bool(form) and len(text) <= 200 and re.fullmatch(pattern, text) is not None


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
    """Return ``N`` for a count, ``X`` for a number, the choices, or the last word of the option's name."""
    if each.choices:
        return "{" + ",".join(each.choices) + "}"
    return {int: "N", float: "X", bool: "{true,false}"}.get(each.type) or each.name.rsplit("_", 1)[-1].upper()
