"""TensorShape, with sizes that are not known."""

from __future__ import annotations

from typing import Any

from oracle.corners import corner, error_of

FIRST = [2, 3], [], [2, None], [None, None], [5], [0, 3], [None]
OTHERS = [2, 3], [], [None, 3], [2], [4, None], 5


def listed(shape: Any) -> Any:
    """The sizes, or what else was returned."""
    return shape.as_list() if hasattr(shape, "as_list") else shape


def outcome(action: Any) -> Any:
    """The shape that is returned, or the error's class."""
    error = error_of(action)
    return listed(action()) if error == "none" else error


@corner(*FIRST)
def two_shapes(tf: Any, dims: Any) -> Any:
    shape, found = tf.TensorShape(dims), []
    for other in (*OTHERS, tf.TensorShape([2, 3])):
        names = "merge_with", "concatenate", "is_compatible_with", "assert_is_compatible_with", "assert_same_rank"
        found.append([outcome(lambda n=name, o=other: getattr(shape, n)(o)) for name in names])
        found.append([shape == other, shape != other])
    return found


@corner(*FIRST)
def a_shape_and_a_rank(tf: Any, dims: Any) -> Any:
    shape = tf.TensorShape(dims)
    names = "with_rank", "with_rank_at_least", "with_rank_at_most", "assert_has_rank"
    return [[outcome(lambda n=name, r=rank: getattr(shape, n)(r)) for name in names] for rank in range(4)]


@corner(*FIRST)
def properties_of_a_shape(tf: Any, dims: Any) -> Any:
    shape = tf.TensorShape(dims)
    sizes = [getattr(size, "value", size) for size in shape.dims]
    return [
        shape.rank, shape.ndims, sizes, shape.as_list(), shape.num_elements(), shape.is_fully_defined(),
        error_of(shape.assert_is_fully_defined), repr(shape), str(shape), bool(shape), len(shape), list(shape),
        listed(shape[1:]), listed(shape[:-1]), listed(shape[::-1]),
    ]  # fmt: skip


@corner()
def a_dimension(tf: Any) -> Any:
    """Each of `dims` has a value, and equals the number."""
    known, unknown = tf.TensorShape([3, None]).dims
    return [
        known.value,
        unknown.value,
        known == 3,
        known != 3,
        int(known),
        bool(known == 4),
        tf.TensorShape([known, unknown]) == [3, None],
    ]


@corner()
def an_unknown_rank(tf: Any) -> Any:
    """None as the other shape."""
    shape = tf.TensorShape([2, None])
    names = "merge_with", "is_compatible_with", "assert_is_compatible_with", "assert_same_rank"
    return [outcome(lambda n=name: getattr(shape, n)(None)) for name in names]


@corner(2, 3, 2.0, "2", [1])
def a_rank_of_another_kind(tf: Any, rank: Any) -> Any:
    return [error_of(lambda: tf.TensorShape([2, 3]).with_rank(rank))]
