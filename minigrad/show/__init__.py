"""What is made of a cell's equations, as text to read: formulas, JavaScript, typeset mathematics, compiled loops."""

from minigrad.show.forms import FORMS, shown
from minigrad.show.javascript import javascript
from minigrad.show.latex import latex
from minigrad.show.outline import outline
from minigrad.show.python import python

__all__ = ["FORMS", "javascript", "latex", "outline", "python", "shown"]
