"""TensorFlow's functions, with TensorFlow's names and meaning; `minigrad.tf` and `compat.v1` list them."""
