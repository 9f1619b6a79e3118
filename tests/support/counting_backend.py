# counting_backend.py
"""NumPy's backend, with every call counted."""

from collections import Counter
from functools import wraps

import minigrad_numpy

name = "counting"
calls = Counter()
"""How often each function was called."""


def counted(function_name, function):
    """The function, with a stroke for every call."""

    @wraps(function)
    def call(*args, **kwargs):
        calls[function_name] += 1
        return function(*args, **kwargs)

    return call


for each in minigrad_numpy.__all__:
    if callable(getattr(minigrad_numpy, each)):
        globals()[each] = counted(each, getattr(minigrad_numpy, each))
