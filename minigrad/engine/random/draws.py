"""One generator of random numbers, on the host: the same seed gives the same weights on every backend.

NumPy's PCG64 draws the numbers; then they move to the current backend. All threads draw from this generator, so the
numbers of each thread depend on the order in which threads draw. A layer with its own seed gives the same numbers in
any thread. A forked process starts with a copy of the generator: give each process its own `seed`.
"""

from __future__ import annotations

import math
import os
from typing import Any

import numpy as np

from minigrad.engine import rows
from minigrad.engine.arguments import at_least, fraction, integer, non_negative, number
from minigrad.engine.arguments import seed as check_seed
from minigrad.engine.creation import is_floating, tensor
from minigrad.engine.dtypes import dtype_name
from minigrad.engine.errors import DTypeError, OptionError, shown
from minigrad.engine.flow import new_lock
from minigrad.engine.functional.shaping import sizes_of
from minigrad.engine.protocol import ShapeLike
from minigrad.engine.tensor import Tensor

_generator: np.random.Generator | None = None  # created at first use, as NumPy imports its module
_making = new_lock()  # held while it is created
_drawing: list[Any] = []  # NumPy's lock on it, while the process forks


def seed(n: int | None) -> None:
    """Seed the generator; None takes a seed from the operating system.

    >>> import minigrad as mg
    >>> mg.random.seed(1)
    >>> mg.random.normal((2,)).numpy().tolist()
    [0.3456, 0.8216]
    """
    global _generator
    with _making:
        _generator = _seeded("random.seed: `n`", n)


set_seed = seed  # TensorFlow's name


def generator() -> np.random.Generator:
    """Return NumPy's generator itself, to draw on the host."""
    return _generator if _generator is not None else _first()


def _first() -> np.random.Generator:
    global _generator
    with _making:
        if _generator is None:  # another thread may have seeded it meanwhile
            _generator = np.random.default_rng()
        return _generator


def _before_fork() -> None:
    """Wait until another thread has drawn: in the child process its lock would never be released."""
    if _generator is not None:
        _drawing.append(_generator.bit_generator.lock)
        _drawing[-1].acquire()


def _after_fork() -> None:
    if _drawing:
        _drawing.pop().release()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork)


def generator_for(seed: int | None, stream: int | None = None) -> np.random.Generator:
    """Return a separate generator for a seed, or the common one for None.

    Args:
        seed: the seed; a negative one is read as TensorFlow does: modulo 2⁶⁴.
        stream: the number of one of several independent generators with this seed.
    """
    return generator() if seed is None else _seeded("random: `seed`", seed, stream)


def _seeded(where: str, seed: Any, stream: int | None = None) -> np.random.Generator:
    n = check_seed(where, seed)
    if n is None:
        return np.random.default_rng()
    n = n % 2**64 if n < 0 else n  # NumPy refuses negative seeds
    stream = None if stream is None else at_least("random: `stream`", stream, 0)
    return np.random.default_rng(n if stream is None else [n, stream])


def get_state() -> dict[str, Any]:
    """Return the generator's state, plain numbers that JSON can hold."""
    return dict(generator().bit_generator.state)


def set_state(state: dict[str, Any]) -> None:
    """Restore a state of the generator that `get_state` returned."""
    try:
        generator().bit_generator.state = state
    except (TypeError, ValueError, KeyError, OverflowError):
        raise OptionError(f"random.set_state: expected a `state` from random.get_state, got {shown(state)}.") from None


def normal(
    shape: ShapeLike = (), mean: float = 0.0, stddev: float = 1.0, dtype: Any = "float32", seed: int | None = None
) -> Tensor:
    """Numbers from the normal distribution; with a `seed`, the same numbers in every call."""
    mean = number("random.normal: `mean`", mean)
    stddev = non_negative("random.normal: `stddev`", stddev)
    drawn = _source("random.normal", seed).normal(mean, stddev, sizes_of(shape, where="random.normal"))
    return _real("random.normal", drawn, dtype)


def uniform(
    shape: ShapeLike = (), minval: float = 0.0, maxval: float = 1.0, dtype: Any = "float32", seed: int | None = None
) -> Tensor:
    """Numbers evenly spread over [minval, maxval); with a `seed`, the same numbers in every call."""
    low, high = number("random.uniform: `minval`", minval), number("random.uniform: `maxval`", maxval)
    if not low <= high or not math.isfinite(high - low):
        raise OptionError(f"random.uniform: expected `minval` up to `maxval`, got {shown(minval)} and {shown(maxval)}.")
    drawn = _source("random.uniform", seed).uniform(low, high + 0.0, sizes_of(shape, where="random.uniform"))
    return _real("random.uniform", drawn, dtype)


def truncated_normal(
    shape: ShapeLike = (), mean: float = 0.0, stddev: float = 1.0, dtype: Any = "float32", seed: int | None = None
) -> Tensor:
    """Numbers from the normal distribution, those beyond two standard deviations drawn again; `seed` as in `normal`."""
    mean = number("random.truncated_normal: `mean`", mean)
    stddev = non_negative("random.truncated_normal: `stddev`", stddev)
    source, sizes = _source("random.truncated_normal", seed), sizes_of(shape, where="random.truncated_normal")
    return _real("random.truncated_normal", mean + stddev * draw_truncated_normal(source, sizes), dtype)


def _real(where: str, drawn: Any, dtype: Any) -> Tensor:
    """Return real numbers drawn on the host as a tensor of a floating dtype."""
    if not is_floating(dtype):
        raise DTypeError(
            f"{where}: expected `dtype` to be a floating one, got {shown(dtype)}. See also random.integers."
        )
    return tensor(np.asarray(drawn, dtype_name(dtype)))


def draw_truncated_normal(source: np.random.Generator, shape: tuple[int, ...]) -> Any:
    """Return a host array from the standard normal distribution cut at ±2."""
    x = np.asarray(source.standard_normal(shape))
    while (outside := np.abs(x) > 2.0).any():
        x[outside] = source.standard_normal(int(outside.sum()))
    return x


def draw_orthogonal(source: np.random.Generator, rows: int, columns: int) -> Any:
    """Return a host array with orthonormal columns (or rows, if there are fewer), uniform among all such matrices.

    The Q of a normal matrix's QR decomposition, its signs made unique by a positive diagonal of R.
    Source: Mezzadri, 2007, "How to Generate Random Matrices from the Classical Compact Groups".
    """
    q, r = np.linalg.qr(source.standard_normal((max(rows, columns), min(rows, columns))))
    q *= np.sign(np.diag(r))
    return q if rows >= columns else q.T


def integers(low: int, high: int, shape: ShapeLike = (), seed: int | None = None) -> Tensor:
    """Integers from low to high − 1; with a `seed`, the same numbers in every call."""
    low, high = integer("random.integers: `low`", low), integer("random.integers: `high`", high)
    if not low < high:
        raise OptionError(
            f"random.integers: expected `low` < `high`, which is left out, got {shown(low)} and {shown(high)}."
        )
    if low < -(2**63) or high > 2**63:
        raise OptionError(
            f"random.integers: expected `low` and `high` within ±2⁶³, got {shown(low)} and {shown(high)}."
        )
    drawn = _source("random.integers", seed).integers(low, high, sizes_of(shape, where="random.integers"))
    return tensor(drawn)


def _source(where: str, seed: int | None) -> np.random.Generator:
    """Return a separate generator for a seed, or the common one for None."""
    return generator() if seed is None else _seeded(f"{where}: `seed`", seed)


def _checked_source(where: str, source: Any) -> np.random.Generator:
    """Return the given generator, or the common one for None."""
    if source is None or isinstance(source, np.random.Generator):
        return source or generator()
    raise OptionError(f"{where}: expected `source` to be a NumPy generator or None, got {shown(source)}.")


def bernoulli(shape: ShapeLike, p: float, dtype: Any = "float32", source: np.random.Generator | None = None) -> Tensor:
    """1 with probability p, else 0; drawn by `source` if given, else by the common generator."""
    p = fraction("random.bernoulli: `p`", p)
    drawn = _checked_source("random.bernoulli", source).random(sizes_of(shape, where="random.bernoulli")) < p
    return tensor(np.asarray(drawn, dtype_name(dtype)))


def _in_rows(source: np.random.Generator, sizes: tuple[int, ...]) -> Any:
    """Return numbers from [0, 1): of a batch's rows, those of the whole batch that belong to them."""
    drawn = rows.of_drawn(sizes[0]) if sizes else None
    if drawn is None:
        return source.random(sizes)
    size, kept = drawn
    return source.random((size, *sizes[1:]))[kept]


def dropout_mask(
    shape: ShapeLike, rate: float, dtype: Any = "float32", source: np.random.Generator | None = None
) -> Tensor:
    """0 with probability `rate`, else 1/(1 − rate), so that the mean is 1. All 0 for a rate of 1.

    Where several processes share a batch, the mask is drawn for all of its rows: see `minigrad.engine.rows`.
    """
    rate = fraction("random.dropout_mask: `rate`", rate)
    sizes = sizes_of(shape, where="random.dropout_mask")
    keep = _in_rows(_checked_source("random.dropout_mask", source), sizes) >= rate
    return _real("random.dropout_mask", keep / (1.0 - rate) if rate < 1.0 else keep * 0.0, dtype)
