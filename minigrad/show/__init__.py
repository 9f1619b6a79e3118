"""The text that minigrad makes of a cell's equations: formulas, JavaScript, LaTeX, compiled loops."""

from minigrad.show.forms import FORMS, shown
from minigrad.show.javascript import javascript
from minigrad.show.latex import latex
from minigrad.show.outline import outline
from minigrad.show.python import python

__all__ = ["FORMS", "javascript", "latex", "outline", "python", "shown"]
