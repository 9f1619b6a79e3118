"""Arguments that every layer of Keras takes, of any year, in addition to its own.

input_shape, batch_input_shape    the shape of one example, or of a batch
batch_size                        the batch size of `batch_input_shape`, with an `input_shape`
input_dim, input_length           the last axis and the axis of time, from before `input_shape`
weights                           initial weights, a list of arrays for `set_weights`, from before initializers
autocast, implementation, enable_caching_device, dynamic
                                  ways in which TensorFlow runs a layer; accepted without effect
"""

from __future__ import annotations

from collections.abc import Container
from typing import Any

from minigrad.engine.arguments import listed
from minigrad.layers import checks
from minigrad.layers.options import optional, positive_int

WITHOUT_EFFECT = ("autocast", "implementation", "enable_caching_device", "dynamic", "experimental_autocast")
NAMES = ("input_shape", "batch_input_shape", "batch_size", "input_dim", "input_length", "weights", *WITHOUT_EFFECT)
_size = optional(positive_int)


def taken(where: str, kwargs: dict[str, Any], own: Container[str], sequences: bool) -> dict[str, Any]:
    """Take these arguments out of those of a constructor, and return the layer's attributes that they give.

    Args:
        where: the class, for messages.
        kwargs: the arguments of the constructor.
        own: the names of the layer's own options, which stay.
        sequences: whether the inputs are sequences, whose length is `input_length`.
    """
    known = [name for name in NAMES if name not in own and (sequences or name != "input_length")]
    given = {name: kwargs.pop(name) for name in known if name in kwargs}
    shape, batch_shape = given.get("input_shape"), given.get("batch_input_shape")
    checks.check_input_shape(f"{where}: `input_shape`", batch_shape or shape or ())
    sizes = {
        name: _size.read(f"{where}: `{name}`", given.get(name)) for name in ("batch_size", "input_dim", "input_length")
    }
    if shape is None and {"input_dim", "input_length"} & given.keys():
        shape = (sizes["input_length"], sizes["input_dim"]) if sequences else (sizes["input_dim"],)
    if shape is not None and not batch_shape:
        batch_shape = (sizes["batch_size"], *shape)
    found: dict[str, Any] = {"batch_input_shape": tuple(batch_shape) if batch_shape else None}
    if given.get("weights") is not None:
        found["_initial_weights"] = listed(f"{where}: `weights`", given["weights"])
    return found
