"""A single process: what a launcher has said, shards, the optimizer's copy, the errors of wrong arguments."""

from __future__ import annotations

import numpy as np
import pytest

import minigrad as mg
from minigrad import distributed, keras
from minigrad.distributed.world import alone, launched, world
from minigrad.engine import random, rows
from minigrad.engine.errors import MinigradError, OptionError, ShapeError
from minigrad.engine.rows import Rows


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, None),
        ({"OMPI_COMM_WORLD_SIZE": "4", "OMPI_COMM_WORLD_RANK": "3"}, (3, 4)),
        ({"PMI_SIZE": "2", "PMI_RANK": "1"}, (1, 2)),
        ({"PMIX_RANK": "0"}, (0, 1)),
        ({"PMI_SIZE": "many", "PMI_RANK": ""}, None),
    ],
)
def test_what_a_launcher_says(environment, expected):
    assert launched(environment) == expected


def test_one_process_shares_nothing():
    assert (distributed.rank(), distributed.size(), world().comm) == (0, 1, None)
    x, y = distributed.shard((np.ones((3, 2)), None))
    assert x.shape == (3, 2)
    assert y is None
    assert rows.current() is None
    summed = distributed.allreduce({"a": [1.0, np.arange(3)]}, average=True)
    assert summed["a"][1].numpy().tolist() == [0, 1, 2]
    assert distributed.allgather(np.ones((2, 1))).shape == (2, 1)
    with alone():
        assert distributed.size() == 1


def test_the_optimizer_is_a_copy_with_the_same_name_and_arguments():
    adam = keras.optimizers.Adam(0.01, clipnorm=2.0)
    made = distributed.DistributedOptimizer(adam)
    assert made is not adam
    assert isinstance(made, keras.optimizers.Adam)
    assert type(made).__name__ == "Adam"
    assert made.get_config() == adam.get_config()
    again = distributed.DistributedOptimizer(made)
    assert type(again) is type(made)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: distributed.DistributedOptimizer("adam"), "`optimizer`"),
        (lambda: distributed.DistributedOptimizer(keras.optimizers.Adam), "`optimizer`"),
        (lambda: distributed.shard(3.0), "`batch`"),
        (lambda: distributed.shard((np.ones(2), np.ones(3))), "`batch`"),
        (lambda: distributed.shard(np.ones((0, 2))), "`batch`"),
        (lambda: distributed.allreduce("text"), "`values`"),
        (lambda: distributed.allreduce(1.0, average="yes"), "`average`"),
        (lambda: distributed.broadcast([mg.tensor(1.0)], root=1), "`root`"),
        (lambda: distributed.broadcast([1.0]), "`weights`"),
        (lambda: distributed.allgather(object()), "`array`"),
    ],
)
def test_a_wrong_argument_is_named(call, words):
    with pytest.raises(MinigradError, match=words):
        call()


@pytest.mark.parametrize("own", [Rows(0, 2, 5), Rows(2, 3, 5), Rows(3, 5, 5), Rows(5, 5, 5)])
@pytest.mark.parametrize("more", [(), (4,), (4, 2)])
def test_a_mask_of_some_rows_is_part_of_the_mask_of_all(own, more):
    random.seed(3)
    whole = random.dropout_mask((5, *more), 0.4).numpy()
    after = random.generator().random()
    random.seed(3)
    with rows.of_batch(own):
        part = random.dropout_mask((own.size, *more), 0.4).numpy()
    assert np.array_equal(part, whole[own.taken])
    assert random.generator().random() == after  # as many numbers were drawn


def test_batch_and_time_merged_in_one_axis_are_split_by_rows():
    random.seed(3)
    whole = random.dropout_mask((6 * 4, 2), 0.5).numpy()
    random.seed(3)
    with rows.of_batch(Rows(2, 5, 6)):
        assert np.array_equal(random.dropout_mask((3 * 4, 2), 0.5).numpy(), whole[8:20])


def test_errors_have_their_types():
    with pytest.raises(ShapeError):
        distributed.shard((np.ones(2), np.ones(3)))
    with pytest.raises(OptionError):
        distributed.DistributedOptimizer(None)
