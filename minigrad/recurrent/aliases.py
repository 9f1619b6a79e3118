"""Earlier names in this package, which stay importable."""

from minigrad.recurrent import (
    backend_loop,
    bptt,
    bptt_options,
    compiler,
    equations,
    reader,
    recomputation,
    truncation,
    watch,
)
from minigrad.recurrent.errors import EquationsError
from minigrad.recurrent.protocol import Cache, SequenceOptions
from minigrad.recurrent.sequence import SequenceOp
from minigrad.recurrent.single_step import StepOp
from minigrad.recurrent.words import clip, dclip, stop

Sequence, OneStep, Plan = SequenceOp, StepOp, SequenceOptions
vars(bptt).update(Kept=Cache, windows=truncation.windows, added=truncation.added, StepBack=watch.StepGradients)
vars(bptt).update(Recomputed=recomputation.RecomputedSteps, step_back=bptt_options.step_back)
vars(reader).update(describe=compiler.describe)
vars(equations).update(EquationsError=EquationsError, clip=clip, dclip=dclip, stop=stop)
vars(backend_loop).update(Compiled=backend_loop.BackendLoop, compiled=backend_loop.backend_loop)
