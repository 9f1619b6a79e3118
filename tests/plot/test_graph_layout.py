"""The layout of graphs: layers, order, places."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest

from minigrad.plot.graph_layout import layered_layout

DIAMOND = [(0, 1), (0, 2), (1, 3), (2, 3), (0, 3)]


def random_graph(seed: int) -> tuple[dict[int, float], list[tuple[int, int]]]:
    rng = np.random.default_rng(seed)
    edges = [(int(rng.integers(max(0, b - 6), b)), b) for b in range(1, 30) for _ in range(rng.integers(1, 3))]
    return {n: float(rng.integers(20, 120)) for n in range(30)}, edges


@pytest.mark.parametrize("seed", range(5))
def test_boxes_do_not_overlap_and_all_flows_down(seed):
    widths, edges = random_graph(seed)
    layout = layered_layout(widths, edges, row=50, gap=10)
    for a, b in edges:
        assert layout.places[a][1] < layout.places[b][1]
    for a, b in combinations(widths, 2):
        (x, y), (v, w) = layout.places[a], layout.places[b]
        assert y != w or abs(x - v) >= (widths[a] + widths[b]) / 2 + 10 - 1e-6
    for n, (x, y) in layout.places.items():
        assert widths[n] / 2 < x < layout.width - widths[n] / 2
        assert 0 < y < layout.height


def test_long_edges_pass_every_layer_between_the_boxes():
    layout = layered_layout(dict.fromkeys(range(4), 40.0), DIAMOND, row=50)
    path = layout.paths[0, 3]
    assert [y for _, y in path] == [25, 75, 125]
    assert all(abs(path[1][0] - layout.places[n][0]) > 20 for n in (1, 2))
    assert all(b[1] - a[1] == 50 for p in layout.paths.values() for a, b in pairwise(p))


def test_a_ladder_has_no_crossings():
    edges = [(0, 3), (1, 2), (2, 4), (3, 5)]  # as given, the first two cross
    layout = layered_layout(dict.fromkeys(range(6), 40.0), edges, row=50)
    x = {n: place[0] for n, place in layout.places.items()}
    assert (x[0] - x[1]) * (x[3] - x[2]) > 0


def test_what_nothing_leads_to_stands_above_its_reader():
    layout = layered_layout(dict.fromkeys(range(4), 40.0), [(0, 1), (1, 3), (2, 3)], row=50)
    assert layout.places[2][1] == layout.places[1][1]


def test_one_box():
    assert layered_layout({0: 30.0}, [], row=50, gap=10).places == {0: (25.0, 25.0)}
