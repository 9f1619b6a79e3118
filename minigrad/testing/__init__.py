"""Checks for operations, layers, cells and backends that users write."""

from minigrad.testing.backends import check_backend
from minigrad.testing.cells import check_cell, on_tape
from minigrad.testing.gradients import check_gradient

__all__ = ["check_backend", "check_cell", "check_gradient", "on_tape"]
