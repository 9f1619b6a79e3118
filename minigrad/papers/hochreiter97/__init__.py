"""Hochreiter and Schmidhuber, 1997, "Long Short-Term Memory": one module for each experiment, with its rows as data."""
