"""The ledger: the paths sum to the complete gradient."""

from __future__ import annotations

import numpy as np
import pytest

import minigrad as mg
from traced import LAYERS, made, run


@pytest.mark.parametrize("kind", LAYERS)
@pytest.mark.parametrize("masked", [False, True])
def test_the_paths_sum_to_the_complete_gradient(kind: str, masked: bool) -> None:
    layer = made(kind)
    with mg.trace(layer) as seen:
        run(layer, masked)[1].backward()
    for state, paths in seen.ledger.items():
        assert "held" in paths if masked else "held" not in paths
        np.testing.assert_allclose(sum(paths.values()), seen.arrived[state], rtol=0, atol=1e-12)
        assert all(np.abs(part).max() > 0 for part in paths.values())
