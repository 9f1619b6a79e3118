"""Why two cells do not give the same numbers: read both, align one convention after the other, list the effects."""

from minigrad.convert.difference.compare import explain_difference
from minigrad.convert.difference.table import Difference, Row

__all__ = ["Difference", "Row", "explain_difference"]
