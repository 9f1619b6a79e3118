"""Wording of the errors for wrong options, quoted once for the tests of many options."""

from __future__ import annotations

COUNT = "expected a whole number of 0 or more"
FLAG = "expected True or False"
FOLDER_AS_FILE = "expected a file to write, got a folder."
FUNCTION = "expected a function"
NAMED_FILE = "expected the path of a file, got "
NUMBER_FROM = "expected a number from"
BELOW_1 = f"{NUMBER_FROM} 0 to below 1"
FRACTION = f"{NUMBER_FROM} 0 to 1"
FRACTION_TO_DROP = f"{FRACTION}, the fraction to drop"
NUMBER_FROM_0 = "expected a number of 0 or more"
POSITIVE = "expected a number above 0"
POSITIVE_INTEGER = "expected a positive integer"
STRING = "expected a string"
TWICE = "twice, by position and by name"
