"""Wording of the errors about files, quoted once for all tests."""

from __future__ import annotations

CANNOT_READ = "cannot be read:"
EMPTY = "expected text, got an empty file"
IN_A_FILE_OF = " bytes, in a file of "
IS_A_FOLDER = f"{CANNOT_READ} it is a folder"
IS_NO_NPZ = "is not an .npz file"
NAME_OF_A_FILE = "expected `path`, the name of a file, got "
NOT_NPZ = f"{IS_NO_NPZ}: expected b'PK' "
NO_ARRAY = ", which is not an array"
NUMBERED = "the file is damaged: expected names numbered from 0"
OVERLAPS = "overlaps the one before it"
PLAIN_ARRAYS = "is damaged, or holds more than plain arrays"
