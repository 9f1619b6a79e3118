"""Causes of different outputs of two cells: each convention in which they differ, and its effect."""

from minigrad.convert.difference.explain import explain_difference
from minigrad.convert.difference.table import Difference, Row

__all__ = ["Difference", "Row", "explain_difference"]
