"""The engine: arrays of any backend, the operations on them, the tape, tensors, and what users call on them."""
