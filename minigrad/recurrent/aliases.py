"""Earlier names in this package, which stay usable."""

from functools import wraps
from typing import Any

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


def _with_earlier_keywords(function: Any) -> Any:
    """Return a function that also takes the keyword `kept` for its `cache`, and `doutputs` for its `dy`."""

    @wraps(function)
    def run(*args: Any, **options: Any) -> Any:
        for earlier, today in (("kept", "cache"), ("doutputs", "dy")):
            if earlier in options:
                options[today] = options.pop(earlier)
        return function(*args, **options)

    return run


Sequence, OneStep, Plan = SequenceOp, StepOp, SequenceOptions
vars(bptt).update(Kept=Cache, windows=truncation.windows, added=truncation.added, StepBack=watch.StepGradients)
vars(bptt).update(Recomputed=recomputation.RecomputedSteps, step_back=_with_earlier_keywords(bptt_options.step_back))
vars(reader).update(describe=compiler.describe)
vars(equations).update(EquationsError=EquationsError, clip=clip, dclip=dclip, stop=stop)
vars(backend_loop).update(Compiled=backend_loop.BackendLoop, compiled=backend_loop.backend_loop)
vars(bptt).update(backward=_with_earlier_keywords(bptt_options.backward))
# Earlier fields: without a mask each row of `rows` is None, and no output is zero.
setattr(Cache, "rows", property(lambda self: [None] * len(self.states)))  # noqa: B010
setattr(Cache, "zero_output", False)  # noqa: B010
setattr(watch.StepGradients, "dskipped", property(lambda self: self.dmasked))  # noqa: B010
setattr(SequenceOptions, "cell", property(lambda self: self.step))  # noqa: B010
