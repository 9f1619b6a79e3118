"""Acceptances and errors that need no reason from the table in `fuzz.reasons`: those of whole calls and arguments."""

from __future__ import annotations

from fuzz.reasons import reason

WITHOUT_EFFECT = {
    **dict.fromkeys(
        ("parallel_iterations", "swap_memory", "caching_device", "partitioner", "use_resource", "collections",
         "validate_shape", "synchronization", "aggregation", "auxiliary_name_scope", "jit_compile",
         "steps_per_execution", "clear_after_read", "tensor_array_name", "handle", "flow", "infer_shape", "device",
         "colocate_with_first_write_call", "input_size", "num_unit_shards", "num_proj_shards", "is_legacy_optimizer"),
        "arguments of TensorFlow for graphs, devices and servers: accepted, without effect, as documented",
    ),
}  # fmt: skip
RECORDS = {
    **dict.fromkeys(
        ("keras.layers.InputSpec", "compat.v1.keras.layers.InputSpec", "rnn_cell.LSTMStateTuple", "convert.GateLayout",
         "convert.KerasFile", "convert.KerasLayer", "train.Batch", "train.ModelShape", "train.Score", "train.option",
         "train.adapted", "train.Options"),
        "tuples and dataclasses that hold what they are given; their readers check it",
    ),
    "callbacks.CallbackList": "a part of fit, which gives it `model` and `params`",
    "keras.Model": "a base class, whose arguments are those of a custom constructor",
}  # fmt: skip
OF_NO_CHECK = {
    "Layer.compute_mask inputs": "the base class returns the mask that it is given",
    "Layer.compute_mask mask": "the same",
    "built LSTM.compute_mask inputs": "the mask alone decides",
    "Bidirectional.compute_mask inputs": "the mask alone decides",
    "TimeDistributed.compute_mask inputs": "the mask alone decides",
    "Model.compute_loss x": "as in Keras: for models that override it",
    "Model.compute_metrics x": "as in Keras: for models that override it",
    "TensorArray element_shape": "read only for an empty array",
    "TensorArray name": "without effect, as all arguments for graphs",
    "Model.get_layer() name": "the index decides",
    "metrics.get where": "begins the messages",
    "losses.get where": "begins the messages",
    "applied Optimizer.build var_list": "the optimizer is built: without effect, as in TensorFlow",
    "x.grad = value grad": "a plain attribute, which the next backward pass replaces or adds to",
    "Callback.set_params params": "the base class keeps what it is given",
    "variable_scope default_name": "the name decides",
    "variable_scope values": "a nest of tensors for graphs, without effect",
}


def reviewed(recipe: str, argument: str, label: str) -> bool:
    """Return whether there is a reason, here or in the table, for which a call accepts an odd value."""
    if argument in WITHOUT_EFFECT or recipe in RECORDS or f"{recipe} {argument}" in OF_NO_CHECK:
        return True
    return reason(recipe, argument, label) is not None
