"""Gradients on request: `grad`, `no_grad`, and TensorFlow's idiom, `GradientTape`.

`tensor.apply` records in any case; these functions ask for gradients.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, ClassVar, Self

from minigrad.engine import functional, methods, tree  # noqa: F401  (gives Tensor its methods)
from minigrad.engine.arguments import flag, name
from minigrad.engine.errors import GradientError, MinigradError, ShapeError, shown
from minigrad.engine.flow import Lock, new_lock
from minigrad.engine.foreign import with_name
from minigrad.engine.recording import blocks, no_grad, observing, recording
from minigrad.engine.tape import Cotangents, Node, next_serial
from minigrad.engine.tensor import Tensor, TensorLike, gradients

__all__ = ["GradientTape", "grad", "no_grad"]

GRAD = ("grad", "`outputs`", "grad_outputs")  # the names of the arguments, for messages
TAPE = ("GradientTape.gradient", "`target`", "output_gradients")


def grad(
    outputs: Tensor | Sequence[Tensor],
    inputs: Tensor | Sequence[Tensor],
    grad_outputs: TensorLike | Sequence[TensorLike] = None,
    create_graph: bool = False,
) -> list[Tensor | None]:
    """Return ∂(Σ outputs)/∂input for each input; accumulate nothing.

    Args:
        outputs: one tensor or several.
        inputs: one tensor or several, leaves or not.
        grad_outputs: ∂loss/∂output for each output; may be left out for outputs of a single number.
        create_graph: record the gradients, so that they can be differentiated again.

    Returns:
        A list, one gradient for each input; None where the outputs do not depend on it.

    Raises:
        GradientError: no output depends on anything that requires a gradient, or the graph was freed.
        ShapeError: a `grad_outputs` is missing, or has another shape than its output.

    >>> import minigrad as mg
    >>> x = mg.tensor(2.0, requires_grad=True)
    >>> (dx,) = mg.grad(x**3, x, create_graph=True)
    >>> mg.grad(dx, x)
    [Tensor(12., dtype=float32)]
    """
    create_graph = flag("grad: `create_graph`", create_graph)
    ys, xs = _tensors("grad: `outputs`", outputs), _tensors("grad: `inputs`", inputs)
    return _gradients_at(xs, ys, _seeds("grad", outputs, grad_outputs), create_graph, Cotangents(xs), GRAD)


def _seeds(where: str, outputs: Any, given: Any) -> list[TensorLike]:
    """Return the cotangents, given in the structure of the outputs, in their order; None where none was given."""
    if isinstance(outputs, dict):
        given = None if given is None else [given.get(key) for key in outputs]
        outputs = list(outputs.values())
    one_in_a_list = isinstance(given, (list, tuple)) and len(given) == 1 and hasattr(given[0], "shape")
    if not isinstance(outputs, (list, tuple)):
        return list(given) if one_in_a_list else [given]
    if given is None or (len(outputs) == 1 and not isinstance(given, (list, tuple))):
        given = [given] * len(outputs)
    if len(given) != len(outputs):
        raise ShapeError(f"{where}: expected one cotangent for each output, got {len(given)} for {len(outputs)}.")
    return [seed for y, dy in zip(outputs, given, strict=True) for seed in _seeds(where, y, dy)]


def _gradients_at(
    xs: Sequence[Tensor],
    ys: Sequence[Tensor],
    seeds: Sequence[TensorLike],
    create_graph: bool,
    into: Cotangents,
    names: tuple[str, str, str],
) -> list[Tensor | None]:
    starts = Tensor.host.checked_seeds(ys, seeds, names)
    gradients([y for y, _ in starts], [dy for _, dy in starts], create_graph, into=into)
    found = [(x, into.get(x)) for x in xs]
    return [dx if dx is None or create_graph else Tensor(dx, x.backend) for x, dx in found]


def _tensors(where: str, structure: Any) -> list[Tensor]:
    """Return the tensors in nested lists, tuples and dicts, in their order."""
    try:
        found = tree.leaves(structure)
    except MinigradError as error:
        raise with_name(error, where) from None
    for x in found:
        if not isinstance(x, Tensor):
            raise GradientError(f"{where}: expected Tensors, or lists, tuples and dicts of them, got {shown(x)}.")
    return found


class _Since(Cotangents):
    """Gradients that do not pass through nodes older than a tape.

    Args:
        wanted: the tensors whose gradients are kept.
        serial: that of the newest node before the tape began; older nodes have higher ones.
    """

    def __init__(self, wanted: Sequence[Tensor], serial: int) -> None:
        super().__init__(wanted)
        self._serial = serial

    def visit(self, node: Node) -> None:
        if node.serial <= self._serial:
            super().visit(node)


class GradientTape:
    """Record inside the `with` block and compute gradients afterwards, as TensorFlow's class of that name.

    Weights and other tensors that require a gradient are watched automatically, the rest after `watch`. `gradient` can
    be called once, or any number of times if the tape is persistent. A gradient that one tape computes inside the block
    of another is recorded by the other; this gives second derivatives.

    A tape records its own thread or task, and the tasks that were created inside the block.

    Args:
        persistent: whether `gradient` can be called more than once.
        watch_accessed_variables: whether weights are watched automatically.

    >>> import minigrad as mg
    >>> x = mg.tensor(3.0)
    >>> with mg.GradientTape() as tape:
    ...     tape.watch(x)
    ...     y = x * x
    >>> tape.gradient(y, x)
    Tensor(6., dtype=float32)
    """

    _open: ClassVar[tuple[GradientTape, ...]] = ()  # of all threads, as they may share tensors
    _lock: ClassVar[Lock] = new_lock()  # held to change what is open and lent

    def __init__(self, persistent: bool = False, watch_accessed_variables: bool = True) -> None:
        self.persistent = flag("GradientTape: `persistent`", persistent)
        self.watch_accessed_variables = flag("GradientTape: `watch_accessed_variables`", watch_accessed_variables)
        self._used = False
        self._since = 0  # the serial number at which recording began
        self._variables: dict[int, Tensor] = {}  # by id, as in all of these
        self._watched: dict[int, Tensor] = {}
        self._lent: dict[int, Tensor] = {}  # watched tensors that require a gradient only for tapes
        self._block = observing(self._see, on=True) if watch_accessed_variables else recording(True)

    def __enter__(self) -> Self:
        with GradientTape._lock:
            if self in GradientTape._open:
                raise GradientError("GradientTape: this tape is recording already. Make a second one to nest them.")
            GradientTape._open += (self,)
        self.reset()
        self._block.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with GradientTape._lock:
            GradientTape._open = tuple([tape for tape in GradientTape._open if tape is not self])
            self._return_lent()
        self._block.__exit__()

    def reset(self) -> None:
        """Forget the recorded operations and the watched tensors."""
        self._return_lent()
        self._since = next_serial()
        self._variables, self._watched = {}, {}
        self._used = False

    def watch(self, tensor: Any) -> None:
        """Record from now on the operations on a tensor, or on each tensor of a structure."""
        for x in _tensors("GradientTape.watch: `tensor`", tensor):
            with GradientTape._lock:
                if not x.requires_grad or _is_lent(x):
                    x.requires_grad = True
                    self._lent[id(x)] = x
                else:
                    self._variables[id(x)] = x
            self._watched[id(x)] = x

    def _return_lent(self) -> None:
        """Let tensors that no tape watches any more require no gradient; operations on them stay recorded."""
        if not self._lent:
            return
        with GradientTape._lock:
            lent, self._lent = self._lent, {}
            for x in lent.values():
                x.requires_grad = _is_lent(x)

    def _see(self, node: Node) -> None:
        """Remember which weights an operation reads."""
        if self not in GradientTape._open:  # a task that was created inside the block, and still runs
            return
        for x, needed in zip(node.inputs, node.needs, strict=True):
            if needed and x.node is None and id(x) not in self._variables and not _is_lent(x):
                self._variables[id(x)] = x

    def watched_variables(self) -> tuple[Tensor, ...]:
        """Return the weights that were read or watched so far: leaves that require a gradient without a tape."""
        return tuple(self._variables.values())

    def stop_recording(self) -> AbstractContextManager[None]:
        """Record nothing inside this inner `with` block."""
        return no_grad()

    def gradient(
        self, target: Any, sources: Any, output_gradients: Any = None, unconnected_gradients: str = "none"
    ) -> Any:
        """Return ∂(Σ target)/∂source, in the structure of `sources`.

        Args:
            target: a tensor or a structure (lists, tuples, dicts) of them; many numbers count as their sum.
            sources: a tensor or a structure of them.
            output_gradients: ∂loss/∂target, in the structure of `target`.
            unconnected_gradients: where target does not depend on a source, ``"none"`` returns None, ``"zero"`` zeros.

        Raises:
            GradientError: `gradient` was called before, and the tape is not persistent.
            UnknownNameError: another word for `unconnected_gradients`.
        """
        name("GradientTape.gradient: `unconnected_gradients`", unconnected_gradients, ("none", "zero"))
        if self._used and not self.persistent:
            raise GradientError(
                "GradientTape.gradient: expected one call for each recording, got a second one. Make the tape with "
                "GradientTape(persistent=True)."
            )
        self._used = True
        ys = _tensors("GradientTape.gradient: `target`", target)
        xs = _tensors("GradientTape.gradient: `sources`", sources)
        found = iter(self._ask(xs, ys, _seeds("GradientTape.gradient", target, output_gradients)))

        def answer(x: Tensor) -> Tensor | None:
            dx = next(found)
            return functional.zeros_like(x) if dx is None and unconnected_gradients == "zero" else dx

        return tree.map(answer, sources)

    def _ask(self, xs: list[Tensor], ys: list[Tensor], seeds: list[TensorLike]) -> list[Tensor | None]:
        if not any(y.requires_grad for y in ys):
            return [None] * len(xs)
        ones = [functional.ones_like(y) if seed is None else seed for y, seed in zip(ys, seeds, strict=True)]
        around = list(blocks())
        listening = any(t._block in around and (t is not self or self.persistent) for t in GradientTape._open)
        dxs = _gradients_at(xs, ys, ones, create_graph=listening, into=_Since(xs, self._since), names=TAPE)
        if self.watch_accessed_variables:
            return dxs
        return [dx if x.node is not None or id(x) in self._watched else None for x, dx in zip(xs, dxs, strict=True)]


def _is_lent(x: Tensor) -> bool:
    """Return whether x requires a gradient only because an open tape, of any thread, watches it."""
    return any(id(x) in tape._lent for tape in GradientTape._open)
