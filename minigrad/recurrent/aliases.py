"""Earlier names in this package, which stay importable."""

from minigrad.recurrent import bptt, compiler, equations, reader, truncation, watch
from minigrad.recurrent.errors import EquationsError
from minigrad.recurrent.protocol import Cache
from minigrad.recurrent.sequence import SequenceOp, SequenceOptions
from minigrad.recurrent.single_step import StepOp

Sequence, OneStep, Plan = SequenceOp, StepOp, SequenceOptions
vars(bptt).update(Kept=Cache, windows=truncation.windows, added=truncation.added, StepBack=watch.StepGradients)
vars(reader).update(describe=compiler.describe)
vars(equations).update(EquationsError=EquationsError)
