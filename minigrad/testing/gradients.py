"""`check_gradient`: the gradient of any function against finite differences.

A slightly wrong gradient still trains, so the check is strict. Every output gets a random cotangent (∂loss/∂y),
because errors cancel in a plain sum. Every input is varied. All is computed in float64: in float32 the difference of
two losses has too few digits to compare.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.engine import arguments
from minigrad.engine.autograd import grad
from minigrad.engine.creation import tensor
from minigrad.engine.errors import DTypeError, GradientCheckError, OptionError, ShapeError, shown
from minigrad.engine.foreign import attempted, naming
from minigrad.engine.random import generator_for
from minigrad.engine.tensor import Tensor, TensorLike

STEP = 1e-4  # of the finite differences, whose error is then about 1e-12
HostArray = Any


def check_gradient(
    f: Callable[..., Any],
    *inputs: TensorLike,
    weights: Sequence[Tensor] = (),
    rtol: float = 1e-6,
    atol: float = 1e-9,
    seed: int = 0,
    max_elements: int = 100,
    second_order: bool = False,
) -> None:
    """Compare the gradient of a function with finite differences.

    With a random cotangent c for every output and loss = Σ c·f(x), each ∂loss/∂x is compared, along two random
    directions v and, if x is small, along each axis v, with

        ⟨∂loss/∂x, v⟩ ≈ (8 Δ₁ − Δ₂) / 12h,   Δₖ = loss(x + k h v) − loss(x − k h v)

    Args:
        f: a function of Tensors that returns a Tensor, or a tuple or list of them. Equal inputs must give equal
            outputs: a layer with dropout in training does not.
        inputs: float64 arrays or Tensors. Values to keep constant are not passed: f reads them from outside.
        weights: float64 leaves that f reads from outside, such as a layer's weights; they are varied and restored.
        rtol: the largest error, relative to the larger of the two numbers.
        atol: the largest absolute error, added to it, in units of the largest output (or of 1).
        seed: the seed of the cotangents and directions.
        max_elements: inputs up to this size are checked element by element, larger ones along the directions only.
        second_order: whether to check the gradient of the gradient too, as `create_graph` records it.

    Raises:
        GradientCheckError: two numbers differ. The message names the input, the index, both numbers, and the error.
        DTypeError: an input, weight or output is not float64.

    >>> import minigrad as mg
    >>> from minigrad.testing import check_gradient
    >>> check_gradient(mg.tanh, [0.5, -1.0], second_order=True)
    >>> check_gradient(lambda x: x * x.detach(), [0.5, -1.0])
    Traceback (most recent call last):
    minigrad.engine.errors.GradientCheckError: check_gradient: input 0, shape (2,), at index (0,): analytic ...
    """
    second_order = arguments.flag("check_gradient: `second_order`", second_order)
    arguments.function("check_gradient: `f`", f)
    rtol = arguments.non_negative("check_gradient: `rtol`", rtol)
    atol = arguments.non_negative("check_gradient: `atol`", atol)
    seed = arguments.whole("check_gradient: `seed`", seed)
    max_elements = arguments.at_least("check_gradient: `max_elements`", max_elements, 0)
    weights = arguments.listed("check_gradient: `weights`", weights)
    if not all(isinstance(w, Tensor) for w in weights):
        raise OptionError("check_gradient: expected `weights`, a list of tensors.")
    points = [_float64(f"input {k}", x) for k, x in enumerate(inputs)]
    loss = _Loss(f, points, weights, seed)
    try:
        for k, dx in enumerate(loss.gradients()):
            _check_input(loss, k, dx, rtol, atol * loss.scale, max_elements)
    finally:
        loss.restore()
    if second_order:
        g, cotangents = _gradient_of(f, len(inputs), weights), loss.cotangents
        options: dict[str, Any] = {"rtol": rtol, "atol": atol, "seed": seed + 1, "max_elements": max_elements}
        check_gradient(g, *points, *cotangents, weights=weights, **options)


class _Loss:
    """Σ c·f(x) as a function of the inputs and weights, on the host, with random cotangents c."""

    def __init__(self, f: Callable[..., Any], inputs: list[HostArray], weights: Sequence[Tensor], seed: int) -> None:
        self.f = f
        self.weights = list(weights)
        self.points = inputs + [_float64(f"`weights`[{k}]", w) for k, w in enumerate(weights)]
        self.generator = generator_for(seed)
        outputs = self._outputs(self.points)
        self.cotangents = [self.generator.standard_normal(y.shape) for y in outputs]
        self.scale = max([1.0, *[float(np.abs(y).max()) for y in outputs if y.size]])
        again = self._outputs(self.points)
        if any(not np.array_equal(y, z, equal_nan=True) for y, z in zip(outputs, again, strict=True)):
            raise GradientCheckError(
                "check_gradient: expected equal outputs for equal inputs, got two results. Call layers with dropout "
                "with training=False."
            )

    def _run(self, points: list[HostArray]) -> tuple[list[Tensor], list[Tensor]]:
        """Return all inputs and weights, and the outputs of f at them, as tensors."""
        xs = [tensor(x, requires_grad=True) for x in points]
        n = len(points) - len(self.weights)
        for weight, value in zip(self.weights, xs[n:], strict=True):
            weight.array = value.array
        with naming("check_gradient: `f`"):
            ys = _listed(self.f(*xs[:n]))
        for k, y in enumerate(ys):
            _float64(f"output {k}", y)
        return [*xs[:n], *self.weights], ys

    def _outputs(self, points: list[HostArray]) -> list[HostArray]:
        return [y.numpy() for y in self._run(points)[1]]

    def gradients(self) -> list[HostArray | None]:
        """Return ∂loss/∂x for each input and weight from the tape; None if no gradient arrived."""
        xs, ys = self._run(self.points)
        tracked = [(y, c) for y, c in zip(ys, self.cotangents, strict=True) if y.requires_grad]
        dxs = grad([y for y, _ in tracked], xs, [c for _, c in tracked]) if tracked else [None] * len(xs)
        return [None if dx is None else dx.numpy() for dx in dxs]

    def slope(self, k: int, v: HostArray) -> float:
        """Return the derivative of the loss along v in input k by finite differences."""
        x = self.points[k]
        h = STEP * max(1.0, float(np.abs(x * v).max(initial=0.0))) / max(1.0, float(np.abs(v).max(initial=0.0)))

        def change(h: float) -> float:
            ahead, behind = ([*self.points[:k], x + s * h * v, *self.points[k + 1 :]] for s in (1, -1))
            pairs = zip(self.cotangents, self._outputs(ahead), self._outputs(behind), strict=True)
            return sum(float((c * (y - z)).sum()) for c, y, z in pairs)

        return (8 * change(h) - change(2 * h)) / (12 * h)

    def where(self, k: int) -> str:
        """Return the name of input k in error messages."""
        n = len(self.points) - len(self.weights)
        return f"check_gradient: {f'input {k}' if k < n else f'weight {k - n}'}, shape {self.points[k].shape}"

    def restore(self) -> None:
        """Restore the numbers of the weights."""
        for weight, value in zip(reversed(self.weights), reversed(self.points), strict=False):
            weight.array = weight.backend.asarray(value, copy=True)


def _check_input(loss: _Loss, k: int, dx: HostArray | None, rtol: float, noise: float, max_elements: int) -> None:
    """Compare dx with the slope along each axis of input k, up to `max_elements`, and along two directions."""
    x, where = loss.points[k], loss.where(k)
    if dx is None:
        dx, where = np.zeros(x.shape), f"{where} (no gradient arrived)"
    for index in np.ndindex(x.shape) if x.size <= max_elements else ():
        axis = np.zeros(x.shape)
        axis[index] = 1.0
        _compare(f"{where}, at index {index}", float(dx[index]), loss.slope(k, axis), rtol, noise)
    for _ in range(2):
        v = loss.generator.standard_normal(x.shape)
        _compare(f"{where}, along a random direction", float((dx * v).sum()), loss.slope(k, v), rtol, noise)


def _compare(where: str, analytic: float, numeric: float, rtol: float, noise: float) -> None:
    largest = max(abs(analytic), abs(numeric))
    error = abs(analytic - numeric)
    if not error <= rtol * largest + noise:  # not for NaN either
        percent = 100 * error / largest if largest else np.nan
        raise GradientCheckError(
            f"{where}: analytic {analytic:.10g}, numeric {numeric:.10g}; they differ by {error:.3g}, that is "
            f"{percent:.2g} % (allowed: {100 * rtol:.2g} %)."
        )


def _gradient_of(f: Callable[..., Any], n: int, weights: Sequence[Tensor]) -> Callable[..., list[Tensor]]:
    """Return the gradient of f as a function of its n inputs and of the cotangents of its outputs."""

    def g(*inputs_and_cotangents: Tensor) -> list[Tensor]:
        inputs, cotangents = inputs_and_cotangents[:n], inputs_and_cotangents[n:]
        tracked = [(y, c) for y, c in zip(_listed(f(*inputs)), cotangents, strict=True) if y.requires_grad]
        if not tracked:
            return []
        dxs = grad([y for y, _ in tracked], [*inputs, *weights], [c for _, c in tracked], create_graph=True)
        return [dx for dx in dxs if dx is not None]

    return g


def _listed(y: Any) -> list[Tensor]:
    return list(y) if isinstance(y, (tuple, list)) else [y]


def _float64(name: str, x: TensorLike) -> HostArray:
    """Return a copy of x on the host; raise DTypeError unless it is float64."""
    array = attempted(np.array, x.numpy() if isinstance(x, Tensor) else x)
    if array is None:
        raise ShapeError(f"check_gradient: {name}: expected one regular array, got {shown(x)}.")
    if isinstance(x, np.ma.MaskedArray):
        raise DTypeError(f"check_gradient: {name}: expected an array without a mask, got a masked array.")
    if array.dtype != np.float64:
        raise DTypeError(
            f"check_gradient: {name} is of dtype {array.dtype}, expected float64: in float32 the difference of two "
            "losses has only one or two significant digits. Use arrays of float64 and layers with dtype='float64'; "
            "constants such as integer labels can be read by f from outside."
        )
    return array
