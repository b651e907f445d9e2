"""What all pictures share."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from root_gnn.plots import canvas


def test_error_bars_are_never_negative() -> None:
    value, low, high = np.array([0.5, 0.5]), np.array([0.4, 0.6]), np.array([0.7, 0.8])
    np.testing.assert_allclose(canvas.bars(value, low, high), [[0.1, 0.0], [0.2, 0.3]])


def test_a_heat_map_writes_finite_cells_only_white_on_dark() -> None:
    _, axes = canvas.sheet()
    canvas.heat_map(axes, np.array([[1.0, np.nan], [0.1, 0.6]]), [["a", "b"], ["c", "d"]], (0.0, 1.0))
    assert [(text.get_text(), text.get_color()) for text in axes.texts] == [
        ("a", "white"),
        ("c", "black"),
        ("d", "white"),
    ]


def test_the_ending_decides_the_format(tmp_path: Path) -> None:
    for name, start in (("a.png", b"\x89PNG"), ("a.svg", b"<?xml")):
        canvas.save_figure(canvas.sheet()[0], tmp_path / name)
        assert (tmp_path / name).read_bytes().startswith(start)


def test_a_value_without_error_has_none_in_a_legend() -> None:
    assert "±" in canvas.with_error(0.5, 0.01) and "±" not in canvas.with_error(0.5, None)
