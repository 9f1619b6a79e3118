"""The layers of NVIDIA's library, imported at their first use."""

from minigrad.layers.cudnn import CuDNNGRU, CuDNNLSTM

__all__ = ["CuDNNGRU", "CuDNNLSTM"]
