"""Finds momenta in different units (GeV and MeV differ by a factor 1000) from the medians of pt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

FACTOR = 300.0  # between medians of pt; no physics causes that within one collection
N_LEAST = 20  # a median of fewer values is ignored
LARGEST = 3000.0  # GeV; no collider produces objects with a larger median
LEAST_RATIO = 0.9  # energy over momentum; below 1 there is no real mass, rounding aside
KEEP = "if the momenta are right, say `on_mixed_units: keep` in the spec."

Figures = Mapping[str, Mapping[str, Any]]


def between_files(paths: Sequence[Path], columns: Sequence[Figures]) -> list[str]:
    """Returns a sentence for each collection whose median pt is in another unit in some file than in most files."""
    sentences = []
    for name in dict.fromkeys(name for each in columns for name in each if name.endswith(".pt")):
        known = [
            (path, _median(each, name)) for path, each in zip(paths, columns, strict=True) if _median(each, name) > 0
        ]
        if len(known) < 2:
            continue
        medians = np.array([median for _, median in known])
        usual = int(np.argsort(medians, kind="stable")[(len(known) - 1) // 2])
        far = np.abs(np.log(medians / medians[usual]))
        worst = int(far.argmax())
        if far[worst] < np.log(FACTOR):
            continue
        n_far = int((far >= np.log(FACTOR)).sum())
        others = f" ({n_far} of {len(known)} files differ so)" if len(known) > 2 else ""
        sentences.append(
            f"{known[worst][0]}: the median pt of {name[:-3]} is {figure(medians[worst])} GeV, but "
            f"{figure(medians[usual])} GeV in {known[usual][0]}{others}. If they are in different units, "
            f"write the momenta of one file in the unit of the other; {KEEP}"
        )
    return sentences


def inside_file(path: Path, columns: Figures) -> list[str]:
    """Returns a sentence for each collection whose unit changes within a file, which was merged from several."""
    return [
        f"{path}: the median pt of {name[:-3]} is {figure(column['median_min'])} GeV in one part of the file and "
        f"{figure(column['median_max'])} GeV in another. If files in different units were "
        f"merged, prepare them one by one, each with its unit; {KEEP}"
        for name, column in columns.items()
        if name.endswith(".pt")
        and _median(columns, name) > 0
        and 0 < column["median_min"] < column["median_max"] / FACTOR
    ]


def unit_remarks(columns: Figures, *, alike: bool) -> list[str]:
    """Returns remarks on one file: impossibly large pt, and collections whose units seem to differ.

    Collections are compared only if `alike`: constituents and jets, say, differ by a large factor anyway.
    """
    medians = {name[:-3]: _median(columns, name) for name in columns if name.endswith(".pt")}
    medians = {name: median for name, median in medians.items() if median > 0}
    sentences = [
        f"median pt of {name} is {figure(median)} GeV: is the unit MeV?"
        for name, median in medians.items()
        if median > LARGEST
    ]
    if alike and len(medians) > 1 and not sentences:
        low, high = min(medians, key=lambda name: medians[name]), max(medians, key=lambda name: medians[name])
        if medians[high] > FACTOR * medians[low]:
            sentences.append(
                f"median pt of {high} is {figure(medians[high])} GeV, that of {low} {figure(medians[low])} GeV: "
                "is the unit of one wrong?"
            )
    return sentences


def energy_remarks(ratios: Figures) -> list[str]:
    """Returns a remark on each collection whose energies are in another unit than its momenta.

    `ratios` are the statistics of energy over momentum by collection.
    """
    return [
        f"the median energy of {name} is {figure(median)} times the momentum: is the unit of energy wrong?"
        for name in ratios
        for median in [_median(ratios, name)]
        if median > FACTOR or 0 < median < LEAST_RATIO
    ]


def figure(value: float) -> str:
    """Formats a number: four digits, or a whole number with separators if it is large."""
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e9 else f"{value:.4g}"


def _median(columns: Figures, name: str) -> float:
    """Returns the median of a column; 0 if there are too few values."""
    column = columns.get(name, {})
    return float(column.get("median") or 0.0) if column.get("n", 0) >= N_LEAST else 0.0
