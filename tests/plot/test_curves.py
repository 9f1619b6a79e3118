"""The learning curve, checked in the axes."""

from __future__ import annotations

import io
import subprocess
import sys

import numpy as np

from minigrad.plot.curves import learning_curve, running_mean


def test_what_is_drawn():
    ax = learning_curve([1, 2, 3], [3.0, float("nan"), 1.0], [(3, 1.5)], ("trigram model", 2.0), "bits per character")
    by_label = {line.get_label(): line for line in ax.lines}
    assert by_label["loss of each batch"].get_ydata()[2] == 1.0
    assert by_label["running mean"].get_ydata().tolist() == [3.0, 3.0, 2.0]
    assert by_label["validation"].get_xydata().tolist() == [[3, 1.5]]
    assert by_label["trigram model: 2"].get_ydata() == [2.0, 2.0]
    assert ax.get_ylabel() == "bits per character"
    assert ax.get_xlabel() == "training step"
    file = io.BytesIO()
    ax.figure.savefig(file)
    assert file.getvalue().startswith(b"\x89PNG")


def test_it_draws_into_given_axes_and_returns_them():
    first = learning_curve([1], [1.0])
    assert learning_curve([1], [2.0], ax=first) is first
    assert len(first.lines) == 4


def test_running_mean_of_a_long_row():
    values = np.random.default_rng(0).normal(size=100)
    expected = [values[max(0, k - 24) : k + 1].mean() for k in range(100)]
    np.testing.assert_allclose(running_mean(values), expected)
    assert np.isnan(running_mean([float("nan")])).all()


def test_matplotlib_is_imported_only_to_draw():
    code = "import sys, minigrad.plot; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
