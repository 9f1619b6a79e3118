"""Record numbers from TensorFlow 2.15.1: ``python -m oracle.record`` in the folder ``tests``."""

import os

# Before TensorFlow is imported: numbers of one device, on any machine, and no banners.
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
