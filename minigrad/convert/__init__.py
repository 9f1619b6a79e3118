"""Conversion of weights between frameworks and API generations; no other framework is needed.

- `relayout`, `relayout_gru`: plain arrays from one gate layout to another; the layouts are data, `LSTM_LAYOUTS`.
- `read_keras`, `load_keras`: files that Keras wrote (``.h5``, ``.weights.h5``, ``.keras``).
- `to_torch_state_dict`, `from_torch_state_dict`; `read_safetensors`, `write_safetensors`.
- `to_onnx`: a layer as an ONNX model of one node; `sequence_lengths`: a mask as lengths.
- `explain_difference`: the conventions in which two cells differ, and the effect of each on the output.

A conversion that would change the outputs raises `ConversionError`. ``import minigrad`` does not import this
package: write ``from minigrad import convert``.
"""

from minigrad.convert.difference import explain_difference
from minigrad.convert.difference.table import Difference
from minigrad.convert.layouts import GRU_LAYOUTS, LSTM_LAYOUTS, GateLayout
from minigrad.convert.onnx_model import sequence_lengths, to_onnx
from minigrad.convert.relayout import relayout, relayout_gru
from minigrad.convert.safetensors_file import read_safetensors, write_safetensors
from minigrad.convert.torch_state import from_torch_state_dict, to_torch_state_dict
from minigrad.keras.storage.errors import ConversionError, ForeignFileError, MissingLibraryError
from minigrad.keras.storage.keras_file import KerasFile, KerasLayer, read_keras
from minigrad.keras.storage.keras_weights import load_keras

__all__ = [
    "GRU_LAYOUTS", "LSTM_LAYOUTS", "ConversionError", "Difference", "ForeignFileError", "GateLayout", "KerasFile",
    "KerasLayer", "MissingLibraryError", "explain_difference", "from_torch_state_dict", "load_keras", "read_keras",
    "read_safetensors", "relayout", "relayout_gru", "sequence_lengths", "to_onnx", "to_torch_state_dict",
    "write_safetensors",
]  # fmt: skip
