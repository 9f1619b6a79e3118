"""``python -m minigrad playground``: an interactive LSTM in one HTML file.

`networks` has the initial weights, which minigrad makes or trains when it writes the file; `experiments` has the
settings to try; `builder` assembles the file, and `command` writes it. The browser runs the rest: `lstm.js` is the
arithmetic, `flow.js` the picture of the gradient, `page.js` handles input.
"""
