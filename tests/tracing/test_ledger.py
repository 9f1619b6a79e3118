"""The ledger: its ways sum to the whole."""

from __future__ import annotations

import numpy as np
import pytest

import minigrad as mg
from traced import LAYERS, made, run


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("masked", [False, True])
def test_the_ways_sum_to_the_whole(kind: str, masked: bool) -> None:
    layer = made(kind)
    with mg.trace(layer) as seen:
        run(layer, masked)[1].backward()
    for state, ways in seen.ledger.items():
        assert "held" in ways if masked else "held" not in ways
        np.testing.assert_allclose(sum(ways.values()), seen.arrived[state], rtol=0, atol=1e-12)
        assert all(np.abs(share).max() > 0 for share in ways.values())
