"""``python -m minigrad playground``: an interactive LSTM in one HTML file.

`networks` has the initial weights, which minigrad makes or trains when it writes the file; `experiments` has the
settings to try, `questions` those to predict, `task` the batch to train on; `builder` assembles the file, and `command`
writes it. The browser runs the rest: `lstm.js` and `training.js` are the arithmetic, `state.js` and `link.js` the state
and its address, `flow.js`, `handles.js` and `journey.js` the picture, `tables.js` and `panels.js` what surrounds it;
`page.js` connects them.
"""
