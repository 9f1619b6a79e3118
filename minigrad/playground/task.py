"""Task of the playground: a batch of sequences, on which the page and minigrad train by gradient descent.

The marked value comes out of unit 1 at the end, the last value out of unit 2, as in `networks.examples`. The page gets
the values and the place of each mark as a share of the sequence, so that one batch serves for every number of steps.
The marks are spread over all of them.
"""

from __future__ import annotations

from typing import Any

from minigrad.engine.creation import tensor
from minigrad.engine.random import generator_for
from minigrad.engine.tensor import Tensor
from minigrad.keras import Sequential
from minigrad.keras.layers import LSTM
from minigrad.keras.optimizers import SGD
from minigrad.playground.networks import MORE, SEED, UNITS, Network, X

HostArray = Any

LONGEST = len(X) + len(MORE)
COUNT = 24  # sequences in the batch
RATE, MOMENTUM = 1.0, 0.9
CHECKED = 10  # steps of training that the page compares with minigrad's when it opens


def sequences() -> dict[str, Any]:
    """Return the values (COUNT, LONGEST), the places of the marks (COUNT,) from 0 to 1, and the options of training."""
    source = generator_for(SEED)
    values = [[round(value, 2) for value in row] for row in source.uniform(-1.0, 1.0, (COUNT, LONGEST)).tolist()]
    places = [round((n + inside) / COUNT, 3) for n, inside in enumerate(source.uniform(0.1, 0.9, (COUNT,)).tolist())]
    return {"values": values, "places": places, "rate": RATE, "momentum": MOMENTUM}


def batch(T: int) -> tuple[Tensor, Tensor]:
    """Return inputs (COUNT, T, 2) and targets (COUNT, 2) of sequences of T steps."""
    task = sequences()
    inputs, targets = [], []
    for row, place in zip(task["values"], task["places"], strict=True):
        marked = int(place * T)
        inputs.append([[row[t], float(t == marked)] for t in range(T)])
        targets.append([0.8 * row[marked], 0.8 * row[T - 1]])
    return tensor(inputs, "float64"), tensor(targets, "float64")


def descended(net: Network, steps: int, T: int = len(X)) -> tuple[list[float], list[HostArray]]:
    """Return the losses before each step of gradient descent, and the weights after the last.

    Args:
        net: the network to start from.
        steps: the number of steps; each uses the whole batch.
        T: the length of the sequences.
    """
    layer = LSTM(UNITS, dtype="float64")
    layer.build((None, T, len(X[0])))
    layer.set_weights(list(net.weights))
    model = Sequential([layer])
    model.compile(SGD(RATE, momentum=MOMENTUM), "mse")
    x, y = batch(T)
    seen = model.fit(x, y, batch_size=COUNT, epochs=steps, shuffle=False, verbose=0)
    return [float(loss) for loss in seen.history["loss"]], list(layer.get_weights())
