"""Several threads at once, with the results of each alone: models, weights, gradients, names, seeds."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from flows import in_threads, orders
from minigrad.compat import v1
from minigrad.keras import layers as L

X = np.random.default_rng(0).standard_normal((24, 5, 3)).astype("float32")
Y = np.random.default_rng(1).standard_normal((24, 2)).astype("float32")
THREADS = 8


@pytest.fixture(autouse=True)
def _switching_often() -> Iterator[None]:
    """Threads take turns after microseconds rather than milliseconds."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def at_once(*jobs: Callable[[], Any]) -> list[Any]:
    """Run the jobs in threads that start together; return what they return."""
    together = Barrier(len(jobs))

    def run(job: Callable[[], Any]) -> Any:
        together.wait()
        return job()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return [running.result() for running in [pool.submit(run, job) for job in jobs]]


class Noisy(L.Layer):
    """Add the mean of its inputs to the losses, in training only."""

    def call(self, inputs: Any, training: Any = None) -> Any:
        if training:
            self.add_loss(inputs.mean())
        return inputs


MODELS: dict[str, Callable[[], list[Any]]] = {
    "lstm": lambda: [L.LSTM(4), L.Dense(2)],
    "dropout inside": lambda: [L.LSTM(4, dropout=0.3, recurrent_dropout=0.3), L.Dense(2)],
    "unrolled": lambda: [L.GRU(4, unroll=True, dropout=0.3, recurrent_dropout=0.3), L.Dense(2)],
    "losses of a call": lambda: [L.SimpleRNN(4, activity_regularizer="l2"), Noisy(), L.Dense(2)],
    "dropout": lambda: [L.Dropout(0.5), L.Bidirectional(L.GRU(3)), L.Dropout(0.5), L.Dense(2)],
    "stacked": lambda: [L.RNN([L.LSTMCell(3, dropout=0.2), L.GRUCell(3)]), L.Dense(2)],
}


TRACED = ("lstm", "losses of a call")


def model_of(name: str) -> Any:
    mg.random.seed(3)
    model = mg.keras.Sequential(MODELS[name]())
    model.compile("adam", "mse", metrics=["mae"])
    model.build((None, 5, 3))
    return model


def trained(name: str, *beside: Callable[[Any], Any]) -> tuple[Any, list[Any]]:
    """Return the history and the weights of a fit that others look on at."""
    model = model_of(name)
    mg.random.seed(4)
    jobs = [lambda job=job: job(model) for job in beside]
    history = at_once(lambda: model.fit(X, Y, epochs=3, batch_size=8, verbose=0).history, *jobs)[0]
    return history, model.get_weights()


def predicts(model: Any) -> None:
    for _ in range(6):
        assert model.predict(X[:7]).shape == (7, 2)
        assert model(X[:5]).shape == (5, 2)
        model.predict_on_batch(X[:1])


def traces(model: Any) -> None:
    with mg.trace(model) as seen, mg.GradientTape() as tape:
        model(X[:2])
        assert seen.h.shape[1] == 2
    assert {id(w) for w in tape.watched_variables()} <= {id(w) for w in model.trainable_weights}


def turns_things_off(model: Any) -> None:
    for _ in range(50):
        with mg.no_grad(), mg.using("numpy"):
            assert not (model.trainable_weights[0] * 2.0).requires_grad
        with mg.GradientTape() as tape:
            tape.watch(mg.ones(2))


@pytest.mark.parametrize("name", MODELS)
def test_fit_beside_others_is_the_fit_alone(name: str) -> None:
    alone = trained(name)
    lookers = [predicts, predicts, turns_things_off, *([traces] if name in TRACED else [])]
    beside = trained(name, *lookers)
    assert beside[0] == alone[0]
    for w, own in zip(*(found[1] for found in (beside, alone)), strict=True):
        np.testing.assert_array_equal(w, own)


@pytest.mark.parametrize("name", MODELS)
def test_models_of_their_own_predict_and_evaluate_at_once(name: str) -> None:
    models = [model_of(name) for _ in range(THREADS)]
    expected = models[0].predict(X), models[0].evaluate(X, Y, verbose=0)
    found = at_once(*[lambda m=m: (m.predict(X), m.evaluate(X, Y, verbose=0)) for m in models])
    for outputs, values in found:
        np.testing.assert_array_equal(outputs, expected[0])
        assert values == expected[1]
    assert (mg.ones(2, dtype="float32") * models[0].trainable_weights[-1]).requires_grad


def test_one_model_predicts_in_many_threads() -> None:
    model = model_of("dropout")
    expected = model.predict(X)
    for _ in range(20):
        for found in at_once(*[lambda: model.predict(X)] * THREADS):
            np.testing.assert_array_equal(found, expected)
        assert (model.trainable_weights[0] * 2.0).requires_grad


# --- made once --------------------------------------------------------------------------------------------------------


class EarlyBuilt(L.Layer):
    """A layer that claims to be built before its weights exist."""

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        for k in range(20):
            setattr(self, f"w{k}", self.add_weight(f"w{k}", (input_shape[-1],)))

    def call(self, inputs: Any) -> Any:
        return inputs * self.w0 * self.w19


LAYERS: dict[str, tuple[Callable[[], Any], int]] = {
    "Dense": (lambda: L.Dense(4), 2),
    "LSTM": (lambda: L.LSTM(4), 3),
    "stacked": (lambda: L.RNN([L.LSTMCell(3), L.GRUCell(3)]), 6),
    "Bidirectional": (lambda: L.Bidirectional(L.GRU(3)), 6),
    "TimeDistributed": (lambda: L.TimeDistributed(L.Dense(3)), 2),
    "Sequential": (lambda: mg.keras.Sequential([L.LSTM(3, return_sequences=True), L.Dense(2)]), 5),
    "built early": (EarlyBuilt, 20),
    "v1": (lambda: L.RNN(v1.nn.rnn_cell.LSTMCell(3)), 2),
}


@pytest.mark.usefixtures("fresh_variables")
@pytest.mark.parametrize("name", LAYERS)
def test_the_first_call_in_many_threads_builds_once(name: str) -> None:
    make, count = LAYERS[name]
    for _ in range(10):
        v1.reset_default_graph()
        layer = make()
        outputs = at_once(*[lambda layer=layer: layer(X).numpy()] * THREADS)
        assert len(layer.weights) == count
        for found in outputs:
            np.testing.assert_array_equal(found, outputs[0])
        assert len({w.name for w in layer.weights}) == count


def test_a_cell_of_two_layers_is_built_once() -> None:
    for _ in range(10):
        cell = L.LSTMCell(3)
        at_once(*[lambda layer=layer: layer(X) for layer in [L.RNN(cell) for _ in range(THREADS)]])
        assert len(cell.weights) == 3


def test_a_layer_whose_build_fails_can_be_built_by_another_thread() -> None:
    layer = L.Dense(2)

    def call(x: Any) -> Any:
        try:
            return layer(x).shape
        except mg.errors.ShapeError:
            return None

    assert set(at_once(*[lambda: call(X), lambda: call(np.float32(1.0))] * 4)) == {(24, 5, 2), None}
    assert len(layer.weights) == 2


def test_names_are_given_once() -> None:
    mg.keras.backend.clear_session()
    names = [name for found in at_once(*[lambda: [L.Dense(1).name for _ in range(50)]] * THREADS) for name in found]
    assert sorted(names) == sorted(["dense", *(f"dense_{k}" for k in range(1, 50 * THREADS))])


@pytest.mark.usefixtures("fresh_variables")
def test_a_variable_is_made_once() -> None:
    def shared() -> Any:
        with v1.variable_scope("a", reuse=v1.AUTO_REUSE):
            return [v1.get_variable(f"w{k}", (50, 50)) for k in range(20)]

    first, *others = at_once(*[shared] * THREADS)
    assert len(v1.global_variables()) == 20
    assert all(w is other for found in others for w, other in zip(first, found, strict=True))


@pytest.mark.usefixtures("fresh_variables")
def test_default_names_of_scopes_are_counted_by_each_thread_as_in_tensorflow() -> None:
    def actor(names: list[str]) -> Callable[[], Iterator[None]]:
        def steps() -> Iterator[None]:
            with v1.variable_scope("a"):
                for _ in range(2):
                    with v1.variable_scope(None, "cell") as scope:
                        names.append(scope.name)
                    yield

        return steps

    for order in orders(3, 3):
        one: list[str] = []
        other: list[str] = []
        in_threads([actor(one), actor(other)], order)
        assert one == other == ["a/cell", "a/cell_1"]


# --- gradients --------------------------------------------------------------------------------------------------------


def test_gradients_of_shared_leaves_add_up() -> None:
    w = mg.tensor(np.zeros(3), requires_grad=True)

    def work() -> None:
        for _ in range(300):
            (w * 2.0).sum().backward()

    at_once(*[work] * THREADS)
    assert w.grad.tolist() == [600.0 * THREADS] * 3


def test_a_graph_made_by_many_threads_is_one_graph() -> None:
    leaves = [mg.tensor(np.arange(6.0).reshape(3, 2) + k, requires_grad=True) for k in range(THREADS)]

    def work(x: mg.Tensor) -> mg.Tensor:
        total = mg.tensor(0.0, dtype="float64")
        for _ in range(30):
            a, b, c = x  # one node with three outputs
            total = total + (a + 2.0 * b + 3.0 * c).sum()
        return total

    for _ in range(5):
        parts = at_once(*[lambda x=x: work(x) for x in leaves])
        found = mg.grad(sum(parts[1:], parts[0]), leaves)
        for dx in found:
            np.testing.assert_array_equal(dx.numpy(), 30.0 * np.array([[1.0, 1.0], [2.0, 2.0], [3.0, 3.0]]))


def test_tapes_see_the_variables_of_their_own_flow_and_may_share_what_they_watch() -> None:
    shared = mg.tensor(2.0)

    def actor(own: mg.Tensor) -> Callable[[], Iterator[None]]:
        def steps() -> Iterator[None]:
            with mg.GradientTape() as tape:
                tape.watch(shared)
                yield
                y = own * shared * shared
                yield
            assert [x is own for x in tape.watched_variables()] == [True]
            found = tape.gradient(y, [own, shared])
            assert [dx.item() for dx in found] == [4.0, 4.0 * own.item()]
            with mg.GradientTape(persistent=True) as outer, mg.GradientTape() as inner:
                inner.watch(shared)
                yield
                dy = inner.gradient(own * shared, shared)
            assert outer.gradient(dy, own).item() == 1.0

        return steps

    for order in orders(4, 4):
        in_threads([actor(mg.tensor(3.0, requires_grad=True)), actor(mg.tensor(5.0, requires_grad=True))], order)
        assert not shared.requires_grad


def test_a_tape_is_entered_by_one_thread_at_a_time() -> None:
    tape = mg.GradientTape()

    def enter() -> bool:
        try:
            tape.__enter__()
        except mg.errors.GradientError:
            return False
        tape.__exit__(None, None, None)
        return True

    with tape:
        assert at_once(*[enter] * THREADS) == [False] * THREADS
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(enter).result()


# --- objects that remain after a call
# ----------------------------------------------------------------------------------------


def test_losses_and_dropout_masks_are_those_of_the_own_call() -> None:
    layer, cell = L.Dense(2, activity_regularizer="l2"), L.LSTMCell(3, dropout=0.5)
    layer(X[:1])

    def actor(rows: int) -> Callable[[], Iterator[None]]:
        def steps() -> Iterator[None]:
            for n in range(1, 3):
                x = X[:rows, 0] * float(n)
                y = layer(x).numpy()
                masks = cell.get_dropout_mask_for_cell(x, True, 4)
                yield
                (loss,) = layer.losses
                np.testing.assert_allclose(loss.item(), 0.01 * (y**2).sum() / rows, rtol=1e-5)
                assert cell.get_dropout_mask_for_cell(x, True, 4) is masks
                assert masks[0].shape == (rows, 3)
                cell.reset_dropout_mask()

        return steps

    for order in orders(3, 3):
        in_threads([actor(2), actor(5)], order)


# --- seeds ------------------------------------------------------------------------------------------------------------

SEEDED: dict[str, Callable[[], Any]] = {
    "Dropout": lambda: L.Dropout(0.5, seed=1)(X, training=True),
    "DropoutWrapper": lambda: v1.nn.rnn_cell.DropoutWrapper(
        v1.nn.rnn_cell.GRUCell(3, kernel_initializer="ones"), output_keep_prob=0.5, seed=1
    )(X[:, 0], mg.zeros((24, 3)))[0],
    **{
        name: lambda name=name: getattr(mg.keras.initializers, name)(seed=1)((4, 3))
        for name in ("GlorotUniform", "RandomNormal", "TruncatedNormal", "Orthogonal", "RandomUniform")
    },
}


@pytest.mark.usefixtures("fresh_variables")
@pytest.mark.parametrize("name", SEEDED)
def test_a_seed_gives_the_same_numbers_in_any_thread(name: str) -> None:
    def drawn() -> Any:
        mg.random.normal((3,))  # the common numbers do not matter
        with v1.variable_scope("a", reuse=v1.AUTO_REUSE):
            return SEEDED[name]().numpy()

    expected = drawn()
    for found in at_once(*[drawn] * THREADS):
        np.testing.assert_array_equal(found, expected)


# --- forks ------------------------------------------------------------------------------------------------------------

FORKS = """
import os, threading, warnings
warnings.simplefilter("ignore", DeprecationWarning)  # Python's, for forks in a process with threads
import numpy as np
import minigrad as mg
from minigrad.compat import v1

x = np.ones((64, 20, 16), "float32")
# Imports what comes late: a thread that imports something holds a lock of Python's, which stays locked in a fork.
mg.keras.layers.LSTM(32)(x).sum().backward()
v1.get_variable("first", (2,))
w = mg.tensor(1.0, requires_grad=True)
done = False

def work():  # takes every lock there is, over and over
    k = 0
    while not done:
        mg.keras.layers.LSTM(32)(x).sum().backward()
        with mg.GradientTape() as tape:
            tape.watch(mg.ones(2))
        k += 1
        with v1.variable_scope("a"):
            v1.get_variable(f"w{threading.get_ident()}_{k}", (2,))

threads = [threading.Thread(target=work) for _ in range(3)]
for thread in threads:
    thread.start()
for n in range(12):
    with mg.no_grad():
        child = os.fork()
        if child == 0:
            assert not (w * w).requires_grad  # a child goes on where its parent was
            with mg.GradientTape() as tape:
                loss = mg.keras.layers.LSTM(32)(x).sum() * w
            tape.gradient(loss, w)
            v1.get_variable(f"child{n}", (2,))
            os._exit(7)
    assert (w * w).requires_grad
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
done = True
for thread in threads:
    thread.join()
print("all came back")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there are no forks on Windows")
def test_a_fork_beside_busy_threads_goes_on() -> None:
    # OpenBLAS cannot be forked while its own threads compute.
    env = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-c", FORKS]
    found = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=env)
    assert (found.stdout, found.stderr) == ("all came back\n", "")
