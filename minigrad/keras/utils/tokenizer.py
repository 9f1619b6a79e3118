"""Texts as numbers: words or letters counted, and numbered by their frequency."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

from minigrad.engine.arguments import dictionary, entries
from minigrad.engine.errors import DataError, shown
from minigrad.engine.kinds import choice, count, flag, optional, positive_int
from minigrad.engine.kinds import text as a_text
from minigrad.engine.untrusted import parse_json

FILTERS = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
_TABLES = ("word_counts", "word_docs", "index_docs", "index_word", "word_index")


def text_to_word_sequence(input_text: str, filters: str = FILTERS, lower: bool = True, split: str = " ") -> list[str]:
    """Return the words of a text.

    Args:
        input_text: the text.
        filters: the letters that separate words too.
        lower: whether to write the words in small letters.
        split: the separator.

    >>> text_to_word_sequence("The cat, the mat.")
    ['the', 'cat', 'the', 'mat']
    """
    given: str = a_text.read("text_to_word_sequence: `input_text`", input_text)
    separators: dict[str, Any] = dict.fromkeys(filters, split)
    given = (given.lower() if lower else given).translate(str.maketrans(separators))
    return [word for word in given.split(split) if word]


class Tokenizer:
    """Numbers for words: the most frequent is 1, or 2 after an `oov_token`; 0 stays for padding.

    Args:
        num_words: the numbers below this one alone are used in sequences and matrices.
        filters: the letters that separate words.
        lower: whether to read all letters as small ones.
        split: the separator of words.
        char_level: whether every letter is a word.
        oov_token: the word that stands for unknown words; without it they are left out.
        analyzer: a function that returns the words of a text.
        document_count: the number of texts so far.

    Attributes:
        word_counts: the number of times that each word was read.
        word_docs: the number of texts with each word.
        index_docs: the same by the word's number.
        word_index: the number of each word.
        index_word: the word of each number.

    >>> tokenizer = Tokenizer(oov_token="?")
    >>> tokenizer.fit_on_texts(["the cat and the mat"])
    >>> tokenizer.texts_to_sequences(["the dog and the cat"])
    [[2, 1, 4, 2, 3]]
    """

    def __init__(
        self,
        num_words: int | None = None,
        filters: str = FILTERS,
        lower: bool = True,
        split: str = " ",
        char_level: bool = False,
        oov_token: str | None = None,
        analyzer: Callable[[str], list[str]] | None = None,
        document_count: int = 0,
    ) -> None:
        self.num_words: int | None = optional(positive_int).read("Tokenizer: `num_words`", num_words)
        self.filters: str = a_text.read("Tokenizer: `filters`", filters)
        self.lower: bool = flag.read("Tokenizer: `lower`", lower)
        self.split: str = a_text.read("Tokenizer: `split`", split)
        self.char_level: bool = flag.read("Tokenizer: `char_level`", char_level)
        self.oov_token: str | None = optional(a_text).read("Tokenizer: `oov_token`", oov_token)
        self.document_count: int = count.read("Tokenizer: `document_count`", document_count)
        self.analyzer = analyzer
        self.word_counts, self.word_docs, self.index_docs = Counter[str](), Counter[str](), Counter[int]()
        self.word_index: dict[str, int] = {}
        self.index_word: dict[int, str] = {}

    # --- counting -----------------------------------------------------------------------------------------------------

    def fit_on_texts(self, texts: Iterable[Any]) -> None:
        """Count the words of texts, each a string or a list of words, and number all words so far."""
        for words in self._words(texts):
            self.document_count += 1
            self.word_counts.update(words)
            self.word_docs.update(set(words))
        ranked = [word for word, _ in self.word_counts.most_common()]  # equal ones in the order of their first use
        ranked = ranked if self.oov_token is None else [self.oov_token, *ranked]
        self.word_index = {word: k for k, word in enumerate(ranked, 1)}
        self.index_word = {k: word for word, k in self.word_index.items()}
        for word, texts_with in self.word_docs.items():
            self.index_docs[self.word_index[word]] = texts_with

    def fit_on_sequences(self, sequences: Iterable[Iterable[int]]) -> None:
        """Count the sequences in which each number occurs, for `sequences_to_matrix`."""
        for sequence in _listed("fit_on_sequences: `sequences`", sequences):
            self.document_count += 1
            self.index_docs.update(set(sequence))

    # --- texts and sequences ------------------------------------------------------------------------------------------

    def texts_to_sequences(self, texts: Iterable[Any]) -> list[list[int]]:
        """Return the numbers of the words of each text."""
        return list(self.texts_to_sequences_generator(texts))

    def texts_to_sequences_generator(self, texts: Iterable[Any]) -> Iterator[list[int]]:
        """Yield the numbers of the words of each text."""
        for words in self._words(texts):
            yield self._known(map(self.word_index.get, words))

    def sequences_to_texts(self, sequences: Iterable[Iterable[int]]) -> list[str]:
        """Return the words of each sequence of numbers, separated by a space."""
        return list(self.sequences_to_texts_generator(sequences))

    def sequences_to_texts_generator(self, sequences: Iterable[Iterable[int]]) -> Iterator[str]:
        """Yield the words of each sequence of numbers, separated by a space."""
        for sequence in _listed("sequences_to_texts: `sequences`", sequences):
            numbers = self._known(number if number in self.index_word else None for number in sequence)
            yield " ".join(self.index_word[number] for number in numbers)

    def _words(self, texts: Iterable[Any]) -> Iterator[list[str]]:
        for given in _listed("Tokenizer: `texts`", texts):
            if self.char_level or isinstance(given, list):
                yield [part.lower() if self.lower else part for part in given]
            elif self.analyzer is None:
                yield text_to_word_sequence(given, self.filters, self.lower, self.split)
            else:
                yield self.analyzer(given)

    def _known(self, numbers: Iterable[int | None]) -> list[int]:
        """Return the numbers, that of `oov_token` in place of None and of those from `num_words` on."""
        unknown = None if self.oov_token is None else self.word_index.get(self.oov_token)
        limit = self.num_words
        read = (unknown if n is None or (limit and n >= limit) else n for n in numbers)
        return [n for n in read if n is not None]

    # --- matrices -----------------------------------------------------------------------------------------------------

    def texts_to_matrix(self, texts: Iterable[Any], mode: str = "binary") -> Any:
        """Return a row for each text; see `sequences_to_matrix`."""
        return self.sequences_to_matrix(self.texts_to_sequences(texts), mode)

    def sequences_to_matrix(self, sequences: Iterable[Iterable[int]], mode: str = "binary") -> Any:
        """Return a row for each sequence, a NumPy array (sequences, numbers).

        Args:
            sequences: lists of numbers.
            mode: ``"binary"``, 1 for a number that occurs; ``"count"``, how often it occurs; ``"freq"``, its share;
                ``"tfidf"``, (1 + ln count) ln(1 + texts / (1 + texts with the word)).

        Raises:
            DataError: there are no words yet, or with ``"tfidf"`` no texts.
        """
        choice("binary", "count", "freq", "tfidf").read("sequences_to_matrix: `mode`", mode)
        columns = self.num_words or (len(self.word_index) + 1 if self.word_index else None)
        if columns is None or (mode == "tfidf" and not self.document_count):
            raise DataError("sequences_to_matrix: expected words; call fit_on_texts first, or give `num_words`.")
        rows = _listed("sequences_to_matrix: `sequences`", sequences)
        found = np.zeros((len(rows), columns))
        for k, sequence in enumerate(rows):
            for number, times in Counter(n for n in sequence if n < columns).items():
                found[k, number] = self._entry(mode, number, times, len(sequence))
        return found

    def _entry(self, mode: str, number: int, times: int, length: int) -> Any:
        if mode == "tfidf":
            rarity = np.log(1 + self.document_count / (1 + self.index_docs.get(number, 0)))
            return (1 + np.log(times)) * rarity
        return {"binary": 1, "count": times, "freq": times / length}[mode]

    # --- as plain values ----------------------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        """Return the arguments, and the tables as JSON texts, as Keras does."""
        names = ("num_words", "filters", "lower", "split", "char_level", "oov_token", "document_count")
        return {name: getattr(self, name) for name in names} | {
            name: json.dumps(getattr(self, name)) for name in _TABLES
        }

    def to_json(self, **kwargs: Any) -> str:
        """Return the class and the configuration as JSON; `kwargs`: for `json.dumps`."""
        return json.dumps({"class_name": type(self).__name__, "config": self.get_config()}, **kwargs)


def tokenizer_from_json(json_string: str) -> Tokenizer:
    """Return the tokenizer that `Tokenizer.to_json` described.

    Raises:
        DataError: the text does not describe one.
    """
    where = "tokenizer_from_json: `json_string`"
    try:
        config = dictionary(where, parse_json(a_text.read(where, json_string).encode("utf-8"))).get("config")
        config = dictionary(where, config)
        tables = {name: parse_json(config.pop(name).encode("utf-8")) for name in _TABLES}
        found = Tokenizer(**config)
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise DataError(f"{where}: expected a text of Tokenizer.to_json, got {shown(json_string)}.") from error
    by_number = {"index_docs", "index_word"}
    for name, table in tables.items():
        getattr(found, name).update({int(k): v for k, v in table.items()} if name in by_number else table)
    return found


def _listed(where: str, given: Any) -> list[Any]:
    found = entries(given)
    if found is None or isinstance(given, (str, bytes)):
        raise DataError(f"{where}: expected a list of texts or of sequences, got {shown(given)}.")
    return found
