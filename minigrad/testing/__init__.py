"""Checks of user code: gradients (`gradients`), cells (`cells`, `tape`), and backends (`backends`, `backend_cases`)."""

from minigrad.testing.backends import check_backend
from minigrad.testing.cells import check_cell
from minigrad.testing.gradients import check_gradient
from minigrad.testing.tape import on_tape

__all__ = ["check_backend", "check_cell", "check_gradient", "on_tape"]
