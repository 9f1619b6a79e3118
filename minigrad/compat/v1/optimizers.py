"""Optimizers of TensorFlow 1 with their constants.."""

from __future__ import annotations

from typing import Any, ClassVar

from minigrad.compat.graphs import state
from minigrad.compat.graphs.gradients import gradients
from minigrad.compat.graphs.recordable import recordable
from minigrad.compat.graphs.tensors import GraphTensor, GraphVariable, Operation
from minigrad.compat.graphs.updates import updating
from minigrad.compat.ops.arrays import convert
from minigrad.compat.v1.variables import trainable_variables
from minigrad.engine import functional as F
from minigrad.engine.autograd import grad
from minigrad.engine.creation import as_tensor, tensor
from minigrad.engine.errors import GradientError, shown
from minigrad.engine.recording import no_grad
from minigrad.engine.tensor import Tensor
from minigrad.layers.weight import Weight


class NoGradientError(GradientError, ValueError):
    """Raised where a loss depends on no variable."""


class Optimizer:
    """The base class of TensorFlow 1's optimizers: w ← w − Δ, where a subclass defines Δ.

    Args:
        learning_rate: η: a number, or a tensor of the graph.
        use_locking: without effect.
        name: the name of the update, and of the variables that it keeps.
    """

    slots: ClassVar[dict[str, float]] = {}  # names of the arrays kept for each variable → their first numbers

    def __init__(self, learning_rate: Any = 0.001, use_locking: bool = False, name: str | None = None) -> None:
        self._rate, self._name = learning_rate, name or type(self).__name__.removesuffix("Optimizer")
        self._kept: dict[tuple[int, str], GraphVariable] = {}
        self._steps: GraphVariable | None = None

    def step(self, g: Tensor, kept: dict[str, Tensor], rate: Tensor, t: float) -> Tensor:
        """Return Δ of update t, and put the arrays of `slots` into `kept`."""
        raise NotImplementedError(f"{type(self).__name__} must define step(g, kept, rate, t).")

    def minimize(
        self, loss: Any, global_step: Any = None, var_list: Any = None, gate_gradients: int = 1,
        aggregation_method: Any = None, colocate_gradients_with_ops: bool = False, name: str | None = None,
        grad_loss: Any = None,
    ) -> Any:  # fmt: skip
        """Return the operation that changes the variables against the gradient of the loss.

        Outside a graph, the loss is a function without arguments, and the variables change at once.

        Raises:
            GradientError: the loss depends on no variable.
        """
        pairs = self.compute_gradients(loss, var_list, grad_loss=grad_loss)
        return self.apply_gradients(pairs, global_step, name)

    def compute_gradients(
        self, loss: Any, var_list: Any = None, gate_gradients: int = 1, aggregation_method: Any = None,
        colocate_gradients_with_ops: bool = False, grad_loss: Any = None,
    ) -> list[tuple[Any, Any]]:  # fmt: skip
        """Return pairs (∂loss/∂w, w) of all trainable variables, or of those of a list."""
        if not isinstance(loss, GraphTensor):
            if not callable(loss):
                raise GradientError(
                    f"{self._name}: expected `loss`, a tensor of a graph, or outside a graph a function without "
                    f"arguments, got {shown(loss)}."
                )
            value = loss()
            chosen = list(trainable_variables() if var_list is None else var_list() if callable(var_list) else var_list)
            return list(zip(grad(value, chosen), chosen, strict=True))
        if var_list is None:
            chosen = [v for v in loss.graph.variables.values() if v.trainable]
        else:
            chosen = list(var_list) if isinstance(var_list, (list, tuple)) else [var_list]
        if not chosen:
            raise NoGradientError(f"{self._name}: expected variables to optimize, got none. Make a tf.Variable first.")
        return list(zip(gradients(loss, chosen, grad_loss), chosen, strict=True))

    def apply_gradients(self, grads_and_vars: Any, global_step: Any = None, name: str | None = None) -> Any:
        """Return the operation that runs one update; pairs without a gradient stay as they are.

        Raises:
            NoGradientError: (a ValueError) no variable has a gradient.
        """
        pairs = [(g, w) for g, w in grads_and_vars if g is not None]
        if not pairs:
            raise NoGradientError(f"{self._name}: no gradient for any variable: the loss does not depend on them.")
        weights = [w for _, w in pairs]
        self._prepare(weights)

        def change(rate: Any, *given: Any) -> Tensor:
            with no_grad():
                self._update(weights, list(given), as_tensor(rate))
                if global_step is not None:
                    Weight.assign(global_step, global_step.detach() + 1)
            return tensor(0.0)

        rate = self._rate() if callable(self._rate) else self._rate
        rate = rate.value() if isinstance(rate, GraphVariable) else rate
        inputs = [rate, *(g for g, _ in pairs)]
        if not state.building():
            return change(*inputs)
        return Operation(updating(change, inputs, name or self._name))

    def get_slot(self, var: Any, name: str) -> Any:
        """Return the variable that is kept for another one, or None."""
        return self._kept.get((id(var), name))

    def get_slot_names(self) -> list[str]:
        """Return the names of what is kept for each variable."""
        return sorted(self.slots)

    def variables(self) -> list[Any]:
        """Return the variables that the optimizer keeps."""
        return [*([] if self._steps is None else [self._steps]), *self._kept.values()]

    def _prepare(self, weights: list[Any]) -> None:
        """Make what is kept for weights, variables of the graph that are not trained."""
        if self._steps is None:
            self._steps = self._variable(f"{self._name}/steps", lambda: F.zeros((), "int64"))
        for w in weights:
            for k, (slot, first) in enumerate(self.slots.items()):
                if (id(w), slot) not in self._kept:
                    suffix = f"_{k}" if k else ""
                    name = f"{w.name.partition(':')[0]}/{self._name}{suffix}"
                    self._kept[id(w), slot] = self._variable(
                        name, lambda w=w, first=first: F.full(w.shape, first, w.dtype)
                    )

    @staticmethod
    def _variable(name: str, first: Any) -> GraphVariable:
        graph = state.current()
        full = graph.unique_name(name)
        made = GraphVariable(first(), False, f"{full}:0")
        if graph.begun:
            graph.add(full, made, first)
        return made

    def _update(self, weights: list[Any], given: list[Any], rate: Tensor) -> None:
        steps: Any = self._steps
        Weight.assign(steps, steps.detach() + 1)
        t = float(steps.item())
        for w, g in zip(weights, given, strict=True):
            kept = {slot: self._kept[id(w), slot].detach() for slot in self.slots}
            step = self.step(convert(g).astype(w.dtype), kept, rate.astype(w.dtype), t)
            new = w.detach() - step
            Weight.assign(w, new if w.constraint is None else w.constraint(new))
            for slot, array in kept.items():
                Weight.assign(self._kept[id(w), slot], array)


class GradientDescentOptimizer(Optimizer):
    """Δ = η g"""

    def step(self, g: Tensor, kept: dict[str, Tensor], rate: Tensor, t: float) -> Tensor:
        """Return Δ."""
        return rate * g


class MomentumOptimizer(Optimizer):
    """a ← μ a + g,  Δ = η a; with Nesterov's form Δ = η (g + μ a).

    Args:
        learning_rate: η.
        momentum: μ.
        use_locking: without effect.
        name: the name of the update.
        use_nesterov: whether the form is Nesterov's.
    """

    slots: ClassVar[dict[str, float]] = {"momentum": 0.0}

    def __init__(
        self, learning_rate: Any, momentum: Any, use_locking: bool = False, name: str = "Momentum",
        use_nesterov: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(learning_rate, use_locking, name)
        self.momentum, self.use_nesterov = momentum, use_nesterov

    def step(self, g: Tensor, kept: dict[str, Tensor], rate: Tensor, t: float) -> Tensor:
        """Return Δ."""
        a: Tensor = self.momentum * kept["momentum"] + g
        kept["momentum"] = a
        return rate * (g + self.momentum * a) if self.use_nesterov else rate * a


class AdagradOptimizer(Optimizer):
    """s ← s + g²,  Δ = η g / √s

    Args:
        learning_rate: η.
        initial_accumulator_value: the first s.
        use_locking: without effect.
        name: the name of the update.
    """

    slots: ClassVar[dict[str, float]] = {"accumulator": 0.1}

    def __init__(
        self, learning_rate: Any, initial_accumulator_value: float = 0.1, use_locking: bool = False,
        name: str = "Adagrad",
    ) -> None:  # fmt: skip
        super().__init__(learning_rate, use_locking, name)
        self.slots = {"accumulator": initial_accumulator_value}  # type: ignore[misc]

    def step(self, g: Tensor, kept: dict[str, Tensor], rate: Tensor, t: float) -> Tensor:
        """Return Δ."""
        kept["accumulator"] = kept["accumulator"] + g * g
        return rate * g / F.sqrt(kept["accumulator"])


class AdamOptimizer(Optimizer):
    """m ← β₁ m + (1 − β₁) g,  v ← β₂ v + (1 − β₂) g²,  Δ = η √(1 − β₂ᵗ) / (1 − β₁ᵗ) · m / (√v + ε)

    Args:
        learning_rate: η.
        beta1: β₁.
        beta2: β₂.
        epsilon: ε.
        use_locking: without effect.
        name: the name of the update.
    """

    slots: ClassVar[dict[str, float]] = {"m": 0.0, "v": 0.0}

    def __init__(
        self, learning_rate: Any = 0.001, beta1: float = 0.9, beta2: float = 0.999, epsilon: float = 1e-8,
        use_locking: bool = False, name: str = "Adam",
    ) -> None:  # fmt: skip
        super().__init__(learning_rate, use_locking, name)
        self.beta1, self.beta2, self.epsilon = beta1, beta2, epsilon

    def step(self, g: Tensor, kept: dict[str, Tensor], rate: Tensor, t: float) -> Tensor:
        """Return Δ."""
        b1, b2 = (tensor(beta, g.dtype) for beta in (self.beta1, self.beta2))  # rounded, as TensorFlow's
        m = kept["m"] = b1 * kept["m"] + (1.0 - b1) * g
        v = kept["v"] = b2 * kept["v"] + (1.0 - b2) * g * g
        scale = rate * F.sqrt(1.0 - F.power(b2, t)) / (1.0 - F.power(b1, t))
        return scale * m / (F.sqrt(v) + self.epsilon)


class RMSPropOptimizer(Optimizer):
    """s ← ρ s + (1 − ρ) g², from 1 on,  v ← μ v + η g / √(s + ε),  Δ = v; if centered, s − a² in place of s.

    Args:
        learning_rate: η.
        decay: ρ.
        momentum: μ.
        epsilon: ε.
        use_locking: without effect.
        centered: whether a, the mean of g, is subtracted: a ← ρ a + (1 − ρ) g.
        name: the name of the update.
    """

    slots: ClassVar[dict[str, float]] = {"rms": 1.0, "momentum": 0.0, "mg": 0.0}

    def __init__(
        self, learning_rate: Any, decay: float = 0.9, momentum: float = 0.0, epsilon: float = 1e-10,
        use_locking: bool = False, centered: bool = False, name: str = "RMSProp",
    ) -> None:  # fmt: skip
        super().__init__(learning_rate, use_locking, name)
        self.decay, self.momentum, self.epsilon, self.centered = decay, momentum, epsilon, centered

    def step(self, g: Tensor, kept: dict[str, Tensor], rate: Tensor, t: float) -> Tensor:
        """Return Δ."""
        s = kept["rms"] = self.decay * kept["rms"] + (1.0 - self.decay) * g * g
        if self.centered:
            a = kept["mg"] = self.decay * kept["mg"] + (1.0 - self.decay) * g
            s = s - a * a
        v = kept["momentum"] = self.momentum * kept["momentum"] + rate * g / F.sqrt(s + self.epsilon)
        return v


@recordable
def exponential_decay(
    learning_rate: Any, global_step: Any, decay_steps: Any, decay_rate: Any, staircase: bool = False
) -> Tensor:
    """learning_rate · decay_rate^(global_step / decay_steps), the exponent rounded down for a `staircase`."""
    exponent = convert(global_step).detach().astype("float32") / convert(decay_steps).astype("float32")
    exponent = F.floor(exponent) if staircase else exponent
    return convert(learning_rate, "float32") * F.power(convert(decay_rate, "float32"), exponent)


def get_or_create_global_step(graph: Any = None) -> Any:
    """Return the variable that counts updates, `global_step`."""
    found = (graph or state.current()).variables.get("global_step")
    return Optimizer._variable("global_step", lambda: F.zeros((), "int64")) if found is None else found


def get_global_step(graph: Any = None) -> Any:
    """Return the variable that counts updates, or None."""
    return (graph or state.current()).variables.get("global_step")
