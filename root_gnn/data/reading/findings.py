"""What was noticed while a file was read: how much, of what kind, and what was left out for which reason."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from root_gnn.data.reading.graphs import GraphArrays
from root_gnn.data.reading.summary import Summary
from root_gnn.typing import Numbers

SENTINELS = (-99999.0, -9999.0, -3000.0, -999.9, -999.0, -99.0, 999.0, 999.9, 9999.0, 99999.0)
"""Numbers that usually stand for "not measured"; looked for at the ends of a column, where they would be."""
ROUNDING = 1e-6  # float32 holds angles and sentinels no better


@dataclass
class Findings:
    """Counts over the pieces of one file; the same file and spec give the same findings.

    Attributes:
        n_entry: entries read.
        n_graph: graphs kept.
        sum_of_weights: of all entries read, dropped ones included.
        dropped: graphs left out, by reason.
        filled: numbers replaced by the spec's `fill`, by branch.
        nan, infinite: numbers that were NaN, or infinite (or beyond float32), by branch, whatever became of them.
        sentinels: by branch, how often a sentinel stood at an end of the range, by its value.
        unsorted: graphs whose objects do not stand in falling order of pt, by collection.
        wrapped: phi outside [-pi, pi] that were wrapped into it, by collection.
        n_negative, n_zero: graphs kept whose weight is below zero, or zero.
        max_node: nodes of the largest graph kept.
        columns: by `<collection>.<feature>`, in GeV and radians, of the objects read; `truth.<name>` and `globals.<name>`
            of the graphs kept.
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
    n_negative: int = 0
    n_zero: int = 0
    max_node: int = 0
    columns: defaultdict[str, Summary] = field(default_factory=lambda: defaultdict(Summary))

    def see_bad(self, branch: str, numbers: Numbers, bad: NDArray[np.bool_]) -> None:
        """Counts what is not finite, `bad (n,)`, before it is dealt with."""
        n_nan = int(np.count_nonzero(np.isnan(numbers)))
        self.nan[branch] += n_nan
        self.infinite[branch] += int(np.count_nonzero(bad)) - n_nan

    def see_raw(self, branch: str, numbers: Numbers) -> None:
        """Counts sentinels at the ends of a branch's range, in its own unit."""
        if not numbers.size or numbers.dtype.kind not in "fi":
            return
        for end in (min(float(numbers.min()), 0.0), max(float(numbers.max()), 0.0)):
            close = [value for value in SENTINELS if math.isclose(end, value, rel_tol=ROUNDING)]
            if close and (numbers.dtype.kind == "f" or end < 0):  # 999 may be an honest count
                self.sentinels[branch][f"{close[0]:g}"] += int(np.count_nonzero(numbers == end))

    def see_phi(self, collection: str, phi: Numbers | None) -> None:
        """Counts angles in radians that are going to be wrapped."""
        if phi is None or not phi.size or max(float(phi.max()), -float(phi.min())) <= math.pi + ROUNDING:
            return
        self.wrapped[collection] += int(np.count_nonzero(np.abs(phi) > math.pi + ROUNDING))

    def see_objects(self, collection: str, features: Iterable[tuple[str, Numbers]], count: Numbers | None) -> None:
        """Sums up the features of a collection, and counts the graphs (`count (n_graph,)` objects each) without order in pt."""
        for name, values in features:
            self.columns[f"{collection}.{name}"].add(values)
            if name == "pt" and count is not None:
                self.unsorted[collection] += n_unsorted(values, count)

    def see_graphs(self, graphs: GraphArrays, names: Iterable[str]) -> None:
        """Sums up what is kept of a piece: weights, sizes, truth, and the further globals called `names`."""
        if graphs.weight is not None:
            self.n_negative += int(np.count_nonzero(graphs.weight < 0))
            self.n_zero += int(np.count_nonzero(graphs.weight == 0))
        self.max_node = max(self.max_node, int(graphs.n_node.max(initial=0)))
        for name, values in graphs.truth.items():
            self.columns[f"truth.{name}"].add(values)
        if graphs.globals is not None:
            for place, name in enumerate(names):
                self.columns[f"globals.{name}"].add(graphs.globals[:, place])

    def as_mapping(self) -> dict[str, Any]:
        """Plain values without NaN and infinity, for a shard's manifest."""
        plain = {
            name: getattr(self, name)
            for name in ("n_entry", "n_graph", "sum_of_weights", "n_negative", "n_zero", "max_node")
        }
        counts = {
            name: counted(getattr(self, name))
            for name in ("dropped", "filled", "nan", "infinite", "unsorted", "wrapped")
        }
        sentinels = {branch: counted(found) for branch, found in self.sentinels.items()}
        columns = {name: summary.as_mapping() for name, summary in sorted(self.columns.items())}
        return {**plain, **counts, "sentinels": sentinels, "columns": columns}


def counted(counter: Mapping[str, int]) -> dict[str, int]:
    """What was there at all."""
    return {name: number for name, number in counter.items() if number}


def n_unsorted(pt: Numbers, count: Numbers) -> int:
    """Lists, `count (n,)` long, one behind the other, whose `pt` rises anywhere."""
    if pt.size < 2:
        return 0
    rises = pt[1:] > pt[:-1]
    end = np.cumsum(count)
    border = end[(end > 0) & (end < pt.size)] - 1  # from the last of a list to the first of the next
    rises[border] = False
    places = np.flatnonzero(rises)
    lists = np.searchsorted(end, places, side="right")  # ascending, so that one differs from the next where a list ends
    return 1 + int(np.count_nonzero(np.diff(lists))) if lists.size else 0
