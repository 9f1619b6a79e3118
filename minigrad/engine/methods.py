"""Methods of Tensor: each is a function of `minigrad.functional` or of `minigrad.engine.host`.

Their types and descriptions are in `minigrad.engine.protocol.TensorMethods`. To add a method, declare it there and
name its function here. This module also sets the attributes of `Tensor` and `Op` that refer to modules built on them.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Any

from minigrad.engine import functional, host
from minigrad.engine.numpy_calls import ArrayUfunc, array_function
from minigrad.engine.ops.op import Op
from minigrad.engine.protocol import TensorMethods
from minigrad.engine.tensor import Tensor, apply

Tensor.functional = Op.functional = functional
Tensor.host = host
Op.apply = apply

METHODS: dict[str, Any] = {
    "shape": property(attrgetter("array.shape"), doc="The length of each axis."),
    "ndim": property(attrgetter("array.ndim"), doc="The number of axes."),
    "dtype": property(attrgetter("array.dtype"), doc="The backend's dtype."),
    "size": property(host.size, doc="The number of elements."),
    "T": property(functional.transpose, doc="All axes reversed."),
    # to the host, and to other backends
    "numpy": host.numpy,
    "item": host.item,
    "tolist": host.tolist,
    "to": host.moved,
    "__array__": host.as_array,
    "__getstate__": host.state,
    "__setstate__": host.set_state,
    "__deepcopy__": host.deep_copy,
    "__len__": host.length,
    "__float__": host.as_float,
    "__int__": host.as_int,
    "__index__": host.as_index,
    "__bool__": host.truth,
    "__format__": host.formatted,
    "__repr__": host.representation,
    # reductions and shapes
    "sum": functional.sum,
    "mean": functional.mean,
    "var": functional.var,
    "max": functional.max,
    "min": functional.min,
    "argmax": functional.argmax,
    "reshape": host.reshape,
    "transpose": host.transpose,
    "astype": functional.astype,
    # indexing
    "__getitem__": functional.getitem,
    "__setitem__": host.set_item,
    "__iter__": host.iterator,
    # operators
    "__abs__": functional.abs,
    "__pow__": functional.power,
    "__rpow__": lambda x, other: functional.power(other, x),
    "__lt__": functional.less,
    "__le__": functional.less_equal,
    "__gt__": functional.greater,
    "__ge__": functional.greater_equal,
    "__eq__": functional.equal,
    "__ne__": functional.not_equal,
    "__and__": host.logical_and,
    "__rand__": lambda x, other: host.logical_and(other, x),
    "__or__": host.logical_or,
    "__ror__": lambda x, other: host.logical_or(other, x),
    "__invert__": host.logical_not,
    # NumPy's functions called with a tensor
    "__array_ufunc__": ArrayUfunc(),
    "__array_function__": array_function,
}
for _name, _function in METHODS.items():
    setattr(TensorMethods, _name, _function)
