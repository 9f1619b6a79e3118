"""Print TensorFlow's conversion of the weights of a CuDNNLSTM and a CuDNNGRU: `python record/cudnn.py`.

No GPU is needed: the layers are built, not called, and their weights are moved to LSTM and GRU by the code with which
TensorFlow 2.15.1 loads old files. `tests/docs/test_your_code_says.py` holds the numbers.
"""

import numpy as np
import tensorflow as tf
from keras.src.saving.legacy.hdf5_format import preprocess_weights_for_loading

FEATURES, UNITS, STEPS = 3, 2, 4


def record(kind, native):
    """Print the shapes of the weights and the outputs for one sequence, all drawn from a seed of 0."""
    draw = np.random.default_rng(0)
    cudnn = getattr(tf.compat.v1.keras.layers, f"CuDNN{kind}")(UNITS)
    for layer in (cudnn, native):
        layer.build((None, STEPS, FEATURES))
    weights = [draw.normal(size=w.shape) for w in cudnn.get_weights()]
    x = draw.normal(size=(1, STEPS, FEATURES))
    native.set_weights(preprocess_weights_for_loading(native, weights, "2.2.4", "tensorflow"))
    print(kind, [w.shape for w in weights], np.round(native(x).numpy()[0], 9).tolist())


options = {"return_sequences": True, "dtype": "float64"}
record("LSTM", tf.keras.layers.LSTM(UNITS, **options))
record("GRU", tf.keras.layers.GRU(UNITS, reset_after=True, **options))
