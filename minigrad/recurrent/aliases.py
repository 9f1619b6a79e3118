"""Earlier names in this package, which stay importable."""

from typing import Any

from minigrad.recurrent import bptt, compiler, equations, reader, truncation, watch
from minigrad.recurrent.errors import EquationsError
from minigrad.recurrent.protocol import Cache, SequenceOptions
from minigrad.recurrent.recomputation import RecomputedSteps
from minigrad.recurrent.sequence import SequenceOp
from minigrad.recurrent.single_step import StepOp
from minigrad.recurrent.words import clip, dclip, stop


def step_back(xp: Any, cell: Any, doutput: Any, dstate: Any, t: int, weights: Any, kept: Any) -> watch.StepGradients:
    """Return the gradients of step t, from ∂loss/∂output and ∂loss/∂state of the step: the earlier `bptt.step_back`."""
    dmasked = None
    if row := getattr(kept, "rows", None):
        doutput = xp.where(row[t], doutput, 0.0)
        dmasked = tuple(xp.where(row[t], 0.0, ds) for ds in dstate)
        dstate = tuple(xp.where(row[t], ds, 0.0) for ds in dstate)
    k = cell.output
    dnew = (*dstate[:k], dstate[k] + doutput, *dstate[k + 1 :])
    dz, dold = cell.step_backward(xp, dnew, kept.steps[t], kept.states[t], weights)
    if dmasked is not None:
        dold = tuple(through + around for through, around in zip(dold, dmasked, strict=True))
    return watch.StepGradients(dnew, dmasked, dz, dold)


Sequence, OneStep, Plan = SequenceOp, StepOp, SequenceOptions
vars(bptt).update(Kept=Cache, windows=truncation.windows, added=truncation.added, StepBack=watch.StepGradients)
vars(bptt).update(Recomputed=RecomputedSteps, step_back=step_back)
vars(reader).update(describe=compiler.describe)
vars(equations).update(EquationsError=EquationsError, clip=clip, dclip=dclip, stop=stop)
