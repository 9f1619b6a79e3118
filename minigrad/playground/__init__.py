"""``python -m minigrad playground``: an LSTM to take apart, in one HTML file.

`networks` are the weights that the page starts from, made or trained by minigrad when the file is; `experiments` what
to try with them; `builder` puts the file together; `command` writes it. The rest is the browser's: `lstm.js` is the
arithmetic, `flow.js` the picture of the gradient, `page.js` what reacts to a hand.
"""
