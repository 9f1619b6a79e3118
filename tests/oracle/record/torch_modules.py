"""Record the results of PyTorch's recurrent modules in float64: ``python -m oracle.record.torch_modules``, with
PyTorch.

Each case has the module's arguments, its state dict, inputs, initial states, outputs, and the gradients of
⟨cotangent, output⟩ + ⟨cotangent, h_n⟩ + ⟨cotangent, c_n⟩ for the inputs and every array of the state dict.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch

DATA = Path(__file__).resolve().parents[2] / "convert" / "data"
BATCH, TIME, FEATURES = 2, 5, 3

CASES: dict[str, dict[str, Any]] = {
    "lstm": {"hidden_size": 4},
    "lstm_without_bias": {"hidden_size": 4, "bias": False},
    "lstm_two_levels": {"hidden_size": 3, "num_layers": 2},
    "lstm_both_ways": {"hidden_size": 3, "bidirectional": True},
    "lstm_three_levels_both_ways": {"hidden_size": 2, "num_layers": 3, "bidirectional": True},
    "lstm_projected": {"hidden_size": 4, "proj_size": 2},
    "lstm_projected_two_levels": {"hidden_size": 4, "proj_size": 3, "num_layers": 2},
    "lstm_projected_without_bias": {"hidden_size": 3, "proj_size": 2, "bias": False},
    "gru": {"hidden_size": 4},
    "gru_without_bias": {"hidden_size": 3, "bias": False},
    "gru_two_levels_both_ways": {"hidden_size": 2, "num_layers": 2, "bidirectional": True},
}


def record(name: str, arguments: dict[str, Any], numbers: np.random.Generator) -> dict[str, np.ndarray]:
    """Run one module forward and backward."""

    def drawn(*shape: int) -> torch.Tensor:
        return torch.from_numpy(numbers.integers(-1024, 1025, shape) / 1024)

    kind = torch.nn.LSTM if name.startswith("lstm") else torch.nn.GRU
    module = kind(FEATURES, batch_first=True, dtype=torch.float64, **arguments)
    with torch.no_grad():
        for weight in module.parameters():
            weight.copy_(drawn(*weight.shape))
    x = drawn(BATCH, TIME, FEATURES).requires_grad_()
    levels = arguments.get("num_layers", 1) * (2 if arguments.get("bidirectional") else 1)
    outputs = arguments.get("proj_size") or arguments["hidden_size"]
    states = [drawn(levels, BATCH, outputs)]
    if kind is torch.nn.LSTM:
        states.append(drawn(levels, BATCH, arguments["hidden_size"]))
    y, last = module(x, tuple(states) if len(states) == 2 else states[0])
    results = [y, *(last if isinstance(last, tuple) else (last,))]
    cotangents = [drawn(*r.shape) for r in results]
    sum((c * r).sum() for c, r in zip(cotangents, results, strict=True)).backward()
    found = {"x": x, "grad/x": x.grad}
    found |= {f"state/{k}": s for k, s in enumerate(states)}
    found |= {f"output/{k}": r for k, r in enumerate(results)}
    found |= {f"cotangent/{k}": c for k, c in enumerate(cotangents)}
    found |= {f"weight/{n}": w for n, w in module.named_parameters()}
    found |= {f"grad/weight/{n}": w.grad for n, w in module.named_parameters()}
    return {key: value.detach().numpy() for key, value in found.items()}


def main() -> None:
    """Write all cases."""
    numbers = np.random.default_rng(213)
    about: dict[str, Any] = {"torch": torch.__version__, "cases": {}}
    vectors = {}
    for name, arguments in CASES.items():
        arrays = record(name, arguments, numbers)
        about["cases"][name] = {"arguments": arguments, "arrays": {key: a.shape for key, a in arrays.items()}}
        vectors[name] = np.concatenate([a.ravel() for a in arrays.values()])  # one array per case: the files stay small
    np.savez_compressed(DATA / "torch.npz", **vectors)
    (DATA / "torch.json").write_text(json.dumps(about) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
