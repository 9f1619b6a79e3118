"""One sentence through the LSTM cells of 2016, 2018 and 2019, with the same weights.

It shows the letters at which their outputs differ, and the reasons. Run it: python examples/three_generations.py
"""

import numpy as np

import minigrad as tf
from minigrad.convert import explain_difference, relayout

SENTENCE = "the cat that chased the mice is tired"
UNITS = 8

# One character a step, one row: (time, features), each row zeros but for one 1.
letters = sorted(set(SENTENCE))
x = np.eye(len(letters))[[letters.index(letter) for letter in SENTENCE]]

# --- three cells ------------------------------------------------------------------------------------------------------

tf.random.set_seed(0)
cells = {
    2016: tf.compat.v1.nn.rnn_cell.LSTMCell(UNITS, dtype="float64"),
    2018: tf.compat.v1.keras.layers.LSTMCell(UNITS, dtype="float64"),
    2019: tf.keras.layers.LSTMCell(UNITS, dtype="float64"),
}
for cell in cells.values():
    cell.build((None, len(letters)))

# The weights of 2016 have another gate order, one kernel rather than two, and a forget bias that is added at call.
keras_weights = relayout(cells[2016].get_weights(), "tf1", "keras", forget_bias=1.0)
for year in (2018, 2019):
    cells[year].set_weights(list(keras_weights.values()))

# --- one loop for all of them: each starts from its own zero state, be that (c, h) or [h, c] --------------------------


def trace(cell):
    """Return the output after each letter, (time, units)."""
    state, outputs = cell.get_initial_state(batch_size=1, dtype="float64"), []
    for letter in x:
        output, state = cell(letter[None], state)
        outputs.append(output.numpy()[0])
    return np.array(outputs)


traces = {year: trace(cell) for year, cell in cells.items()}

# --- the outputs ------------------------------------------------------------------------------------------------------

# A bar for each letter: how far the outputs are from those of 2019; none where they are equal.
print(f"            {SENTENCE}")
for year in (2016, 2018):
    apart = np.abs(traces[year] - traces[2019]).max(1)
    bars = "".join(" " if d < 1e-12 else "▁▂▃▄▅▆▇█"[min(7, int(200 * d))] for d in apart)
    print(f"{year}, 2019  {bars}  up to {apart.max():.2g}")

zero = np.zeros((1, UNITS))
for year in (2016, 2018):
    print(f"\n{explain_difference(cells[2019], cells[year], x[None], (zero, zero))}")
