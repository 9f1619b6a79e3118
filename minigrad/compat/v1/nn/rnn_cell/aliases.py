"""Earlier names in this package, which stay usable."""

from minigrad.compat.v1.nn.rnn_cell import cells, lstm
from minigrad.compat.v1.nn.rnn_cell.wrappers import MultiRNNCell, Wrapper

vars(cells).update(BasicLSTMCell=lstm.BasicLSTMCell, LSTMCell=lstm.LSTMCell)  # pickled cells name this address
for _cell in (cells.WeightedCell, MultiRNNCell, Wrapper):
    setattr(_cell, "state_apart", lambda self, state: self.flatten_state(state))  # noqa: B010
    setattr(_cell, "state_together", lambda self, arrays: self.unflatten_state(arrays))  # noqa: B010
setattr(cells.WeightedCell, "formulas", lambda self: self._recurrence())  # noqa: B010
setattr(Wrapper, "around", lambda self, x, loop: self.wrap_loop(x, loop))  # noqa: B010
setattr(Wrapper, "only_stepwise", lambda self: self.stepwise_reason())  # noqa: B010
