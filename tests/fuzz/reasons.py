"""Reasons for which a call accepts an odd value: a table by the kind of argument and the kind of value.

`VALUES` sorts the values of `fuzz.values`, `ARGUMENTS` the names of arguments; a name whose meaning is another one in
some call has an entry "recipe argument" too. A pair of kinds without an entry in `REASONS` is not accepted.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

VALUES = {
    "none": "None",
    "bool": "True|False|bool_(True)",
    "0 or 1": "0|1|uint8(1)|Whole(1)|array () of int",
    "0.0 or 1.0": "-0.0|array ()|tensor ()",
    "whole": "7|int64(2)",
    "whole float": "2.0",
    "negative": "-1|-10**30",
    "large": "10**19|2**63|10**30|10**5000",
    "fraction": "0.5|float32(0.5)|Real(0.5)|longdouble(0.5)|half(0.5)|Decimal|Fraction|1e-320|1e300",
    "infinite": "inf|-inf",
    "nan": "nan|float32(nan)|Decimal(nan)",
    "text": "'abc'|'1'|Text('abc')|str_|'{}%s'|'../x'|'a' * 10**5|'float32'|'int32'",
    "odd text": "''|'\\0'|'\\ud800'",
    "path": "Path",
    "dtype": "dtype",
    "bytes": "memoryview|bytearray|b'x'",
    "empty": "[]|()|{}|defaultdict|[[]]|array (0,)|tensor (0,)|array (2, 0, 3)|empty generator",
    "set": "set()|{1, 2}|frozenset",
    "integers": "[1, 2]|(2, 3)|(0,)|(0, 0)|range|deque|Pair(1, 2)|TensorShape|generator|dict_keys|map",
    "negative integers": "(-1, 2)|(-1, -2)",
    "with none": "(None, 3)|[None]",
    "list": "[nan]|[True]|[1j]|['abc']|[object()]|[10**30]|[tensor]|ragged|[[1, 2], [3]]",
    "nest": "deep list|very deep list|cyclic list",
    "dictionary": "{'a': 1}|{'': None}|{None: 1}|cyclic dictionary",
    "array": "array (1,)|array (2,)|array (3, 4)|array (2, 4, 3)|array (2, 2, 2, 2)|array (1, 1)|bool array|half array"
    "|tensor (2,)|tensor (2, 3)|bool tensor|float64 tensor|big-endian array|read-only array|reversed array|uint64 array"
    "|array of a subclass|matrix|nan array",
    "array of others": "record array|complex array|text array|object array|date array|masked array|nested object array",
    "index": "...|slice",
    "function": "lambda|lambda x|lambda:|print|partial|raising call",
    "class": "class|type|L.Dense|int",
    "layer": "Dense(2)|LSTM(2)|LSTMCell(2)|30 models|model",
    "tape": "tape",
    "object": "object()|Silent()|Lying()|Color.RED|module|NotImplemented|error|1j|complex64(1)|datetime64|timedelta64"
    "|void|masked|array () of object|array () of str|raising repr|raising bool|raising eq|raising len|raising iter"
    "|raising array|raising all|raising generator",
}
KIND = {label: kind for kind, labels in VALUES.items() for label in labels.split("|")}

ARGUMENTS = {
    "flag": "amsgrad append by_name centered create_graph cycle from_logits go_backwards keepdims lengths mask_zero "
    "nesterov numbers overwrite persistent requires_grad reset_after reset_metrics restore_best_weights return_dict "
    "return_sequences return_state reverse_state_order save_best_only save_weights_only second_order shuffle staircase "
    "state_is_tuple stateful time_major unit_forget_bias unroll use_bias use_ema use_peepholes variational_recurrent "
    "watch_accessed_variables zero_output_for_mask center normalize *.LayerNormalization|scale "
    "convert.to_onnx|initial_state",
    "optional flag": "dynamic_size peepholes reuse run_eagerly trainable training",
    "choice": "implementation level verbose",
    "rate": "beta_1 beta_2 dropout ema_momentum final_rate input_keep_prob label_smoothing momentum output_keep_prob p "
    "recurrent_dropout rho state_keep_prob validation_split",
    "amount": "alpha atol clip_norm decay_rate decay_steps delta end_learning_rate epsilon factor first_decay_steps "
    "initial_accumulator_value initial_learning_rate l1 l2 learning_rate m_mul maxval min_lr min_value power rate rtol "
    "scale stddev t_mul temperature warmup_steps clipnorm clipvalue global_clipnorm memory minutes warmup_target "
    "weight_decay",
    "number": "*elu|alpha *elu|negative_slope gain mean minval start step stop",
    "limit": "baseline cell_clip forget_bias high initial_value_threshold low mask_value max_value min_delta threshold",
    "count": "batch_size cooldown count depth ema_overwrite_frequency epochs evaluate_every every initial_epoch "
    "input_dim input_length length max_elements maxlen num_classes num_constants num_proj num_units output_dim "
    "patience pause save_every size "
    "sampling_rate sequence_stride start_from_epoch start_index steps steps_per_epoch stream validation_batch_size "
    "validation_freq validation_steps warmup window *.RepeatVector|n",
    "seed": "ignore_class n seed",
    "axis": "axis *.Dot|axes functional.swapaxes|[ab] *.transpose|axes Tensor.transpose|[*]?",
    "position": "end_index index indices row sections unit units x[[]index]|index",
    "shape": "batch_shape dims input_shape noise_shape shape target_shape Tensor.reshape|[*]?",
    "dtype": "dtype backend.set_floatx|value",
    "text": "alt backend caption monitor name package name_or_scope prefix prompt scope separator svg text title "
    "tokens plot.learning_curve|unit plot.text*|unit",
    "path": "file filename filepath folder path",
    "function": "activation custom_getter loop_fn dropout_state_filter_visitor f function identifier obj on_epoch_end "
    "phi print_fn recurrent_activation residual_fn schedule sigma *.serialize|*",
    "option": "activity_regularizer beta_constraint beta_initializer beta_regularizer data_format "
    "gamma_constraint gamma_initializer gamma_regularizer bias_constraint bias_initializer bias_regularizer "
    "class_weight constraint "
    "embeddings_constraint embeddings_initializer embeddings_regularizer generation initializer kernel_constraint "
    "kernel_initializer kernel_regularizer loss merge_mode metrics on_nan proj_clip recurrent_constraint "
    "recurrent_initializer recurrent_regularizer regularizer weighted_metrics",
    "layer": "backward_layer cell cell_bw cell_fw layer layers model *plot*|target *trac*|target",
    "object": "arguments ax axes callbacks tape validation_data",
    "data": "* *.learning_curve|steps *.one_hot|indices *.take|indices a b band "
    "condition constants data grad_outputs gradient inputs labels logits loss_weights mask models "
    "output_gradients predictions sample_weight sequence_length sequences source targets value values w x xs y y_pred "
    "y_true",
    "added loss": "losses",
    "tensors": "grads_and_vars initial_state initial_state_bw initial_state_fw sources state states target tensor "
    "validation var_list weights",
    "weights": "*.minimize|var_list",
    "names": "arrays columns config custom_objects module_objects letters metadata names rows var_names",
    "list of numbers": "boundaries tbptt",
    "hook": "batch epoch logs params *.compute_mask|mask *.compute_mask|inputs *.Lambda|mask *.Lambda|output_shape",
    "condition": "where",
}

_NOT_GIVEN = "the default, which stands for nothing given"
_SCALAR = "a number of Python or NumPy, also in an array of shape ()"
_NUMBERS = {
    "0 or 1|whole|fraction|large": "a number within its limits, of any real type",
    "0.0 or 1.0|whole float": _SCALAR,
}
_ANY = "|".join(VALUES)
_TENSORS = {
    "none": _NOT_GIVEN,
    "bool|0 or 1|0.0 or 1.0|whole|array|layer": "tensors or arrays that fit; a layer that is watched",
    "empty|set|nest|with none": "no tensors, in any structure",
    "list": "a list of tensors",
}
REASONS: dict[str, dict[str, str]] = {
    "flag": {"bool": "True or False", "0 or 1|0.0 or 1.0": "0 and 1 are flags, also in an array of shape ()"},
    "optional flag": {
        "none": "the value of the call, scope or cell around",
        "bool": "True or False",
        "0 or 1|0.0 or 1.0": "0 and 1 are flags, also in an array of shape ()",
    },
    "choice": {"bool|0 or 1|0.0 or 1.0|whole|whole float": "equal to one of the choices"},
    "rate": {"none": _NOT_GIVEN, "0 or 1|fraction": "from 0 to 1, of any real type", "0.0 or 1.0": _SCALAR},
    "amount": {"none": _NOT_GIVEN, **_NUMBERS},
    "number": {
        "none": "arange: the first argument is where the numbers stop",
        "bool": "arange: a bool counts as 0 or 1, as in NumPy",
        "negative": "any number has a meaning here",
        "array": "an array with one number is that number",
        **_NUMBERS,
    },
    "limit": {
        "none": "no limit",
        "negative": "any number has a meaning here",
        "infinite": "a limit that nothing exceeds, or everything; a gate that is always open or shut",
        "integers|negative integers": "a picture's baseline is a list of numbers too",
        **_NUMBERS,
    },
    "count": {
        "none": _NOT_GIVEN,
        "bool": "num_constants: equal to 0 or 1",
        "0 or 1|whole|large": "a whole number within its limits, of any integer type",
        "0.0 or 1.0|whole float|array": "a batch size may be a whole float, or a tensor or array that holds one",
        "empty|set|integers": "the list of the epochs after which to validate, or of the steps to show",
    },
    "seed": {
        "none": "no seed: other numbers in every call",
        "0 or 1|whole|negative|large": "any whole number is a seed, of any integer type",
    },
    "axis": {
        "none": "all axes",
        "0 or 1|whole|negative": "an axis, counted from the end if negative",
        "empty|integers|negative integers": "several axes, or none",
    },
    "position": {
        "none": "a new axis, the mean over all rows, or none chosen",
        "bool": "an index, as in NumPy",
        "0 or 1|whole|negative|large": "a position within the range; one_hot: outside of it a row of zeros",
        "empty|integers|negative integers|array": "several positions",
        "index": "an index, as in NumPy",
    },
    "shape": {
        "none": "no shape is known",
        "0 or 1|whole|large|array": "one length, or an array of lengths",
        "0.0 or 1.0|negative": "reshape: −1 stands for the rest",
        "empty|integers|negative integers|list": "lengths; in reshape, −1 stands for the rest",
        "with none|nest": "lengths that are not known yet; nested, one shape for each input",
    },
    "dtype": {"none": _NOT_GIVEN, "text|dtype": "a dtype or its name", "class": "Python's int means int32"},
    "text": {
        "none": _NOT_GIVEN,
        "text|odd text": "any text",
        "list|empty": "a list of texts: one for each time step",
    },
    "path": {"none": _NOT_GIVEN, "text|path": "a path"},
    "function": {
        "none": "the identity, or no function",
        "function|class|layer": "something to call, whose result is checked",
    },
    "option": {
        "none": "none, or the default",
        "function|class|layer": "something to call, whose result is checked",
        "empty|nest|with none|dictionary": "none for any output, in the structure of the outputs",
    },
    "layer": {
        "none": _NOT_GIVEN,
        "layer": "a layer, a cell, or a model, which is a layer",
        "function": "Wrapper: its subclasses decide what they wrap",
        "empty|set": "a model without layers",
        "0 or 1|whole": "the number of layers",
    },
    "object": {"none": _NOT_GIVEN, "tape": "a tape", "empty": "none of them"},
    "data": {
        "none": "no data of this kind, as documented; == compares with None, as Python does",
        "bool|0 or 1|0.0 or 1.0|whole|whole float|negative|large|fraction": "data of shape ()",
        "infinite|nan": "numbers of data may be infinite or NaN, as in NumPy and TensorFlow",
        "bytes": "an array of bytes, as NumPy reads it",
        "empty|integers|negative integers|list|array": "numbers of a shape and dtype that fit",
        "with none|nest|dictionary": "one for each output or input, in their structure; None where there is none",
        "array of others": "a list of arrays as NumPy's objects; a masked array compares first, by its own method",
        "object|dtype|set": "the other side of an operator compares first, by its own method",
    },
    "added loss": {
        "bool|0 or 1|0.0 or 1.0|whole|whole float|negative|large|fraction|infinite|nan": "a loss, a single number",
        "bytes|empty|integers|negative integers|list|nest|dictionary|array": "several losses; `losses` checks each",
        "function|class|layer": "a function without arguments, called and checked by `losses`",
    },
    "tensors": _TENSORS,
    "weights": {"function|class|layer": "a function that returns them", "none|empty|set|nest": "no weights"},
    "names": {
        "none": _NOT_GIVEN,
        "text|odd text": "one name or text",
        "empty|set": "no names",
        "dictionary": "values by name",
        "integers|list|nest|array|array of others": "entries of a table or names, whose texts are taken",
    },
    "list of numbers": {"none": _NOT_GIVEN, "integers|negative integers": "numbers in rising order"},
    "hook": {_ANY: "passed to a method of a base class, which does not read it"},
    "condition": {
        "none": "the step is taken",
        "bool|0 or 1|0.0 or 1.0|array": "whether to take the step, a tensor",
    },
}


def kind_of(recipe: str, argument: str) -> str | None:
    """Return the kind of a recipe's argument; an entry for the recipe comes before that of the name."""
    for kind, names in ARGUMENTS.items():
        for recipes, _, name in (entry.rpartition("|") for entry in names.split() if "|" in entry):
            if fnmatchcase(recipe.replace(" ", "_"), recipes) and fnmatchcase(argument, name):
                return kind
    name = argument.rstrip("0123456789") if argument.startswith("*") else argument
    return next((kind for kind, names in ARGUMENTS.items() if name in names.split()), None)


def reason(recipe: str, argument: str, label: str) -> str | None:
    """Return the reason for which a recipe's argument accepts a value; None where there is none."""
    reasons = REASONS.get(kind_of(recipe, argument) or "", {})
    return next((text for kinds, text in reasons.items() if KIND[label] in kinds.split("|")), None)
