"""Small helpers for scripts. `tf.keras.utils`."""

from minigrad.keras.utils.arrays import pad_sequences, set_random_seed, to_categorical

__all__ = ["pad_sequences", "set_random_seed", "to_categorical"]
