"""Pictures of what `mg.trace` saw, of the tape, of trainings.

A function takes a trace, a tracer of one layer, or plain arrays; draws into `ax` or into new axes; returns the axes and
shows nothing. `alt_text` says in words what is in them, `svg` makes of them a drawing that says so itself. What is
interactive or long is a `Page`: HTML in one file. matplotlib is imported when something is drawn, and never its pyplot.
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
