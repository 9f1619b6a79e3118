"""Earlier names in this package, which stay importable."""

from minigrad.recurrent import bptt, compiler, equations, reader, truncation, watch
from minigrad.recurrent.errors import EquationsError
from minigrad.recurrent.sequence import SequenceOp, SequenceOptions, StepOp

Sequence, OneStep, Plan = SequenceOp, StepOp, SequenceOptions
vars(bptt).update(Kept=bptt.Cache, windows=truncation.windows, added=truncation.added, StepBack=watch.StepGradients)
vars(reader).update(describe=compiler.describe)
vars(equations).update(EquationsError=EquationsError)
