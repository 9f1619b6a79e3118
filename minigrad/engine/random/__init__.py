"""Random numbers. `minigrad.random`."""

from minigrad.engine.random.draws import (
    bernoulli,
    draw_orthogonal,
    draw_truncated_normal,
    dropout_mask,
    generator,
    generator_for,
    get_state,
    integers,
    normal,
    seed,
    set_seed,
    set_state,
    truncated_normal,
    uniform,
)  # fmt: skip

__all__ = [
    "bernoulli", "draw_orthogonal", "draw_truncated_normal", "dropout_mask", "generator", "generator_for", "get_state",
    "integers", "normal", "seed", "set_seed", "set_state", "truncated_normal", "uniform",
]  # fmt: skip
