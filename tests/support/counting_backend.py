# counting_backend.py
"""NumPy's backend with a count of every call."""

from collections import Counter
from functools import wraps

import minigrad_numpy

name = "counting"
calls = Counter()
"""Number of calls of each function."""


def counted(function_name, function):
    """Return a function that counts its calls."""

    @wraps(function)
    def call(*args, **kwargs):
        calls[function_name] += 1
        return function(*args, **kwargs)

    return call


for each in minigrad_numpy.__all__:
    if callable(getattr(minigrad_numpy, each)):
        globals()[each] = counted(each, getattr(minigrad_numpy, each))
