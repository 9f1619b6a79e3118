"""Classes that the API generations share: Layer, its arguments, the core layers, RNN and its cells.

Users find the layers under `minigrad.keras.layers` and `minigrad.compat.v1.keras.layers`.
"""
