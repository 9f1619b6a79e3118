"""The operations: each two pure functions of arrays, forward and backward. See `minigrad.engine.ops.op`."""
