"""Extension of Griffe, which reads docstrings for mkdocstrings: doctests, and constructors made of options."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from importlib import import_module
from typing import Any

from griffe import Class, Extension, Function, Object, Parameter, ParameterKind, Parameters

from docs.builder import equations
from docs.builder.formulas import with_formulas

DOCTEST = re.compile(r"^(?P<indent> *)>>> .*(?:\n(?P=indent)\S.*|\n(?P=indent) +\S.*)*", re.MULTILINE)
ENTRY = re.compile(r"^    (\w+): .*\n?(?:^     +.*\n?)*", re.MULTILINE)
KINDS = {
    inspect.Parameter.POSITIONAL_ONLY: ParameterKind.positional_only,
    inspect.Parameter.POSITIONAL_OR_KEYWORD: ParameterKind.positional_or_keyword,
    inspect.Parameter.VAR_POSITIONAL: ParameterKind.var_positional,
    inspect.Parameter.KEYWORD_ONLY: ParameterKind.keyword_only,
    inspect.Parameter.VAR_KEYWORD: ParameterKind.var_keyword,
}


def fenced(docstring: str) -> str:
    """Return a docstring with its doctests as blocks of code: in Markdown, ``>>>`` is a quotation in a quotation."""
    return DOCTEST.sub(lambda test: f"{test['indent']}```pycon\n{test[0]}\n{test['indent']}```", docstring)


def arguments(docstring: str) -> str:
    """Return the section on arguments of a docstring, or an empty string."""
    section = re.search(r"^Args:\n(?:(?: .*)?\n?)*", docstring, re.MULTILINE)
    return section[0].rstrip() if section else ""


def entries(docstring: str) -> dict[str, str]:
    """Return the lines on each argument in the section of a docstring, by the argument's name."""
    return {found[1]: found[0].rstrip() for found in ENTRY.finditer(arguments(docstring))}


def inherited_arguments(found: type, names: Iterable[str]) -> str:
    """Return a section on these arguments, from the docstrings of the base classes and of the cell of a layer."""
    bases = [*found.__mro__, *getattr(getattr(found, "cell_class", None), "__mro__", ())]
    known: dict[str, str] = {}
    for base in bases:
        known = {**entries(inspect.getdoc(base) or ""), **known}
    lines = [known[name] for name in names if name in known]
    return "\n".join(["Args:", *lines]) if lines else ""


def with_equations(docstring: str, described: object) -> str:
    """Return the docstring of a cell or of a layer with the equations of a step, typeset, after its first paragraph.

    Equations themselves get their gradient too. Any other docstring is returned as it is.
    """
    found = equations.equations_of(described)
    if found is None:
        return docstring
    parts = [equations.forward(found)] + [equations.backward(found)] * (found is described)
    first, _, rest = docstring.partition("\n\n")
    return "\n\n".join([first, with_formulas("\n\n".join(parts)), rest])


def public_name(base: str) -> str | None:
    """Return the address of a base class of the second generation, which has another name in the source."""
    return f"minigrad.compat.v1.keras.layers.{base[:-2]}" if base.endswith("V1") else None


class Docstrings(Extension):
    """Changes of docstrings and signatures between reading and rendering."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        """Turn doctests into blocks of code."""
        if obj.docstring:
            obj.docstring.value = fenced(obj.docstring.value)

    def on_class(self, *, cls: Class, **_: Any) -> None:
        """Give a class whose constructor takes options its true signature and arguments, and a cell its formulas."""
        found: Any = import_module(cls.module.path)
        for name in cls.path.removeprefix(f"{cls.module.path}.").split("."):
            found = getattr(found, name, None)
        if cls.docstring and not cls.is_alias:
            cls.docstring.value = with_equations(cls.docstring.value, found)
        signature = getattr(found, "__signature__", None)
        if not isinstance(signature, inspect.Signature):
            return
        parameters = [
            Parameter(p.name, kind=KINDS[p.kind], default=None if p.default is p.empty else repr(p.default))
            for p in signature.parameters.values()
        ]
        made = Parameters(Parameter("self"), *parameters)
        lines = {"lineno": cls.lineno, "endlineno": cls.endlineno}  # what is shown as the constructor's source
        cls.set_member("__init__", Function("__init__", parameters=made, parent=cls, **lines))
        if cls.docstring and not arguments(cls.docstring.value):
            cls.docstring.value += "\n\n" + inherited_arguments(found, signature.parameters)
        cls.bases = [public_name(str(base)) or base for base in cls.bases]
