"""A program of several processes: gradients, losses and metrics of batches whose rows are split at random.

Each process computes every case twice: alone on the whole batch, and on its rows together with the others. It prints
the largest difference; process 0 prints the number of cases.
"""

from __future__ import annotations

import sys

import numpy as np

import minigrad as mg
from minigrad import distributed, keras
from minigrad.distributed import sharing
from minigrad.distributed.world import alone
from minigrad.engine.rows import Rows

REDUCTIONS = ("auto", "sum", "mean_valid", "mean_all")


def rows_at_random(random):
    """Return a function of the total: this process's rows, cut at random but the same everywhere; some have none."""

    def rows_of(total):
        cuts = np.sort(random.integers(0, total + 1, distributed.size() - 1))
        ends = [0, *cuts.tolist(), total]
        return Rows(ends[distributed.rank()], ends[distributed.rank() + 1], total)

    return rows_of


def case_of(random):
    """Return a model's maker, data and arguments of compile and train_on_batch, drawn at random."""
    batch, time, features, units = (int(n) for n in random.integers(1, 7, 4))
    batch += 1
    x, sequences = random.normal(size=(batch, time, features)), bool(random.integers(2))
    masked = sequences and bool(random.integers(2))
    if masked:
        for row, length in enumerate(random.integers(1, time + 1, batch)):
            x[row, length:] = 0.0
    y = random.normal(size=(batch, time, 2) if sequences else (batch, 2))
    kind = [keras.layers.LSTM, keras.layers.GRU, keras.layers.SimpleRNN][random.integers(3)]
    recurrent = {"dropout": 0.3, "recurrent_dropout": 0.2} if random.integers(2) else {}
    reduction, weighted = REDUCTIONS[random.integers(len(REDUCTIONS))], bool(random.integers(2))
    shared_noise = {"noise_shape": (1, time, units) if sequences else (1, units)} if random.integers(3) == 0 else {}

    def model():
        layers = [keras.layers.Masking()] if masked else []
        layers += [kind(units, return_sequences=sequences, **recurrent)]
        layers += [keras.layers.Dropout(0.4, **shared_noise)]
        layers += [keras.layers.Dense(2, kernel_regularizer="l2")]
        return keras.Sequential(layers)

    weights = {"sample_weight": random.uniform(0.0, 2.0, batch)} if weighted else {}
    return model, x, y, keras.losses.MeanSquaredError(reduction=reduction), weights


def trained(case, optimizer, seed):
    """Return the weights, the numbers and the predictions after two steps."""
    make, x, y, loss, weights = case
    mg.random.seed(seed)
    model = make()
    model.compile(optimizer, loss, metrics=["mae"], weighted_metrics=["mse"])
    numbers = [model.train_on_batch(x, y, **weights) for _ in range(2)]
    return [*model.get_weights(), np.array(numbers), model.predict_on_batch(x), np.array(model.test_on_batch(x, y))]


def main(cases):
    keras.backend.set_floatx("float64")
    random, worst = np.random.default_rng(7), 0.0
    sharing.rows_of = rows_at_random(np.random.default_rng(11))
    for seed in range(cases):
        case, clip = case_of(random), {"global_clipnorm": 0.1} if seed % 2 else {"clipnorm": 0.05}
        with alone():
            expected = trained(case, keras.optimizers.SGD(0.5, **clip), seed)
        got = trained(case, distributed.DistributedOptimizer(keras.optimizers.SGD(0.5, **clip)), seed)
        worst = max(worst, *(float(np.abs(a - b).max()) for a, b in zip(got, expected, strict=True)))
    print(f"process {distributed.rank()} of {distributed.size()}: {cases} cases, {worst:.1e}")


if __name__ == "__main__":
    main(int(sys.argv[1]))
