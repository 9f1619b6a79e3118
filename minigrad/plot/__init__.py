"""Pictures of traces (`mg.trace`), of the tape, and of trainings.

A function takes a trace, a tracer of one layer, or plain arrays. It draws into `ax` or into new axes, and returns the
axes; it displays nothing. `alt_text` describes them in words, and `svg` returns a drawing that includes this text. An
interactive or long result is a `Page`, HTML in one file. matplotlib is imported by the first drawing, pyplot never.
"""

from minigrad.plot.alt import alt_text
from minigrad.plot.animation import animate
from minigrad.plot.backward import gradient_flow, gradient_ledger, jacobian_norms
from minigrad.plot.cell import cell_diagram
from minigrad.plot.curves import learning_curve
from minigrad.plot.drawing import Drawing, svg
from minigrad.plot.forward import cell_state, compare_generations, gate_heatmap, gates, saturation
from minigrad.plot.graphs import graph
from minigrad.plot.inputs import input_gradients, saliency, tbptt_band
from minigrad.plot.page import Page
from minigrad.plot.reports import report

__all__ = [
    "Drawing",
    "Page",
    "alt_text",
    "animate",
    "cell_diagram",
    "cell_state",
    "compare_generations",
    "gate_heatmap",
    "gates",
    "gradient_flow",
    "gradient_ledger",
    "graph",
    "input_gradients",
    "jacobian_norms",
    "learning_curve",
    "report",
    "saliency",
    "saturation",
    "svg",
    "tbptt_band",
]
