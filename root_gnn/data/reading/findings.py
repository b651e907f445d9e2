"""Counts of what is unusual in a file, taken while it is read: missing numbers, sentinels, dropped graphs and more."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from root_gnn.data.reading.graphs import GraphArrays
from root_gnn.data.reading.summary import N_SAMPLE, Summary
from root_gnn.typing import Numbers

SENTINELS = (-99999.0, -9999.0, -3000.0, -999.9, -999.0, -99.0, 999.0, 999.9, 9999.0, 99999.0)
"""Numbers that usually mean "not measured"; they are searched at both ends of a column's range."""
ETA = 20.0  # beyond it a cosh is that of a sentinel
ROUNDING = 1e-6  # the relative precision to which float32 stores angles and sentinels


@dataclass
class Findings:
    """Counts over all pieces of one file, which depend on the file and the spec alone.

    Attributes:
        n_entry: entries read.
        n_graph: graphs kept.
        sum_of_weights: of all entries read, dropped ones included.
        dropped: graphs left out, by reason.
        filled: numbers replaced by the spec's `fill`, by branch.
        nan: NaN in the file, by branch.
        infinite: infinite numbers, or beyond float32, in the file, by branch.
        sentinels: by branch and value, how often a sentinel occurs at an end of the branch's range.
        unsorted: graphs whose objects are not sorted by falling pt, by collection.
        wrapped: phi outside [-pi, pi] that were wrapped into it, by collection.
        energy_over_momentum: statistics of energy / momentum by collection, where the file gives both.
        n_negative: graphs kept with a negative weight.
        n_zero: graphs kept with weight zero.
        max_node: nodes of the largest graph kept.
        columns: statistics by `<collection>.<feature>`, in GeV and radians, of the objects read, and by `truth.<name>`
            and `globals.<name>` of the graphs kept.
    """

    n_entry: int = 0
    n_graph: int = 0
    sum_of_weights: float = 0.0
    dropped: Counter[str] = field(default_factory=Counter)
    filled: Counter[str] = field(default_factory=Counter)
    nan: Counter[str] = field(default_factory=Counter)
    infinite: Counter[str] = field(default_factory=Counter)
    sentinels: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    unsorted: Counter[str] = field(default_factory=Counter)
    wrapped: Counter[str] = field(default_factory=Counter)
    energy_over_momentum: defaultdict[str, Summary] = field(default_factory=lambda: defaultdict(Summary))
    n_negative: int = 0
    n_zero: int = 0
    max_node: int = 0
    columns: defaultdict[str, Summary] = field(default_factory=lambda: defaultdict(Summary))

    def add_nonfinite(self, branch: str, numbers: Numbers, bad: NDArray[np.bool_]) -> None:
        """Counts the numbers that are not finite, which `bad (n,)` marks."""
        n_nan = int(np.count_nonzero(np.isnan(numbers)))
        self.nan[branch] += n_nan
        self.infinite[branch] += int(np.count_nonzero(bad)) - n_nan

    def add_sentinels(self, branch: str, numbers: Numbers) -> None:
        """Counts sentinels at both ends of a branch's range, in the unit of the file."""
        if not numbers.size or numbers.dtype.kind not in "fi":
            return
        for end in (min(float(numbers.min()), 0.0), max(float(numbers.max()), 0.0)):
            close = [value for value in SENTINELS if math.isclose(end, value, rel_tol=ROUNDING)]
            if close and (numbers.dtype.kind == "f" or end < 0):  # 999 may be a real count
                self.sentinels[branch][f"{close[0]:g}"] += int(np.count_nonzero(numbers == end))

    def add_wrapped(self, collection: str, phi: Numbers | None) -> None:
        """Counts angles in radians outside [-pi, pi], which reading wraps."""
        if phi is None or not phi.size or max(float(phi.max()), -float(phi.min())) <= math.pi + ROUNDING:
            return
        self.wrapped[collection] += int(np.count_nonzero(np.abs(phi) > math.pi + ROUNDING))

    def add_objects(self, collection: str, features: Iterable[tuple[str, Numbers]], count: Numbers | None) -> None:
        """Adds the features of a collection to the statistics, and counts graphs that are not sorted by pt.

        `count (n_graph,)` is the number of objects of each graph; None for one each.
        """
        for name, values in features:
            self.columns[f"{collection}.{name}"].add(values)
            if name == "pt" and count is not None:
                self.unsorted[collection] += n_unsorted(values, count)

    def add_energy(self, collection: str, pt: Numbers, eta: Numbers, energy: Numbers) -> None:
        """Adds energies over momenta of evenly spaced objects, to see whether both have one unit; each `(n,)`."""
        step = -(-pt.size // N_SAMPLE) or 1
        momentum = pt[::step].astype(np.float64) * np.cosh(np.clip(eta[::step].astype(np.float64), -ETA, ETA))
        real = (momentum > 0) & (energy[::step] > 0)
        self.energy_over_momentum[collection].add(energy[::step][real] / momentum[real])

    def add_graphs(self, graphs: GraphArrays, names: Iterable[str]) -> None:
        """Adds the graphs kept of a piece: weights, sizes, truth, and the globals, whose columns are called `names`."""
        if graphs.weight is not None:
            self.n_negative += int(np.count_nonzero(graphs.weight < 0))
            self.n_zero += int(np.count_nonzero(graphs.weight == 0))
        self.max_node = max(self.max_node, int(graphs.n_node.max(initial=0)))
        for name, values in graphs.truth.items():
            self.columns[f"truth.{name}"].add(values)
        if graphs.globals is not None:
            for index, name in enumerate(names):
                self.columns[f"globals.{name}"].add(graphs.globals[:, index])

    def as_mapping(self) -> dict[str, Any]:
        """Plain values without NaN and infinity, for the manifest of a shard."""
        plain = {
            name: getattr(self, name)
            for name in ("n_entry", "n_graph", "sum_of_weights", "n_negative", "n_zero", "max_node")
        }
        counts = {
            name: nonzero_counts(getattr(self, name))
            for name in ("dropped", "filled", "nan", "infinite", "unsorted", "wrapped")
        }
        sentinels = {branch: nonzero_counts(counts_) for branch, counts_ in self.sentinels.items()}
        ratios = {name: summary.as_mapping() for name, summary in sorted(self.energy_over_momentum.items())}
        columns = {name: summary.as_mapping() for name, summary in sorted(self.columns.items())}
        return {**plain, **counts, "sentinels": sentinels, "energy_over_momentum": ratios, "columns": columns}


def nonzero_counts(counter: Mapping[str, int]) -> dict[str, int]:
    """The entries of a counter that are not 0."""
    return {name: number for name, number in counter.items() if number}


def n_unsorted(pt: Numbers, count: Numbers) -> int:
    """How many lists have a `pt` above its predecessor; `pt (n,)` holds lists of `count (n_list,)` values in a row."""
    if pt.size < 2:
        return 0
    rises = pt[1:] > pt[:-1]
    end = np.cumsum(count)
    border = end[(end > 0) & (end < pt.size)] - 1  # the step from the last value of a list to the next list
    rises[border] = False
    positions = np.flatnonzero(rises)
    lists = np.searchsorted(end, positions, side="right")  # ascending, so equal numbers are neighbours
    return 1 + int(np.count_nonzero(np.diff(lists))) if lists.size else 0
