"""Gates, states and gradients of recurrent layers: `trace` records them, a `Trace` holds them."""

from minigrad.tracing.trace import Trace
from minigrad.tracing.tracer import Tracer, trace

__all__ = ["Trace", "Tracer", "trace"]
