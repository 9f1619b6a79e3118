"""Training in several processes, each with its rows of one batch. `minigrad.distributed`, on MPI through mpi4py.

    mpiexec -n 2 python train.py

    from minigrad import distributed

    optimizer = distributed.DistributedOptimizer(keras.optimizers.Adam(0.01))
    model.compile(optimizer, "mse")
    model.fit(x, y)                      # every process passes the same x and y

The batch is global: every process draws the order, the dropout masks and the first weights of the whole batch, and
computes its rows. So the number of processes does not change the numbers, up to rounding. A loss is the mean over the
rows of a process; its gradient counts by the number of those rows:

    g = Σᵣ nᵣ gᵣ / Σᵣ nᵣ        nᵣ rows of process r, one all-reduce of all gradients as one array

In a custom loop `shard` returns the rows of this process:

    x, y = distributed.shard((x, y))
    loss = F.mean(keras.losses.mse(y, model(x, training=True)))
    optimizer.minimize(loss, model.trainable_weights)

Without ``mpiexec`` there is one process, and mpi4py is not imported.
"""

from minigrad.distributed.exchange import allgather, allreduce, broadcast, synchronize
from minigrad.distributed.optimizer import DistributedOptimizer
from minigrad.distributed.sharing import shard
from minigrad.distributed.world import DistributedError, rank, size

__all__ = [
    "DistributedError", "DistributedOptimizer", "allgather", "allreduce", "broadcast", "rank", "shard", "size",
    "synchronize",
]  # fmt: skip
