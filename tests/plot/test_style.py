"""The look of the pictures."""

from __future__ import annotations

import subprocess
import sys

import numpy as np

from minigrad.plot import style
from tool_errors import NO_MATPLOTLIB


def test_no_two_styles_agree_in_colour_line_or_marker():
    looks = [style.line_style(k, 30) for k in range(len(style.COLOURS))]
    for part in ("color", "linestyle", "marker"):
        assert len({str(look[part]) for look in looks}) == len(looks)
    assert len(set(style.HATCHES)) == len(style.COLOURS)


def test_letters_of_one_cell_look_different():
    for letters in ("ifgo", "ijfo", "zrg", ("carousel", "i", "f", "g", "o", "held"), ("past the gates", "z", "r", "g")):
        assert len({style.style_index(k) for k in letters}) == len(letters)


def test_styles_differ_without_colour_vision():
    """Gates that differ by their lines in grey, and colours with enough contrast on white."""
    for colour in style.COLOURS[:4]:
        r, g, b = (int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5))
        assert 1.05 / (0.2126 * r**2.2 + 0.7152 * g**2.2 + 0.0722 * b**2.2 + 0.05) > 3


def test_a_new_figure_is_not_registered_with_pyplot():
    from matplotlib import pyplot as plt

    ax = style.axes(None)
    assert not plt.get_fignums()
    assert style.axes(ax) is ax


def test_without_matplotlib_the_command_is_named():
    code = (
        "import sys; sys.modules['matplotlib'] = sys.modules['matplotlib.figure'] = None\n"
        "from minigrad import plot\n"
        "try:\n    plot.gates([0.5, 0.6])\n"
        "except ImportError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout == f"{NO_MATPLOTLIB}\n", done.stderr


def test_masked_steps_are_hatched_once_a_run():
    ax = style.axes(None)
    style.hatch_masked(ax, np.arange(6), np.array([1, 0, 0, 1, 1, 0], bool))
    spans = [(patch.get_x(), patch.get_x() + patch.get_width(), patch.get_hatch()) for patch in ax.patches]
    assert spans == [(-0.5, 0.5, "//"), (2.5, 4.5, "//")]
    assert len(ax.get_legend_handles_labels()[1]) == 1


def test_tokens_stand_under_the_axis_while_they_fit():
    ax = style.axes(None)
    style.steps_axis(ax, np.arange(3), ["a", " ", "$"])
    assert [label.get_text() for label in ax.get_xticklabels()] == ["a", "␣", r"\$"]
    style.steps_axis(other := style.axes(None), np.arange(200), ["a"] * 200)
    assert other.get_xlabel() == "time step t"
    assert not any("a" in label.get_text() for label in other.get_xticklabels())
