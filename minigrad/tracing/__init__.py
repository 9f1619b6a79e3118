"""Watch a recurrent layer at work: `trace` is the context manager, `Trace` what it shows."""

from minigrad.tracing.trace import Trace
from minigrad.tracing.tracer import Tracer, trace

__all__ = ["Trace", "Tracer", "trace"]
