"""Earlier spellings of the engine's functions and attributes, which version 0.1.0 documented and which still work.

- An operation may say ``keeps = True`` and take ``kept`` in backward; today's names are `caches` and `cache`.
- `tape.propagate` may be called with targets and seeds instead of `Cotangents`.

`minigrad.engine.aliases` imports this module; it lists earlier addresses of modules and names.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from minigrad.engine import autograd, tape
from minigrad.engine.ops.op import Op
from minigrad.engine.protocol import Array, Xp
from minigrad.engine.tape import Cotangents


class _Keeps:
    """`Op.keeps`, the earlier name of `Op.caches`."""

    def __get__(self, op: Any, owner: type[Op]) -> bool:
        return owner.caches


def _init_subclass(cls: type[Op]) -> None:
    """Read the earlier names of an operation, and define it."""
    if "keeps" in vars(cls):
        cls.caches = vars(cls)["keeps"]
        del cls.keeps  # type: ignore[attr-defined]
    define(cls)
    backward = vars(cls).get("backward")
    if backward is not None:
        code = backward.__func__.__code__
        if "kept" in code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]:
            cls.backward = staticmethod(_given_as_kept(backward.__func__))


def _given_as_kept(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Return a backward that passes the keyword `cache` on as `kept`."""

    @wraps(backward)
    def with_cache(*args: Any, **params: Any) -> Any:
        if "cache" in params:
            params["kept"] = params.pop("cache")
        return backward(*args, **params)

    return with_cache


define: Any = vars(Op)["__init_subclass__"].__func__
setattr(Op, "keeps", _Keeps())  # noqa: B010  (no attribute of the class's body, which a reader meets first)
setattr(Op, "__init_subclass__", classmethod(_init_subclass))  # noqa: B010

_plain_propagate = tape.propagate


@wraps(_plain_propagate)
def propagate(*args: Any, **options: Any) -> Cotangents:
    """Run the chain rule backward, from `Cotangents` or from targets and seeds."""
    if "cotangents" in options or (args and isinstance(args[0], Cotangents)):
        return _plain_propagate(*args, **options)
    return _from_targets(*args, **options)


def _from_targets(
    targets: Sequence[Any],
    seeds: Sequence[Array],
    xp: Xp,
    *,
    on_tensors: bool = False,
    free: bool = False,
    wanted: Sequence[Any] = (),
    since: int = 0,
) -> Cotangents:
    """Run the chain rule backward from targets with the gradients `seeds`.

    Args:
        targets: the tensors to start from.
        seeds: ∂loss/∂target for each, of its shape.
        xp: the namespace that the rules compute in.
        on_tensors: whether the rules get Tensors; xp is `minigrad.functional` then.
        free: whether to forget the graph after a run without an error.
        wanted: tensors whose gradients are kept for `get`.
        since: the highest serial of the nodes that a gradient passes through.
    """
    cotangents = autograd._Since(wanted, since)
    for x, dx in zip(targets, seeds, strict=True):
        cotangents.add(x, dx)
    return _plain_propagate(cotangents, Op.functional if on_tensors else xp, free)
