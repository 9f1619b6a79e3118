"""What `compile` was given, made ready: the losses and metrics of each output of a model."""

from __future__ import annotations

from typing import Any

from minigrad.errors import MinigradError, ShapeError, unknown_name
from minigrad.keras import losses as losses_module
from minigrad.keras import metrics as metrics_module
from minigrad.keras.losses import FunctionLoss, Loss
from minigrad.keras.metrics import Mean, Metric, for_output
from minigrad.keras.models.data import DataError
from minigrad.layers import nest
from minigrad.layers.options import number, optional
from minigrad.tensor import Tensor


class NotCompiledError(MinigradError, RuntimeError):
    """A model was asked to train or to be evaluated before `compile`."""


class Compiled:
    """Losses and metrics.

    The loss of an output with a mask (`y._keras_mask`) is the sum over what counts divided by how many count, as in
    TensorFlow 2.15; `minigrad.keras.reduction` has the other ways. With sample weights the sum is divided by the number
    of examples all the same.

    Args:
        loss: for a model of one output a name, a function or a `Loss`; for several, one for all, a list, or a
            dictionary by the outputs' names. None where the model adds its loss by itself.
        metrics: a list, for several outputs a list of lists or a dictionary of lists. They see masks, but no weights.
        loss_weights: a factor for the loss of each output.
        weighted_metrics: as `metrics`, but these see the sample weights.
    """

    def __init__(self, loss: Any, metrics: Any, loss_weights: Any, weighted_metrics: Any) -> None:
        for given in nest.leaves(loss):
            losses_module.get(given)  # an unknown name is reported by compile, not by fit
        for given in [*nest.leaves(metrics), *nest.leaves(weighted_metrics)]:
            metrics_module.check(given)
        for given in nest.leaves(loss_weights):
            optional(number).read("compile: `loss_weights`", given)
        self.where = "fit"  # what goes on, for messages
        self._wants_targets = any(given is not None for given in nest.leaves(loss))
        self._given = {"loss": loss, "metrics": metrics, "weighted_metrics": weighted_metrics, "weights": loss_weights}
        self._losses: list[Loss | None] | None = None
        self._factors: list[Any] = []
        self._metrics: list[tuple[list[Metric], list[Metric]]] | None = None  # of each output: without and with weights
        self.mean_loss = Mean(name="loss")
        self._mean_losses: list[Mean] = []  # of each output, if there are several

    @property
    def metrics(self) -> list[Metric]:
        """The mean loss, the mean losses of several outputs, and the metrics."""
        own = [m for plain, weighted in self._metrics or [] for m in [*plain, *weighted]]
        return [self.mean_loss, *self._mean_losses, *own]

    def reset(self) -> None:
        """Forgets all batches."""
        for metric in self.metrics:
            metric.reset_state()

    def check(self, x: Any, y_true: Any) -> None:
        """Makes sure, before the model is called, that there are targets if there is a loss.

        Raises:
            DataError: there are none.
        """
        if y_true is None and self._wants_targets:
            parts = len(nest.leaves(x))
            held = f" `x` holds {parts} arrays; is `y` one of them? Then give (x, y), not [x, y] or ((x, y),)."
            raise DataError(
                f"{self.where}: `y` is missing, the targets of the loss that compile was given."
                + (held if parts > 1 else "")
            )

    def loss(self, y_true: Any, y_pred: Any, sample_weight: Any, penalties: list[Tensor]) -> Tensor:
        """Returns the loss of a batch, penalties added, and takes it into the mean.

        Raises:
            DataError: targets and outputs do not go together, or there is nothing to minimize.
        """
        outputs = nest.leaves(y_pred)
        if self._losses is None:
            self._build_losses(y_pred)
        terms: list[Tensor] = []
        size = float(outputs[0].shape[0])
        everything = zip(outputs, self._targets(y_true, y_pred), self._losses or [], self._factors, strict=True)
        for k, (p, y, of_output, factor) in enumerate(everything):
            if of_output is None or y is None:
                continue
            term = _term(of_output, y, p, self._one_of(sample_weight, k, len(outputs)))
            if term.ndim:  # reduction="none": a custom loop wants that, here one number is needed
                raise DataError(f"compile: {of_output.name}, with reduction='none', gives {term.shape} numbers, not 1.")
            if self._mean_losses:
                self._mean_losses[k].update_state(term, size)
            terms.append(term if factor is None else term * float(factor))
        terms += penalties
        if not terms:
            raise DataError(
                f"{self.where}: there is nothing to minimize: give compile a `loss`, and a `y` here, or call add_loss."
            )
        total = terms[0]
        for term in terms[1:]:
            total = total + term.astype(total.dtype)
        self.mean_loss.update_state(total, size)
        return total

    def update(self, y_true: Any, y_pred: Any, sample_weight: Any) -> None:
        """Takes a batch into the metrics."""
        outputs, targets = nest.leaves(y_pred), self._targets(y_true, y_pred)
        if self._metrics is None and y_true is not None:
            self._build_metrics(y_pred, targets)
        for k, (p, y, (plain, weighted)) in enumerate(zip(outputs, targets, self._metrics or [], strict=False)):
            if y is not None:
                y, mask = _matched(y, p), getattr(p, "_keras_mask", None)
                w = self._one_of(sample_weight, k, len(outputs))
                for metric in plain:
                    metric.update_state(y, p, sample_weight=mask)
                for metric in weighted:
                    metric.update_state(y, p, sample_weight=_product(w, mask, p))

    def _targets(self, y_true: Any, y_pred: Any) -> list[Any]:
        """The targets of each output, None where there are none."""
        outputs = nest.leaves(y_pred)
        if y_true is None:
            return [None] * len(outputs)
        if isinstance(y_true, dict) and isinstance(y_pred, dict):
            for name in y_true:
                if name not in y_pred:
                    raise unknown_name(f"{self.where}: `y`", name, y_pred)
            return [y_true.get(name) for name in y_pred]
        targets = nest.leaves(y_true)
        if len(targets) != len(outputs):
            raise DataError(f"{self.where}: the model has {len(outputs)} outputs, but `y` holds {len(targets)} arrays.")
        return targets

    def _one_of(self, weights: Any, k: int, count: int) -> Any:
        """The sample weights of output k: one array for all outputs, or one for each."""
        if not isinstance(weights, (list, tuple, dict)):
            return weights
        found = nest.leaves(weights)
        if len(found) != count:
            raise DataError(f"{self.where}: `sample_weight`: expected {count}, one for each output, got {len(found)}.")
        return found[k]

    def _build_losses(self, y_pred: Any) -> None:
        names = output_names(y_pred)
        self._factors = _for_each("loss_weights", self._given["weights"], names)
        self._losses = []
        for given in _for_each("loss", self._given["loss"], names):
            found = losses_module.get(given)
            self._losses.append(found if found is None or isinstance(found, Loss) else FunctionLoss(found))
        self._mean_losses = [Mean(name=f"{name}_loss") for name in names] if len(names) > 1 else []

    def _build_metrics(self, y_pred: Any, targets: list[Any]) -> None:
        names, outputs = output_names(y_pred), nest.leaves(y_pred)
        given = [_lists_for_each(kind, self._given[kind], names) for kind in ("metrics", "weighted_metrics")]
        self._metrics, taken = [], {metric.name for metric in self.metrics}
        for k, (name, p, y) in enumerate(zip(names, outputs, targets, strict=True)):
            made: list[list[Metric]] = [[], []]
            for lists, found, prefix in zip(given, made, ("", "weighted_"), strict=True):
                for m in lists[k] if y is not None else []:
                    metric = for_output(m, _matched(y, p), p)
                    own = f"{name}_{metric.name}" if len(names) > 1 else metric.name
                    metric.name = prefix + own if own in taken else own
                    if metric.name in taken:
                        raise DataError(f"compile: `metrics`: two are named {metric.name!r}. Give one another name.")
                    taken.add(metric.name)
                    found.append(metric)
            self._metrics.append((made[0], made[1]))


def output_names(y_pred: Any) -> list[str]:
    """Returns the names of a model's outputs: the keys of a dictionary, or ``output_1``, ``output_2`` …"""
    return list(y_pred) if isinstance(y_pred, dict) else [f"output_{k + 1}" for k in range(len(nest.leaves(y_pred)))]


def _for_each(what: str, given: Any, names: list[str]) -> list[Any]:
    """One thing for each output: from one for all, a list, or a dictionary by names."""
    if isinstance(given, dict):
        for name in given:
            if name not in names:
                raise unknown_name(f"compile: {what}", name, names)
        return [given.get(name) for name in names]
    if not isinstance(given, (list, tuple)):
        return [given] * len(names)
    if len(given) != len(names):
        raise DataError(f"compile: `{what}`: expected {len(names)}, one for each output, got {len(given)}.")
    return list(given)


def _lists_for_each(what: str, given: Any, names: list[str]) -> list[list[Any]]:
    """A list for each output. A flat list is for all of them."""
    flat = isinstance(given, (list, tuple)) and not any(isinstance(part, (list, tuple)) for part in given)
    lists = [given] * len(names) if flat else _for_each(what, given, names)
    return [list(part) if isinstance(part, (list, tuple)) else [] if part is None else [part] for part in lists]


def _matched(y: Tensor, p: Tensor) -> Tensor:
    """Targets (batch,) for outputs (batch, d) as (batch, 1)."""
    return y.reshape((-1, 1)) if y.ndim == 1 and p.ndim == 2 else y


def _term(loss: Loss, y: Tensor, p: Tensor, sample_weight: Any) -> Tensor:
    """The loss of one output; an error names the shape in which the targets came."""
    matched = _matched(y, p)
    try:
        return loss(matched, p, sample_weight=sample_weight)
    except ShapeError as error:
        if matched.shape == y.shape:
            raise
        raise ShapeError(f"{error} The targets came as {y.shape}, and were taken as one number a row.") from error


def _product(weights: Any, mask: Any, p: Tensor) -> Any:
    if mask is None or weights is None:
        return mask if weights is None else weights
    mask = mask.astype(p.dtype)
    return mask * weights.reshape(weights.shape + (1,) * (mask.ndim - weights.ndim))
