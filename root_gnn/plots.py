"""Pictures of trained models as PNG files, readable in black and white: line styles, markers and hatches beside colours.

Every function takes data and a path, writes one file, and touches no state of matplotlib's; the same data give the same file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from root_gnn.atomic import atomic_file
from root_gnn.metrics.auc import auc
from root_gnn.metrics.confusion import confusion_matrix
from root_gnn.metrics.rejection import rejections
from root_gnn.similarity.cka import LayerMatrix

Floats = NDArray[np.float64]

# Ten colours told apart with any colour vision, in the order of Petroff 2021, arXiv:2107.02270.
COLOURS = ("#3f90da", "#bd1f01", "#ffa90e", "#832db6", "#94a4a2", "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd")
LINES: tuple[Any, ...] = ("-", "--", "-.", ":", (0, (6, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "*", "p")
N_BIN = 30
N_CURVE_POINT = 120


class Interval(NamedTuple):
    """A value with its 68 % interval, as a dot with a bar."""

    value: float
    low: float
    high: float


class Distribution(NamedTuple):
    """Histograms of one quantity: `edges (n_bin + 1,)`, and by name the share of the values in each bin, `(n_bin,)`.

    `kind` is that of the axis: `even`, `log`, or `whole` for bins about whole numbers.
    """

    label: str
    edges: Floats
    shares: Mapping[str, Floats]
    kind: Literal["even", "log", "whole"] = "even"


def roc(curves: Mapping[str, tuple[ArrayLike, ArrayLike, ArrayLike | None]], path: Path) -> None:
    """Background rejection against signal efficiency with 68 % bands, from (scores, labels, weights) of each curve.

    A curve has a gap where no background, or less than its own error, is left. Bands are symmetric on the logarithmic axis.
    """
    figure, axes = _canvas()
    efficiency = np.linspace(0.01, 1.0, N_CURVE_POINT)
    for k, (name, (scores, labels, weights)) in enumerate(curves.items()):
        found = rejections(scores, labels, weights, signal_efficiencies=tuple(efficiency), n_replica=100)
        known = [one is not None and one.error is not None and one.error < one.value for one in found]
        rows = [(one.value, one.error) if is_known and one else (np.nan, np.nan) for one, is_known in zip(found, known, strict=True)]
        value, error = np.array(rows, dtype=np.float64).T  # a gap stays a gap: no line is drawn over it
        area = auc(scores, labels, weights)
        label = name if area is None else f"{name}, AUC {_with_error(area.value, area.error)}"
        axes.plot(efficiency, value, label=label, color=COLOURS[k % 10], linestyle=LINES[k % 7])
        ratio = np.exp(error / value)
        axes.fill_between(efficiency, value / ratio, value * ratio, color=COLOURS[k % 10], alpha=0.25, linewidth=0)
    axes.plot(efficiency, 1.0 / efficiency, color="black", linewidth=0.8, linestyle=":", label="guessing")
    axes.set(yscale="log", xlim=(0.0, 1.0), xlabel="Signal efficiency", ylabel="Background rejection (1 / background efficiency)")
    axes.set_ylim(bottom=1.0)
    axes.legend(frameon=False)
    _save(figure, path)


def scores(probabilities: ArrayLike, labels: ArrayLike, weights: ArrayLike | None, classes: Sequence[str], path: Path) -> None:
    """Distribution of the scores for each true class, normalised to one, with statistical errors of the weighted events.

    `probabilities (n_event, n_class)`; for two classes the score of the second, else one panel for the score of each class: its own
    events, hatched, and those of all other classes together. Negative weights count with their sign, so a bin may lie below zero;
    what has weights that sum to zero or less is left out.
    """
    values, truth = np.asarray(probabilities, dtype=np.float64), np.asarray(labels)
    weight = np.ones(len(truth)) if weights is None else np.asarray(weights, dtype=np.float64)
    shown = [1] if len(classes) == 2 else list(range(len(classes)))
    n_column = min(len(shown), 3)
    n_row = -(-len(shown) // n_column)
    figure = _figure(5.6 if n_column == 1 else 3.6 * n_column, 4.2 if n_column == 1 else 2.9 * n_row)
    for panel, column in enumerate(shown):
        axes = _axes(figure, (n_row, n_column, panel + 1))
        edges = _edges(values[:, column])
        own = truth == column
        others = classes[0] if len(classes) == 2 else "all other classes"
        _distribution(axes, values[~own, column], weight[~own], edges, others, (0, False))
        _distribution(axes, values[own, column], weight[own], edges, classes[column], (1, True))
        axes.set(xlabel=f"Score of {classes[column]}", xlim=(edges[0], edges[-1]))
        axes.set_ylabel(f"Share of events / {edges[1] - edges[0]:.2g}")
        if axes.patches:
            low, high = axes.get_ylim()
            axes.set_ylim(low, high + 0.25 * (high - low))  # room for the legend above the bars
            axes.legend(frameon=False, fontsize="small", loc="upper right", ncols=2)
    _save(figure, path)


def confusion(probabilities: ArrayLike, labels: ArrayLike, weights: ArrayLike | None, classes: Sequence[str], path: Path) -> None:
    """Share of each true class that is predicted as each class, in per cent, from `probabilities (n_event, n_class)`."""
    matrix = 100.0 * confusion_matrix(probabilities, labels, weights)
    n_class = len(classes)
    figure, axes = _canvas(2.6 + 0.55 * n_class, 2.0 + 0.5 * n_class)
    _heat_map(axes, matrix, [[f"{cell:.0f}" for cell in row] for row in matrix], (0.0, 100.0))
    axes.set_xticks(range(n_class), classes, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(n_class), classes)
    axes.set(xlabel="Predicted class", ylabel="True class", title="Share of the true class in %")
    axes.title.set_fontsize("medium")
    _save(figure, path)


def learning_curves(history: Mapping[str, ArrayLike], path: Path) -> None:
    """Losses, and AUC or other validation figures, against the epoch (the first is 1), from rows (epoch, step, value) by tag.

    Training figures are means over the rows of an epoch. Tags that are missing are left out.
    """
    tags = {tag: np.asarray(rows, dtype=np.float64).reshape(-1, 3) for tag, rows in history.items()}
    panels: list[tuple[str, list[str]]] = [("Loss", [tag for tag in ("train/loss", "val/loss") if tag in tags])]
    quality: list[str] = [tag for tag in ("val/auc", "val/accuracy", "probe/auc") if tag in tags]
    if quality:
        panels.append(("Quality on validation", quality))
    figure = _figure(5.6 if len(panels) == 1 else 8.4, 3.6)
    for panel, (title, names) in enumerate(panels):
        axes = _axes(figure, (1, len(panels), panel + 1))
        for k, tag in enumerate(names):
            epochs = np.unique(tags[tag][:, 0])
            means = [tags[tag][tags[tag][:, 0] == epoch, 2].mean() for epoch in epochs]
            axes.plot(epochs + 1, means, label=tag, color=COLOURS[k], linestyle=LINES[k], marker=MARKERS[k], markersize=4)
        axes.set(xlabel="Epoch", ylabel=title)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        if names:
            axes.legend(frameon=False)
    _save(figure, path)


def similarity(pairs: Sequence[tuple[str, str, LayerMatrix]], path: Path) -> None:
    """CKA layer by layer as heat maps with errors in the cells, a panel for each (first run, second run, matrix).

    The null level under a panel is the largest of its cells: what 95 % of random pairings of events stay below. A layer that is
    constant has a grey row or column.
    """
    cells = max(max(len(matrix.layers_a), len(matrix.layers_b)) for _, _, matrix in pairs)
    side = 1.6 + 0.66 * cells
    n_column = min(len(pairs), 3)
    n_row = -(-len(pairs) // n_column)
    figure = _figure(max(4.4, side * n_column), max(3.8, side * n_row))
    for panel, (first, second, matrix) in enumerate(pairs):
        axes = _axes(figure, (n_row, n_column, panel + 1))
        value, error, null = (np.array(table, dtype=np.float64) for table in matrix[2:])
        texts = [[f"{v:.3f}\n±{e:.3f}" for v, e in zip(*rows, strict=True)] for rows in zip(value, error, strict=True)]
        _heat_map(axes, value, texts, (0.0, 1.0))
        axes.set_xticks(range(len(matrix.layers_b)), matrix.layers_b, rotation=45, ha="right", rotation_mode="anchor")
        axes.set_yticks(range(len(matrix.layers_a)), matrix.layers_a)
        level = f"null level {np.nanmax(null):.2g} (95 %)" if np.any(np.isfinite(null)) else "no null level"
        axes.set(ylabel=first, xlabel=f"{second}\n\nCKA, {level}")
    _save(figure, path)


def embedding(
    points: ArrayLike, labels: ArrayLike, classes: Sequence[str], path: Path, *, axis_names: tuple[str, str] = ("PC 1", "PC 2"),
) -> None:
    """Events as `points (n_event, 2)`, coloured and marked by class; classes take turns in drawing, so that none hides the others."""
    places, truth = np.asarray(points, dtype=np.float64), np.asarray(labels)
    figure, axes = _canvas(6.0, 5.0)
    size = float(np.clip(2e4 / max(len(truth), 1), 3.0, 25.0))
    n_turn = 20
    for turn in range(n_turn):
        part = np.arange(turn, len(truth), n_turn)  # by stride: tables often hold one class after the other
        for k, name in enumerate(classes):
            chosen = part[truth[part] == k]
            axes.scatter(
                places[chosen, 0], places[chosen, 1], s=size, marker=MARKERS[k % 11], color=COLOURS[k % 10], alpha=0.6, linewidths=0,
                label=name if turn == 0 else None, zorder=2 + turn,
            )
    axes.set(xlabel=axis_names[0], ylabel=axis_names[1])
    legend = axes.legend(frameon=False, markerscale=(40.0 / size) ** 0.5, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    for handle in legend.legend_handles:
        if handle is not None:
            handle.set_alpha(1.0)
    _save(figure, path)


def training_size(curves: Mapping[str, Mapping[int, Interval]], path: Path, *, quantity: str = "Test AUC") -> None:
    """A quantity with 68 % intervals against the number of training events, a line for each mode; sizes on a logarithmic axis."""
    figure, axes = _canvas()
    for k, (name, points) in enumerate(curves.items()):
        sizes = sorted(points)
        value, low, high = np.array([points[size] for size in sizes], dtype=np.float64).reshape(-1, 3).T
        shift = 1.0 + 0.03 * (k - (len(curves) - 1) / 2.0)  # so that error bars of modes don't lie on each other
        axes.errorbar(
            np.array(sizes) * shift, value, yerr=_bars(value, low, high), label=name, color=COLOURS[k % 10],
            linestyle=LINES[k % 7], marker=MARKERS[k % 11], markersize=5, capsize=2.5,
        )
    axes.set(xscale="log", xlabel="Training events", ylabel=quantity)
    axes.legend(frameon=False)
    _save(figure, path)


def distributions(panels: Sequence[Distribution], path: Path) -> None:
    """Histograms side by side, a panel for each quantity and a line for each name in it; one legend where there are several."""
    names = list(dict.fromkeys(name for panel in panels for name in panel.shares))
    n_column = 4  # also where there are fewer, so that all pictures of a page have one scale
    n_row = -(-len(panels) // n_column)
    figure = _figure(2.75 * n_column, 2.35 * n_row + (0.35 if len(names) > 1 else 0.0))
    for place, panel in enumerate(panels):
        axes = _axes(figure, (n_row, n_column, place + 1))
        for k, name in enumerate(names):
            if name in panel.shares:
                axes.stairs(panel.shares[name], panel.edges, color=COLOURS[k % 10], linestyle=LINES[k % 7], linewidth=1.3, label=name)
        axes.set(xlabel=panel.label, xlim=(panel.edges[0], panel.edges[-1]))
        if panel.kind == "log":
            axes.set_xscale("log")
            axes.set_xticks([], minor=True)
            axes.set_xticks(ticks := _round_numbers(panel.edges[0], panel.edges[-1]), [f"{tick:g}" for tick in ticks])
        else:
            axes.xaxis.set_major_locator(MaxNLocator(5, integer=panel.kind == "whole", min_n_ticks=1))
        axes.set_ylim(bottom=0.0)
        axes.tick_params(labelsize="small")
        axes.set_ylabel("Share" if place % n_column == 0 else "", fontsize="small")
    if len(names) > 1:
        look = [({"color": COLOURS[k % 10], "linestyle": LINES[k % 7]}, name) for k, name in enumerate(names)]
        lines = [Line2D([], [], label=name, **style) for style, name in look]
        figure.legend(handles=lines, loc="outside upper left", ncols=min(len(names), 6), frameon=False, fontsize="small", handlelength=3.5)
    _save(figure, path)


def comparison(groups: Mapping[str, Mapping[str, Interval]], path: Path, *, quantity: str = "Test AUC") -> None:
    """A quantity with its 68 % interval and number for every group (a task, say; "" for none) and mode, one line each."""
    rows = [(group, mode, one) for group, modes in groups.items() for mode, one in modes.items()]
    modes = list(dict.fromkeys(mode for _, mode, _ in rows))
    figure, axes = _canvas(7.0, 1.1 + 0.34 * (len(rows) + len(groups)))
    place, ticks = 0.0, []
    for k, (group, mode, one) in enumerate(rows):
        if k and group != rows[k - 1][0]:
            place += 0.6
            axes.axhline(place - 0.8 + 0.5, color="0.8", linewidth=0.8)
        kind = modes.index(mode)
        axes.errorbar(
            [one.value], [place], xerr=_bars(*np.array(one)[:, None]), color=COLOURS[kind % 10], marker=MARKERS[kind % 11],
            markersize=6, capsize=3, linestyle="none",
        )
        up, down = one.high - one.value, one.value - one.low
        number = f"{one.value:.4f} ± {(up + down) / 2.0:.4f}"
        axes.annotate(number, (1.02, place), xycoords=("axes fraction", "data"), va="center", fontsize="small")
        ticks.append((place, f"{group}: {mode}" if group else mode))
        place += 1.0
    axes.set_yticks([at for at, _ in ticks], [text for _, text in ticks])
    axes.set(xlabel=quantity, ylim=(place - 0.4, -0.6))
    axes.tick_params(axis="y", which="both", length=0)
    axes.grid(axis="x", color="0.9")
    _save(figure, path)


def _round_numbers(low: float, high: float) -> list[float]:
    """Numbers such as 20, 50, 100 between two positive ones; powers of ten alone where they are far apart."""
    digits = (1.0, 2.0, 5.0) if high < 300.0 * low else (1.0,)
    return [digit * 10.0**power for power in range(-12, 13) for digit in digits if low <= digit * 10.0**power <= high]


def _figure(width: float, height: float) -> Figure:
    return Figure(figsize=(width, height), dpi=150, layout="constrained")


def _canvas(width: float = 5.6, height: float = 4.2) -> tuple[Figure, Axes]:
    figure = _figure(width, height)
    return figure, _axes(figure, (1, 1, 1))


def _axes(figure: Figure, place: tuple[int, int, int]) -> Axes:
    axes = figure.add_subplot(*place)
    axes.tick_params(which="both", direction="in", top=True, right=True)
    axes.set_axisbelow(True)
    return axes


def _save(figure: Figure, path: Path) -> None:
    with atomic_file(path) as temporary:
        figure.savefig(temporary, format="png", metadata={"Software": None})


def _edges(values: Floats) -> Floats:
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    return np.linspace(low, high if high > low else low + 1.0, N_BIN + 1)


def _distribution(axes: Axes, values: Floats, weights: Floats, edges: Floats, name: str, look: tuple[int, bool]) -> None:
    k, is_hatched = look
    total = float(weights.sum())
    if total <= 0.0:
        return
    height = np.histogram(values, edges, weights=weights)[0] / total
    error = np.sqrt(np.histogram(values, edges, weights=weights**2)[0]) / total
    colour = COLOURS[k % 10]
    hatch = "///" if is_hatched else None
    axes.stairs(height, edges, color=colour, linestyle=LINES[k % 7], linewidth=1.4, label=name, fill=False, hatch=hatch)
    middle = edges[:-1] + np.diff(edges) / 2.0
    axes.errorbar(middle, height, yerr=error, color=colour, linestyle="none", linewidth=0.9)


def _heat_map(axes: Axes, matrix: Floats, texts: list[list[str]], limits: tuple[float, float]) -> None:
    axes.imshow(np.ma.masked_invalid(matrix), cmap="Blues", vmin=limits[0], vmax=limits[1], aspect="auto")
    middle = limits[0] + 0.55 * (limits[1] - limits[0])
    axes.set_facecolor("0.85")
    for row, column in np.argwhere(np.isfinite(matrix)):
        colour = "white" if matrix[row, column] > middle else "black"
        axes.text(column, row, texts[row][column], ha="center", va="center", color=colour, fontsize="small")
    axes.tick_params(which="both", length=0)


def _bars(value: Floats, low: Floats, high: Floats) -> Floats:
    """Lengths of error bars below and above; an interval may lie beside its value, a bar can't."""
    return np.maximum([value - low, high - value], 0.0)


def _with_error(value: float, error: float | None) -> str:
    return f"{value:.3f}" if error is None else f"{value:.3f} ± {error:.3f}"
