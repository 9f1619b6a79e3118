"""The models of all libraries: the same work in each, shown by the same numbers from the same weights."""

from __future__ import annotations

import numpy as np
import pytest

from minigrad.bench.models import MODELS
from minigrad.bench.workers import models_minigrad, models_tensorflow, models_torch
from minigrad.convert import from_torch_state_dict, to_torch_state_dict
from minigrad.engine import random
from minigrad.engine.autograd import grad
from minigrad.engine.creation import tensor

STEPS = [name for name in MODELS if name != "generate"]


def ours(name):
    random.seed(0)
    return getattr(models_minigrad.Models(), name)(*MODELS[name].small)


@pytest.mark.parametrize("library", [models_minigrad, models_torch, models_tensorflow])
def test_each_library_has_every_model(library):
    assert sorted(name for name in vars(library.Models) if not name.startswith("_")) == sorted(MODELS)


@pytest.mark.parametrize("name", STEPS)
def test_a_step_learns(name):
    step = ours(name)
    losses = [step() for _ in range(60)]
    assert losses[-1] < losses[0]


def test_generation_draws_by_the_probabilities():
    model = ours("generate")
    symbols, vocabulary, *_ = MODELS["generate"].small
    model.layers[2].build((None, 8))
    bias = np.full(vocabulary, -30.0, np.float32)
    bias[[2, 5]] = 30.0, 30.0
    model.layers[2].set_weights([model.layers[2].get_weights()[0], bias])
    drawn = model()
    assert len(drawn) == symbols
    assert set(drawn) == {2, 5}


def test_what_ran_is_told():
    step = ours("adding")
    step()
    assert "numpy backend" in step.path
    assert ours("loop").path == ""  # Python is the loop


# --- PyTorch ----------------------------------------------------------------------------------------------------------


def with_weights_of(theirs, layers):
    """Set the weights of minigrad's layers, recurrent ones in the middle, from PyTorch's modules."""
    *embedding, recurrent, dense = theirs.modules
    inner = [getattr(layer, "cell", layer) if isinstance(layer, models_minigrad.Loop) else layer for layer in layers]
    state = {k: v.numpy(force=True) for k, v in recurrent.state_dict().items()}
    own = inner[len(embedding) : -1]
    from_torch_state_dict(state, own[0] if len(own) == 1 else own)
    weight, bias = (w.numpy(force=True) for w in dense.parameters())
    inner[-1].build((None, weight.shape[1]))
    inner[-1].set_weights([weight.T, bias])
    if embedding:
        inner[0].build((None, None))
        inner[0].set_weights([embedding[0].weight.numpy(force=True)])
    return inner


def time_first(x):
    return np.swapaxes(x, 0, 1) if x.ndim > 1 else x


@pytest.mark.parametrize("best", [False, True])
@pytest.mark.parametrize("name", STEPS)
def test_a_step_computes_what_pytorch_computes(name, best):
    """Loss and all gradients, float32, with the same weights and data, and Adam's update of the dense layer."""
    torch = pytest.importorskip("torch")
    torch.manual_seed(1)
    theirs = getattr(models_torch.Models(torch, best), name)(*MODELS[name].small)
    own = ours(name)
    layers = with_weights_of(theirs, own.layers)
    own.x = tensor(time_first(theirs.x.numpy()))
    own.y = tensor(time_first(theirs.y.numpy()) if theirs.y.ndim == theirs.x.ndim == 2 else theirs.y.numpy())

    expected, found = theirs.loss(), own.loss()
    assert found.item() == pytest.approx(expected.item(), rel=2e-6)
    expected.backward()
    weights = [w for layer in own.layers for w in layer.trainable_weights]
    gradients = grad(found, weights)

    recurrent, dense = theirs.modules[-2:]
    own_recurrent = [w for layer in layers[len(theirs.modules) - 2 : -1] for w in layer.trainable_weights]
    count = len(own_recurrent)
    embedding = gradients[: -2 - count]
    np.testing.assert_allclose(gradients[-2].numpy().T, dense.weight.grad.numpy(), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(gradients[-1].numpy(), dense.bias.grad.numpy(), rtol=1e-4, atol=1e-6)
    for g, module in zip(embedding, theirs.modules[:-2], strict=True):
        np.testing.assert_allclose(g.numpy(), module.weight.grad.numpy(), rtol=1e-4, atol=1e-6)
    check_recurrent(layers[len(theirs.modules) - 2 : -1], gradients[-2 - count : -2], recurrent)

    before = dense.bias.numpy(force=True).copy()
    theirs()
    own()
    step = dense.bias.numpy(force=True) - before
    assert np.abs(step).max() > 5e-4
    np.testing.assert_allclose(layers[-1].get_weights()[1] - before, step, rtol=1e-3, atol=1e-7)


def check_recurrent(layers, gradients, module):
    """Compare the gradients, in the names and layout of PyTorch, which its conversion of weights gives."""
    gradients = iter([g.numpy() for g in gradients])
    for layer in layers:
        layer.set_weights([next(gradients) for _ in layer.get_weights()])
    found = to_torch_state_dict(layers[0] if len(layers) == 1 else layers)
    for name, w in module.named_parameters():
        suffix = name if "_l" in name else f"{name}_l0"
        own = found[suffix]
        if "bias_ih" in name and "bias" not in str(own.shape) and not is_gru(layers):
            own = own + found[suffix.replace("_ih", "_hh")]  # both have the gradient of their sum
        elif "bias_hh" in name and not is_gru(layers):
            continue
        np.testing.assert_allclose(own, w.grad.numpy(), rtol=1e-4, atol=1e-6, err_msg=name)


def is_gru(layers):
    return type(layers[0]).__name__ == "GRU"


@pytest.mark.parametrize("best", [False, True])
def test_generation_computes_what_pytorch_computes(best):
    torch = pytest.importorskip("torch")
    torch.manual_seed(1)
    theirs = models_torch.Models(torch, best).generate(*MODELS["generate"].small)
    own = ours("generate")
    with_weights_of(theirs, own.layers)
    states = own_states = None
    for symbol in (0, 3, 8, 3):
        expected, states = theirs.probabilities(torch.tensor([symbol]), states)
        found, own_states = own.probabilities(symbol, own_states)
        np.testing.assert_allclose(found.numpy(), expected.numpy(force=True), rtol=2e-6)
    drawn = theirs()
    assert len(drawn) == MODELS["generate"].small[0]
    assert set(drawn) <= set(range(MODELS["generate"].small[1]))


# --- TensorFlow -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MODELS)
def test_it_runs_in_tensorflow(name):
    tf = pytest.importorskip("tensorflow")
    getattr(models_tensorflow.Models(tf), name)(*MODELS[name].small)()
