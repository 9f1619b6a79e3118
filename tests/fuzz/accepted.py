"""Odd values that a call accepts, reviewed: for which arguments, and why.

An argument that is in no table accepts plain values: numbers, flags, texts, None. Everything else that it accepts is
listed here.
"""

from __future__ import annotations

PLAIN = {
    "None", "True", "False", "nan", "inf", "-inf", "-1", "0", "1", "7", "0.5", "2.0", "-0.0", "1e300", "10**30",
    "-10**30", "2**63", "10**19", "int64(2)", "uint8(1)", "float32(0.5)", "float32(nan)", "bool_(True)", "array ()",
    "tensor ()", "'abc'", "''", "'1'", "'float32'", "'int32'", "'\\0'", "dtype", "int",
}  # fmt: skip
SIZES = {"[]", "()", "[1, 2]", "(2, 3)", "(0,)", "(-1, 2)"}
DATA = {
    *SIZES, "[nan]", "range", "deep list", "ragged", "array (1,)", "array (2,)", "array (3, 4)", "array (2, 4, 3)",
    "array (2, 2, 2, 2)", "array (0,)", "array (2, 0, 3)", "bool array", "nan array", "half array", "tensor (2,)",
    "tensor (2, 3)", "[tensor]", "[None]", "{}", "{1, 2}", "set()", "generator",
}  # fmt: skip
CALLABLE = {"lambda", "lambda x", "print", "class", "L.Dense", "Dense(2)", "LSTM(2)", "LSTMCell(2)", "30 models"}

WITHOUT_EFFECT = (
    "parallel_iterations", "swap_memory", "caching_device", "partitioner", "use_resource", "collections",
    "validate_shape", "synchronization", "aggregation", "auxiliary_name_scope", "values", "jit_compile",
    "steps_per_execution", "clear_after_read", "tensor_array_name", "handle", "flow", "infer_shape", "device",
    "colocate_with_first_write_call", "input_size", "num_unit_shards", "num_proj_shards", "is_legacy_optimizer",
)  # fmt: skip
RECORDS = (
    "keras.layers.InputSpec", "compat.v1.keras.layers.InputSpec", "rnn_cell.LSTMStateTuple", "convert.GateLayout",
    "convert.KerasFile", "convert.KerasLayer", "train.Batch", "train.ModelShape", "train.Score", "train.option",
    "train.adapted", "TensorShape", "plot.Drawing", "plot.Page", "train.Options",
)  # fmt: skip

# argument → the values accepted besides PLAIN, and the reason; a recipe's name before a dot narrows it
ARGUMENTS: dict[str, tuple[set[str], str]] = {
    **dict.fromkeys(
        ("x", "a", "b", "w", "other", "inputs", "data", "xs", "logits", "predictions", "targets", "labels", "losses",
         "condition", "y", "y_true", "y_pred", "values", "value", "sample_weight", "indices", "gradient",
         "grad_outputs", "output_gradients", "outputs", "target", "sources", "source", "*0", "*1", "c", "h", "state",
         "states", "initial_state", "initial_state_fw", "initial_state_bw", "constants", "mask", "tensor",
         "batch_size", "sequences", "index", "operands", "steps", "tokens", "band", "units"),
        (DATA, "numbers of any shape; NaN and infinities are numbers too"),
    ),
    **dict.fromkeys(
        ("shape", "axis", "axes", "sections", "widths", "input_shape", "noise_shape", "sequence_length", "tbptt",
         "state_size", "element_shape", "boundaries", "metrics", "weighted_metrics", "loss", "loss_weights", "layers",
         "callbacks", "var_list", "var_names", "grads_and_vars", "weights", "steps", "losses", "validation_freq",
         "arrays", "metadata", "config", "logs", "params", "y_true", "sample_weight", "validation_data"),
        (DATA | {"[10**30]", "{'a': 1}"}, "a list, a shape or a structure, an empty one included"),
    ),
    "index": (DATA | {"...", "slice"}, "all that NumPy takes in x[…]"),
}  # fmt: skip
CALLABLES = (
    "activation",
    "recurrent_activation",
    "identifier",
    "sigma",
    "phi",
    "f",
    "fn",
    "of",
    "loss",
    "metrics",
    "print_fn",
    "weighted_metrics",
    "dropout_state_filter_visitor",
    "schedule",
    "on_epoch_end",
    "residual_fn",
    "loop_fn",
    "tape",
    "layer",
    "backward_layer",
    "cell",
    "cells",
    "losses",
    "cell_fw",
    "cell_bw",
    "layers",
    "target",
    "value",
    "identifier",
    "initializer",
    "regularizer",
    "constraint",
    "model",
    "loss_fn",
    "draw",
    "equations",
)  # or of such a name at the end: kernel_regularizer, embeddings_constraint
OF_NO_CHECK = {
    "Layer.compute_mask": "the base class returns the mask that it is given",
    "Model.compute_loss x": "as in Keras: for models that override it",
    "Model.compute_metrics x": "as in Keras: for models that override it",
    "callbacks.CallbackList": "a part of fit",
    "TensorArray element_shape": "read only for an empty array",
    "TensorArray name": "without effect, as all arguments for graphs",
    "Model.get_layer() name": "the index decides",
    "variable_scope default_name": "the name decides",
    "functional.reduced": "any numbers",
    "keras.Model": "a base class",
}


def reviewed(recipe: str, argument: str, label: str) -> bool:
    """Return whether it is known, and said above, that a call accepts an odd value."""
    if recipe.startswith("plot."):  # a picture: texts and flags as Python reads them
        return True
    if label in PLAIN or argument in WITHOUT_EFFECT or recipe in RECORDS:
        return True
    if recipe in OF_NO_CHECK or f"{recipe} {argument}" in OF_NO_CHECK:
        return True
    ends = ("_initializer", "_regularizer", "_constraint")
    if label in CALLABLE and (argument in CALLABLES or argument.endswith(ends)):
        return True
    return label in ARGUMENTS.get(argument, (set(), ""))[0]
