"""Layouts of the gates of an LSTM and of a GRU in each framework's arrays, as data.

All compute z = x W + h U + b and split z into gates. They differ in the order and the shapes:

    framework   gates       W                    U                    biases
    tf1         i, j, f, o  rows 0 … of kernel   the rows below       one; the forget bias is added at call
    keras       i, f, c, o  (features, 4 units)  (units, 4 units)     one
    torch       i, f, g, o  (4 units, features)  (4 units, units)     two, which are added
    onnx        i, o, f, c  (1, 4 units, …)      (1, 4 units, units)  two, end to end in one array
    chainer     a, i, f, o  (4 units, features)  (4 units, units)     one; unit by unit: a₀ i₀ f₀ o₀ a₁ i₁ …

The candidate is called j, c̃, g, c or a; here g. Shapes often agree where the order does not: then wrong weights raise
no error and give other outputs. Name the layout, and let `relayout` convert them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal


@dataclass(frozen=True)
class GateLayout:
    """Layout of the weights of a recurrent cell in one framework.

    Attributes:
        name: the key in `LSTM_LAYOUTS` or `GRU_LAYOUTS`.
        gates: the order of the gates, in minigrad's letters: i, f, g, o of the LSTM; z, r, g of the GRU.
        letters: the same order in the framework's letters, for messages.
        kernel: the name of the array with W.
        recurrent: the name of the array with U; None where its rows are below W's in one kernel.
        bias: the name of the array with b.
        state_bias: the place of a second bias, that of h U: ``"none"``, there is none; ``"apart"``, in a second array;
            ``"joined"``, in the second half of the array; ``"stacked"``, in its second row.
        state_bias_name: the name of the second array, if ``"apart"``.
        bias_needed: whether every cell has a bias.
        transposed: whether the gates are along the first axis, (4 units, features).
        interleaved: whether the gates of one unit are adjacent, rather than the units of one gate.
        direction_axis: whether each array begins with an axis for the directions.
        peepholes: the names of the arrays with the peepholes; empty if no cell has them.
        peephole_gates: the order of the peepholes, one array each or all in one.
        projection: the name of the array with P; None if no cell has a projection.
        candidate: the names of the arrays with W and U, and with b, of the last gate, if those are separate arrays.
        adds_forget_bias: whether a forget bias is added at call, rather than stored in b.
        reset_after: of a GRU: whether the reset gate acts on h U, rather than on h.
    """

    name: str
    gates: str
    letters: str
    kernel: str
    recurrent: str | None
    bias: str
    state_bias: Literal["none", "apart", "joined", "stacked"] = "none"
    state_bias_name: str = ""
    bias_needed: bool = False
    transposed: bool = False
    interleaved: bool = False
    direction_axis: bool = False
    peepholes: tuple[str, ...] = ()
    peephole_gates: str = ""
    projection: str | None = None
    candidate: tuple[str, ...] = ()
    adds_forget_bias: bool = False
    reset_after: bool = False

    @property
    def optional(self) -> tuple[tuple[str, ...], ...]:
        """Names of optional arrays, in groups that are present or absent together, in the framework's order."""
        biases = (self.bias, self.state_bias_name) if self.state_bias_name else (self.bias,)
        projection = (self.projection,) if self.projection else ()
        groups = (() if self.bias_needed else biases, self.peepholes, projection)
        return tuple(group for group in groups if group)

    @property
    def needed(self) -> tuple[str, ...]:
        """Names of the arrays that every cell has, in the framework's order."""
        matrices = (self.kernel,) if self.recurrent is None else (self.kernel, self.recurrent)
        if not self.bias_needed:
            return matrices
        return (self.kernel, self.bias, *matrices[1:], *self.candidate)


_TF1 = GateLayout(
    name="tf1",
    gates="igfo",
    letters="i, j, f, o",
    kernel="kernel",
    recurrent=None,
    bias="bias",
    bias_needed=True,
    peepholes=("w_f_diag", "w_i_diag", "w_o_diag"),
    peephole_gates="fio",
    projection="projection/kernel",
    adds_forget_bias=True,
)
_KERAS = GateLayout(
    name="keras", gates="ifgo", letters="i, f, c, o", kernel="kernel", recurrent="recurrent_kernel", bias="bias"
)
_TORCH = GateLayout(
    name="torch",
    gates="ifgo",
    letters="i, f, g, o",
    kernel="weight_ih",
    recurrent="weight_hh",
    bias="bias_ih",
    state_bias="apart",
    state_bias_name="bias_hh",
    transposed=True,
    projection="weight_hr",
)
_ONNX = GateLayout(
    name="onnx",
    gates="iofg",
    letters="i, o, f, c",
    kernel="W",
    recurrent="R",
    bias="B",
    state_bias="joined",
    transposed=True,
    direction_axis=True,
    peepholes=("P",),
    peephole_gates="iof",
)
_CHAINER = GateLayout(
    name="chainer",
    gates="gifo",
    letters="a, i, f, o",
    kernel="upward/W",
    recurrent="lateral/W",
    bias="upward/b",
    bias_needed=True,
    transposed=True,
    interleaved=True,
)

_GRU_TF1 = GateLayout(
    name="tf1",
    gates="rzg",
    letters="r, u, c",
    kernel="gates/kernel",
    recurrent=None,
    bias="gates/bias",
    bias_needed=True,
    candidate=("candidate/kernel", "candidate/bias"),
)
# The others name the arrays of a GRU as those of the LSTM.
_GRU_KERAS = replace(_KERAS, gates="zrg", letters="z, r, h", state_bias="stacked", reset_after=True)
_GRU_KERAS_BEFORE = replace(_GRU_KERAS, name="keras_reset_before", state_bias="none", reset_after=False)
_GRU_TORCH = replace(_TORCH, gates="rzg", letters="r, z, n", projection=None, reset_after=True)
_GRU_ONNX = replace(_ONNX, gates="zrg", letters="z, r, h", peepholes=(), peephole_gates="", reset_after=True)
_GRU_ONNX_BEFORE = replace(_GRU_ONNX, name="onnx_reset_before", reset_after=False)

LSTM_LAYOUTS = {layout.name: layout for layout in (_TF1, _KERAS, _TORCH, _ONNX, _CHAINER)}
GRU_LAYOUTS = {
    layout.name: layout for layout in (_GRU_TF1, _GRU_KERAS, _GRU_KERAS_BEFORE, _GRU_TORCH, _GRU_ONNX, _GRU_ONNX_BEFORE)
}
