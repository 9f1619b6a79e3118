"""Layers around a layer against the same layer called without them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from layer_errors import CARRIES_A_MASK, MORE_AXES, SEQUENCE
from minigrad.engine.errors import MinigradError, ShapeError
from minigrad.keras import layers as L
from minigrad.layers.options import OptionError

RNG = np.random.default_rng(0)
X = RNG.standard_normal((3, 6, 4))
MASK = np.array([[1, 1, 1, 1, 1, 1], [0, 1, 0, 1, 1, 0], [0, 0, 0, 0, 0, 0]], dtype=bool)

MERGED = {
    "concat": lambda a, b: np.concatenate([a, b], -1),
    "sum": lambda a, b: a + b,
    "mul": lambda a, b: a * b,
    "ave": lambda a, b: (a + b) / 2,
}


@pytest.mark.parametrize("merge_mode", MERGED)
@pytest.mark.parametrize("layer_class", [L.LSTM, L.GRU, L.SimpleRNN])
@pytest.mark.parametrize("masked", [False, True])
def test_bidirectional_is_two_layers(layer_class: Any, merge_mode: str, masked: bool) -> None:
    """The second runs on the sequence and the mask turned round by hand, and its outputs are turned round again."""
    both = L.Bidirectional(layer_class(2, return_sequences=True, dtype="float64"), merge_mode, dtype="float64")
    y = both(X, mask=MASK if masked else None)
    sequences = []
    for half, turn in ((both.forward_layer, slice(None)), (both.backward_layer, slice(None, None, -1))):
        alone = layer_class(2, return_sequences=True, zero_output_for_mask=True, dtype="float64")
        alone.build(X.shape)
        alone.set_weights(half.get_weights())
        out = alone(X[:, turn].copy(), mask=MASK[:, turn].copy() if masked else None).numpy()
        sequences.append(out[:, turn])
    np.testing.assert_allclose(y.numpy(), MERGED[merge_mode](*sequences), rtol=1e-12)


def test_three_bidirectional_layers_upon_each_other() -> None:
    """Gradients through more than two of them were wrong in a well-known framework once."""
    layers = [L.Bidirectional(L.LSTM(2, return_sequences=True, dtype="float64"), dtype="float64") for _ in range(3)]

    def model(x: Any) -> Any:
        for layer in layers:
            x = layer(x, mask=MASK)
        return x

    model(X)
    weights = [w for layer in layers for w in layer.weights]
    mg.testing.check_gradient(model, X, weights=weights, max_elements=10)


def test_states_of_bidirectional() -> None:
    both = L.Bidirectional(L.LSTM(2, return_state=True, dtype="float64"), dtype="float64")
    y, *states = both(X)
    assert [s.shape for s in states] == [(3, 2)] * 4
    np.testing.assert_array_equal(y.numpy(), np.concatenate([states[0].numpy(), states[2].numpy()], -1))
    given = [RNG.standard_normal((3, 2)) for _ in range(4)]
    forward = both.forward_layer(X, initial_state=given[:2])
    backward = both.backward_layer(X, initial_state=given[2:])
    y, *states = both(X, initial_state=given)
    for mine, expected in zip(states, [*forward[1:], *backward[1:]], strict=True):
        np.testing.assert_array_equal(mine.numpy(), expected.numpy())
    np.testing.assert_array_equal(both([X, *given])[0].numpy(), y.numpy())


def test_without_merging() -> None:
    both = L.Bidirectional(L.GRU(2, return_sequences=True, return_state=True), merge_mode=None)
    x = mg.tensor(X.astype("float32"))
    x._keras_mask = mg.tensor(MASK)
    there, back, *states = both(x)
    assert there.shape == back.shape == (3, 6, 2)
    assert there._keras_mask is back._keras_mask is x._keras_mask
    assert [getattr(s, "_keras_mask", None) for s in states] == [None, None]


def test_a_backward_layer_of_ones_own() -> None:
    both = L.Bidirectional(L.LSTM(2), backward_layer=L.GRU(3, go_backwards=True))
    assert both(X.astype("float32")).shape == (3, 5)
    again = L.Bidirectional.from_config(both.get_config())
    assert type(again.backward_layer) is L.GRU
    assert again(X.astype("float32")).shape == (3, 5)


def test_stateful_in_both_directions() -> None:
    both = L.Bidirectional(L.LSTM(2, stateful=True, dtype="float64"), dtype="float64")
    first = both(X).numpy()
    assert both.stateful
    assert len(both.states) == 4
    assert not np.allclose(both(X).numpy(), first)
    both.reset_states()
    np.testing.assert_array_equal(both(X).numpy(), first)
    both.reset_states([np.ones((3, 2))] * 4)
    assert all((s.numpy() == 1.0).all() for s in both.states)


BAD: list[tuple[Any, type[Exception], str]] = [
    (
        lambda: L.Bidirectional(L.Dense(2)),
        OptionError,
        "Bidirectional: expected `layer`, a recurrent layer, got Dense, which has no `go_backwards`.",
    ),
    (
        lambda: L.Bidirectional(L.LSTM(2), backward_layer=L.LSTM(2)),
        OptionError,
        "Bidirectional: expected layer and backward_layer to differ in `go_backwards`.",
    ),
    (
        lambda: L.Bidirectional(L.LSTM(2), backward_layer=L.LSTM(2, go_backwards=True, return_sequences=True)),
        OptionError,
        "Bidirectional: expected layer and backward_layer to have the same `return_sequences`.",
    ),
    (
        lambda: L.Bidirectional(L.LSTM(2), merge_mode="add"),
        OptionError,
        "Bidirectional: `merge_mode`: expected one of 'concat', 'sum', 'mul', 'ave', got 'add'.",
    ),
    (
        lambda: L.Bidirectional(L.LSTM(2), name="both")(X, initial_state=[np.zeros((3, 2))] * 3),
        ShapeError,
        (
            "both.call: expected `initial_state` of 4 arrays, the forward layer's 2 and then the backward layer's 2, "
            "got 3."
        ),
    ),
    (
        lambda: L.TimeDistributed(L.Dense(2), name="each")(X[0]),
        ShapeError,
        (f"each.call: {SEQUENCE} {MORE_AXES}, got (6, 4)."),
    ),
]


@pytest.mark.parametrize(("act", "error", "message"), BAD)
def test_bad_input(act: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        act()
    assert str(caught.value) == message


# --- TimeDistributed --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("inner", [lambda: L.Dense(3, "tanh"), lambda: L.Dense(3)])
def test_time_distributed_is_the_layer_at_every_step(inner: Any) -> None:
    layer = L.TimeDistributed(inner())
    y = layer(X.astype("float32")).numpy()
    for t in range(6):
        np.testing.assert_allclose(y[:, t], layer.layer(X[:, t].astype("float32")).numpy(), rtol=1e-6)


def test_time_distributed_recurrent_layer() -> None:
    """Sequences of sequences: (batch, time, words, features)."""
    x = RNG.standard_normal((2, 3, 5, 4)).astype("float32")
    layer = L.TimeDistributed(L.LSTM(2))
    y = layer(x)
    assert y.shape == (2, 3, 2)
    np.testing.assert_allclose(y.numpy()[:, 1], layer.layer(x[:, 1]).numpy(), rtol=1e-6)


def test_time_distributed_hands_on_mask_and_training() -> None:
    x = mg.tensor(np.ones((2, 3, 4), "float32"))
    x._keras_mask = mg.tensor(np.ones((2, 3), bool))
    layer = L.TimeDistributed(L.Dropout(0.5))
    y = layer(x, training=True)
    assert y._keras_mask is x._keras_mask
    assert set(np.unique(y.numpy())) == {0.0, 2.0}
    np.testing.assert_array_equal(layer(x).numpy(), x.numpy())


def test_wrappers_know_the_weights_and_losses_inside() -> None:
    both = L.Bidirectional(L.LSTM(2, kernel_regularizer="l2", activity_regularizer="l1", name="lstm"))
    both(X.astype("float32"))
    assert len(both.weights) == 6
    assert len(both.losses) == 4
    both.trainable = False
    assert both.trainable_weights == []
    assert [w.name.split("/")[1] for w in both.weights] == ["forward_lstm"] * 3 + ["backward_lstm"] * 3


@pytest.mark.parametrize("given", [False, True])
def test_a_bidirectional_layer_comes_back_from_its_config(given: bool) -> None:
    way_back = {"backward_layer": L.LSTM(3, go_backwards=True, activation="relu")} if given else {}
    config = L.Bidirectional(L.LSTM(3), **way_back).get_config()
    again = L.Bidirectional.from_config(json.loads(json.dumps(config)))
    assert ("backward_layer" in config) == given
    assert again.get_config() == config


SENTENCES = RNG.standard_normal((2, 3, 4, 5)).astype("float32")  # batch, sentences, words, features
SENTENCES[0, 1] = SENTENCES[1, 2, 3] = 0.0
WHOLE = np.array([[1, 1, 0], [1, 0, 0]], dtype=bool)  # of sentences
WORDS = np.array([[[1, 0, 0, 0], [0, 0, 0, 0], [1, 1, 0, 0]], [[0, 0, 0, 0], [0, 1, 0, 1], [0, 1, 1, 1]]], dtype=bool)
MADE = (SENTENCES != 0).any(-1)


class Silent(L.Layer):
    """A layer that does not support masks."""

    def call(self, inputs: Any) -> Any:
        return inputs


class Encodes(L.Layer):
    """A layer that does not support masks, and makes one vector of the words."""

    def call(self, inputs: Any) -> Any:
        return inputs.sum(1)


class Sees(L.Layer):
    """A layer that takes a mask and makes none."""

    def call(self, inputs: Any, mask: Any = None) -> Any:
        return inputs if mask is None else inputs * mask.astype(inputs.dtype).reshape((*mask.shape, 1))


# Results of TensorFlow 2.15.1 for no mask, for one of sentences and for one of words. For layers without masks,
# it depends on whether the batch size is known: eager calls pass the mask, graphs raise. Here a layer that makes a
# vector of the words reduces, as an LSTM does; one that keeps them raises.
# A mask of sentences passes by an inner recurrent layer, where TensorFlow raises IndexError.
MASKS = {
    "Dense": (lambda: L.Dense(2), None, WHOLE, WORDS),
    "Dropout": (lambda: L.Dropout(0.5), None, WHOLE, WORDS),
    "Activation": (lambda: L.Activation("tanh"), None, WHOLE, WORDS),
    "LSTM": (lambda: L.LSTM(2), None, WHOLE, WORDS.any(-1)),
    "LSTM with states": (lambda: L.LSTM(2, return_state=True), None, WHOLE, WORDS.any(-1)),
    "LSTM, all words": (lambda: L.LSTM(2, return_sequences=True), None, WHOLE, WORDS),
    "Bidirectional": (lambda: L.Bidirectional(L.GRU(2)), None, WHOLE, WORDS.any(-1)),
    "Bidirectional, apart": (lambda: L.Bidirectional(L.GRU(2, return_sequences=True), None), None, WHOLE, WORDS),
    "Masking": (L.Masking, MADE, MADE, MADE),
    "a model": (lambda: mg.keras.Sequential([L.Dense(2), L.LSTM(2)]), None, WHOLE, WORDS.any(-1)),
    "a model that makes one": (lambda: mg.keras.Sequential([L.Masking(), L.Dense(2)]), MADE, MADE, MADE),
    "TimeDistributed": (lambda: L.TimeDistributed(L.Dense(2)), None, WHOLE, WORDS),
    "TimeDistributed that makes one": (lambda: L.TimeDistributed(L.Masking()), MADE, MADE, MADE),
    "a layer that encodes": (Encodes, None, WHOLE, WORDS.any(-1)),
}


@pytest.mark.parametrize("given", [None, WHOLE, WORDS], ids=["no mask", "of sentences", "of words"])
@pytest.mark.parametrize("name", MASKS)
@pytest.mark.parametrize("as_argument", [False, True])
def test_masks_of_time_distributed(name: str, given: Any, as_argument: bool) -> None:
    make, *expected = MASKS[name]
    wanted = expected[0 if given is None else given.ndim - 1]
    layer, x = L.TimeDistributed(make()), mg.tensor(SENTENCES)
    if given is not None and not as_argument:
        x._keras_mask = mg.tensor(given)
    y = layer(x, mask=given) if as_argument else layer(x)
    found = [getattr(part, "_keras_mask", None) for part in (y if isinstance(y, list) else [y])]
    both = name == "Bidirectional, apart"
    assert all((m is None) == (wanted is None or not both) for m in found[1:])  # states carry none
    assert (found[0] is None) == (wanted is None)
    if wanted is not None:
        np.testing.assert_array_equal(found[0].numpy(), wanted)
    if "model" not in name:  # whose masks come with its outputs
        asked = layer.compute_mask(x, given)
        asked = asked[1] if both and asked else asked
        np.testing.assert_array_equal(asked if asked is None else asked.numpy(), wanted)


def test_a_mask_of_words_reaches_the_layer_inside() -> None:
    for make in (Sees, lambda: L.LSTM(2), lambda: mg.keras.Sequential([L.LSTM(2)])):
        layer = L.TimeDistributed(make())
        y = layer(SENTENCES, mask=WORDS).numpy()
        for s in range(3):
            np.testing.assert_allclose(y[:, s], layer.layer(SENTENCES[:, s], mask=WORDS[:, s]).numpy(), rtol=1e-6)


@pytest.mark.parametrize("as_argument", [False, True])
@pytest.mark.parametrize("depth", [1, 2])
def test_a_mask_of_words_is_not_lost_by_a_layer_that_keeps_them(depth: int, as_argument: bool) -> None:
    """As for a layer alone: later layers would take padding for words."""
    layer: Any = L.TimeDistributed(Silent(name="quiet"))
    x, mask = mg.tensor(SENTENCES), WORDS
    if depth == 2:
        layer, x, mask = L.TimeDistributed(layer), mg.tensor(SENTENCES[None]), WORDS[None]
    assert layer(x).shape == x.shape
    if not as_argument:
        x._keras_mask = mg.tensor(mask)
    with pytest.raises(MinigradError, match=f"quiet: {CARRIES_A_MASK}Silent does not support masking"):
        layer(x, mask=mask) if as_argument else layer(x)


@pytest.mark.parametrize("shape", [(2,), (3, 2), (2, 4, 3)])
def test_a_mask_that_does_not_fit_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(
        ShapeError, match=r"each\.call: expected `mask` to begin with the axes \(batch, time\) = \(2, 3\)"
    ):
        L.TimeDistributed(L.Dense(2), name="each")(SENTENCES, mask=np.ones(shape, bool))
