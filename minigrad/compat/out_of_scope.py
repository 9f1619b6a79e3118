"""Names of TensorFlow that minigrad does not have: one sentence for each, with what to write."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

OUT_OF_SCOPE = {
    "app": "call main(), and read flags with argparse",
    "audio": "read sound with another library and pass arrays",
    "autograph": "nothing is compiled here: write Python's loops and conditions",
    "contrib": "TensorFlow 1's contrib was never a fixed interface; use compat.v1.nn.rnn_cell or keras.layers",
    "data": "datasets are arrays here: pass them, a generator or a Sequence to fit, or loop over slices",
    "distribute": "models train on one device: give each process its own data and average the weights",
    "estimator": "use keras.Model",
    "feature_column": "use keras.layers.Embedding or one_hot",
    "flags": "read flags with argparse",
    "image": "images are out of scope: minigrad has recurrent models",
    "io": "files of records are out of scope: read arrays with NumPy",
    "gfile": "use Python's open and pathlib",
    "lite": "there is no converter to other runtimes but ONNX: minigrad.convert.to_onnx",
    "lookup": "tensors of texts do not exist here: use a Python dictionary",
    "profiler": "use Python's cProfile",
    "quantization": "quantization is out of scope",
    "ragged": "rows of different lengths are padded here: keras.utils.pad_sequences and a mask",
    "RaggedTensor": "rows of different lengths are padded here: keras.utils.pad_sequences and a mask",
    "raw_ops": "write the function of the same purpose, such as matmul",
    "saved_model": "a model is saved by model.save or model.save_weights",
    "signal": "spectra are out of scope: use scipy.signal and pass arrays",
    "sparse": "sparse tensors are out of scope: use gather and one_hot",
    "SparseTensor": "sparse tensors are out of scope: use gather and one_hot",
    "strings": "tensors of texts do not exist here: use Python's str",
    "string": "tensors of texts do not exist here: keep texts in a Python list",
    "summary": "TensorBoard is out of scope: keep numbers in a list, or read the history of fit",
    "tpu": "use a backend: minigrad.backends() lists them",
    "config": "devices are backends: minigrad.use(name)",
    "conv1d": "convolutions are out of scope: minigrad has recurrent models",
    "conv2d": "convolutions are out of scope: minigrad has recurrent models",
    "max_pool": "pooling of images is out of scope; keras.layers.GlobalMaxPooling1D is over time",
    "ctc_loss": "alignment losses are out of scope: give one label for each step",
    "nce_loss": "sampled losses are out of scope: use softmax_cross_entropy_with_logits over all classes",
    "sampled_softmax_loss": "sampled losses are out of scope: use softmax_cross_entropy_with_logits over all classes",
    "top_k": "use NumPy's argsort on .numpy()",
    "argsort": "use NumPy's argsort on .numpy()",
    "sort": "use NumPy's sort on .numpy()",
    "unique": "use NumPy's unique on .numpy()",
    "py_function": "operations run at once: call the Python function",
    "numpy_function": "operations run at once: call the Python function",
    "py_func": "call the Python function between two runs",
    "custom_gradient": "write an operation with its own backward: minigrad.engine.ops.Op",
    "linalg": "of linear algebra there are matmul, matvec, einsum, tensordot, norm and eye",
    "tables_initializer": "tensors of texts do not exist here: use a Python dictionary",
    "FIFOQueue": "queues are out of scope: feed arrays",
}
"""A name, at any address → what to write, and why."""


def sentence(address: str, name: str, known: Sequence[str]) -> str:
    """Return what to write in place of a name that an address does not have."""
    tf = address.replace("minigrad.tf", "tf", 1).replace("minigrad.compat", "tf.compat", 1)
    if name in OUT_OF_SCOPE:
        return f"{tf}.{name} is not part of minigrad: {OUT_OF_SCOPE[name]}."
    close = [n for n in known if n.endswith(f"_{name}")][:3] or difflib.get_close_matches(name, known, 3)
    hint = f"Did you mean {', '.join(close)}?" if close else "docs/your-code-says.md lists what there is."
    return f"{tf}.{name} is not part of minigrad, which has TensorFlow's names for recurrent models. {hint}"
