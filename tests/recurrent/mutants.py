"""Ways to get an LSTM's backward pass wrong, each one line of the source replaced: sixteen, and five of its extras.

Several of them stand, or stood, in programs that people use; they train all the same.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from minigrad.recurrent import bptt, lstm_step, lstmp_step


@dataclass(frozen=True)
class Mutant:
    """What stands in the source, and what is to stand there."""

    module: ModuleType
    line: str
    wrong: str

    def source(self) -> str:
        """The module's source with the line replaced; it must stand there exactly once."""
        text = Path(str(self.module.__file__)).read_text(encoding="utf-8")
        times = text.count(self.line)
        assert times == 1, f"{self.module.__name__}: {self.line!r} stands there {times} times"
        return text.replace(self.line, self.wrong)


@contextmanager
def made(mutant: Mutant) -> Iterator[ModuleType]:
    """The mutated module, for as long as the `with` block lasts."""
    module = ModuleType("mutant_of_" + mutant.module.__name__.rpartition(".")[2])
    sys.modules[module.__name__] = module  # dataclasses look their module up
    try:
        exec(compile(mutant.source(), module.__name__, "exec"), vars(module))
        yield module
    finally:
        del sys.modules[module.__name__]


_TO_STEP_BEFORE = "return dz, (product_dx(xp, dz, w.U, w.h_masks, GATES), dc * f)"
_FROM_BEYOND = "dthis = dstate if stop == T else nothing"
_BIAS = "xp.sum(dzs, (0, 1))"

MUTANTS = {
    "forget gate without σ′": Mutant(lstm_step, "σ.backward(xp, df, f, z_f)", "df"),
    "no dh to the step before": Mutant(lstm_step, _TO_STEP_BEFORE, "return dz, (0.0 * dh, dc * f)"),
    "no dc to the step before": Mutant(lstm_step, _TO_STEP_BEFORE, _TO_STEP_BEFORE.replace("dc * f", "0.0 * dc")),
    "dc assigned, not added": Mutant(lstm_step, "dc = dc + φ.backward", "dc = φ.backward"),
    "no tanh′(c)": Mutant(lstm_step, "dc = dc + φ.backward(xp, dh * o, a, c_new)", "dc = dc + dh * o"),
    "bias gradients copied from one gate": Mutant(
        lstm_step, _BIAS, f"xp.concat([xp.split({_BIAS}, GATES, 0)[0]] * GATES)"
    ),
    "bias gradient averaged": Mutant(lstm_step, _BIAS, f"{_BIAS} / (dzs.shape[0] * dzs.shape[1])"),
    "two gates swapped": Mutant(lstm_step, "[dz_i, dz_f, dz_g, dz_o]", "[dz_f, dz_i, dz_g, dz_o]"),
    "recurrent gradient from h_t": Mutant(
        lstm_step, "xp.stack([h for h, _ in states])", "xp.stack([step.o * step.a for step in kept])"
    ),
    "forget gradient from c_t": Mutant(lstm_step, "df, di, dg = dc * c,", "df, di, dg = dc * (f * c + i * g),"),
    "no dx": Mutant(lstm_step, "dx = product_dx(", "dx = 0.0 * product_dx("),
    "no gradient of the initial state": Mutant(bptt, "if earliest == 0:", "if earliest < 0:"),
    "cotangent of h_T ignored": Mutant(bptt, _FROM_BEYOND, "dthis = (nothing[0], dstate[1]) if stop == T else nothing"),
    "cotangent of c_T ignored": Mutant(bptt, _FROM_BEYOND, "dthis = (dstate[0], nothing[1]) if stop == T else nothing"),
    "a masked step kills the gradient": Mutant(
        bptt, "dskipped = tuple(xp.where(row, 0.0, ds) for ds in dstate)", "dskipped = tuple(0.0 * ds for ds in dstate)"
    ),
    "a masked step leaks into the gates": Mutant(
        bptt, "dstate = tuple(xp.where(row, ds, 0.0) for ds in dstate)", "dstate = tuple(ds for ds in dstate)"
    ),
}

# What the first generation's cell adds: peepholes, projection and clips.
EXTRAS = {
    "peepholes: no second way from the gates to the cell": Mutant(
        lstmp_step, "dc = dc + dz_i * w.w_i + dz_f * w.w_f", "dc = dc + dz_i * w.w_i"
    ),
    "peepholes: the output gate's from c_t-1": Mutant(lstmp_step, "(dz_o, c_new)", "(dz_o, c)"),
    "projection: dP without the output gate": Mutant(
        lstmp_step, "n = xp.stack([k.o * k.a for k in kept])", "n = xp.stack([k.a for k in kept])"
    ),
    "cell clip: the gradient passes where it bit": Mutant(
        lstmp_step, "dc = where_inside(xp, dc, c_new, self.cell_clip)", "dc = 1.0 * dc"
    ),
    "proj clip: the gradient passes where it bit": Mutant(
        lstmp_step, "dp = where_inside(xp, dm, xp.matmul(o * a, w.P), self.proj_clip)", "dp = dm"
    ),
}
