"""Earlier names in this package, which stay importable."""

from minigrad.recurrent import bptt, compiler, reader, truncation, watch
from minigrad.recurrent.sequence import SequenceOp, SequenceOptions, StepOp

Sequence, OneStep, Plan = SequenceOp, StepOp, SequenceOptions
vars(bptt).update(Kept=bptt.Cache, windows=truncation.windows, added=truncation.added, StepBack=watch.StepGradients)
vars(reader).update(describe=compiler.describe)
