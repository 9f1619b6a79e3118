"""Files that Keras reads and writes: models and weights in HDF5, and `.keras` archives."""
