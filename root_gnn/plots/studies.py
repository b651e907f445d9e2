"""Pictures of many runs next to each other.

Against training size, along the training, ROC with bands, calibration, cost, feature importance, the power law of
pretraining size, correlations of features.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullFormatter
from numpy.typing import ArrayLike

from root_gnn.plots import canvas
from root_gnn.plots.canvas import COLOURS, LINES, MARKERS, Interval
from root_gnn.typing import Floats

N_POINT = 80
Curve = tuple[Floats, Floats]


class Band(NamedTuple):
    """A line over `x (n,)` with its 68 % band or spread, `value`, `low`, `high (n,)`."""

    x: Floats
    value: Floats
    low: Floats
    high: Floats


def training_size(
    curves: Mapping[str, Mapping[int, Interval]],
    path: Path,
    *,
    quantity: str = "Test AUC",
    gains: Mapping[str, Mapping[int, Interval]] | None = None,
    gain: str = "Gain over scratch",
    log: bool = False,
    axis: str = "Training events",
) -> None:
    """Draws a quantity with 68 % intervals against the number of training events, a line for each mode.

    Sizes are on a logarithmic axis.

    `axis` names what is counted where it is something else, epochs say; `gains` are drawn in a panel below, about zero,
    in the colours of the same names; `log` draws the quantity on a logarithmic axis.

    Args:
        curves: by mode and number of training events, the quantity with its interval.
        path: the file to write.
        quantity: label of the vertical axis.
        gains: the same of the gains, which are drawn in a panel below.
        gain: label of the vertical axis of the gains.
        log: whether the quantity is drawn on a logarithmic axis.
        axis: label of the horizontal axis.
    """
    figure = canvas.new_figure(5.6, 4.2 if gains is None else 5.4)
    rows = figure.subplots(
        1 if gains is None else 2, 1, sharex=True, squeeze=False, height_ratios=(1,) if gains is None else (2.2, 1)
    )
    top = rows[0, 0]
    canvas.dress(top)
    _points(top, curves, names=list(curves))
    top.set(ylabel=quantity, yscale="log" if log else "linear")
    if log:
        top.yaxis.set_major_formatter(FuncFormatter(_plain))
        top.yaxis.set_minor_formatter(
            FuncFormatter(_plain) if np.ptp(np.log10(top.get_ylim())) < 1.0 else NullFormatter()
        )
    _legend_above(figure, top)
    if gains is not None:
        below = rows[1, 0]
        canvas.dress(below)
        below.axhline(0.0, color="black", linewidth=0.8)
        _points(below, gains, names=list(curves))
        below.set_ylabel(gain)
        figure.align_ylabels()
    sizes = sorted({size for points in curves.values() for size in points})
    _sizes(rows[-1, 0], sizes, axis)
    canvas.save_figure(figure, path)


def _points(
    axes: Axes, curves: Mapping[str, Mapping[int, Interval]], *, names: Sequence[str], line: bool = True
) -> None:
    for name, points in curves.items():
        k = names.index(name)
        sizes = sorted(points)
        value, low, high = np.array([points[size] for size in sizes], dtype=np.float64).reshape(-1, 3).T
        shift = 1.0 + 0.03 * (k - (len(names) - 1) / 2.0)  # so that error bars of modes don't lie on each other
        axes.errorbar(
            np.array(sizes) * shift,
            value,
            yerr=canvas.bars(value, low, high),
            label=name,
            color=COLOURS[k % 10],
            linestyle=LINES[k % 7] if line else "none",
            marker=MARKERS[k % 11],
            markersize=5,
            capsize=2.5,
        )


def _plain(value: float, position: int | None) -> str:
    """The number of a tick without an exponent, as matplotlib's FuncFormatter calls it."""
    del position  # of the tick, which does not matter
    return f"{value:g}"


def _sizes(axes: Axes, sizes: Sequence[int], label: str) -> None:
    axes.set(xscale="log", xlabel=label)
    axes.set_xticks([], minor=True)
    axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
    axes.set_xlim(sizes[0] / 1.35, sizes[-1] * 1.35)


def comparison(groups: Mapping[str, Mapping[str, Interval]], path: Path, *, quantity: str = "Test AUC") -> None:
    """Draws a quantity with its 68 % interval and number, one line for every group and mode.

    A group may be a task, say; it is "" where there is only one.
    """
    rows = [(group, mode, one) for group, modes in groups.items() for mode, one in modes.items()]
    modes = list(dict.fromkeys(mode for _, mode, _ in rows))
    figure, axes = canvas.sheet(7.0, 1.1 + 0.34 * (len(rows) + len(groups)))
    place, ticks = 0.0, []
    for k, (group, mode, one) in enumerate(rows):
        if k and group != rows[k - 1][0]:
            place += 0.6
            axes.axhline(place - 0.8 + 0.5, color="0.8", linewidth=0.8)
        kind = modes.index(mode)
        axes.errorbar(
            [one.value],
            [place],
            xerr=canvas.bars(*np.array(one)[:, None]),
            color=COLOURS[kind % 10],
            marker=MARKERS[kind % 11],
            markersize=6,
            capsize=3,
            linestyle="none",
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
    canvas.save_figure(figure, path)


def learning(
    curves: Mapping[str, Mapping[str, Sequence[Curve]]], path: Path, *, quantity: str = "Validation AUC"
) -> None:
    """A quantity along the training: a panel for each way to count (epochs, seconds), a line for each mode.

    `curves[axis][mode]` holds `(x (n,), y (n,))` of each seed. A line is the mean over seeds as far as all of them go,
    its band goes from the lowest seed to the highest.
    """
    figure = canvas.new_figure(3.5 * len(curves) + 0.6, 3.6)
    rows = figure.subplots(1, len(curves), sharey=True, squeeze=False)
    for place, (label, modes) in enumerate(curves.items()):
        axes = rows[0, place]
        canvas.dress(axes)
        for k, (name, seeds) in enumerate(modes.items()):
            _band(axes, _over_seeds(seeds), k, name, marker=True)
        axes.set_xlabel(label)
        if label.startswith("Epoch"):
            axes.xaxis.set_major_locator(MaxNLocator(6, integer=True, min_n_ticks=1))
    rows[0, 0].set_ylabel(quantity)
    _legend_above(figure, rows[0, 0])
    canvas.save_figure(figure, path)


def _legend_above(figure: Figure, axes: Axes) -> None:
    """One legend for the figure over its panels, where it hides no point."""
    handles, labels = axes.get_legend_handles_labels()
    columns = max(1, min(int(figure.get_figwidth() / 1.8), len(labels)))
    figure.legend(handles, labels, loc="outside upper left", ncols=columns, frameon=False, fontsize="small")


def _over_seeds(seeds: Sequence[Curve]) -> Band:
    start, stop = max(x[0] for x, _ in seeds), min(x[-1] for x, _ in seeds)
    own = seeds[0][0]
    x = (
        own[(own >= start) & (own <= stop)]
        if all(len(one) == len(own) for one, _ in seeds)
        else np.linspace(start, stop, N_POINT)
    )
    values = np.stack([np.interp(x, *one) for one in seeds])
    return Band(x, values.mean(axis=0), values.min(axis=0), values.max(axis=0))


def _band(axes: Axes, band: Band, k: int, label: str, *, marker: bool = False) -> None:
    """Draws a line with its band.

    Args:
        axes: to draw on.
        band: the line and its band.
        k: position of the line in the legend, which decides its colour.
        label: in the legend; "" for none.
        marker: whether points are marked.
    """
    style: dict[str, Any] = (
        {"marker": MARKERS[k % 11], "markersize": 3.5, "markevery": max(len(band.x) // 12, 1)} if marker else {}
    )
    axes.plot(band.x, band.value, label=label, color=COLOURS[k % 10], linestyle=LINES[k % 7], **style)
    axes.fill_between(band.x, band.low, band.high, color=COLOURS[k % 10], alpha=0.22, linewidth=0)


def roc_bands(bands: Mapping[str, Band], path: Path, *, reference: str | None = None) -> None:
    """Draws background rejection against signal efficiency with bands, and below the ratio to `reference`."""
    figure = canvas.new_figure(5.6, 5.4 if reference else 4.2)
    rows = figure.subplots(
        2 if reference else 1, 1, sharex=True, squeeze=False, height_ratios=(2.2, 1) if reference else (1,)
    )
    top = rows[0, 0]
    canvas.dress(top)
    for k, (name, band) in enumerate(bands.items()):
        _band(top, band, k, name)
    x = np.linspace(0.02, 1.0, N_POINT)
    top.plot(x, 1.0 / x, color="black", linewidth=0.8, linestyle=":", label="guessing")
    top.set(yscale="log", ylabel="Background rejection")
    top.set_ylim(bottom=1.0)
    top.legend(frameon=False, fontsize="small")
    if reference:
        below = rows[1, 0]
        canvas.dress(below)
        base = np.interp(next(iter(bands.values())).x, bands[reference].x, bands[reference].value)
        for k, (_, band) in enumerate(bands.items()):
            _band(below, Band(band.x, band.value / base, band.low / base, band.high / base), k, "")
        ratios = np.concatenate([(band.value / base)[band.x > 0.1] for band in bands.values()])
        top_ratio = np.nanmax(ratios) if np.isfinite(ratios).any() else 1.0
        below.set(
            ylabel=f"Ratio to {reference}", ylim=(0.0, 1.25 * max(top_ratio, 1.2))
        )  # wide bands of few events may be cut
        figure.align_ylabels()
    rows[-1, 0].set(xlabel="Signal efficiency", xlim=(0.0, 1.0))
    canvas.save_figure(figure, path)


def calibration(curves: Mapping[str, Band], path: Path, *, label: str = "signal") -> None:
    """Draws the share of events of a class against its mean predicted probability, with errors.

    The diagonal is that of perfect probabilities.
    """
    figure, axes = canvas.sheet(4.8, 4.4)
    axes.plot([0.0, 1.0], [0.0, 1.0], color="black", linewidth=0.8, linestyle=":", label="perfect")
    for k, (name, band) in enumerate(curves.items()):
        axes.errorbar(
            band.x,
            band.value,
            yerr=canvas.bars(band.value, band.low, band.high),
            label=name,
            color=COLOURS[k % 10],
            linestyle=LINES[k % 7],
            marker=MARKERS[k % 11],
            markersize=4,
            capsize=2,
        )
    axes.set(xlabel=f"Predicted probability of {label}", ylabel=f"Share of {label}", xlim=(0.0, 1.0), ylim=(0.0, 1.0))
    axes.legend(frameon=False, fontsize="small")
    canvas.save_figure(figure, path)


def cost(bands: Mapping[str, Band], path: Path) -> None:
    """Draws the hours in all against the number of trainings, a line with its band for each mode.

    The pretraining is included from the first training on.
    """
    figure, axes = canvas.sheet()
    for k, (name, band) in enumerate(bands.items()):
        _band(axes, band, k, name)
    axes.set(xscale="log", yscale="log", xlabel="Number of trainings on a task", ylabel="Time in all [h]")
    _legend_above(figure, axes)
    canvas.save_figure(figure, path)


def importance(values: Mapping[str, Mapping[str, Interval]], path: Path, *, quantity: str) -> None:
    """Draws what each input is worth, with 68 % intervals: a row for each input, a bar for each mode."""
    names = list(dict.fromkeys(name for rows in values.values() for name in rows))
    figure, axes = canvas.sheet(6.4, 1.2 + 0.28 * len(names) * max(1.0, 0.55 * len(values)))
    width = 0.8 / max(len(values), 1)
    for k, (mode, rows) in enumerate(values.items()):
        place = np.array([names.index(name) for name in rows]) + width * (k - (len(values) - 1) / 2.0)
        value, low, high = np.array(list(rows.values()), dtype=np.float64).reshape(-1, 3).T
        axes.barh(
            place,
            value,
            width,
            xerr=canvas.bars(value, low, high),
            label=mode,
            color=COLOURS[k % 10],
            alpha=0.85,
            hatch=("", "///", "...", "xxx")[k % 4],
            error_kw={"elinewidth": 1, "capsize": 2},
        )
    axes.axvline(0.0, color="black", linewidth=0.8)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlabel(quantity)
    axes.legend(frameon=False, fontsize="small")
    canvas.save_figure(figure, path)


def embeddings(
    panels: Mapping[str, ArrayLike],
    labels: ArrayLike,
    classes: Sequence[str],
    path: Path,
    *,
    axis_names: tuple[str, str],
) -> None:
    """Draws the representations of the same events by several networks, `(n_event, 2)` each.

    Colours and markers are by class; one legend serves all panels.

    Args:
        panels: by network, the points of the events, `(n_event, 2)`.
        labels: the true class of each event, `(n_event,)`.
        classes: their names.
        path: the file to write.
        axis_names: of the two components.
    """
    truth = np.asarray(labels)
    n_column = min(len(panels), 3)
    n_row = -(-len(panels) // n_column)
    figure = canvas.new_figure(3.0 * n_column, 2.9 * n_row + 0.4)
    size = float(np.clip(1e4 / max(len(truth), 1), 2.0, 14.0))
    for place, (name, points) in enumerate(panels.items()):
        axes = canvas.panel(figure, (n_row, n_column, place + 1))
        at = np.asarray(points, dtype=np.float64)
        for k, label in enumerate(classes):
            chosen = truth == k
            axes.scatter(
                at[chosen, 0],
                at[chosen, 1],
                s=size,
                marker=MARKERS[k % 11],
                color=COLOURS[k % 10],
                alpha=0.6,
                linewidths=0,
                label=label if place == 0 else None,
                rasterized=True,
            )
        axes.set_title(name, fontsize="small")
        axes.set(xticks=[], yticks=[], xlabel=axis_names[0], ylabel=axis_names[1])
    figure.legend(
        loc="outside upper left", ncols=min(len(classes), 6), frameon=False, fontsize="small", markerscale=2.0
    )
    canvas.save_figure(figure, path)


def scaling(
    curves: Mapping[str, tuple[Mapping[int, Interval], Band | None]], path: Path, *, quantity: str = "1 - test AUC"
) -> None:
    """Draws a quantity against the size of pretraining: points with 68 % intervals, and the power law.

    Both axes are logarithmic; smaller values are better.
    """
    figure, axes = canvas.sheet()
    _points(axes, {name: points for name, (points, _) in curves.items()}, names=list(curves), line=False)
    for k, (_, law) in enumerate(curves.values()):
        if law is not None:
            _band(axes, law, k, "")
    axes.set(yscale="log", ylabel=quantity)
    axes.yaxis.set_major_formatter(FuncFormatter(_plain))
    axes.yaxis.set_minor_formatter(
        FuncFormatter(_plain) if np.ptp(np.log10(axes.get_ylim())) < 1.0 else NullFormatter()
    )
    _sizes(axes, sorted({size for points, _ in curves.values() for size in points}), "Training events of pretraining")
    axes.legend(frameon=False, fontsize="small")
    canvas.save_figure(figure, path)


def correlations(panels: Mapping[str, Floats], path: Path) -> None:
    """Draws the correlations of the features of several representations, `(n_feature, n_feature)` each.

    All panels share one colour scale.
    """
    n_column = min(len(panels), 3)
    n_row = -(-len(panels) // n_column)
    figure = canvas.new_figure(2.6 * n_column + 0.8, 2.7 * n_row)
    every, image = [], None
    for place, (name, matrix) in enumerate(panels.items()):
        axes = figure.add_subplot(n_row, n_column, place + 1)
        image = axes.imshow(matrix, cmap="RdBu_r", vmin=-1.0, vmax=1.0, interpolation="nearest", rasterized=True)
        axes.set_title(name, fontsize="small")
        axes.set(xticks=[], yticks=[], xlabel=f"{len(matrix)} features")
        every.append(axes)
    if image is not None:
        figure.colorbar(image, ax=every, label="Pearson correlation", shrink=0.8)
    canvas.save_figure(figure, path)
