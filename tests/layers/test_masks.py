"""The masks that tensors carry."""

from __future__ import annotations

import minigrad as mg
from minigrad.layers.masks import attach_masks, mask_of, masks_of


def test_masks_hang_on_tensors() -> None:
    x, y, mask = mg.ones((2, 3)), mg.ones((2, 3)), mg.tensor([[True, False, True]])
    assert masks_of([x, {"y": y}]) is None
    attach_masks([mask, None], [x, y])
    assert mask_of(x) is mask
    assert masks_of([x, {"y": y}]) == [mask, {"y": None}]
    attach_masks(None, x)
    assert mask_of(x) is mask
