"""Archives that are equal for equal contents, with file names that every system can write."""

from __future__ import annotations

import os
import re
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from lessons.builder.percent import LessonError

Files = dict[str, bytes]
"""Path inside an archive, with ``/`` between its parts, and the content."""

WHEN = (2020, 2, 2, 0, 0, 0)  # the timestamp of every file
READABLE = 0o100644 << 16  # an ordinary file that its owner may write
RESERVED = re.compile(r'[<>:"\\|?*\x00-\x1f]|[. ]$|^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)', re.IGNORECASE)
LONGEST = 120  # characters: Windows allows 260, with the folder


def write_archive(path: Path, files: Files) -> None:
    """Write a zip archive; equal files give equal bytes.

    Raises:
        LessonError: a name is not allowed on Windows.
    """
    require_portable(files)
    temporary = path.with_name(f".{path.name}.tmp")
    with ZipFile(temporary, "w", ZIP_DEFLATED, compresslevel=9) as archive:
        for name in sorted(files):
            entry = ZipInfo(name, WHEN)
            entry.create_system, entry.external_attr, entry.compress_type = 3, READABLE, ZIP_DEFLATED
            archive.writestr(entry, files[name], compresslevel=9)
    os.replace(temporary, path)


def require_portable(names: Files) -> None:
    """Raise if Windows cannot write one of the files, or would write two of them to one place."""
    seen: dict[str, str] = {}
    for name in sorted(names):
        wrong = not name.isascii() or len(name) > LONGEST or any(RESERVED.search(part) for part in name.split("/"))
        if wrong or not all(name.split("/")):
            raise LessonError(
                f"{name!r} is not a file name on every system: choose a short ASCII name that is not reserved"
            )
        if (other := seen.setdefault(name.lower(), name)) != name:
            raise LessonError(f"{other!r} and {name!r} are one file on Windows: rename one of them")
