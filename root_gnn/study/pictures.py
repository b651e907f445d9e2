"""What the page of a study draws: numbers of finished runs in the form that `root_gnn.plots` takes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from root_gnn import plots
from root_gnn.analysis.comparison import Comparison
from root_gnn.analysis.learning import Learning
from root_gnn.analysis.predictions import Predictions, read_predictions
from root_gnn.metrics.bootstrap import PairedDifference, SeedMean
from root_gnn.metrics.calibration import Calibration
from root_gnn.metrics.power_law import PowerLaw
from root_gnn.metrics.rejection import rejections
from root_gnn.metrics.seeds import OverSeeds
from root_gnn.plots import Band, Interval
from root_gnn.runs.run import Run
from root_gnn.study.scaling import SizePowerLaw

Members = Mapping[str, Sequence[Run]]
EFFICIENCIES = tuple(np.linspace(0.05, 1.0, 39))
N_REPLICA = 50


def interval_of(found: SeedMean | PairedDifference | None) -> Interval | None:
    """As a dot with a bar."""
    return None if found is None else Interval(found.mean, found.low, found.high)


def against_size(
    sizes: Mapping[int, Comparison],
    path: Path,
    *,
    signal_efficiency: str | None = None,
    floors: Mapping[int, Comparison] | None = None,
) -> None:
    """Test AUC, or background rejection at a signal efficiency, of each group against training size, above the gain over scratch.

    The groups of `floors`, by size, are drawn beside them.
    """
    curves: dict[str, dict[int, Interval]] = {}
    gains: dict[str, dict[int, Interval]] = {}
    for size, one in sizes.items():
        for difference in one.differences:
            found = interval_of(
                difference.auc if signal_efficiency is None else difference.rejection[signal_efficiency]
            )
            if found is not None:
                gains.setdefault(difference.group, {})[size] = found
    for size, group in (
        (size, group) for each in (sizes, floors or {}) for size, one in each.items() for group in one.groups
    ):
        found = interval_of(group.auc if signal_efficiency is None else group.rejection[signal_efficiency])
        if found is not None:
            curves.setdefault(group.name, {})[size] = found
    percent = "" if signal_efficiency is None else f"{100 * float(signal_efficiency):.0f} % signal efficiency"
    quantity = "Test AUC" if signal_efficiency is None else f"Background rejection\nat {percent}"
    if curves:
        plots.training_size(curves, path, quantity=quantity, gains=gains or None, log=signal_efficiency is not None)


def draw_learning(curves: Mapping[str, Sequence[Learning]], path: Path) -> None:
    """Validation AUC by epoch, step and second."""
    labels = next(iter(curves.values()))[0].curves
    plots.learning(
        {label: {name: [one.curves[label] for one in seeds] for name, seeds in curves.items()} for label in labels},
        path,
    )


def draw_roc(members: Members, path: Path) -> None:
    """Background rejection of each group with the band of events and seeds, and its ratio to scratch."""
    bands = {name: _roc_band([read_predictions(run) for run in runs]) for name, runs in members.items()}
    plots.roc_bands(bands, path, reference="scratch" if "scratch" in bands and len(bands) > 1 else None)


def _roc_band(seeds: Sequence[Predictions]) -> Band:
    """Geometric mean over seeds; the error of events from the first seed and the spread of seeds are added in quadrature."""
    first = rejections(
        seeds[0].scores, seeds[0].label, seeds[0].weight, signal_efficiencies=EFFICIENCIES, n_replica=N_REPLICA
    )
    of_events = np.array([math.nan if one is None or one.error is None else one.error / one.value for one in first])
    each = [
        rejections(one.scores, one.label, one.weight, signal_efficiencies=EFFICIENCIES, n_replica=0) for one in seeds
    ]
    logs = np.array([[math.nan if one is None else math.log(one.value) for one in found] for found in each])
    of_seeds = np.std(logs, axis=0, ddof=1) / math.sqrt(len(logs)) if len(logs) > 1 else np.zeros(len(EFFICIENCIES))
    value, ratio = np.exp(logs.mean(axis=0)), np.exp(np.hypot(of_events, of_seeds))
    return Band(np.array(EFFICIENCIES), value, value / ratio, value * ratio)


def calibrations(found: Mapping[str, Calibration | None], path: Path, *, label: str) -> None:
    """The calibration curve of each group, bins without events left out."""
    curves = {}
    for name, one in found.items():
        if one is not None:
            kept = np.isfinite(one.observed) & (one.n_event > 1)
            x, y, error = one.predicted[kept], one.observed[kept], one.error[kept]
            curves[name] = Band(x, y, y - error, y + error)
    plots.calibration(curves, path, label=label)


def similarity_along(
    found: Mapping[int, Mapping[str, tuple[float | None, float | None]]], path: Path, *, axis: str
) -> None:
    """CKA with scratch against training size or epoch, whichever the numbers and `axis` are, of each group and of the floor."""
    curves: dict[str, dict[int, Interval]] = {}
    for size, groups in found.items():
        for name, (value, error) in groups.items():
            if value is not None:
                curves.setdefault(name, {})[size] = Interval(value, value - (error or 0.0), value + (error or 0.0))
    plots.training_size(curves, path, quantity="CKA with scratch, last layer", axis=axis)


def laws(found: Mapping[str, SizePowerLaw], path: Path) -> None:
    """1 - AUC against the size of pretraining with the fitted power laws."""
    plots.scaling(
        {
            name: (one.points, None if one.law is None else _law(one.law, list(one.points)))
            for name, one in found.items()
        },
        path,
    )


def _law(law: PowerLaw, sizes: Sequence[int]) -> Band:
    x = np.geomspace(min(sizes), max(sizes), 40)
    at = [law.at(size) for size in x]
    value, error = np.array([one.value for one in at]), np.array([one.error for one in at], dtype=np.float64)
    return Band(x, value, np.maximum(value - error, 1e-6), value + error)


def totals(pretraining: Mapping[str, float], groups: Mapping[str, tuple[str | None, OverSeeds]], path: Path) -> None:
    """Hours in all against the number of trainings: by group, what it starts from and the seconds of a training."""
    n = np.geomspace(1.0, 1000.0, 60)
    bands = {}
    for name, (source, each) in groups.items():
        start, error = pretraining[source] if source else 0.0, each.error or 0.0
        value, low, high = ((start + n * max(each.mean + shift, 0.0)) / 3600.0 for shift in (0.0, -error, error))
        bands[name] = Band(n, value, low, high)
    plots.cost(bands, path)


def plain(value: Any) -> Any:
    """Arrays and dataclasses as JSON values, what is not finite as null."""
    if hasattr(value, "_asdict"):
        value = value._asdict()
    if hasattr(value, "__dataclass_fields__"):
        value = {name: getattr(value, name) for name in value.__dataclass_fields__}
    if isinstance(value, Mapping):
        return {" and ".join(key) if isinstance(key, tuple) else str(key): plain(one) for key, one in value.items()}
    if isinstance(value, np.ndarray | list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
