"""``python -m minigrad show CELL``: print the text that minigrad makes of a cell's equations."""

from __future__ import annotations

from collections.abc import Sequence

from minigrad.engine.errors import MinigradError
from minigrad.recurrent import GRU, LSTM, LSTMP, MGU, Equations, GRUResetBefore, SimpleRNN
from minigrad.show.forms import FORMS, text_of
from minigrad.train.cells import import_cell
from minigrad.train.command_line import Parser
from minigrad.train.errors import OptionError

HELP = "print a cell's equations as formulas, compiled loops, JavaScript or LaTeX"
CELLS: dict[str, type[Equations]] = {
    "lstm": LSTM, "gru": GRU, "gru_reset_before": GRUResetBefore, "simple_rnn": SimpleRNN, "lstmp": LSTMP,
    "mgu": MGU,
}  # fmt: skip


def main(arguments: Sequence[str]) -> int:
    """Print a cell in one form, and return 0."""
    parser = Parser("show", description=f"{HELP}.", epilog="; ".join(f"{k}: {text}" for k, text in FORMS.items()))
    parser.add_argument("cell", metavar="CELL", help=f"{', '.join(CELLS)}, or module:Name for a custom cell")
    parser.add_argument("--as", dest="form", metavar="FORM", default="outline", help=f"one of {', '.join(FORMS)}")
    parser.add_argument("--activation", metavar="NAME", default="tanh", help="activation φ (default: tanh)")
    parser.add_argument(
        "--recurrent-activation", metavar="NAME", default="sigmoid", help="recurrent activation σ (default: sigmoid)"
    )
    parser.add_argument(
        "--dtype", metavar="DTYPE", default="float32", help="dtype of the compiled loops (default: float32)"
    )
    given = parser.read(arguments)
    equations = CELLS.get(given["cell"].lower()) or import_cell("show", given["cell"], CELLS)
    try:
        text = text_of(equations, given["form"], given["recurrent_activation"], given["activation"], given["dtype"])
    except MinigradError as error:
        raise OptionError(str(error)) from None
    print(text)
    return 0
