"""Random numbers with TensorFlow's names. `tf.random`. The generator is minigrad's: seeds give other numbers."""

from __future__ import annotations

from typing import Any

from minigrad.compat.graphs.recordable import recordable
from minigrad.compat.ops.arrays import convert, sizes
from minigrad.compat.ops.dtypes import as_dtype, float32, int64
from minigrad.engine import functional as F
from minigrad.engine import random
from minigrad.engine.creation import tensor
from minigrad.engine.dtypes import is_floating
from minigrad.engine.errors import ShapeError
from minigrad.engine.tensor import Tensor


def _number(x: Any) -> Any:
    return x.item() if hasattr(x, "item") else x


@recordable
def normal(shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = float32, seed: Any = None) -> Tensor:
    """Numbers from the normal distribution."""
    return random.normal(sizes(shape), _number(mean), _number(stddev), as_dtype(dtype), seed)


@recordable
def truncated_normal(shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = float32, seed: Any = None) -> Tensor:
    """Numbers from the normal distribution, those beyond two standard deviations drawn again."""
    return random.truncated_normal(sizes(shape), _number(mean), _number(stddev), as_dtype(dtype), seed)


@recordable
def uniform(shape: Any, minval: Any = 0, maxval: Any = None, dtype: Any = float32, seed: Any = None) -> Tensor:
    """Numbers evenly spread over [minval, maxval); whole ones for a dtype of whole numbers."""
    kind = as_dtype(dtype)
    if is_floating(kind):
        return random.uniform(sizes(shape), _number(minval), 1.0 if maxval is None else _number(maxval), kind, seed)
    if maxval is None:
        raise ShapeError("random.uniform: expected `maxval` for whole numbers, got none.")
    return random.integers(_number(minval), _number(maxval), sizes(shape), seed).astype(kind)


@recordable
def categorical(logits: Any, num_samples: Any, dtype: Any = int64, seed: Any = None) -> Tensor:
    """Classes drawn from softmax(logits), (batch, classes) → (batch, num_samples).

    Raises:
        ShapeError: the logits are not a matrix.
    """
    x = convert(logits)
    if x.ndim != 2:
        raise ShapeError(f"random.categorical: expected `logits` of shape (batch, classes), got {x.shape}.")
    noise = random.generator_for(seed).gumbel(size=(x.shape[0], int(num_samples), x.shape[1]))
    return F.argmax(F.expand_dims(x.detach(), 1) + tensor(noise, x.dtype), -1).astype(as_dtype(dtype))


@recordable
def shuffle(value: Any, seed: Any = None) -> Tensor:
    """The value with the entries of its first axis in another order."""
    x = convert(value)
    return F.take(x, tensor(random.generator_for(seed).permutation(x.shape[0])), 0)


set_seed = random.set_seed
