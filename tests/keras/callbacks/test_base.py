"""Hooks of callbacks: their order, their older names, and shared logs."""

from __future__ import annotations

from callback_runs import X, Y, model_on
from minigrad.keras import callbacks
from minigrad.keras.callbacks.base import HOOKS


def test_every_hook_is_called_in_order():
    heard = []

    class Listener(callbacks.Callback):
        pass

    for hook in HOOKS:
        if "on_batch" not in hook:
            setattr(Listener, hook, lambda self, *args, hook=hook: heard.append(hook))
    model_on().fit(X, Y, batch_size=10, callbacks=Listener(), validation_split=0.5, verbose=0)
    assert heard == [
        "on_train_begin", "on_epoch_begin", "on_train_batch_begin", "on_train_batch_end", "on_test_begin",
        "on_test_end", "on_epoch_end", "on_train_end",
    ]  # fmt: skip


def test_the_older_names_of_the_batch_hooks_and_lambdas():
    steps, losses = [], []
    callback = callbacks.LambdaCallback(
        on_batch_begin=lambda batch, logs: steps.append(batch),
        on_train_batch_end=lambda batch, logs: losses.append(logs["loss"]),
        on_epoch_end=None,
    )
    history = model_on().fit(X, Y, batch_size=5, callbacks=[callback], verbose=0).history
    assert steps == [0, 1, 2, 3]
    assert losses[-1] == history["loss"][0]
    assert all(isinstance(loss, float) for loss in losses)


def test_what_a_callback_adds_to_the_logs_is_in_the_history():
    adding = callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(square=epoch**2))
    assert model_on().fit(X, Y, epochs=3, callbacks=[adding], verbose=0).history["square"] == [0, 1, 4]


def test_callbacks_from_an_iterator_are_called():
    called = []
    found = callbacks.CallbackList(iter([callbacks.LambdaCallback(on_epoch_end=lambda *a: called.append(a))]), None, {})
    found.call("on_epoch_end", 0, {})
    found.call("on_epoch_end", 1, {})
    assert called == [(0, {}), (1, {})]
