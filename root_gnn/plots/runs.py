"""Pictures of one run: ROC, scores, confusion, learning curves, CKA, embeddings, and distributions of inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from root_gnn.metrics.auc import auc
from root_gnn.metrics.confusion import confusion_matrix
from root_gnn.metrics.rejection import rejections
from root_gnn.plots import canvas
from root_gnn.plots.canvas import COLOURS, LINES, MARKERS
from root_gnn.similarity.cka import LayerMatrix
from root_gnn.typing import Floats

N_BIN = 30
N_CURVE_POINT = 120


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

    A curve has a gap where no background, or less than its own error, is left.
    """
    figure, axes = canvas.sheet()
    efficiency = np.linspace(0.01, 1.0, N_CURVE_POINT)
    for k, (name, (scores, labels, weights)) in enumerate(curves.items()):
        found = rejections(scores, labels, weights, signal_efficiencies=tuple(efficiency), n_replica=100)
        rows = [
            (one.value, one.low, one.high) if one is not None and one.high is not None else (np.nan,) * 3
            for one in found
        ]
        value, low, high = np.array(rows, dtype=np.float64).T  # a gap stays a gap: no line is drawn over it
        area = auc(scores, labels, weights)
        label = name if area is None else f"{name}, AUC {canvas.with_error(area.value, area.error)}"
        axes.plot(efficiency, value, label=label, color=COLOURS[k % 10], linestyle=LINES[k % 7])
        axes.fill_between(efficiency, low, high, color=COLOURS[k % 10], alpha=0.25, linewidth=0)
    axes.plot(efficiency, 1.0 / efficiency, color="black", linewidth=0.8, linestyle=":", label="guessing")
    axes.set(
        yscale="log",
        xlim=(0.0, 1.0),
        xlabel="Signal efficiency",
        ylabel="Background rejection (1 / background efficiency)",
    )
    axes.set_ylim(bottom=1.0)
    axes.legend(frameon=False)
    canvas.save_figure(figure, path)


def scores(
    probabilities: ArrayLike, labels: ArrayLike, weights: ArrayLike | None, classes: Sequence[str], path: Path
) -> None:
    """Draws the distribution of the scores for each true class, normalised to one.

    Errors are those of the weighted events.

    `probabilities (n_event, n_class)`; for two classes the score of the second, else one panel for the score of each
    class: its own events, hatched, and those of all other classes together. Negative weights count with their sign, so
    a bin may lie below zero; what has weights that sum to zero or less is left out.

    Args:
        probabilities: `(n_event, n_class)`.
        labels: the true class of each event, `(n_event,)`.
        weights: signed, `(n_event,)`; 1 where not given.
        classes: their names.
        path: the file to write.
    """
    values, truth = np.asarray(probabilities, dtype=np.float64), np.asarray(labels)
    weight = np.ones(len(truth)) if weights is None else np.asarray(weights, dtype=np.float64)
    shown = [1] if len(classes) == 2 else list(range(len(classes)))
    n_column = min(len(shown), 3)
    n_row = -(-len(shown) // n_column)
    figure = canvas.new_figure(5.6 if n_column == 1 else 3.6 * n_column, 4.2 if n_column == 1 else 2.9 * n_row)
    for panel, column in enumerate(shown):
        axes = canvas.panel(figure, (n_row, n_column, panel + 1))
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
    canvas.save_figure(figure, path)


def confusion(
    probabilities: ArrayLike, labels: ArrayLike, weights: ArrayLike | None, classes: Sequence[str], path: Path
) -> None:
    """Draws the share of each true class that is predicted as each class, in per cent.

    `probabilities` are `(n_event, n_class)`.

    Args:
        probabilities: `(n_event, n_class)`.
        labels: the true class of each event, `(n_event,)`.
        weights: signed, `(n_event,)`; 1 where not given.
        classes: their names.
        path: the file to write.
    """
    matrix = 100.0 * confusion_matrix(probabilities, labels, weights)
    n_class = len(classes)
    figure, axes = canvas.sheet(2.6 + 0.55 * n_class, 2.0 + 0.5 * n_class)
    canvas.heat_map(axes, matrix, [[f"{cell:.0f}" for cell in row] for row in matrix], (0.0, 100.0))
    axes.set_xticks(range(n_class), classes, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(n_class), classes)
    axes.set(xlabel="Predicted class", ylabel="True class", title="Share of the true class in %")
    axes.title.set_fontsize("medium")
    canvas.save_figure(figure, path)


def learning_curves(history: Mapping[str, ArrayLike], path: Path) -> None:
    """Draws losses, and AUC or other validation figures, against the epoch, which counts from 1.

    Rows are (epoch, step, value) by tag.

    Training figures are means over the rows of an epoch. Tags that are missing are left out.
    """
    tags = {tag: np.asarray(rows, dtype=np.float64).reshape(-1, 3) for tag, rows in history.items()}
    panels: list[tuple[str, list[str]]] = [("Loss", [tag for tag in ("train/loss", "val/loss") if tag in tags])]
    quality: list[str] = [tag for tag in ("val/auc", "val/accuracy", "probe/auc") if tag in tags]
    if quality:
        panels.append(("Quality on validation", quality))
    figure = canvas.new_figure(5.6 if len(panels) == 1 else 8.4, 3.6)
    for panel, (title, names) in enumerate(panels):
        axes = canvas.panel(figure, (1, len(panels), panel + 1))
        for k, tag in enumerate(names):
            epochs = np.unique(tags[tag][:, 0])
            means = [tags[tag][tags[tag][:, 0] == epoch, 2].mean() for epoch in epochs]
            axes.plot(
                epochs + 1, means, label=tag, color=COLOURS[k], linestyle=LINES[k], marker=MARKERS[k], markersize=4
            )
        axes.set(xlabel="Epoch", ylabel=title)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        if names:
            axes.legend(frameon=False)
    canvas.save_figure(figure, path)


def similarity(pairs: Sequence[tuple[str, str, LayerMatrix]], path: Path) -> None:
    """CKA layer by layer as heat maps with errors in the cells, a panel for each (first run, second run, matrix).

    The null level under a panel is the largest of its cells: what 95 % of random pairings of events stay below. A layer
    that is constant has a grey row or column.
    """
    cells = max(max(len(matrix.layers_a), len(matrix.layers_b)) for _, _, matrix in pairs)
    side = 1.6 + 0.66 * cells
    n_column = min(len(pairs), 3)
    n_row = -(-len(pairs) // n_column)
    figure = canvas.new_figure(max(4.4, side * n_column), max(3.8, side * n_row))
    for panel, (first, second, matrix) in enumerate(pairs):
        axes = canvas.panel(figure, (n_row, n_column, panel + 1))
        value, error, null = (np.array(table, dtype=np.float64) for table in matrix[2:])
        texts = [[f"{v:.3f}\n±{e:.3f}" for v, e in zip(*rows, strict=True)] for rows in zip(value, error, strict=True)]
        canvas.heat_map(axes, value, texts, (0.0, 1.0))
        axes.set_xticks(range(len(matrix.layers_b)), matrix.layers_b, rotation=45, ha="right", rotation_mode="anchor")
        axes.set_yticks(range(len(matrix.layers_a)), matrix.layers_a)
        level = f"null level {np.nanmax(null):.2g} (95 %)" if np.any(np.isfinite(null)) else "no null level"
        axes.set(ylabel=first, xlabel=f"{second}\n\nCKA, {level}")
    canvas.save_figure(figure, path)


def embedding(
    points: ArrayLike,
    labels: ArrayLike,
    classes: Sequence[str],
    path: Path,
    *,
    axis_names: tuple[str, str] = ("PC 1", "PC 2"),
) -> None:
    """Draws events as `points (n_event, 2)`, coloured and marked by class.

    A large symbol, that of the legend, is the median of each class.

    Classes take turns in drawing, so that none hides the others.

    Args:
        points: `(n_event, 2)`.
        labels: the true class of each event, `(n_event,)`.
        classes: their names.
        path: the file to write.
        axis_names: of the two components.
    """
    places, truth = np.asarray(points, dtype=np.float64), np.asarray(labels)
    figure, axes = canvas.sheet(6.0, 5.0)
    size = float(np.clip(2e4 / max(len(truth), 1), 3.0, 25.0))
    n_turn = 20
    looks: list[dict[str, Any]] = [{"marker": MARKERS[k % 11], "color": COLOURS[k % 10]} for k in range(len(classes))]
    for turn in range(n_turn):
        part = np.arange(turn, len(truth), n_turn)  # by stride: tables often hold one class after the other
        for k, look in enumerate(looks):
            chosen = part[truth[part] == k]
            axes.scatter(places[chosen, 0], places[chosen, 1], s=size, alpha=0.6, linewidths=0, zorder=2 + turn, **look)
    for k, (name, look) in enumerate(zip(classes, looks, strict=True)):
        middle = np.median(places[truth == k], axis=0) if np.any(truth == k) else np.full(2, np.nan)
        axes.scatter(
            middle[0], middle[1], s=90.0, edgecolors="black", linewidths=1.0, zorder=3 + n_turn, label=name, **look
        )
    axes.set(xlabel=axis_names[0], ylabel=axis_names[1])
    axes.legend(frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    canvas.save_figure(figure, path)


def distributions(panels: Sequence[Distribution], path: Path) -> None:
    """Draws histograms, a panel for each quantity and a line for each name in it.

    There is one legend where there are several names.
    """
    names = list(dict.fromkeys(name for panel in panels for name in panel.shares))
    n_column = 4  # also where there are fewer, so that all pictures of a page have one scale
    n_row = -(-len(panels) // n_column)
    figure = canvas.new_figure(2.75 * n_column, 2.35 * n_row + (0.35 if len(names) > 1 else 0.0))
    for place, panel in enumerate(panels):
        axes = canvas.panel(figure, (n_row, n_column, place + 1))
        for k, name in enumerate(names):
            if name in panel.shares:
                axes.stairs(
                    panel.shares[name],
                    panel.edges,
                    color=COLOURS[k % 10],
                    linestyle=LINES[k % 7],
                    linewidth=1.3,
                    label=name,
                )
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
        figure.legend(
            handles=lines,
            loc="outside upper left",
            ncols=min(len(names), 6),
            frameon=False,
            fontsize="small",
            handlelength=3.5,
        )
    canvas.save_figure(figure, path)


def _round_numbers(low: float, high: float) -> list[float]:
    """Numbers such as 20, 50, 100 between two positive ones; powers of ten alone where they are far apart."""
    digits = (1.0, 2.0, 5.0) if high < 300.0 * low else (1.0,)
    return [digit * 10.0**power for power in range(-12, 13) for digit in digits if low <= digit * 10.0**power <= high]


def _edges(values: Floats) -> Floats:
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
    return np.linspace(low, high if high > low else low + 1.0, N_BIN + 1)


def _distribution(
    axes: Axes, values: Floats, weights: Floats, edges: Floats, name: str, look: tuple[int, bool]
) -> None:
    """Draws one histogram, normalised to one, with statistical errors.

    Args:
        axes: to draw on.
        values: of the events, `(n_event,)`.
        weights: signed, `(n_event,)`.
        edges: of the bins, `(n_bin + 1,)`.
        name: in the legend.
        look: position of its colour, and whether it is hatched.
    """
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
