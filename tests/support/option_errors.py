"""Wording of the errors for wrong options, quoted once for the tests of many options."""

from __future__ import annotations

COUNT = "expected a whole number of 0 or more"
BELOW_1 = "expected a number from 0 to below 1"
FUNCTION = "expected a function"
NUMBER_FROM_0 = "expected a number of 0 or more"
POSITIVE_INTEGER = "expected a positive integer"
STRING = "expected a string"
