"""Valid calls of keras: losses, metrics, optimizers, initializers, regularizers, constraints, callbacks, models."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import minigrad as mg
from fuzz.recipe import Recipe
from fuzz.values import nested
from minigrad import keras
from minigrad.keras.optimizers import schedules

K = keras
P = np.array([[0.25, 0.75], [0.5, 0.5]], "float32")
T = np.array([[0.0, 1.0], [1.0, 0.0]], "float32")
X = np.linspace(0.0, 1.0, 8, dtype="float32").reshape(4, 2)


def pair() -> dict[str, Any]:
    """Return targets and predictions."""
    return {"y_true": T, "y_pred": P}


def labels() -> dict[str, Any]:
    """Return integer targets and predictions."""
    return {"y_true": np.array([1, 0]), "y_pred": P}


def then_called(needed: Callable[[], dict[str, Any]] = pair) -> Callable[[Any], Any]:
    """Return a use of a loss: its call and its configuration."""
    return lambda loss: (loss(**needed()), loss.get_config())


def then_updated(metric: Any) -> Any:
    """Use a metric."""
    metric.update_state(**(labels() if "Sparse" in type(metric).__name__ else pair()))
    return metric.result(), metric.get_config()


def method(make: Callable[[], Any], name: str, /, **given: Any) -> Recipe:
    """Return the recipe of a method of a fresh object."""
    return Recipe(
        getattr(type(make()), name),
        lambda: {"self": make(), **{n: value() if callable(value) else value for n, value in given.items()}},
    )


LOSS_CLASSES = [
    n for n in K.losses.__all__ if isinstance(getattr(K.losses, n), type) and n not in ("Loss", "Reduction")
]


def entered(block: Any) -> None:
    """Enter a block, and leave it."""
    with block:
        pass


LOSS_FUNCTIONS = [
    "KLD",
    "MAE",
    "MSE",
    "binary_crossentropy",
    "categorical_crossentropy",
    "hinge",
    "huber",
    "kl_divergence",
    "kld",
    "mae",
    "mean_absolute_error",
    "log_cosh",
    "mean_absolute_percentage_error",
    "mean_squared_error",
    "mean_squared_logarithmic_error",
    "mse",
    "poisson",
]
LOSSES: dict[str, Recipe] = {
    **{
        f"losses.{n}": Recipe(getattr(K.losses, n), then=then_called(labels if "Sparse" in n else pair))
        for n in LOSS_CLASSES
        if n != "FunctionLoss"
    },
    "losses.FunctionLoss": Recipe(K.losses.FunctionLoss, lambda: {"of": K.losses.mse}, then_called()),
    "losses.Loss": Recipe(K.losses.Loss),
    "losses.Reduction": Recipe(K.losses.Reduction),
    **{f"losses.{n}": Recipe(getattr(K.losses, n), pair) for n in LOSS_FUNCTIONS},
    "losses.sparse_categorical_crossentropy": Recipe(K.losses.sparse_categorical_crossentropy, labels),
    "losses.alike": Recipe(K.losses.alike, lambda: {"name": "a", **pair()}, fixed=("name",)),
    "losses.squeezed": Recipe(
        K.losses.squeezed, lambda: {"y_true": mg.tensor(T), "y_pred": mg.tensor(P)}, fixed=("y_true", "y_pred")
    ),
    "losses.in_float32": Recipe(K.losses.in_float32, lambda: {"loss": K.losses.mse}, fixed=("loss",)),
    **{
        f"losses.{n}": Recipe(
            getattr(K.losses, n),
            lambda n=n: {"config": K.losses.serialize(K.losses.Huber())} if n[0] == "d" else {"identifier": "mse"},
        )
        for n in ("get", "deserialize")
    },
    "losses.serialize": Recipe(K.losses.serialize, lambda: {"value": K.losses.Huber()}),
    "Loss(…)": method(K.losses.MeanSquaredError, "__call__", **pair()),
    "SparseCategoricalCrossentropy(…)": method(K.losses.SparseCategoricalCrossentropy, "__call__", **labels()),
    "BinaryCrossentropy(…)": method(K.losses.BinaryCrossentropy, "__call__", **pair()),
    "Loss.from_config": Recipe(K.losses.Huber.from_config, lambda: {"config": K.losses.Huber().get_config()}),
}

METRIC_CLASSES = [
    n
    for n, v in vars(K.metrics).items()
    if n[0] != "_" and isinstance(v, type) and issubclass(v, K.metrics.Metric) and n != "Metric"
]
METRICS: dict[str, Recipe] = {
    **{
        f"metrics.{n}": Recipe(getattr(K.metrics, n), then=then_updated)
        for n in METRIC_CLASSES
        if n not in ("Mean", "MeanMetricWrapper")
    },
    "metrics.Metric": Recipe(K.metrics.Metric),
    "metrics.Mean": Recipe(K.metrics.Mean, then=lambda m: (m.update_state(P), m.result())),
    "metrics.MeanMetricWrapper": Recipe(
        K.metrics.MeanMetricWrapper, lambda: {"fn": K.metrics.binary_accuracy}, then_updated
    ),
    "metrics.binary_accuracy": Recipe(K.metrics.binary_accuracy, pair),
    "metrics.categorical_accuracy": Recipe(K.metrics.categorical_accuracy, pair),
    "metrics.sparse_categorical_accuracy": Recipe(K.metrics.sparse_categorical_accuracy, labels),
    "metrics.get": Recipe(K.metrics.get, lambda: {"identifier": "mae"}),
    "metrics.deserialize": Recipe(K.metrics.deserialize, lambda: {"config": K.metrics.serialize(K.metrics.Mean())}),
    "metrics.serialize": Recipe(K.metrics.serialize, lambda: {"value": K.metrics.Mean()}),
    "Metric.update_state": method(K.metrics.MeanSquaredError, "update_state", **pair()),
    "SparseCategoricalAccuracy.update_state": method(K.metrics.SparseCategoricalAccuracy, "update_state", **labels()),
    "Mean.update_state": method(K.metrics.Mean, "update_state", values=P),
    "Metric(…)": method(K.metrics.BinaryAccuracy, "__call__"),
}
METRICS["Metric(…)"] = Recipe(
    lambda y_true, y_pred, sample_weight=None: K.metrics.BinaryAccuracy()(y_true, y_pred, sample_weight), pair
)


def weight() -> Any:
    """Return a weight with a gradient."""
    layer = K.layers.Dense(2)
    layer.build((None, 2))
    return layer.kernel


def then_applied(optimizer: Any) -> Any:
    """Use an optimizer for two updates."""
    w = weight()
    for _ in range(2):
        optimizer.apply_gradients([(np.ones((2, 2), "float32"), w)])
    return optimizer.get_config(), optimizer.get_weights(), w.numpy()


def applied() -> Any:
    """Return an optimizer that has made an update."""
    made = K.optimizers.Adam()
    then_applied(made)
    return made


def minimized() -> dict[str, Any]:
    """Return arguments for `minimize`."""
    w = weight()
    return {"self": K.optimizers.SGD(), "loss": (w * w).sum, "var_list": [w]}


RATE = {
    "CosineDecay": {"initial_learning_rate": 0.1, "decay_steps": 10},
    "CosineDecayRestarts": {"initial_learning_rate": 0.1, "first_decay_steps": 10},
    "ExponentialDecay": {"initial_learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.5},
    "InverseTimeDecay": {"initial_learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.5},
    "PiecewiseConstantDecay": {"boundaries": [2, 4], "values": [1.0, 0.5, 0.1]},
    "PolynomialDecay": {"initial_learning_rate": 0.1, "decay_steps": 10},
    "LearningRateSchedule": {},
}
OPTIMIZERS: dict[str, Recipe] = {
    **{
        f"optimizers.{n}": Recipe(getattr(K.optimizers, n), then=then_applied)
        for n in ("SGD", "Adagrad", "Adam", "AdamW", "RMSprop")
    },
    "optimizers.Optimizer": Recipe(K.optimizers.Optimizer),
    "optimizers.learning_rate": Recipe(K.optimizers.learning_rate, lambda: {"default": 0.1}, fixed=("default",)),
    "optimizers.get": Recipe(K.optimizers.get, lambda: {"identifier": "sgd"}),
    "optimizers.deserialize": Recipe(K.optimizers.deserialize, lambda: {"config": "sgd"}),
    "optimizers.serialize": Recipe(K.optimizers.serialize, lambda: {"value": K.optimizers.SGD()}),
    **{
        f"schedules.{n}": Recipe(
            getattr(schedules, n),
            lambda given=given: dict(given),
            (lambda s: s.get_config()) if not given else (lambda s: [s(0), s(3), s(11), s.get_config()]),
        )
        for n, given in RATE.items()
    },
    "schedules.deserialize": Recipe(
        schedules.deserialize, lambda: {"config": schedules.serialize(schedules.CosineDecay(0.1, 10))}
    ),
    "schedules.serialize": Recipe(schedules.serialize, lambda: {"value": schedules.CosineDecay(0.1, 10)}),
    "schedule(…)": method(lambda: schedules.CosineDecay(0.1, 10), "__call__", step=3),
    "Optimizer.apply_gradients": method(
        K.optimizers.Adam, "apply_gradients", grads_and_vars=lambda: [(np.ones((2, 2), "float32"), weight())]
    ),
    "Optimizer.build": method(K.optimizers.Adam, "build", var_list=lambda: [weight()]),
    "Optimizer.exclude_from_weight_decay": method(K.optimizers.AdamW, "exclude_from_weight_decay"),
    "Optimizer.finalize_variable_values": method(
        lambda: K.optimizers.SGD(use_ema=True), "finalize_variable_values", var_list=lambda: [weight()]
    ),
    "Optimizer.minimize": Recipe(K.optimizers.Optimizer.minimize, minimized),
    "Optimizer.set_state": method(applied, "set_state", state=lambda: applied().get_state()),
    "Optimizer.set_weights": method(applied, "set_weights", weights=lambda: applied().get_weights()),
    "Optimizer.from_config": Recipe(
        K.optimizers.Adam.from_config, lambda: {"config": K.optimizers.Adam().get_config()}
    ),
    "Optimizer.learning_rate = value": Recipe(
        lambda learning_rate: setattr(applied(), "learning_rate", learning_rate), lambda: {"learning_rate": 0.1}
    ),
}


def then_on_a_weight(made: Any) -> Any:
    """Use a regularizer or a constraint on a tensor."""
    return made(mg.tensor(X)), made.get_config()


def classes(module: Any, base: Any) -> list[str]:
    """Return the public names of a module's classes and their other names."""
    return [n for n in module.__all__ if isinstance(getattr(module, n), type) and getattr(module, n) is not base]


def catalogue(module: Any, prefix: str, name: str) -> dict[str, Recipe]:
    """Return the recipes of a module's `get`, `deserialize` and `serialize`."""
    return {
        f"{prefix}.get": Recipe(module.get, lambda: {"identifier": name}),
        f"{prefix}.deserialize": Recipe(
            module.deserialize, lambda: {("identifier" if module is K.activations else "config"): name}
        ),
        f"{prefix}.serialize": Recipe(
            module.serialize, lambda: {("activation" if module is K.activations else "value"): module.get(name)}
        ),
    }


PIECES: dict[str, Recipe] = {
    **{
        f"initializers.{n}": Recipe(getattr(K.initializers, n), then=lambda i: (i((2, 3)), i.get_config()))
        for n in classes(K.initializers, K.initializers.Initializer)
    },
    "initializers.Initializer": Recipe(K.initializers.Initializer),
    **{
        f"{n}(…)": method(getattr(K.initializers, n), "__call__", shape=(2, 2), dtype="float32")
        for n in ("Constant", "GlorotUniform", "Identity", "Orthogonal", "RandomNormal", "TruncatedNormal", "Zeros")
    },
    **catalogue(K.initializers, "initializers", "zeros"),
    **{
        f"regularizers.{n}": Recipe(getattr(K.regularizers, n), then=then_on_a_weight)
        for n in classes(K.regularizers, K.regularizers.Regularizer)
    },
    "regularizers.Regularizer": Recipe(K.regularizers.Regularizer),
    "regularizers.l1_l2": Recipe(K.regularizers.l1_l2, then=then_on_a_weight),
    **{
        f"{n}(…)": method(getattr(K.regularizers, n), "__call__", x=lambda: mg.tensor(X))
        for n in ("L1", "L2", "L1L2", "OrthogonalRegularizer")
    },
    **catalogue(K.regularizers, "regularizers", "l2"),
    **{
        f"constraints.{n}": Recipe(getattr(K.constraints, n), then=then_on_a_weight)
        for n in classes(K.constraints, K.constraints.Constraint)
    },
    "constraints.Constraint": Recipe(K.constraints.Constraint),
    **{
        f"{n}(…)": method(getattr(K.constraints, n), "__call__", w=lambda: mg.tensor(X))
        for n in ("MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm")
    },
    **catalogue(K.constraints, "constraints", "non_neg"),
    **{
        f"activations.{n}": Recipe(getattr(K.activations, n), lambda: {"x": mg.tensor(X)})
        for n in K.activations.__all__
        if n not in ("get", "serialize", "deserialize")
    },
    **catalogue(K.activations, "activations", "tanh"),
    "keras.layers.deserialize": Recipe(K.layers.deserialize, lambda: {"config": K.layers.serialize(K.layers.Dense(2))}),
    "keras.layers.serialize": Recipe(K.layers.serialize, lambda: {"layer": K.layers.Dense(2)}),
    "utils.CustomObjectScope": Recipe(
        K.utils.CustomObjectScope, lambda: {"*": [{}]}, entered, words={"*0": ("custom_objects",)}
    ),
    "utils.get_custom_objects": Recipe(K.utils.get_custom_objects),
    "utils.get_registered_name": Recipe(K.utils.get_registered_name, lambda: {"obj": K.layers.Dense}),
    "utils.get_registered_object": Recipe(K.utils.get_registered_object, lambda: {"name": "a"}),
    "utils.register_keras_serializable": Recipe(
        K.utils.register_keras_serializable, lambda: {"package": "a"}, lambda decorate: decorate(K.layers.Dense)
    ),
    "utils.timeseries_dataset_from_array": Recipe(
        K.utils.timeseries_dataset_from_array,
        lambda: {"data": np.arange(6.0), "targets": np.arange(6.0), "sequence_length": 2},
        list,
    ),
    "utils.pad_sequences": Recipe(K.utils.pad_sequences, lambda: {"sequences": [[1, 2], [3]]}),
    "utils.set_random_seed": Recipe(K.utils.set_random_seed, lambda: {"seed": 1}),
    "utils.to_categorical": Recipe(K.utils.to_categorical, lambda: {"y": [0, 2]}),
    "backend.clear_session": Recipe(K.backend.clear_session),
    "backend.epsilon": Recipe(K.backend.epsilon),
    "backend.floatx": Recipe(K.backend.floatx),
    "backend.set_floatx": Recipe(K.backend.set_floatx, lambda: {"value": "float64"}),
}


def model() -> Any:
    """Return a compiled model."""
    made = K.Sequential([K.layers.Dense(3, name="first"), K.layers.Dense(2)])
    made.compile("sgd", "mse", metrics=["mae"])
    return made


def trained() -> Any:
    """Return a compiled model with weights."""
    made = model()
    made.build((None, 2))
    return made


def then_fitted(callback: Any) -> Any:
    """Use a callback in a training of two epochs."""
    return model().fit(X, X, epochs=2, batch_size=2, verbose=0, validation_data=(X, X), callbacks=[callback]).history


def of_model(name: str, make: Callable[[], Any] = trained, /, **given: Any) -> Recipe:
    """Return the recipe of a method of a model."""
    return Recipe(
        getattr(K.Sequential, name),
        lambda: {"self": make(), **{n: value() if callable(value) else value for n, value in given.items()}},
    )


def then_trained(made: Any) -> Any:
    """Use a compiled or uncompiled model."""
    made.compile("sgd", "mse")
    return made.fit(X, X, verbose=0).history


def saved() -> str:
    """Return the name of a file of weights."""
    trained().save_weights("weights.npz")
    return "weights.npz"


def compiled(**how: Any) -> Any:
    """Compile a model and train it."""
    made = trained()
    made.compile(**how)
    return made.fit(X, X, verbose=0).history


def functional(inputs: Any, outputs: Any) -> Any:
    """Return a model of inputs and outputs."""
    return K.Model(inputs, outputs)


def of_symbols() -> Any:
    """Return a model made from symbols, an operator among its calls."""
    x = K.Input(X.shape[1:], name="x")
    return K.Model(x, K.layers.Dense(2, name="d")(x) * 2.0, name="net")


XY = {"x": X, "y": X}
MODELS: dict[str, Recipe] = {
    "keras.Model": Recipe(K.Model, then=lambda made: made.get_config()),
    "keras.Sequential": Recipe(K.Sequential, lambda: {"layers": [K.layers.Dense(2)]}, then_trained),
    "nested Sequential": Recipe(nested, lambda: {"depth": 30}, lambda made: (made(X), made.get_config()), ("depth",)),
    "Sequential.add": of_model("add", layer=lambda: K.layers.Dense(2)),
    "Sequential.pop": of_model("pop"),
    "Sequential.build": of_model("build", model, input_shape=(None, 2)),
    "Sequential.from_config": Recipe(K.Sequential.from_config, lambda: {"config": trained().get_config()}),
    "keras.models.clone_model": Recipe(K.models.clone_model, lambda: {"model": of_symbols()}),
    "Model.from_config": Recipe(K.Model.from_config, lambda: {"config": of_symbols().get_config()}),
    "Model of symbols": Recipe(of_symbols(), lambda: {"inputs": X}),
    "Sequential(…)": Recipe(
        lambda inputs, training=None, mask=None: trained()(inputs, training=training, mask=mask), lambda: {"inputs": X}
    ),
    "Model.compile": Recipe(
        compiled,
        lambda: {
            "optimizer": "sgd",
            "loss": "mse",
            "metrics": ["mae"],
            "loss_weights": None,
            "weighted_metrics": None,
            "run_eagerly": None,
            "steps_per_execution": None,
            "jit_compile": None,
        },
    ),
    "Model.compile()": of_model("compile"),
    "Model.fit": of_model("fit", **XY, verbose=0, epochs=1),
    "Model.evaluate": of_model("evaluate", **XY, verbose=0),
    "Model.predict": of_model("predict", x=X, verbose=0),
    "Model.predict_on_batch": of_model("predict_on_batch", x=X),
    "Model.train_on_batch": of_model("train_on_batch", **XY),
    "Model.test_on_batch": of_model("test_on_batch", **XY),
    "Model.train_step": of_model("train_step", data=lambda: (mg.tensor(X), mg.tensor(X)))._replace(
        words={"data": ("x", "y")}
    ),
    "Model.test_step": of_model("test_step", data=lambda: (mg.tensor(X), mg.tensor(X)))._replace(
        words={"data": ("x", "y")}
    ),
    "Model.predict_step": of_model("predict_step", data=lambda: mg.tensor(X))._replace(words={"data": ("x",)}),
    "Model.get_layer": of_model("get_layer", name="first"),
    "Model.get_layer()": of_model("get_layer", index=0),
    "Model.summary": of_model("summary"),
    "Model.save_weights": of_model("save_weights", filepath="saved.npz"),
    "Model.load_weights": of_model("load_weights", filepath=saved),
    "Model.set_weights": of_model("set_weights", weights=lambda: trained().get_weights()),
    "Model.compute_loss": of_model("compute_loss", x=X, y=lambda: mg.tensor(X), y_pred=lambda: mg.tensor(X))._replace(
        words={"y_pred": ("output", "outputs")}
    ),
    "Model.compute_metrics": of_model(
        "compute_metrics", x=X, y=lambda: mg.tensor(X), y_pred=lambda: mg.tensor(X), sample_weight=None
    )._replace(words={"y_pred": ("output", "outputs")}),
    **{
        f"Model.{n}": of_model(n)
        for n in ("get_metrics_result", "reset_metrics", "reset_states", "get_config", "count_params")
    },
}

CALLBACKS: dict[str, Recipe] = {
    "callbacks.CSVLogger": Recipe(K.callbacks.CSVLogger, lambda: {"filename": "log.csv"}, then_fitted),
    "callbacks.Callback": Recipe(K.callbacks.Callback, then=then_fitted),
    "callbacks.CallbackList": Recipe(
        K.callbacks.CallbackList,
        lambda: {"callbacks": [K.callbacks.Callback()], "model": model(), "params": {}},
    ),
    "callbacks.EarlyStopping": Recipe(K.callbacks.EarlyStopping, then=then_fitted),
    "callbacks.History": Recipe(K.callbacks.History, then=then_fitted),
    "callbacks.LambdaCallback": Recipe(
        K.callbacks.LambdaCallback, lambda: {"on_epoch_end": lambda epoch, logs: None}, then_fitted
    ),
    "callbacks.LearningRateScheduler": Recipe(
        K.callbacks.LearningRateScheduler, lambda: {"schedule": lambda epoch, rate: rate * 0.5}, then_fitted
    ),
    "callbacks.ModelCheckpoint": Recipe(
        K.callbacks.ModelCheckpoint, lambda: {"filepath": "checkpoint.npz"}, then_fitted
    ),
    "callbacks.ProgbarLogger": Recipe(K.callbacks.ProgbarLogger, then=then_fitted),
    "callbacks.ReduceLROnPlateau": Recipe(K.callbacks.ReduceLROnPlateau, then=then_fitted),
    "callbacks.TerminateOnNaN": Recipe(K.callbacks.TerminateOnNaN, then=then_fitted),
}

KERAS: dict[str, Recipe] = {**LOSSES, **METRICS, **OPTIMIZERS, **PIECES, **MODELS, **CALLBACKS}
