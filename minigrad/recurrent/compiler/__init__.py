"""The compiler of cells: from the equations of any cell to a description, in passes."""

from minigrad.recurrent.compiler.passes import describe

__all__ = ["describe"]
