"""Variables by name, as the first API generation shares weights: `variable_scope`, `get_variable`.

A variable's name is the names of the scopes around it and its own, ``"rnn/lstm_cell/kernel:0"``. Asking for a name that
exists is an error, unless the scope says `reuse`: then it is the same variable. There is one store of variables, which
`reset_default_graph` empties.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextvars import ContextVar
from types import MappingProxyType, TracebackType
from typing import Any, NamedTuple

from minigrad.engine.creation import as_tensor
from minigrad.engine.dtypes import dtype_name, is_floating
from minigrad.engine.errors import DTypeError, MinigradError, ShapeError, shown
from minigrad.engine.flow import FlowStack, new_lock
from minigrad.engine.tensor import Tensor
from minigrad.layers import checks, constraints, context, initializers, regularizers
from minigrad.layers.weight import Weight

AUTO_REUSE = "AUTO_REUSE"


class VariableError(MinigradError, ValueError):
    """A variable exists and should not, or the other way round."""


class VariableScope:
    """What holds inside a scope.

    Attributes:
        name: the scope's whole name.
        reuse: False, True or AUTO_REUSE (share what exists, make what does not). Whatever a scope around it says holds
            inside too: a scope can begin to reuse, but not end it; a scope entered again brings its own along.
        initializer: of variables that say nothing of theirs.
        regularizer: of variables that say nothing of theirs.
        dtype: of variables that say nothing of theirs.
        constraint: of variables that say nothing of theirs.
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
        self.name, self.reuse = name, reuse
        self.initializer, self.regularizer, self.dtype = initializer, regularizer, dtype
        self.constraint = constraint

    def reuse_variables(self) -> None:
        """From here on, variables of this scope are shared."""
        self.reuse = True


_variables: dict[str, Weight] = {}  # of all threads
_making = new_lock()  # one of them
_entered: FlowStack[_Entry] = FlowStack("v1.variable_scope")
# As in TensorFlow, each thread has its own outermost scope and its own counts of default names.
_outermost: ContextVar[VariableScope | None] = ContextVar("v1.variable_scope: the outermost", default=None)
_opened: ContextVar[Mapping[str, int]] = ContextVar("v1.variable_scope: counts", default=MappingProxyType({}))


class _Entry(NamedTuple):
    """One entry of a `with` block."""

    block: variable_scope
    scope: VariableScope


class variable_scope:  # noqa: N801  (TensorFlow's name)
    """Enter a scope for the `with` block, and gives it.

    Args:
        name_or_scope: a name, below the current scope; or a scope to enter again; None takes `default_name`.
        default_name: a name that is made unique: ``"lstm_cell"``, ``"lstm_cell_1"`` …
        values: without effect, as all that speaks of a graph or of devices: caching_device, partitioner, use_resource,
            auxiliary_name_scope.
        initializer: of the variables inside; that of the scope around by default.
        regularizer: likewise.
        custom_getter: not known here.
        reuse: True shares the variables that exist, AUTO_REUSE makes those that do not. False or None: as outside.
        dtype: of the variables inside.
        constraint: likewise.

    Raises:
        VariableError: neither a name nor a default name; or `reuse` is none of those.

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
        asked = default_name if name_or_scope is None else name_or_scope
        if not isinstance(asked, (str, VariableScope)):
            raise VariableError(f"variable_scope: expected a name, a scope, or else a default_name, got {asked!r}.")
        _refuse_getter("variable_scope", custom_getter)
        self._asked, self._default = name_or_scope, default_name
        self._reuse = read_reuse("variable_scope: `reuse`", reuse)
        self._given = {
            "initializer": initializer, "regularizer": regularizer, "dtype": dtype, "constraint": constraint
        }  # fmt: skip

    def __enter__(self) -> VariableScope:
        outer = get_variable_scope()
        if isinstance(self._asked, VariableScope):
            name, like = self._asked.name, self._asked
        else:
            own = self._asked if self._asked is not None else _unique(outer.name, self._default or "")
            name, like = _join(outer.name, own), outer
        scope = VariableScope(name, self._reuse or like.reuse or outer.reuse)
        for attribute, value in self._given.items():
            setattr(scope, attribute, value if value is not None else getattr(like, attribute))
        _opened.set({**_opened.get(), name: _opened.get().get(name, 0) + 1})
        _entered.push(_Entry(self, scope))
        return scope

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        left = next((entry for entry in reversed(_entered.entries()) if entry.block is self), None)
        if left is not None:
            _entered.drop(left)
            # Entered again, the scope counts its inner default names from the start.
            inner = left.scope.name + "/"
            _opened.set({name: count for name, count in _opened.get().items() if not name.startswith(inner)})


def get_variable_scope() -> VariableScope:
    """Return the scope that this thread or task is in."""
    entered = _entered.entries()
    if entered:
        return entered[-1].scope
    scope = _outermost.get()
    if scope is None:
        scope = VariableScope("")
        _outermost.set(scope)
    return scope


def get_variable(
    name: str,
    shape: Any = None,
    dtype: Any = None,
    initializer: Any = None,
    regularizer: Any = None,
    trainable: bool | None = None,
    collections: Any = None,
    caching_device: Any = None,
    partitioner: Any = None,
    validate_shape: bool = True,
    use_resource: bool | None = None,
    custom_getter: Any = None,
    constraint: Any = None,
    synchronization: Any = None,
    aggregation: Any = None,
) -> Weight:
    """Return the variable of this name in the current scope: a new one, or under `reuse` the one that exists.

    Args:
        name: its own name.
        shape: its shape; needed for a new one, unless the initializer is a constant.
        dtype: the scope's by default, or the constant's.
        initializer: a name, a function of (shape, dtype) or a constant, which says the shape itself; the scope's by
            default, else Glorot's uniform.
        regularizer: the scope's by default.
        trainable: may an optimizer change it? By default if it is of a floating dtype.
        collections: without effect, there is no graph.
        caching_device: likewise.
        partitioner: likewise.
        validate_shape: likewise.
        use_resource: likewise.
        synchronization: likewise.
        aggregation: likewise.
        custom_getter: not known here.
        constraint: what it is brought back to after each update; the scope's by default.

    Raises:
        VariableError: it exists and the scope does not reuse, or it does not and the scope does; the name is none; or
            there are both a constant and a shape.
        ShapeError: the shape is missing, or differs from that of the variable that is shared.
        DTypeError: the constant is an array of another dtype.
    """
    _refuse_getter("get_variable", custom_getter)
    scope = get_variable_scope()
    full = _join(scope.name, _read_name(name))
    where = f"get_variable({full!r})"
    shape = None if shape is None else checks.weight_shape(where, shape)
    with _making:
        known = _known(full, shape, scope)
        if known is not None:
            return known
        value = _started(where, full, shape, dtype, scope.initializer if initializer is None else initializer)
        _variables[full] = made = Weight(
            value,
            is_floating(value.dtype) if trainable is None else trainable,
            f"{full}:0",
            value.dtype,
            regularizers.option_kind.read(where, scope.regularizer if regularizer is None else regularizer),
            constraints.option_kind.read(where, scope.constraint if constraint is None else constraint),
        )
    return made


def _read_name(name: Any) -> str:
    if not isinstance(name, str) or not name:
        raise VariableError(f"get_variable: expected a name, got {name!r}.")
    return name


def _started(where: str, full: str, shape: tuple[int, ...] | None, dtype: Any, initializer: Any) -> Tensor:
    """What a new variable starts from."""
    if initializer is None or isinstance(initializer, (str, dict)) or callable(initializer):
        if shape is None:
            raise ShapeError(f"get_variable: the shape of the new variable {full} is missing.")
        start = initializers.option_kind.read(where, "glorot_uniform" if initializer is None else initializer)
        value: Tensor = start(shape, dtype=dtype or get_variable_scope().dtype)
        return value
    if shape is not None:
        raise VariableError(
            f"{where}: the initializer is a constant, {shown(initializer)}, and says the shape itself: expected no "
            f"`shape`, got {shape}. Leave out one of them; keras.initializers.Constant takes any shape."
        )
    value = as_tensor(initializer)
    asked = value.dtype if dtype is None else dtype
    if hasattr(initializer, "dtype") and dtype_name(asked) != dtype_name(value.dtype):
        raise DTypeError(
            f"{where}: expected an initializer of {dtype_name(asked)}, got one of {dtype_name(value.dtype)}. Leave out "
            "`dtype`, or cast the array."
        )
    return value.astype(asked)


def _known(full: str, shape: tuple[int, ...] | None, scope: VariableScope) -> Weight | None:
    """The variable that exists, if the scope reuses and the shape fits; None where a new one is to be made."""
    known = _variables.get(full)
    if known is None and scope.reuse is True:
        raise VariableError(
            f"Variable {full} does not exist, or was not created with tf.get_variable(). Did you mean to set "
            "reuse=tf.AUTO_REUSE in VarScope?"
        )
    if known is not None and not scope.reuse:
        raise VariableError(
            f"Variable {full} already exists, disallowed. Did you mean to set reuse=True or reuse=tf.AUTO_REUSE in "
            "VarScope? (reset_default_graph() forgets all variables.)"
        )
    if known is not None and shape is not None and shape != known.shape:
        raise ShapeError(f"get_variable: expected {full} of shape {shape}, but it exists with {known.shape}.")
    return known


def read_reuse(where: str, value: Any) -> Any:
    """Return what says whether variables are shared: None, False, True or AUTO_REUSE.

    Raises:
        VariableError: it is none of them.
    """
    if value is not None and not isinstance(value, bool) and value != AUTO_REUSE:
        raise VariableError(f"{where}: expected True, False, None or AUTO_REUSE, got {shown(value)}.")
    return value


def _refuse_getter(where: str, getter: Any) -> None:
    if getter is not None:
        raise VariableError(f"{where}: custom_getter is not known here. Change the variable that get_variable returns.")


def global_variables(scope: str | None = None) -> list[Weight]:
    """Return all variables in the order in which they were made.

    Args:
        scope: a regular expression that their names begin with, as of `re.match`; so ``"a"`` finds those of ``"ab/"``
            too, and ``"a/"`` those of the scope ``"a"`` alone.

    Raises:
        VariableError: it is no regular expression.
    """
    if scope is not None and not isinstance(scope, str):
        raise VariableError(f"global_variables: expected `scope`, a regular expression, got {scope!r}. Try scope.name.")
    try:
        begins = re.compile(scope or "").match
    except re.error as error:
        raise VariableError(f"global_variables: `scope`: {scope!r} is no regular expression: {error}.") from None
    return [v for v in list(_variables.values()) if begins(v.name)]


def trainable_variables(scope: str | None = None) -> list[Weight]:
    """Return the trainable ones among `global_variables`."""
    return [v for v in global_variables(scope) if v.trainable]


def reset_default_graph() -> None:
    """Forget all variables and names, and the scopes of this thread or task."""
    _variables.clear()
    _opened.set({})
    _entered.clear()
    _outermost.set(None)
    context.clear_session()


def _join(outer: str, name: str) -> str:
    return f"{outer}/{name}" if outer and name else outer or name


def _unique(outer: str, name: str) -> str:
    """The name, or the name and a number if a scope of that name was opened here before."""
    opened = _opened.get()
    if _join(outer, name) not in opened:
        return name
    k = 1
    while _join(outer, f"{name}_{k}") in opened:
        k += 1
    return f"{name}_{k}"
