"""What all pictures share: colours, lines and markers, figures and axes in the manner of particle physics, files.

Colours can be told apart with any colour vision; line styles, markers and hatches repeat what they say in black and
white.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from root_gnn.atomic import atomic_file
from root_gnn.typing import Floats

# Ten colours told apart with any colour vision, in the order of Petroff 2021, arXiv:2107.02270.
COLOURS = ("#3f90da", "#bd1f01", "#ffa90e", "#832db6", "#94a4a2", "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd")
LINES: tuple[Any, ...] = ("-", "--", "-.", ":", (0, (6, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "*", "p")


class Interval(NamedTuple):
    """A value with its 68 % interval, as a dot with a bar."""

    value: float
    low: float
    high: float


def new_figure(width: float, height: float) -> Figure:
    """An empty figure, in inches."""
    return Figure(figsize=(width, height), dpi=150, layout="constrained")


def sheet(width: float = 5.6, height: float = 4.2) -> tuple[Figure, Axes]:
    """A figure with one panel."""
    figure = new_figure(width, height)
    return figure, panel(figure, (1, 1, 1))


def panel(figure: Figure, place: tuple[int, int, int]) -> Axes:
    """A panel with ticks inside on all sides; `place` is rows, columns and number, as for `Figure.add_subplot`."""
    axes = figure.add_subplot(*place)
    dress(axes)
    return axes


def dress(axes: Axes) -> None:
    """Ticks inside on all sides, what is drawn above the grid."""
    axes.tick_params(which="both", direction="in", top=True, right=True)
    axes.set_axisbelow(True)


def save_figure(figure: Figure, path: Path) -> None:
    """Writes a PNG, or an SVG without background where the path ends so; the same figure gives the same file."""
    vector = path.suffix == ".svg"
    metadata = {"Date": None} if vector else {"Software": None}
    with atomic_file(path) as temporary, matplotlib.rc_context({"svg.hashsalt": "root_gnn"}):
        figure.savefig(temporary, format="svg" if vector else "png", metadata=metadata, transparent=vector)


def heat_map(axes: Axes, matrix: Floats, texts: list[list[str]], limits: tuple[float, float]) -> None:
    """Draws a matrix in colours with a text in each cell; what is not finite is grey.

    Args:
        axes: where to draw.
        matrix: `(n_row, n_column)` numbers.
        texts: the text of each cell, row by row.
        limits: values of the first and the last colour.
    """
    axes.imshow(np.ma.masked_invalid(matrix), cmap="Blues", vmin=limits[0], vmax=limits[1], aspect="auto")
    middle = limits[0] + 0.55 * (limits[1] - limits[0])
    axes.set_facecolor("0.85")
    for row, column in np.argwhere(np.isfinite(matrix)):
        colour = "white" if matrix[row, column] > middle else "black"
        axes.text(int(column), int(row), texts[row][column], ha="center", va="center", color=colour, fontsize="small")
    axes.tick_params(which="both", length=0)


def bars(value: Floats, low: Floats, high: Floats) -> Floats:
    """Lengths of error bars below and above; an interval may lie beside its value, a bar can't."""
    return np.maximum([value - low, high - value], 0.0)


def with_error(value: float, error: float | None) -> str:
    """A figure for a legend."""
    return f"{value:.3f}" if error is None else f"{value:.3f} ± {error:.3f}"
