"""The text that minigrad makes of a cell's equations: formulas, JavaScript, LaTeX, compiled loops."""

from minigrad.show.forms import FORMS, text_of
from minigrad.show.javascript import javascript
from minigrad.show.latex import latex
from minigrad.show.outline import outline
from minigrad.show.python import python

shown = text_of  # the earlier name

__all__ = ["FORMS", "javascript", "latex", "outline", "python", "shown", "text_of"]
