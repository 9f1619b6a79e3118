"""Initial values of weights. An initializer is called with a shape and a dtype and returns a Tensor.

Random ones use minigrad's one generator on the host, so that a seed gives the same weights on every backend. With a
`seed` as an argument they return the same numbers every time.
"""

from __future__ import annotations

from math import isfinite, prod, sqrt
from typing import Any

from minigrad.engine import kinds, random
from minigrad.engine.creation import as_tensor
from minigrad.engine.errors import OptionError, ShapeError
from minigrad.engine.foreign import naming
from minigrad.engine.functional import full
from minigrad.engine.functional.shaping import sizes_of
from minigrad.engine.kinds import at_least_0, finite
from minigrad.engine.tensor import Tensor
from minigrad.layers.catalogue import Catalogue
from minigrad.layers.options import Configured, anything, choice, option, optional

Shape = tuple[int, ...]
_DISTRIBUTIONS = choice("truncated_normal", "untruncated_normal", "normal", "uniform")


class Initializer(Configured):
    """The base class; a function of (shape, dtype) is an initializer too."""

    def __call__(self, shape: Shape, dtype: Any = "float32") -> Tensor:
        """Return a tensor of that shape."""
        raise NotImplementedError(f"{type(self).__name__} must define __call__(shape, dtype).")


class Zeros(Initializer):
    """0 everywhere."""

    def __call__(self, shape: Shape, dtype: Any = "float32") -> Tensor:
        """Return zeros."""
        return full(shape, 0.0, dtype)


class Ones(Initializer):
    """1 everywhere."""

    def __call__(self, shape: Shape, dtype: Any = "float32") -> Tensor:
        """Return ones."""
        return full(shape, 1.0, dtype)


class Constant(Initializer):
    """One value everywhere, or the given array."""

    value: Any = option(anything, 0)

    def __call__(self, shape: Shape, dtype: Any = "float32") -> Tensor:
        """Return the value, in that shape."""
        if isinstance(self.value, (int, float)):
            with naming("Constant: `value`"):
                return full(shape, self.value, dtype)
        values = as_tensor(self.value, dtype, "Constant: `value`").detach()
        sizes = sizes_of(shape, where="Constant")
        if values.size != prod(sizes):
            raise ShapeError(f"Constant: expected `value` of shape {sizes}, got {values.shape}.")
        return values.reshape(sizes)


class Identity(Initializer):
    """gain · the identity matrix, cut to the shape."""

    gain: float = option(finite, 1.0)

    def __call__(self, shape: Shape, dtype: Any = "float32") -> Tensor:
        """Return the matrix; raise ShapeError unless the shape has two axes."""
        sizes = sizes_of(shape, where="Identity")
        if len(sizes) != 2:
            raise ShapeError(f"Identity: expected `shape` of two axes, got {sizes}.")
        rows = [[float(self.gain) if i == j else 0.0 for j in range(sizes[1])] for i in range(sizes[0])]
        return as_tensor(rows, dtype, "Identity: `gain`").reshape(sizes)


class _Drawn(Initializer):
    """A random initializer: with a seed it uses a new generator, else minigrad's."""

    seed: int | None

    def __call__(self, shape: Shape, dtype: Any = "float32") -> Tensor:
        """Return random numbers."""
        where = type(self).__name__
        numbers = self._draw(random.generator_for(self.seed), sizes_of(shape, where=where))
        return as_tensor(numbers, dtype, f"{where}: {', '.join(f'`{name}`' for name in self.arguments())}")

    def _draw(self, source: Any, shape: Shape) -> Any:
        raise NotImplementedError


class RandomNormal(_Drawn):
    """Normal with the given mean and standard deviation."""

    mean: float = option(finite, 0.0)
    stddev: float = option(at_least_0, 0.05)
    seed: int | None = option(kinds.seed, None)

    def _draw(self, source: Any, shape: Shape) -> Any:
        return source.normal(self.mean, abs(self.stddev), shape)


class RandomUniform(_Drawn):
    """Uniform over [minval, maxval)."""

    minval: float = option(finite, -0.05)
    maxval: float = option(finite, 0.05)
    seed: int | None = option(kinds.seed, None)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.minval <= self.maxval or not isfinite(self.maxval - self.minval):
            raise OptionError(f"RandomUniform: expected `minval` up to `maxval`, got {self.minval} and {self.maxval}.")

    def _draw(self, source: Any, shape: Shape) -> Any:
        return source.uniform(self.minval, self.maxval + 0.0, shape)


class TruncatedNormal(RandomNormal):
    """Normal; numbers beyond two standard deviations are drawn again."""

    def _draw(self, source: Any, shape: Shape) -> Any:
        return self.mean + self.stddev * random.draw_truncated_normal(source, shape)


class VarianceScaling(_Drawn):
    """Variance scale / n, where n is the number of inputs, of outputs, or their mean.

    Source: He et al., 2015, and Glorot and Bengio, 2010, of whose initializers this is the general form.
    """

    scale: float = option(at_least_0, 1.0)
    mode: str = option(choice("fan_in", "fan_out", "fan_avg"), "fan_in")
    distribution: str = option(_DISTRIBUTIONS, "truncated_normal")
    seed: int | None = option(kinds.seed, None)

    def _draw(self, source: Any, shape: Shape) -> Any:
        return _scaled(source, shape, self.scale, self.mode, self.distribution)


def _scaled(source: Any, shape: Shape, scale: float, mode: str, distribution: str) -> Any:
    fan_in, fan_out = fans(shape)
    n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2.0}[mode]
    variance = scale / max(1.0, n)
    if distribution == "uniform":
        limit = sqrt(3.0 * variance)
        return source.uniform(-limit, limit, shape)
    if distribution == "untruncated_normal":
        return source.normal(0.0, sqrt(variance), shape)
    # Cutting at two standard deviations leaves 0.8796 of one; dividing by it restores the variance.
    return random.draw_truncated_normal(source, shape) * (sqrt(variance) / 0.87962566103423978)


def fans(shape: Shape) -> tuple[int, int]:
    """Return the numbers of inputs and of outputs that a weight of this shape connects."""
    if len(shape) < 2:
        n = shape[0] if shape else 1
        return n, n
    receptive = prod(shape[:-2])
    return shape[-2] * receptive, shape[-1] * receptive


class _Scaled(_Drawn):
    """A named case of `VarianceScaling`, whose only argument is the seed."""

    seed: int | None = option(kinds.seed, None)

    rule: tuple[float, str, str]

    def _draw(self, source: Any, shape: Shape) -> Any:
        return _scaled(source, shape, *self.rule)


class GlorotUniform(_Scaled):
    """Uniform with variance 2 / (inputs + outputs). Source: Glorot and Bengio, 2010."""

    rule = (1.0, "fan_avg", "uniform")


class GlorotNormal(_Scaled):
    """Truncated normal with variance 2 / (inputs + outputs). Source: Glorot and Bengio, 2010."""

    rule = (1.0, "fan_avg", "truncated_normal")


class HeUniform(_Scaled):
    """Uniform with variance 2 / inputs. Source: He et al., 2015."""

    rule = (2.0, "fan_in", "uniform")


class HeNormal(_Scaled):
    """Truncated normal with variance 2 / inputs. Source: He et al., 2015."""

    rule = (2.0, "fan_in", "truncated_normal")


class LecunUniform(_Scaled):
    """Uniform with variance 1 / inputs. Source: LeCun et al., 1998."""

    rule = (1.0, "fan_in", "uniform")


class LecunNormal(_Scaled):
    """Truncated normal with variance 1 / inputs. Source: LeCun et al., 1998."""

    rule = (1.0, "fan_in", "truncated_normal")


class Orthogonal(_Drawn):
    """gain · a random matrix with orthonormal rows, or columns if these are fewer. Source: Saxe et al., 2014."""

    gain: float = option(finite, 1.0)
    seed: int | None = option(kinds.seed, None)

    def _draw(self, source: Any, shape: Shape) -> Any:
        if len(shape) < 2:
            raise ShapeError(f"Orthogonal: expected `shape` of two axes or more, got {shape}.")
        rows = prod(shape[:-1])
        return self.gain * random.draw_orthogonal(source, rows, shape[-1]).reshape(shape)


_ALL = (
    Constant, GlorotNormal, GlorotUniform, HeNormal, HeUniform, Identity, LecunNormal, LecunUniform, Ones, Orthogonal,
    RandomNormal, RandomUniform, TruncatedNormal, VarianceScaling, Zeros,
)  # fmt: skip
_ALIASES = {"one": Ones, "zero": Zeros, "normal": RandomNormal, "uniform": RandomUniform}
_catalogue = Catalogue("initializer", "keras.initializers", _ALL, _ALIASES)
get, serialize, deserialize = _catalogue.get, _catalogue.serialize, _catalogue.deserialize
option_kind = optional(_catalogue.option)
