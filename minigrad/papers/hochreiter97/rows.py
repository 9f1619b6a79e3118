"""All rows of Tables 1 to 9, by table."""

from __future__ import annotations

from minigrad.papers.hochreiter97 import (
    experiment_1,
    experiment_2,
    experiment_3,
    experiment_4,
    experiment_5,
    experiment_6,
)
from minigrad.papers.row import Row

EXPERIMENTS = (experiment_1, experiment_2, experiment_3, experiment_4, experiment_5, experiment_6)
ROWS: tuple[Row, ...] = tuple(row for experiment in EXPERIMENTS for row in experiment.ROWS)
TABLES = sorted({row.table for row in ROWS})
