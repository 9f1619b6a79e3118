"""Records numbers from TensorFlow 2.15.1: ``python -m oracle.record`` in the folder ``tests``."""
