"""Variables by name, as the first API generation shares weights: `variable_scope`, `get_variable`.

A variable's name joins the names of the scopes around it and its own, ``"rnn/lstm_cell/kernel:0"``. Requesting an
existing name is an error, unless the scope has `reuse`: then it is the same variable. All variables are in one store,
which `reset_default_graph` empties.
"""

from __future__ import annotations

import re
from contextvars import ContextVar
from types import TracebackType
from typing import Any, NamedTuple

from minigrad.compat.graphs import state
from minigrad.compat.graphs.tensors import GraphVariable, value_of
from minigrad.engine.arguments import text
from minigrad.engine.creation import as_tensor
from minigrad.engine.dtypes import dtype_name, is_floating
from minigrad.engine.errors import DTypeError, MinigradError, ShapeError, shown
from minigrad.engine.flow import FlowStack, new_lock
from minigrad.engine.foreign import naming
from minigrad.engine.tensor import Tensor
from minigrad.layers import call_context, checks, constraints, initializers, regularizers
from minigrad.layers.weight import Weight

AUTO_REUSE = "AUTO_REUSE"


class VariableError(MinigradError, ValueError):
    """Raised for a variable that exists and should not, or the reverse."""


class VariableScope:
    """The settings of a scope.

    Attributes:
        name: the scope's full name.
        reuse: False, True or AUTO_REUSE (share existing variables, make missing ones). A scope inherits it from the
            scopes around it: it can begin to reuse, but not end it. A scope entered again keeps its own.
        initializer: the default of its variables.
        regularizer: the default of its variables.
        dtype: the default of its variables.
        constraint: the default of its variables.
    """

    def __init__(
        self,
        name: str,
        reuse: Any = False,
        initializer: Any = None,
        regularizer: Any = None,
        dtype: Any = "float32",
        constraint: Any = None,
    ) -> None:
        self.name = text("VariableScope: `name`", name)
        self.reuse = read_reuse("VariableScope: `reuse`", reuse)
        self.initializer, self.regularizer, self.dtype = initializer, regularizer, dtype
        self.constraint = constraint

    def reuse_variables(self) -> None:
        """Share the variables of this scope from now on."""
        self.reuse = True


_making = new_lock()  # of one variable at a time
_entered: FlowStack[_Entry] = FlowStack("v1.variable_scope")
_own: ContextVar[_Scopes | None] = ContextVar("v1.variable_scope: of the thread", default=None)


class _Entry(NamedTuple):
    """One entry of a `with` block."""

    block: variable_scope
    scope: VariableScope
    graph: int


class _Scopes(NamedTuple):
    """The outermost scope of a thread, and how often it has opened each name. As in TensorFlow each thread has both."""

    graph: int
    outermost: VariableScope
    opened: dict[str, int]


class variable_scope:  # noqa: N801  (TensorFlow's name)
    """A `with` block inside a scope, which it returns.

    Args:
        name_or_scope: a name, below the current scope; or a scope to enter again; None takes `default_name`.
        default_name: a name that is made unique: ``"lstm_cell"``, ``"lstm_cell_1"`` …
        values: without effect, like all arguments for graphs or devices: caching_device, partitioner, use_resource,
            auxiliary_name_scope.
        initializer: the default of the variables inside; that of the scope around by default.
        regularizer: likewise.
        custom_getter: not supported.
        reuse: True shares existing variables, AUTO_REUSE also makes missing ones. False or None: as outside.
        dtype: the default of the variables inside.
        constraint: likewise.

    Raises:
        VariableError: there is neither a name nor a default name; or `reuse` has another value.

    >>> import minigrad as tf
    >>> tf.compat.v1.reset_default_graph()
    >>> with tf.compat.v1.variable_scope("a"):
    ...     w = tf.compat.v1.get_variable("w", [2, 3])
    >>> with tf.compat.v1.variable_scope("a", reuse=True):
    ...     tf.compat.v1.get_variable("w") is w
    True
    """

    def __init__(
        self,
        name_or_scope: str | VariableScope | None = None,
        default_name: str | None = None,
        values: Any = None,
        initializer: Any = None,
        regularizer: Any = None,
        caching_device: Any = None,
        partitioner: Any = None,
        custom_getter: Any = None,
        reuse: Any = None,
        dtype: Any = None,
        use_resource: bool | None = None,
        constraint: Any = None,
        auxiliary_name_scope: bool = True,
    ) -> None:
        requested = default_name if name_or_scope is None else name_or_scope
        if not isinstance(requested, (str, VariableScope)):
            expected = "`name_or_scope`, a name or a scope, or else a default_name"
            raise VariableError(f"variable_scope: expected {expected}, got {shown(requested)}. Pass a name.")
        if isinstance(requested, str):
            text("variable_scope: `name_or_scope`", requested)
        _refuse_getter("variable_scope", custom_getter)
        self._requested, self._default = name_or_scope, default_name
        self._reuse = read_reuse("variable_scope: `reuse`", reuse)
        self._given = {
            "initializer": initializer, "regularizer": regularizer, "dtype": dtype, "constraint": constraint
        }  # fmt: skip

    def __enter__(self) -> VariableScope:
        outer = get_variable_scope()
        if isinstance(self._requested, VariableScope):
            name, like = self._requested.name, self._requested
        else:
            own = self._requested if self._requested is not None else _unique(outer.name, self._default or "")
            name, like = _join(outer.name, own), outer
        scope = VariableScope(name, self._reuse or like.reuse or outer.reuse)
        for attribute, value in self._given.items():
            setattr(scope, attribute, value if value is not None else getattr(like, attribute))
        opened = _scopes().opened
        _set_opened({**opened, name: opened.get(name, 0) + 1})
        _entered.push(_Entry(self, scope, state.current().number))
        return scope

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        left = next((entry for entry in reversed(_entered.entries()) if entry.block is self), None)
        if left is not None:
            _entered.drop(left)
            # Entered again, the scope counts its inner default names from the start.
            inner = left.scope.name + "/"
            _set_opened({name: count for name, count in _scopes().opened.items() if not name.startswith(inner)})


def get_variable_scope() -> VariableScope:
    """Return the current scope of this thread or task."""
    entered = _entered.entries()
    return entered[-1].scope if entered and entered[-1].graph == state.current().number else _scopes().outermost


def _scopes() -> _Scopes:
    """Return the scopes of this thread or task in the current graph."""
    found = _own.get()
    if found is None or found.graph != state.current().number:
        found = _Scopes(state.current().number, VariableScope(""), {})
        _own.set(found)
    return found


def _set_opened(opened: dict[str, int]) -> None:
    _own.set(_scopes()._replace(opened=opened))


def get_variable(
    name: str,
    shape: Any = None,
    dtype: Any = None,
    initializer: Any = None,
    regularizer: Any = None,
    trainable: bool | None = None,
    collections: Any = None, caching_device: Any = None, partitioner: Any = None, validate_shape: bool = True,
    use_resource: bool | None = None, custom_getter: Any = None, constraint: Any = None, synchronization: Any = None,
    aggregation: Any = None,
) -> Weight:  # fmt: skip
    """Return the variable of this name in the current scope: a new one, or under `reuse` the existing one.

    Args:
        name: its name inside the scope.
        shape: its shape; needed for a new one, unless the initializer is a constant.
        dtype: the scope's by default, or the constant's.
        initializer: a name, a function of (shape, dtype) or a constant, which has its own shape; the scope's by
            default, else Glorot's uniform.
        regularizer: the scope's by default.
        trainable: whether the optimizer updates it; by default True for a floating dtype.
        collections: without effect.
        caching_device: likewise.
        partitioner: likewise.
        validate_shape: likewise.
        use_resource: likewise.
        synchronization: likewise.
        aggregation: likewise.
        custom_getter: not supported.
        constraint: the constraint applied after each update; the scope's by default.

    Raises:
        VariableError: the variable exists and the scope does not reuse, or it is missing and the scope does; the name
            is empty or no text; or there are both a constant and a shape.
        ShapeError: the shape is missing, or differs from that of the shared variable.
        DTypeError: the constant is an array of another dtype.
    """
    _refuse_getter("get_variable", custom_getter)
    scope = get_variable_scope()
    full = _join(scope.name, _read_name(name))
    where = f"get_variable({full!r})"
    shape = None if shape is None else checks.read_weight_shape(where, shape)
    with _making:
        known = _known(full, shape, scope)
        if known is not None:
            return known
        graph = state.current()
        given = shape, dtype, scope.initializer if initializer is None else initializer
        value = _initial_value(where, full, *given)
        new = (GraphVariable if graph.begun else Weight)(
            value,
            is_floating(value.dtype) if trainable is None else trainable,
            f"{full}:0",
            value.dtype,
            regularizers.option_kind.read(
                f"{where}: `regularizer`", scope.regularizer if regularizer is None else regularizer
            ),
            constraints.option_kind.read(
                f"{where}: `constraint`", scope.constraint if constraint is None else constraint
            ),
        )
        graph.add(full, new, lambda: _initial_value(where, full, *given))
    return new


def _read_name(name: Any) -> str:
    if not isinstance(name, str) or not name:
        raise VariableError(f"get_variable: expected a name, got {shown(name)}. Pass a text such as 'kernel'.")
    return name


def _initial_value(where: str, full: str, shape: tuple[int, ...] | None, dtype: Any, initializer: Any) -> Tensor:
    """Return the initial value of a new variable."""
    initializer = value_of(initializer)
    if initializer is None or isinstance(initializer, (str, dict)) or callable(initializer):
        if shape is None:
            raise ShapeError(f"{where}: expected the `shape` of a new variable, got None. Pass shape=(…).")
        start = initializers.option_kind.read(
            f"{where}: `initializer`", "glorot_uniform" if initializer is None else initializer
        )
        with naming(f"{where}: `initializer`"):
            made = start(shape, dtype=get_variable_scope().dtype if dtype is None else dtype_name(dtype))
            value: Tensor = checks.check_result(f"{where}: the `initializer`", made, shape)
        return value
    if shape is not None:
        raise VariableError(
            f"{where}: the initializer is a constant, {shown(initializer)}, with its own shape: expected no "
            f"`shape`, got {shape}. Leave out one of them; keras.initializers.Constant takes any shape."
        )
    value = as_tensor(initializer)
    requested = value.dtype if dtype is None else dtype
    if hasattr(initializer, "dtype") and dtype_name(requested) != dtype_name(value.dtype):
        raise DTypeError(
            f"{where}: expected an initializer of {dtype_name(requested)}, got one of {dtype_name(value.dtype)}. Leave "
            "out `dtype`, or cast the array."
        )
    return value.astype(requested)


def _known(full: str, shape: tuple[int, ...] | None, scope: VariableScope) -> Weight | None:
    """Return the existing variable, if the scope reuses and the shape fits, or None for a new one."""
    known = state.current().variables.get(full)
    if known is None and scope.reuse is True:
        raise VariableError(
            f"Variable {full} does not exist, or was not created with tf.get_variable(). Did you mean to set "
            "reuse=tf.AUTO_REUSE in VarScope?"
        )
    if known is not None and not scope.reuse:
        raise VariableError(
            f"Variable {full} already exists, disallowed. Did you mean to set reuse=True or reuse=tf.AUTO_REUSE in "
            "VarScope? (reset_default_graph() removes all variables.)"
        )
    if known is not None and shape is not None and shape != known.shape:
        raise ShapeError(
            f"get_variable({full!r}): expected the shape of the existing variable, {known.shape}, got {shape}. Leave "
            "it out, or choose another name."
        )
    return known


def scope_or(scope: Any, default: str) -> Any:
    """Return a scope or its name; the default for None and ``""``."""
    if isinstance(scope, str):
        text("`scope`", scope)
    return default if scope is None or (isinstance(scope, str) and not scope) else scope


def read_reuse(where: str, value: Any) -> Any:
    """Return a checked `reuse`: None, False, True or AUTO_REUSE.

    Raises:
        VariableError: the value is none of them.
    """
    if value is not None and not isinstance(value, bool) and not (isinstance(value, str) and value == AUTO_REUSE):
        raise VariableError(f"{where}: expected True, False, None or AUTO_REUSE, got {shown(value)}.")
    return value


def _refuse_getter(where: str, getter: Any) -> None:
    if getter is not None:
        raise VariableError(f"{where}: custom_getter is not supported. Change the variable that get_variable returns.")


def global_variables(scope: str | None = None) -> list[Weight]:
    """Return all variables in the order of their creation.

    Args:
        scope: a regular expression for the beginning of their names, as in `re.match`; so ``"a"`` finds those of
            ``"ab/"`` too, and ``"a/"`` only those of the scope ``"a"``.

    Raises:
        VariableError: `scope` is not a regular expression.
    """
    if scope is not None and not isinstance(scope, str):
        raise VariableError(
            f"global_variables: expected `scope`, a regular expression, got {shown(scope)}. Try scope.name."
        )
    try:
        begins = re.compile(scope or "").match
    except re.error as error:
        raise VariableError(f"global_variables: `scope`: {scope!r} is not a valid pattern: {error}.") from None
    return [v for v in list(state.current().variables.values()) if begins(v.name)]


def trainable_variables(scope: str | None = None) -> list[Weight]:
    """Return the trainable ones among `global_variables`."""
    return [v for v in global_variables(scope) if v.trainable]


def reset_default_graph() -> None:
    """Remove all variables, names and scopes; the `reuse` of the outermost scope is off again, in every thread."""
    state.reset()
    _entered.clear()
    call_context.clear_session()


def _join(outer: str, name: str) -> str:
    return f"{outer}/{name}" if outer and name else outer or name


def _unique(outer: str, name: str) -> str:
    """Return the name, followed by a number if a scope of that name has been opened here before."""
    opened = _scopes().opened
    if _join(outer, name) not in opened:
        return name
    k = 1
    while _join(outer, f"{name}_{k}") in opened:
        k += 1
    return f"{name}_{k}"
