"""The text of lesson 0: a file, a pasted string or the built-in tales; and what shows and measures a written text."""

from __future__ import annotations

import re
import unicodedata
import warnings
from collections import Counter
from pathlib import Path

TALES = Path(__file__).with_name("tales.txt")
LEAST = 500  # characters
MOST = 2_000_000
ALPHABET = 300  # different characters: one net of lesson 0 still trains in seconds
UNKNOWN = "\N{REPLACEMENT CHARACTER}"

warnings.filterwarnings("ignore", message=r"Glyph \d+ .* missing")  # matplotlib draws a box for such a character


class TextError(ValueError):
    """Raised when a text cannot be used. Jupyter shows the message alone."""

    def _render_traceback_(self) -> list[str]:
        return [f"class_text: {self}"]


class Written:
    """Text that a notebook shows as it is, with its line ends."""

    def __init__(self, *parts: str) -> None:
        self.text = "\n".join(parts)

    def __repr__(self) -> str:
        """Return the text."""
        return self.text


def class_text(source: str | Path | None = None) -> str:
    r"""Return the text to learn from, with line ends as ``\n``.

    Args:
        source: the name of a UTF-8 file, or the text itself. None takes the built-in tales.

    Raises:
        TextError: there is no such file, it is not UTF-8, or the text is empty, too short or one character repeated.
    """
    if not isinstance(source, (str, Path, type(None))):
        raise TextError(f"expected a file's name or a text in quotes, got {type(source).__name__}.")
    text = _from_file(Path(source or TALES)) if _is_name(source) else str(source)
    text = text.encode("utf-8", "replace").decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
    text = unicodedata.normalize("NFC", text).strip() + "\n"
    if not text.strip():
        raise TextError("the text is empty. Paste at least ten lines, or name a file.")
    if len(text) < LEAST:
        raise TextError(
            f"expected at least {LEAST} characters, about ten lines, got {len(text)}. Paste more, or name a file."
        )
    if len(set(text[:-1])) < 2:
        raise TextError(f"expected at least two different characters, got {text[0]!r} only. Take another text.")
    return _without_rare(_cut(text))


def _is_name(source: str | Path | None) -> bool:
    """Return whether a source names a file: a path, an existing file, or one line that ends like a file's name."""
    if not isinstance(source, str):
        return True
    if not source.strip() or "\n" in source or len(source) > 255 or "\0" in source:
        return False
    return Path(source).exists() or re.search(r"\.(txt|md|csv|html?|docx?|pdf|rtf|odt|py)$", source.lower()) is not None


def _from_file(path: Path) -> str:
    """Return the text of a UTF-8 file."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise TextError(
            f"cannot read {str(path)!r}: {error.strerror}. Put the file next to this notebook, or paste the text."
        ) from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise TextError(
            f"expected UTF-8 text in {str(path)!r}, got other bytes. Open it in an editor and save it as plain text, "
            "UTF-8."
        ) from None


def _cut(text: str) -> str:
    """Return the beginning of a very long text."""
    if len(text) > MOST:
        print(f"The text has {len(text):,} characters; the first {MOST:,} are used.")
    return text[:MOST]


def _without_rare(text: str) -> str:
    """Return the text with its rarest characters replaced, if it has too many different ones."""
    counts = Counter(text)
    if len(counts) <= ALPHABET:
        return text
    kept = {character for character, _ in counts.most_common(ALPHABET - 1)}
    lost = sum(count for character, count in counts.items() if character not in kept)
    print(
        f"The text has {len(counts):,} different characters. The {ALPHABET - 1} most frequent are kept; "
        f"{lost / len(text):.0%} of the text becomes {UNKNOWN}."
    )
    return "".join(character if character in kept else UNKNOWN for character in text)


def share_of_words(written: str, text: str) -> float:
    """Return the share of the words of `written` that are words of `text`; the last may be cut off and is left out."""
    known, found = set(_words(text)), _words(written)[:-1]
    return sum(word in known for word in found) / max(1, len(found))


def _words(text: str) -> list[str]:
    """Return the words of a text in lower case, without the marks around them."""
    return [word for word in (part.strip("\"'“”‘’«»„.,;:!?()[]-–—").lower() for part in text.split()) if word]
