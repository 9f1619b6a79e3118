"""Gradients on demand: `grad`, `no_grad`, and TensorFlow's idiom, `GradientTape`.

Recording happens in `tensor.apply` whether or not anybody asks; these are only ways to ask.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import Any, ClassVar

from minigrad import functional
from minigrad.errors import GradientError
from minigrad.tensor import Tensor, TensorLike, gradients, recording

# Here the two halves meet: where a gradient is itself to be recorded, the rules run on tensors.
Tensor.functional = functional


def no_grad() -> AbstractContextManager[None]:
    """Nothing inside the `with` block is recorded; what is made there requires no gradient.

    >>> import minigrad as mg
    >>> x = mg.tensor(3.0, requires_grad=True)
    >>> with mg.no_grad():
    ...     (x * x).requires_grad
    False
    """
    return recording(False)


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: TensorLike | Sequence[TensorLike] = None,
    create_graph: bool = False,
) -> list[Tensor | None]:
    """Returns ∂(Σ outputs)/∂input for each input, and accumulates nothing.

    Args:
        outputs: one tensor or several.
        inputs: one tensor or several, leaves or not.
        grad_outputs: ∂loss/∂output for each output; may be left out for outputs of a single number.
        create_graph: record the gradients, so that they can be differentiated again.

    Returns:
        A list, one gradient for each input; None where the outputs do not depend on it.

    Raises:
        GradientError: no output depends on anything that requires a gradient, or the graph was freed.

    >>> import minigrad as mg
    >>> x = mg.tensor(2.0, requires_grad=True)
    >>> (dx,) = mg.grad(x**3, x, create_graph=True)
    >>> mg.grad(dx, x)
    [Tensor(12., dtype=float32)]
    """
    ys = [outputs] if isinstance(outputs, Tensor) else list(outputs)
    xs = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    seeds = [grad_outputs] * len(ys) if grad_outputs is None else _listed(grad_outputs)
    if len(seeds) != len(ys):
        raise GradientError(f"grad: got {len(ys)} outputs, but {len(seeds)} `grad_outputs`.")
    arrived = gradients(ys, seeds, create_graph, free=False)
    found = [(x, arrived.get(x)) for x in xs]
    return [dx if dx is None or create_graph else Tensor(dx, x.backend) for x, dx in found]


def _listed(x: Any) -> list[Any]:
    return list(x) if isinstance(x, (list, tuple)) else [x]


class GradientTape:
    """TensorFlow's idiom: record inside the `with` block, ask afterwards.

    Weights are watched by themselves; other tensors when `watch` is called. A tape answers once, unless it is
    persistent. A tape inside another's block is differentiable by the outer one.

    >>> import minigrad as mg
    >>> x = mg.tensor(3.0)
    >>> with mg.GradientTape() as tape:
    ...     tape.watch(x)
    ...     y = x * x
    >>> tape.gradient(y, x)
    Tensor(6., dtype=float32)
    """

    _open: ClassVar[list[GradientTape]] = []  # the tapes whose blocks we are in, outermost first

    def __init__(self, persistent: bool = False) -> None:
        self.persistent = persistent
        self._used = False
        self._watched: list[Tensor] = []
        self._block: AbstractContextManager[None] | None = None

    def __enter__(self) -> GradientTape:
        GradientTape._open.append(self)
        self._block = recording(True)
        self._block.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        GradientTape._open.remove(self)
        for x in self._watched:  # what they took part in stays on the tape
            x.requires_grad = False
        if self._block is not None:
            self._block.__exit__(kind, error, trace)

    def watch(self, x: Tensor | Sequence[Tensor]) -> None:
        """Records what x takes part in, though it requires no gradient by itself."""
        for each in _listed(x):
            if not each.requires_grad:
                each.requires_grad = True
                self._watched.append(each)

    @contextmanager
    def stop_recording(self) -> Iterator[None]:
        """Nothing inside this inner `with` block is recorded."""
        with recording(False):
            yield

    def gradient(self, target: Any, sources: Any, output_gradients: Any = None) -> Any:
        """Returns ∂(Σ target)/∂source, in the structure of `sources`; None where target does not depend on it.

        Args:
            target: a tensor or a list of them; many numbers count as their sum.
            sources: a tensor, or a list, tuple or dict of them.
            output_gradients: ∂loss/∂target, in the structure of `target`.

        Raises:
            GradientError: the tape has answered before and is not persistent.
        """
        if self._used and not self.persistent:
            raise GradientError(
                "GradientTape.gradient: this tape has answered once. Make it with GradientTape(persistent=True) to ask "
                "again."
            )
        self._used = True
        ys = _listed(target)
        seeds = _listed(output_gradients) if output_gradients is not None else [None] * len(ys)
        recorded = [(y, s) for y, s in zip(ys, seeds, strict=True) if y.requires_grad]
        flat = list(sources.values()) if isinstance(sources, dict) else _listed(sources)
        found: list[Any] = [None] * len(flat)
        if recorded:
            cotangents = [functional.ones_like(y) if s is None else s for y, s in recorded]
            found = list(grad([y for y, _ in recorded], flat, cotangents, create_graph=bool(GradientTape._open)))
        if isinstance(sources, dict):
            return dict(zip(sources, found, strict=True))
        return type(sources)(found) if isinstance(sources, (list, tuple)) else found[0]
