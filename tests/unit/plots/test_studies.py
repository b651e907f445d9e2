"""Pictures of many runs: what is on their axes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from root_gnn import plots
from root_gnn.plots import Interval

LOW, HIGH = Interval(0.55, 0.54, 0.57), Interval(0.65, 0.64, 0.66)
SIZES = {"a": {100: LOW, 1000: HIGH}, "b": {100: HIGH}}
SEEDS = [
    (np.arange(1.0, 4.0), np.array([0.5, 0.6, 0.6])),
    (np.arange(1.0, 6.0), np.array([0.5, 0.55, 0.6, 0.62, 0.6])),
]


def test_gains_are_below_about_zero_in_the_colours_of_their_modes(figures: list[Figure], tmp_path: Path) -> None:
    plots.training_size(SIZES, tmp_path / "size.png", gains={"b": {100: Interval(0.1, 0.08, 0.12)}}, log=True)
    top, below = figures[0].axes
    assert top.get_yscale() == "log" and [label.get_text() for label in below.get_xticklabels()] == ["100", "1,000"]
    assert top.containers[1][0].get_color() == below.containers[0][0].get_color() != top.containers[0][0].get_color()


def test_learning_curves_of_seeds_go_as_far_as_all_of_them(figures: list[Figure], tmp_path: Path) -> None:
    plots.learning({"Epoch": {"a": SEEDS}, "Training time [s]": {"a": SEEDS}}, tmp_path / "learning.png")
    line = figures[0].axes[0].lines[0]
    assert (line.get_xdata()[0], line.get_xdata()[-1]) == (1.0, 3.0)
    assert line.get_ydata()[-1] == pytest.approx(0.6) and line.get_ydata()[0] == 0.5


def test_comparison_writes_each_number(figures: list[Figure], tmp_path: Path) -> None:
    plots.comparison({"WHvsZH": {"scratch": Interval(0.55, 0.54, 0.57)}}, tmp_path / "table.png")
    assert figures[0].axes[0].texts[0].get_text() == "0.5500 ± 0.0150"
    assert figures[0].axes[0].get_yticklabels()[0].get_text() == "WHvsZH: scratch"


def test_an_interval_beside_its_value_is_drawn(tmp_path: Path) -> None:
    plots.training_size({"a": {10: Interval(0.5, 0.51, 0.52)}}, tmp_path / "size.png")
    assert (tmp_path / "size.png").exists()
