"""Files of minigrad, read by a real Keras: models of each kind in ``.keras`` and ``.h5``, with their predictions.

    (cd tests && ../.venv/bin/python -m oracle.files write FOLDER)    minigrad writes models and predictions
    (cd tests && ~/tf/bin/python -m oracle.files check FOLDER)        TensorFlow 2.15, or Keras 3, loads and compares

The other direction is in the default tests: files that both wrote, `record/keras_files.py`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

X = np.sin(np.arange(24.0)).reshape(2, 3, 4).astype("float32")
INPUTS: dict[str, Any] = {
    "words": np.array([[1, 2, 3, 0], [4, 1, 0, 0]]), "nested": X, "several": [X, X[:, 0]],
    "translator": [X, X[:, ::-1].copy()], "operators": X, "parts": X,
}  # fmt: skip


def models(k: Any) -> dict[str, Any]:
    """Models by name: a Sequential with masks, nested models, several inputs, initial states, operators."""
    L = k.layers
    words = k.Sequential(
        [
            L.Embedding(5, 3, mask_zero=True, input_length=4, name="e"),
            L.Bidirectional(L.GRU(2, return_sequences=True), name="both"),
            L.TimeDistributed(L.Dense(2, activation="tanh"), name="each"),
            L.RNN([L.LSTMCell(2), L.GRUCell(3, reset_after=False)], name="stack"),
            L.Dense(1, name="d"),
        ],
        name="words",
    )
    inside = k.Sequential([L.Dense(2, input_shape=(None, 3), name="in")], name="inside")
    nested = k.Sequential(
        [
            L.LSTM(3, return_sequences=True, input_shape=(None, 4), name="l"), L.LayerNormalization(name="n"), inside,
            L.GlobalMaxPooling1D(name="p"), L.Dropout(0.5, name="r"),
        ],
        name="nested",
    )  # fmt: skip
    a, b = k.Input((None, 4), name="a"), k.Input((4,), name="b")
    shared = L.Dense(3, name="shared", activation="relu")
    both = L.Concatenate(name="cat")([L.GRU(3, name="g")(shared(a)), shared(b)])
    several = k.Model([a, b], [L.Dense(1, name="o")(both), L.SimpleRNN(2, name="s")(shared(a))], name="several")
    a, b = k.Input((None, 4), name="a"), k.Input((None, 4), name="b")
    _, h, c = L.LSTM(3, return_state=True, name="encoder")(a)
    y, _, _ = L.LSTM(3, return_sequences=True, return_state=True, name="decoder")(b, initial_state=[h, c])
    translator = k.Model([a, b], L.Dense(2, name="out", activation="softmax")(y), name="translator")
    x = k.Input((3, 4), name="x")
    part = k.Model(x, L.LSTM(2, name="l")(x), name="part")
    x = k.Input((3, 4), name="y")
    y = (2.0 * part(x) + 1.0) / 3.0 - part(x * x)
    operators = k.Model(x, y, name="operators")
    found = [words, nested, several, translator, operators, k.Model(x, y[:, :1], name="parts")]
    words(INPUTS["words"])
    for model in found[:3]:
        model.compile("adam", "mse")
    return {model.name: model for model in found}


def predicted(model: Any) -> list[Any]:
    """The outputs for the inputs above."""
    y = model.predict(INPUTS[model.name], verbose=0)
    return [np.asarray(part) for part in (y if isinstance(y, list) else [y])]


def write(folder: Path) -> None:
    """Write each model in each form, its weights, and its predictions."""
    import minigrad as mg

    folder.mkdir(parents=True, exist_ok=True)
    mg.random.seed(0)
    answers: dict[str, Any] = {}
    for name, model in models(mg.keras).items():
        answers |= {f"{name}/{k}": y for k, y in enumerate(predicted(model))}
        for version in (2, 3) if name != "parts" else (2,):
            for ending in ("keras", "h5"):
                model.save(folder / f"{name}.{version}.{ending}", keras_version=version)
        model.save_weights(folder / f"{name}.weights.h5")
        model.save_weights(folder / f"{name}.by_name.h5")
    np.savez(folder / "answers.npz", **answers)


def check(folder: Path) -> None:
    """Load each file with the Keras that is installed, and compare its predictions."""
    try:
        from tensorflow import keras

        version = 2
    except ImportError:
        import keras

        version = 3
    answers = dict(np.load(folder / "answers.npz"))
    for name in INPUTS:
        expected = [answers[key] for key in sorted(answers) if key.startswith(f"{name}/")]
        paths = [folder / f"{name}.{version}.{ending}" for ending in ("keras", "h5")]
        for path in (path for path in paths if path.exists()):
            model = keras.models.load_model(path)
            for ending in ("", ".weights.h5", ".by_name.h5"):
                if ending:
                    model.set_weights([0 * w for w in model.get_weights()])
                    model.load_weights(str(folder / f"{name}{ending}"))
                for ours, theirs in zip(expected, predicted(model), strict=True):
                    np.testing.assert_allclose(theirs, ours, rtol=1e-4, atol=1e-6, err_msg=f"{path}{ending}")
            print(f"{path.name}: equal predictions in Keras {getattr(keras, '__version__', 2)}, and from its weights")


if __name__ == "__main__":
    {"write": write, "check": check}[sys.argv[1]](Path(sys.argv[2]))
