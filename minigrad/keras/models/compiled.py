"""The arguments of `compile`, resolved: the losses and metrics of each output of a model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from minigrad.engine import rows, tree
from minigrad.engine.errors import DataError, MinigradError, ShapeError, shown
from minigrad.engine.foreign import with_name
from minigrad.engine.tensor import Tensor
from minigrad.keras import losses as losses_module
from minigrad.keras import metrics as metrics_module
from minigrad.keras.losses import FunctionLoss, Loss
from minigrad.keras.losses.catalogue import find as find_loss
from minigrad.keras.metrics import Mean, Metric, for_output, reset_copy
from minigrad.keras.models.outputs import Pairing, is_one_list, leaves, named, output_names
from minigrad.layers.options import number, optional


class NotCompiledError(MinigradError, RuntimeError):
    """Raised when a model trains or is evaluated before `compile`."""


class Compiled:
    """Losses and metrics of a model's outputs.

    The loss of an output with a mask (`y._keras_mask`) is the sum over the unmasked steps divided by their number, as
    in TensorFlow 2.15; `minigrad.keras.losses.reduction` lists the other reductions. With sample weights the divisor
    stays the number of examples.

    Args:
        loss: for a model of one output a name, a function or a `Loss`; for several, one for all, a list, or a
            dictionary by the outputs' names. None if the model calls `add_loss`.
        metrics: a list, for several outputs a list of lists or a dictionary of lists. They use masks, but no weights.
            A flat list of metrics is for all outputs; each output gets its own copies.
        loss_weights: a factor for the loss of each output.
        weighted_metrics: as `metrics`, but these use the sample weights.
        alias: a function that returns a second name of a single output, that of a Sequential's last layer.
    """

    def __init__(
        self,
        loss: Any,
        metrics: Any,
        loss_weights: Any,
        weighted_metrics: Any,
        alias: Callable[[], str | None] = lambda: None,
    ) -> None:
        for given in tree.leaves(loss, "compile: `loss`"):
            find_loss("compile: `loss`", given)  # an unknown name is reported by compile, not by fit
        for name, several in (("metrics", metrics), ("weighted_metrics", weighted_metrics)):
            for given in tree.leaves(several, f"compile: `{name}`"):
                metrics_module.check(given, f"compile: `{name}`")
        _check_distinct([*tree.leaves(metrics), *tree.leaves(weighted_metrics)])
        for given in tree.leaves(loss_weights, "compile: `loss_weights`"):
            optional(number).read("compile: `loss_weights`", given)
        self.where = "fit"  # the current call, for messages
        self._alias = alias
        self._needs_targets = any(given is not None for given in tree.leaves(loss))
        self._given = {"loss": loss, "metrics": metrics, "weighted_metrics": weighted_metrics, "weights": loss_weights}
        self._losses: list[Loss | None] | None = None
        self._factors: list[Any] = []
        self._metrics: list[tuple[list[Metric], list[Metric]]] | None = None  # of each output: without and with weights
        self.mean_loss = Mean(name="loss")
        self._mean_losses: list[Mean | None] = []  # of each output that has a loss, if there are several

    @property
    def metrics(self) -> list[Metric]:
        """The mean loss, the mean losses of several outputs, and the metrics."""
        own = [m for plain, weighted in self._metrics or [] for m in [*plain, *weighted]]
        return [self.mean_loss, *filter(None, self._mean_losses), *own]

    @property
    def is_weighted(self) -> bool:
        """Whether there are `loss_weights`."""
        return self._given["weights"] is not None

    def reset(self) -> None:
        """Reset the metrics."""
        for metric in self.metrics:
            metric.reset_state()

    def check(self, x: Any, y_true: Any) -> None:
        """Check, before the model is called, that there are targets if there is a loss.

        Raises:
            DataError: the targets are missing.
        """
        if y_true is None and self._needs_targets:
            parts = len(tree.leaves(x, f"{self.where}: `x`"))
            hint = f" `x` holds {parts} arrays; if `y` is one of them, pass (x, y), not [x, y] or ((x, y),)."
            raise DataError(
                f"{self.where}: `y` is missing, the targets of the loss given to compile." + (hint if parts > 1 else "")
            )

    def loss(self, y_true: Any, y_pred: Any, sample_weight: Any, penalties: list[Tensor]) -> Tensor:
        """Return the loss of a batch, penalties added, and update the mean loss.

        Raises:
            DataError: targets and outputs do not fit together, or there is nothing to minimize.
        """
        outputs = leaves(y_pred)
        if not outputs or not all(isinstance(p, Tensor) and p.ndim for p in outputs):
            raise DataError(f"{self.where}: expected outputs `y_pred` of shape (batch, …), got {shown(y_pred)}.")
        if self._losses is None:
            self._build_losses(y_pred)
        terms: list[Tensor] = []
        own = rows.current()
        size = float(outputs[0].shape[0] if own is None else own.stop - own.start)
        targets, weights = self._targets(y_true, y_pred), self._weights(sample_weight, y_pred)
        everything = zip(outputs, targets, weights, self._losses or [], self._factors, strict=True)
        for k, (p, y, w, of_output, factor) in enumerate(everything):
            if of_output is None or y is None:
                continue
            try:
                term = _term(of_output, y, p, w)
            except MinigradError as error:
                raise with_name(error, f"{self.where}: the loss of `y`") from error.__cause__
            if term.ndim:  # reduction="none" is for a custom loop
                raise DataError(
                    f"compile: {of_output.name}: expected one number, got {term.shape} with reduction='none'. Choose "
                    "another reduction."
                )
            if self._mean_losses:
                self._mean_losses[k].update_state(term, size)  # type: ignore[union-attr]  # it has a loss
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
        """Update the metrics with a batch."""
        outputs, targets = leaves(y_pred), self._targets(y_true, y_pred)
        if self._metrics is None and y_true is not None:
            self._build_metrics(y_pred, targets)
        if (own := rows.current()) is not None and own.start == own.stop:  # other processes have all rows
            return
        weights = self._weights(sample_weight, y_pred)
        for p, y, w, (plain, weighted) in zip(outputs, targets, weights, self._metrics or [], strict=False):
            if y is not None:
                y, mask = _as_column(y, p), getattr(p, "_keras_mask", None)
                try:
                    for metric in plain:
                        metric.update_state(y, p, sample_weight=mask)
                    for metric in weighted:
                        metric.update_state(y, p, sample_weight=_product(w, mask, p))
                except MinigradError as error:
                    raise with_name(error, f"{self.where}: `metrics` or `weighted_metrics` of `y`") from error.__cause__

    def _targets(self, y_true: Any, y_pred: Any) -> list[Any]:
        """Return the targets of each output, or None."""
        return self._pairing(f"{self.where}: `y`", broadcast=False, by_position=False).pair(y_true, y_pred)

    def _weights(self, sample_weight: Any, y_pred: Any) -> list[Any]:
        """Return the sample weights of each output: one array for all of them, or one for each."""
        return self._pairing(f"{self.where}: `sample_weight`").pair(sample_weight, y_pred)

    def _pairing(self, where: str, **how: Any) -> Pairing:
        return Pairing(where, alias=self._alias(), **how)

    def _build_losses(self, y_pred: Any) -> None:
        self._factors = self._pairing("compile: `loss_weights`").pair(self._given["weights"], y_pred)
        self._losses = []
        for given in self._pairing("compile: `loss`").pair(self._given["loss"], y_pred):
            found = losses_module.get(given)
            self._losses.append(found if found is None or isinstance(found, Loss) else FunctionLoss(found))
        names = output_names(y_pred)
        measured = zip(names, self._losses, strict=True)
        self._mean_losses = (
            [None if of is None else Mean(name=f"{name}_loss") for name, of in measured] if len(names) > 1 else []
        )

    def _build_metrics(self, y_pred: Any, targets: list[Any]) -> None:
        kinds = [self._metrics_of_each(kind, y_pred) for kind in ("metrics", "weighted_metrics")]
        self._metrics, taken = [], {metric.name for metric in self.metrics}
        for (name, p), y, *lists in zip(named(y_pred), targets, *kinds, strict=True):
            own_metrics: list[list[Metric]] = [[], []]
            before = f"{name}_" if len(targets) > 1 else ""
            for given, found, prefix in zip(lists, own_metrics, ("", "weighted_"), strict=True):
                for m in given:
                    metric = for_output(m, None if y is None else _as_column(y, p), p)
                    own = f"{before}{metric.name}"
                    metric.name = f"{before}{prefix}{metric.name}" if own in taken else own
                    if metric.name in taken:
                        raise DataError(f"compile: `metrics`: two are named {metric.name!r}. Give one another name.")
                    taken.add(metric.name)
                    found.append(metric)
            self._metrics.append((own_metrics[0], own_metrics[1]))

    def _metrics_of_each(self, kind: str, y_pred: Any) -> list[list[Any]]:
        """Return a list of metrics for each output; an object that is for several outputs is copied for each."""
        found = self._pairing(f"compile: `{kind}`", is_value=is_one_list, by_position=False).pair(
            self._given[kind], y_pred
        )
        lists = [[m for m in tree.leaves(own) if m is not None] for own in found]
        uses = Counter(id(m) for own in lists for m in own)
        return [[reset_copy(m) if isinstance(m, Metric) and uses[id(m)] > 1 else m for m in own] for own in lists]


def _check_distinct(metrics: list[Any]) -> None:
    """Raise DataError for a metric that is given twice, which would count each batch twice."""
    seen: set[int] = set()
    for metric in metrics:
        if isinstance(metric, Metric) and id(metric) in seen:
            raise DataError(
                f"compile: `metrics`: the same object, {metric.name!r}, is given twice, and would count each batch "
                "twice. Make a new object for each place."
            )
        seen.add(id(metric))


def _as_column(y: Tensor, p: Tensor) -> Tensor:
    """Return targets (batch,) for outputs (batch, d) as (batch, 1)."""
    return y.reshape((-1, 1)) if y.ndim == 1 and p.ndim == 2 else y


def _term(loss: Loss, y: Tensor, p: Tensor, sample_weight: Any) -> Tensor:
    """Return the loss of one output; an error names the shape of the targets as given."""
    column = _as_column(y, p)
    try:
        return loss(column, p, sample_weight=sample_weight)
    except ShapeError as error:
        if column.shape == y.shape:
            raise
        raise ShapeError(f"{error} The targets were given as {y.shape}, and read as one number per row.") from error


def _product(weights: Any, mask: Any, p: Tensor) -> Any:
    if mask is None or weights is None:
        return mask if weights is None else weights
    mask = mask.astype(p.dtype)
    return mask * weights.reshape(weights.shape + (1,) * (mask.ndim - weights.ndim))
