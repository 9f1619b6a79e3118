"""Graphs of TensorFlow 1: calls recorded by `minigrad.layers.symbol`, replayed by a session."""
