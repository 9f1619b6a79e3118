"""First generation: ``dynamic_rnn``, ``static_rnn``, ``bidirectional_dynamic_rnn``, ``raw_rnn``."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from oracle.reader import Case, build
from oracle.record.cases_rnn_cell import LSTM, cell_spec, described, dropped, spec, states_for
from oracle.record.draw import balanced, generator, normal
from oracle.record.graphs import Run, group, record, regroup, v1
from oracle.record.grids import SIZES, Options, title
from oracle.record.layers import indices

GRID = {
    **SIZES,
    **LSTM,
    "activation": [None, "tanh", "softsign", "relu"],
    "kind": ["LSTMCell", "LSTMCell", "BasicLSTMCell", "GRUCell", "BasicRNNCell", "multi", "dropout"],
    "lengths": ["none", "ragged", "zero", "short"],
    "initial_state": [True, False],
    "time_major": [False, True],
}


def v1_rnn() -> list[Case]:
    """Whole sequences; ``kwargs`` are keyword arguments of the function, a cell in them a spec."""
    family = "v1_rnn"
    cases = []
    counts = {_dynamic: 56, _static: 24, _bidirectional: 24, _raw: 12}
    for laid, n in counts.items():
        rng = generator(f"{family}/{laid.__name__}")
        for i, drawn in enumerate(balanced(rng, n, GRID)):
            cases.append(record(family, laid(rng, i, drawn)))
    return cases


def _cell(drawn: Options) -> dict[str, Any]:
    kind, units = drawn["kind"], drawn["units"]
    if kind == "multi":
        inner = cell_spec("LSTMCell", units, {**drawn, "state_is_tuple": True})
        return spec("MultiRNNCell", cells=[inner, cell_spec("GRUCell", 2, {})])
    if kind == "dropout":
        keep = {"input_keep_prob": 0.5, "state_keep_prob": 0.5, "output_keep_prob": 0.6}
        keep |= {"variational_recurrent": True, "input_size": drawn["features"], "dtype": "float64"}
        return spec("DropoutWrapper", cell=cell_spec("LSTMCell", units, drawn), **keep)
    return cell_spec(kind, units, drawn)


def _lengths(rng: np.random.Generator, drawn: Options) -> dict[str, np.ndarray]:
    """Lengths of the rows: between 1 and all, one row of none, or all rows shorter than the input."""
    kind, batch, time = drawn["lengths"], drawn["batch"], drawn["time"]
    if kind == "none":
        return {}
    lengths = rng.integers(1, max(2, time if kind == "short" else time + 1), size=batch)
    if kind == "zero":
        lengths[rng.integers(batch)] = 0
    return {"sequence_length": lengths.astype(np.int32)}


def _inputs(rng: np.random.Generator, drawn: Options, time_major: bool) -> dict[str, np.ndarray]:
    x = normal(rng, (drawn["batch"], drawn["time"], drawn["features"]))
    return {"x": x.swapaxes(0, 1) if time_major else x, **_lengths(rng, drawn)}


def _dynamic(rng: np.random.Generator, i: int, drawn: Options) -> Run:
    cell = _cell(drawn)
    states = states_for(rng, described(cell)[0], drawn["batch"])
    inputs = _inputs(rng, drawn, drawn["time_major"])
    kwargs: dict[str, Any] = {"cell": cell, "dtype": "float64"}
    if drawn["time_major"]:
        kwargs["time_major"] = True
    if drawn["initial_state"]:
        inputs |= group("state", states)

    def wire(tensors: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        made = build(cell, tf)
        given = {**kwargs, "cell": made, "dtype": tf.float64}
        if drawn["initial_state"]:
            given["initial_state"] = regroup(states, "state", tensors)
        length = tensors.get("sequence_length")
        return v1.nn.dynamic_rnn(inputs=tensors["x"], sequence_length=length, **given), dropped(made)

    nests = {"states": indices(states)} if drawn["initial_state"] else {}
    path = "compat.v1.nn.dynamic_rnn"
    return Run(title(i, path), path, kwargs, wire, inputs, nests, info={"lengths": drawn["lengths"]})


def _static(rng: np.random.Generator, i: int, drawn: Options) -> Run:
    """An input recorded as (time, batch, features), and passed as a list over time."""
    cell = _cell({**drawn, "kind": "GRUCell" if drawn["kind"] == "dropout" else drawn["kind"]})
    states = states_for(rng, described(cell)[0], drawn["batch"])
    inputs = _inputs(rng, drawn, True)
    kwargs = {"cell": cell, "dtype": "float64"}
    if drawn["initial_state"]:
        inputs |= group("state", states)

    def wire(tensors: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        given: dict[str, Any] = {"cell": build(cell, tf), "dtype": tf.float64}
        if drawn["initial_state"]:
            given["initial_state"] = regroup(states, "state", tensors)
        given["sequence_length"] = tensors.get("sequence_length")
        return v1.nn.static_rnn(inputs=tf.unstack(tensors["x"]), **given), {}

    nests = {"states": indices(states)} if drawn["initial_state"] else {}
    path = "compat.v1.nn.static_rnn"
    return Run(title(i, path), path, kwargs, wire, inputs, nests, info={"lengths": drawn["lengths"]})


def _bidirectional(rng: np.random.Generator, i: int, drawn: Options) -> Run:
    """``state/i`` are the initial states of the forward cell, ``state_bw/i`` of the backward cell."""
    cell = _cell({**drawn, "kind": "GRUCell" if drawn["kind"] == "dropout" else drawn["kind"]})
    other = cell_spec("LSTMCell", 2, {}) if i % 2 else cell
    states = states_for(rng, described(cell)[0], drawn["batch"])
    states_bw = states_for(rng, described(other)[0], drawn["batch"])
    inputs = _inputs(rng, drawn, drawn["time_major"])
    kwargs: dict[str, Any] = {"cell_fw": cell, "cell_bw": other, "dtype": "float64"}
    if drawn["time_major"]:
        kwargs["time_major"] = True
    if drawn["initial_state"]:
        inputs |= {**group("state", states), **group("state_bw", states_bw)}

    def wire(tensors: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        given = {**kwargs, "cell_fw": build(cell, tf), "cell_bw": build(other, tf)}
        given["dtype"] = tf.float64
        if drawn["initial_state"]:
            given["initial_state_fw"] = regroup(states, "state", tensors)
            given["initial_state_bw"] = regroup(states_bw, "state_bw", tensors)
        given["sequence_length"] = tensors.get("sequence_length")
        return v1.nn.bidirectional_dynamic_rnn(inputs=tensors["x"], **given), {}

    nests = {"states": indices(states), "states_bw": indices(states_bw)}
    path = "compat.v1.nn.bidirectional_dynamic_rnn"
    info = {"lengths": drawn["lengths"]}
    return Run(title(i, path), path, kwargs, wire, inputs, nests if drawn["initial_state"] else {}, info=info)


def _raw(rng: np.random.Generator, i: int, drawn: Options) -> Run:
    """A loop that reads (time, batch, features) to each row's length: ``dynamic_rnn`` by hand."""
    cell = _cell({**drawn, "kind": "LSTMCell" if drawn["kind"] == "dropout" else drawn["kind"]})
    states = states_for(rng, described(cell)[0], drawn["batch"])
    inputs = {**_inputs(rng, drawn, True), **group("state", states)}
    full = np.full(drawn["batch"], drawn["time"], dtype=np.int32)
    inputs.setdefault("sequence_length", full)
    shape = (drawn["batch"], drawn["features"])

    def wire(tensors: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        made = build(cell, tf)
        array = tf.TensorArray(tf.float64, drawn["time"]).unstack(tensors["x"])

        def loop_fn(time: Any, output: Any, state: Any, loop_state: Any) -> Any:
            started = output is not None
            following = state if started else regroup(states, "state", tensors)
            finished = time >= tensors["sequence_length"]
            read = tf.cond(
                tf.reduce_all(finished),
                lambda: tf.zeros(shape, tf.float64),
                lambda: array.read(time),
            )
            return finished, read, following, output, None

        emitted, final, _ = v1.nn.raw_rnn(made, loop_fn)
        out = emitted.stack()
        out.set_shape((max(inputs["sequence_length"]), drawn["batch"], made.output_size))
        return (out, final), {}

    path = "compat.v1.nn.raw_rnn"
    nests = {"states": indices(states)}
    info = {"lengths": drawn["lengths"]}
    return Run(title(i, path), path, {"cell": cell}, wire, inputs, nests, info=info)
