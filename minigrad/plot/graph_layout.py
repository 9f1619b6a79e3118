"""A small layout for acyclic graphs: layers, an order within each, places.

    layer of a node   one more than the largest layer of its predecessors
    order             each layer sorted by the mean place of its neighbours, up and down a few times
    places            below the mean of the neighbours, as far as the distances allow

Edges over several layers pass through places reserved for them.

Source: K. Sugiyama, S. Tagawa and M. Toda, Methods for Visual Understanding of Hierarchical System Structures, 1981.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

Neighbours = dict[int, list[int]]

SWEEPS = 8
BEND = 8.0  # the width reserved for a passing edge


@dataclass(frozen=True)
class GraphLayout:
    """Places of nodes and edges, in pixels.

    Attributes:
        places: for each node the centre of its box.
        paths: for each edge its points, from the centre of one box to that of the other.
        width: the width of the drawing.
        height: the height of the drawing.
    """

    places: dict[int, tuple[float, float]]
    paths: dict[tuple[int, int], list[tuple[float, float]]]
    width: float
    height: float


def layered_layout(
    widths: Mapping[int, float], edges: Sequence[tuple[int, int]], row: float, gap: float = 18
) -> GraphLayout:
    """Return places for boxes and paths for edges that all lead downwards.

    Args:
        widths: for each node the width of its box; each node comes after its predecessors.
        edges: pairs (from, to).
        row: the distance between layers.
        gap: the distance between boxes.
    """
    layer = _layers(list(widths), edges)
    wide, chains = dict(widths), {}
    for a, b in dict.fromkeys(edges):
        bends = [len(wide) + k for k in range(layer[b] - layer[a] - 1)]
        wide |= dict.fromkeys(bends, BEND)
        layer |= {bend: layer[a] + 1 + k for k, bend in enumerate(bends)}
        chains[a, b] = [a, *bends, b]
    rows: list[list[int]] = [[] for _ in range(max(layer.values()) + 1)]
    for node in sorted(wide, key=lambda n: (layer[n], n)):
        rows[layer[node]].append(node)
    links = _links([pair for chain in chains.values() for pair in pairwise(chain)])
    _order(rows, *links)
    middle = _places(rows, wide, gap, *links)
    left = min(middle[n] - wide[n] / 2 for n in wide) - gap
    at = {n: (middle[n] - left, row * (k + 0.5)) for k, r in enumerate(rows) for n in r}
    paths = {edge: [at[n] for n in chain] for edge, chain in chains.items()}
    total = max(at[n][0] + wide[n] / 2 for n in wide) + gap
    return GraphLayout({n: at[n] for n in widths}, paths, total, row * len(rows))


def _layers(nodes: Sequence[int], edges: Sequence[tuple[int, int]]) -> dict[int, int]:
    """The layer of each node; a node without predecessors is just above its first successor."""
    before: dict[int, list[int]] = {n: [] for n in nodes}
    after: dict[int, list[int]] = {n: [] for n in nodes}
    for a, b in edges:
        before[b].append(a)
        after[a].append(b)
    layer: dict[int, int] = {}
    for n in nodes:
        layer[n] = 1 + max((layer[a] for a in before[n]), default=-1)
    for n in nodes:
        if not before[n] and after[n]:
            layer[n] = min(layer[b] for b in after[n]) - 1
    return layer


def _links(pairs: Sequence[tuple[int, int]]) -> tuple[Neighbours, Neighbours]:
    """The neighbours of each node above, and below."""
    up: Neighbours = {}
    down: Neighbours = {}
    for a, b in pairs:
        up.setdefault(b, []).append(a)
        down.setdefault(a, []).append(b)
    return up, down


def _sweeps(rows: list[list[int]], up: Neighbours, down: Neighbours) -> Iterator[tuple[int, Neighbours]]:
    """Indices of the rows, downwards and upwards in turn, each with the neighbours in the row before."""
    for sweep in range(SWEEPS):
        yield from ((k, up if sweep % 2 == 0 else down) for k in list(range(len(rows)))[:: 1 - 2 * (sweep % 2)])


def _order(rows: list[list[int]], up: Neighbours, down: Neighbours) -> None:
    """Sort each row by the mean place of its neighbours in the adjacent row."""
    for k, near in _sweeps(rows, up, down):
        place = {n: j / len(r) for r in rows for j, n in enumerate(r)}
        preferred = {n: _mean([place[m] for m in near.get(n, [])], place[n]) for n in rows[k]}
        rows[k].sort(key=preferred.__getitem__)


def _places(
    rows: list[list[int]], wide: Mapping[int, float], gap: float, up: Neighbours, down: Neighbours
) -> dict[int, float]:
    """The centre of each box: as near to the mean of its neighbours as the distances allow."""
    x: dict[int, float] = {}
    for r in rows:
        begin = -(sum(wide[n] for n in r) + gap * (len(r) - 1)) / 2
        for n in r:
            x[n] = begin + wide[n] / 2
            begin += wide[n] + gap
    for k, near in _sweeps(rows, up, down):
        r = rows[k]
        distances = [(wide[a] + wide[b]) / 2 + gap for a, b in pairwise(r)]
        preferred = [_mean([x[m] for m in near.get(n, [])], x[n]) for n in r]
        right, left = list(preferred), list(preferred)
        for j, d in enumerate(distances):
            right[j + 1] = max(right[j + 1], right[j] + d)  # keeps the distances, to the right
        for j in reversed(range(len(distances))):
            left[j] = min(left[j], left[j + 1] - distances[j])  # keeps the distances, to the left
        x |= {n: (a + b) / 2 for n, a, b in zip(r, left, right, strict=True)}  # so does the mean
    return x


def _mean(values: Sequence[float], otherwise: float) -> float:
    return sum(values) / len(values) if values else otherwise
