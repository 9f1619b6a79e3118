"""The masks that tensors carry from layer to layer."""

from __future__ import annotations

from typing import Any

from minigrad.engine import tree
from minigrad.engine.creation import as_tensor_like


def mask_of(x: Any) -> Any:
    """Return the mask that a tensor carries, or None."""
    return getattr(x, "_keras_mask", None)


def masks_of(inputs: Any) -> Any:
    """Return the masks that the inputs carry, in their structure; None if none of them carries one."""
    masks = tree.map(mask_of, inputs)
    return masks if any(m is not None for m in tree.leaves(masks)) else None


def attach_masks(mask: Any, outputs: Any) -> None:
    """Attach each mask to its output; in dictionaries by their keys."""
    if mask is not None:
        for y, m in zip(tree.leaves(outputs), tree.leaves_like(outputs, mask), strict=False):
            if m is not None:
                y._keras_mask = m


def with_mask(x: Any, mask: Any) -> Any:
    """Return the tensor with a mask: a new tensor if it has another mask or none."""
    if mask is None or getattr(x, "_keras_mask", None) is mask:
        return x
    y = x.reshape(x.shape)
    y._keras_mask = as_tensor_like(x, mask, "mask")
    return y
