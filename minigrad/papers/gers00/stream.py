"""The continual embedded Reber grammar: one graph whose end is its beginning, walked by random bits."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from minigrad.papers.tasks.reber import GRAPH, SYMBOLS

Bits = NDArray[np.int64]
END = 6  # the state of `GRAPH` after the last symbol of an inner string


class Graph(NamedTuple):
    """The grammar as arrays (nodes, 2): at a node a bit chooses one of two edges, which may be the same.

    Attributes:
        symbols: the symbol of the edge.
        after: the node that it leads to; node 0 begins a string.
    """

    symbols: NDArray[np.int64]
    after: NDArray[np.int64]


@cache
def graph() -> Graph:
    """Return the graph of B, T or P, an inner string, the same T or P, E, and on to the next string."""
    edges: dict[str, dict[str, str]] = {"begin": {"B": "which"}, "which": {"T": "T begin", "P": "P begin"}}
    for which in "TP":
        edges[f"{which} begin"] = {"B": f"{which} 0"}
        for state, following in enumerate(GRAPH):
            edges[f"{which} {state}"] = {symbol: f"{which} {after}" for symbol, after in following.items()}
        edges[f"{which} {END}"] = {which: "last"}
    edges["last"] = {"E": "begin"}
    names = list(edges)
    both = [[*following.items()] * (2 // len(following)) for following in edges.values()]
    symbols = np.array([[SYMBOLS.index(symbol) for symbol, _ in two] for two in both])
    return Graph(symbols, np.array([[names.index(after) for _, after in two] for two in both]))


def walk(bits: Bits) -> tuple[str, list[set[str]]]:
    """Return the symbols of a stream, one for each bit, and for each the symbols that may follow.

    >>> walk(np.array([0, 1, 0, 0, 0, 0, 0, 0, 0, 0]))[0]
    'BPBTSSSSSS'
    """
    symbols, after = graph()
    node, text, follow = 0, "", []
    for bit in bits:
        text += SYMBOLS[symbols[node, bit]]
        node = int(after[node, bit])
        follow.append({SYMBOLS[s] for s in symbols[node]})
    return text, follow


def one_hot(text: str, follow: list[set[str]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the inputs (time, 7), and the targets (time, 7): 1 for each symbol that may follow."""
    x = np.eye(len(SYMBOLS))[[SYMBOLS.index(symbol) for symbol in text]]
    targets = np.array([[float(symbol in legal) for symbol in SYMBOLS] for legal in follow])
    return x, targets
