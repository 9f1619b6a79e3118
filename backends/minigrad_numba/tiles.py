"""Products with a matrix that is the same at each step, by tiles that fit the processor's registers.

    C += A B        tile by tile:   C[i … i + R, a panel's columns] += Σ_k A[i … i + R, k] B[k, these columns]

A BLAS first packs B into the order in which it reads it, at every call. In a loop over time that is half of the work: a
step multiplies a few rows by a matrix that all steps share. Here `panels` packs it once a sequence, and the tiles of C,
up to 6 rows of 64 bytes (8 rows of 128 bytes with AVX-512), stay in registers until the sum is complete.

On one core of an AMD EPYC (Zen 3, AVX2), float32, billions of operations a second:

    rows × inner × columns       here    OpenBLAS 0.3
    16 × 32 × 128                  90              45
    16 × 128 × 512                 73              60
    32 × 256 × 1024                89              73
    64 × 512 × 2048                94              83

Source: Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import binding, ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from minigrad_numba.compiling import helper

Array = Any
Value = Any  # of the generated code

LINE = 64  # bytes, the width of a panel: two AVX2 registers or one of AVX-512


def panels(B: Array) -> Array:
    """Pack B (inner, columns) as (panel, inner, columns of a panel), padded with zeros.

    >>> panels(np.ones((3, 20), "float32")).shape
    (2, 3, 16)
    """
    inner, columns = B.shape
    wide = LINE // B.itemsize
    count = -(-columns // wide)
    if columns % wide:
        B, whole = np.zeros((inner, count * wide), B.dtype), B
        B[:, :columns] = whole
    return np.array(B.reshape(inner, count, wide).transpose(1, 0, 2), order="C")


# For each height of a tile in rows: the numbers of panels that it takes, widest first. A tile's sums stay in registers,
# of which AVX-512 has 32 of 64 bytes, others 16 of 32 bytes or less. Eight sums or more keep both multipliers busy.
OF_AVX512 = {8: (2, 1), 4: (2, 1), 2: (4, 1), 1: (8, 4, 1)}
OF_OTHERS = {6: (1,), 4: (1,), 2: (2, 1), 1: (4, 1)}
TILES = OF_AVX512 if binding.get_host_cpu_features().get("avx512f", False) else OF_OTHERS


@helper
def add_product(A, B, C):  # type: ignore[no-untyped-def]
    """C += A B, the matrix B in `panels`."""
    _add_product(A, B, C)


@intrinsic
def _add_product(typing_context, A, B, C):  # type: ignore[no-untyped-def]
    def code(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        builder.function.attributes.add("noinline")  # one copy of the tiles in a loop's code
        A, B, C = (
            context.make_array(kind)(context, builder, value)
            for kind, value in zip(signature.args, arguments, strict=True)
        )
        _Product(builder, context.get_data_type(signature.args[0].dtype), A, B, C).generate()
        return context.get_dummy_value()

    return types.void(A, B, C), code


class _Product:
    """The generator of a product's instructions.

    A vector of 64 bytes becomes as many registers as the processor needs for it. A tile of a single panel writes only
    the columns that C has.
    """

    def __init__(self, builder: Any, real: Any, A: Any, B: Any, C: Any) -> None:
        self.builder, self.real, self.A, self.B, self.C = builder, real, A.data, B.data, C.data
        self.rows, self.inner = cgutils.unpack_tuple(builder, A.shape)
        self.columns = builder.extract_value(C.shape, 1)
        self.word, self.wide = self.rows.type, LINE // (4 if isinstance(real, ir.FloatType) else 8)
        self.vector = ir.VectorType(real, self.wide)

    def generate(self) -> None:
        """C += A B, tile by tile: all rows of one height, then the rest in lower tiles."""
        b, word = self.builder, self.word
        panels = b.udiv(self.columns, word(self.wide))
        partial = b.udiv(b.add(self.columns, word(self.wide - 1)), word(self.wide))
        row = word(0)
        with b.if_then(b.icmp_signed(">", self.inner, word(0))):
            for height, widths in TILES.items():
                end = b.add(row, b.mul(b.udiv(b.sub(self.rows, row), word(height)), word(height)))
                with b.if_then(b.icmp_signed(">", end, row)):
                    start = word(0)
                    for width in widths:
                        start = self._strip(row, end, height, start, partial if width == 1 else panels, width)
                row = end

    def _strip(self, row: Value, end: Value, height: int, first: Value, panels: Value, width: int) -> Value:
        """Generate tiles for these rows and groups of `width` panels; return the first panel that remains."""
        b, word = self.builder, self.word
        last = b.add(first, b.mul(b.udiv(b.sub(panels, first), word(width)), word(width)))
        with (
            cgutils.for_range_slice(b, first, last, word(width), word, inc=True) as (panel, _),
            cgutils.for_range_slice(b, row, end, word(height), word, inc=True) as (i, _),
        ):
            self._tile(i, height, panel, width)
        return last

    def _tile(self, i: Value, height: int, panel: Value, width: int) -> None:
        """Load a tile of C, add to it in a loop over k, and store it."""
        b, word, rows = self.builder, self.word, range(height)
        a = [b.gep(self.A, [b.mul(b.add(i, word(r)), self.inner)]) for r in rows]
        B = [b.gep(self.B, [b.mul(b.mul(b.add(panel, word(p)), self.inner), word(self.wide))]) for p in range(width)]
        j = [b.mul(b.add(panel, word(p)), word(self.wide)) for p in range(width)]
        c = [self._line(self.C, b.add(b.mul(b.add(i, word(r)), self.columns), at)) for r in rows for at in j]
        mask = self._mask(j[0]) if width == 1 else None
        before = [self._load(pointer, mask) for pointer in c]
        entry, loop, end = b.block, b.append_basic_block("k"), b.append_basic_block("end")
        b.branch(loop)
        b.position_at_end(loop)
        k, sums = b.phi(word), [b.phi(self.vector) for _ in c]
        b_k = [b.load(self._line(start, b.mul(k, word(self.wide))), align=4) for start in B]
        a_k = [self._everywhere(b.load(b.gep(start, [k]))) for start in a]
        factors = [(row, column) for row in a_k for column in b_k]
        after = [self._fused(x, y, z) for (x, y), z in zip(factors, sums, strict=True)]
        k_next = b.add(k, word(1))
        for phi, first, later in ((k, word(0), k_next), *zip(sums, before, after, strict=True)):
            phi.add_incoming(first, entry)
            phi.add_incoming(later, loop)
        b.cbranch(b.icmp_signed("<", k_next, self.inner), loop, end)
        b.position_at_end(end)
        for pointer, total in zip(c, after, strict=True):
            self._store(total, pointer, mask)

    def _line(self, pointer: Value, at: Value) -> Value:
        return self.builder.bitcast(self.builder.gep(pointer, [at]), self.vector.as_pointer())

    def _everywhere(self, number: Value) -> Value:
        """Return a vector that holds a number in all places."""
        index, undefined = ir.IntType(32), self.vector(ir.Undefined)
        one = self.builder.insert_element(undefined, number, index(0))
        return self.builder.shuffle_vector(one, undefined, ir.Constant(ir.VectorType(index, self.wide), None))

    def _fused(self, x: Value, y: Value, z: Value) -> Value:
        """Return x y + z."""
        return self.builder.call(self._declared("llvm.fmuladd", self.vector, [self.vector] * 3), [x, y, z])

    def _mask(self, j: Value) -> Value:
        """Return True for the columns from j on that C has."""
        b, index = self.builder, ir.IntType(32)
        left = b.trunc(b.sub(self.columns, j), index)
        places = ir.VectorType(index, self.wide)
        one = b.insert_element(places(ir.Undefined), left, index(0))
        counts = b.shuffle_vector(one, places(ir.Undefined), ir.Constant(places, None))
        return b.icmp_signed("<", ir.Constant(places, list(range(self.wide))), counts)

    def _load(self, pointer: Value, mask: Value | None) -> Value:
        if mask is None:
            return self.builder.load(pointer, align=4)
        kinds = [pointer.type, ir.IntType(32), mask.type, self.vector]
        load = self._declared("llvm.masked.load", self.vector, kinds, ".p0")
        return self.builder.call(load, [pointer, ir.IntType(32)(4), mask, self.vector(None)])

    def _store(self, value: Value, pointer: Value, mask: Value | None) -> None:
        if mask is None:
            self.builder.store(value, pointer, align=4)
            return
        kinds = [self.vector, pointer.type, ir.IntType(32), mask.type]
        store = self._declared("llvm.masked.store", ir.VoidType(), kinds, ".p0")
        self.builder.call(store, [value, pointer, ir.IntType(32)(4), mask])

    def _declared(self, name: str, result: Any, arguments: list[Any], pointer: str = "") -> Any:
        """Return LLVM's function of this name for these vectors."""
        kind = ir.FunctionType(result, arguments)
        full = f"{name}.v{self.wide}{self.real.intrinsic_name}{pointer}"
        return cgutils.get_or_insert_function(self.builder.module, kind, full)
