"""Wording of the errors about runs and their commands, quoted once for all tests."""

from __future__ import annotations

FILE_AND_COLUMN = "expected --file PATH and --column NAME"
LAST_CHECKPOINT = "The last checkpoint is of step "
LOCKED = "is training in it. Wait for it"
MORE_STEPS = "steps; expected --steps of more"
NO_CHECKPOINT = "there is no such checkpoint"
NO_FOLDER = "there is no such folder"
TEXT_ONLY = "only runs of the task 'text' take it"
