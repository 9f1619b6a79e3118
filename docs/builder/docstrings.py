"""Extension of Griffe, which reads docstrings for mkdocstrings: doctests, and constructors made of options."""

from __future__ import annotations

import inspect
import re
from importlib import import_module
from typing import Any

from griffe import Class, Extension, Function, Object, Parameter, ParameterKind, Parameters

DOCTEST = re.compile(r"^(?P<indent> *)>>> .*(?:\n(?P=indent)\S.*|\n(?P=indent) +\S.*)*", re.MULTILINE)
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


class Docstrings(Extension):
    """Changes of docstrings and signatures between reading and rendering."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        """Turn doctests into blocks of code."""
        if obj.docstring:
            obj.docstring.value = fenced(obj.docstring.value)

    def on_class(self, *, cls: Class, **_: Any) -> None:
        """Give a class whose constructor takes options its true signature and arguments."""
        found: Any = import_module(cls.module.path)
        for name in cls.path.removeprefix(f"{cls.module.path}.").split("."):
            found = getattr(found, name, None)
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
            inherited = (arguments(inspect.getdoc(base) or "") for base in found.__mro__[1:])
            cls.docstring.value += "\n\n" + next(filter(None, inherited), "")
