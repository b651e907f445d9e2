"""All events of a recipe as one table: small columns in memory, nodes mapped from the cache and gathered by row."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from root_gnn.console import log
from root_gnn.data.cache import Shard
from root_gnn.data.config import DataConfig, find_files
from root_gnn.data.graphs import ragged_rows
from root_gnn.data.prepare import prepare
from root_gnn.data.spec import Spec, load_spec
from root_gnn.errors import InputError
from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.hashing import uniform
from root_gnn.protocols import Question

KEEP_SALT = (0x4B454550,)
PB_PER_FB = 1e3  # one inverse femtobarn is a thousand inverse picobarns

Index = NDArray[np.int64]


class EventTable:
    """Rows are events, in the order of the shards (class by class, file by file, entry by entry).

    Attributes:
        shards: the prepared files.
        spec: what they were read with.
        classes: class names; their order is `label`. Empty where nothing is labelled.
        label: `(n_event,)` int64; 0 everywhere where there are no classes.
        weight: `(n_event,)` float64, as in the files.
        ids: `(n_event, n_id)` int64.
        n_node: `(n_event,)` int64.
        truth: names of the truth columns that every file has.
        shard_of: `(n_event,)` int32, the shard an event stands in; `row_of (n_event,)` int64, its row there.
    """

    def __init__(
        self, shards: Sequence[Shard], spec: Spec, *, classes: Sequence[str] = (), shard_label: Sequence[int] = (),
        max_events: int | None = None, lumi: float | None = None,
    ) -> None:
        self.shards, self.spec, self.lumi = list(shards), spec, lumi
        self.classes = tuple(classes)
        self.shard_label = list(shard_label)
        self.truth = tuple(name for name in spec.truth if all(name in shard.meta.truth for shard in self.shards))
        sizes = [shard.n_graph for shard in self.shards]
        self.shard_of = np.repeat(np.arange(len(sizes), dtype=np.int32), sizes)
        self.row_of = np.concatenate([np.arange(size, dtype=np.int64) for size in sizes])
        self.ids = np.concatenate([shard.ids for shard in self.shards])
        self.label = np.concatenate([self._labels(place) for place in range(len(sizes))])
        keep = None if max_events is None else _first_by_hash(self.ids, self.label, max_events)
        if keep is not None:
            self.shard_of, self.row_of, self.ids, self.label = (x[keep] for x in (self.shard_of, self.row_of, self.ids, self.label))
        weight = np.concatenate([shard.weight for shard in self.shards])
        offsets = [np.asarray(shard.offsets) for shard in self.shards]
        first = np.concatenate([offset[:-1] for offset in offsets])
        n_node = np.concatenate([np.diff(offset) for offset in offsets])
        self.weight, self._first, self.n_node = (x if keep is None else x[keep] for x in (weight, first, n_node))

    def __len__(self) -> int:
        return len(self.label)

    def __repr__(self) -> str:
        return f"EventTable({len(self):,} events of {len(self.shards)} files, classes {', '.join(self.classes) or 'none'})"

    @property
    def features(self) -> Features:
        """Column names of the batches."""
        return self.spec.features()

    @property
    def split_ids(self) -> Index:
        """The id columns that decide an event's split, `(n_event, n_split_id)`."""
        return self.ids[:, : self.spec.n_split_id]

    def question(self) -> Question:
        """The classes, and the truth columns, that an objective may ask for."""
        return Question(classes=self.classes, truth=self.truth, features=self.features)

    def gather(self, index: Index) -> Batch:
        """The graphs of the rows `index (n,)`, in that order, with labels, the weights of the file and ids."""
        count = self.n_node[index]
        nodes = np.empty((int(count.sum()), len(self.spec.node_features)), dtype=np.float32)
        truth = np.empty((len(index), len(self.truth)), dtype=np.float32)
        shard_of = self.shard_of[index]
        begin = np.cumsum(count) - count
        for place in np.unique(shard_of):
            shard, here = self.shards[place], np.flatnonzero(shard_of == place)
            rows = ragged_rows(self._first[index[here]], count[here])
            if len(here) == len(index):
                np.take(shard.nodes, rows, axis=0, out=nodes, mode="clip")  # without "clip" NumPy buffers the output
            else:
                nodes[ragged_rows(begin[here], count[here])] = shard.nodes[rows]
            if self.truth:
                columns = [shard.meta.truth.index(name) for name in self.truth]
                truth[here] = shard.truth[self.row_of[index[here]]][:, columns]
        labels = {name: torch.from_numpy(np.ascontiguousarray(truth[:, place])) for place, name in enumerate(self.truth)}
        if self.classes:
            labels["label"] = torch.from_numpy(self.label[index])
        return Batch.of(
            torch.from_numpy(nodes), torch.from_numpy(count), labels=labels,
            weights=torch.from_numpy(self.weight[index].astype(np.float32)), ids=torch.from_numpy(self.ids[index]),
        )

    def cross_section_weights(self, index: Index | None = None) -> NDArray[np.float64] | None:
        """Expected yields: weight x cross section x luminosity x kept / tried / sum of weights; None where they are unknown.

        Without `index`, `(n_event,)`, with the sum of weights over all events of all files of a process, whatever `max_events`
        leaves of them. With the rows `index (n,)` (a split, say), `(n,)`, with the sum over those rows: they then stand for
        the whole sample. Unknown is a yield without luminosity, or where a file does not tell its cross section. Raises
        InputError where weights do not add up to something positive.
        """
        if self.lumi is None or not all(shard.meta.metadata.get("cross_section") for shard in self.shards):
            return None
        weight, shard_of = (self.weight, self.shard_of) if index is None else (self.weight[index], self.shard_of[index])
        factor = np.zeros(len(self.shards))
        for members in self._processes():
            shards = [self.shards[place] for place in members]
            rows = np.isin(shard_of, members)
            if not rows.any():
                continue
            total = sum(shard.meta.sum_of_weights for shard in shards) if index is None else float(weight[rows].sum())
            if total <= 0:
                names = ", ".join(str(shard.meta.source["name"]) for shard in shards)
                raise InputError(f"The weights of {names} add up to {total:g}; expected yields need a positive sum. Unset data.lumi.")
            factor[members] = self.lumi * PB_PER_FB * _cross_section(shards) / total
        return weight * factor[shard_of]

    def _processes(self) -> list[list[int]]:
        """Places of the shards that belong together: files of one process in one class share its cross section."""
        groups: dict[tuple[int, str], list[int]] = {}
        for place, shard in enumerate(self.shards):
            process = str(shard.meta.metadata.get("process") or shard.folder.name)
            groups.setdefault((self.shard_label[place] if self.shard_label else 0, process), []).append(place)
        return list(groups.values())

    def _labels(self, place: int) -> Index:
        shard = self.shards[place]
        if self.shard_label:
            return np.full(shard.n_graph, self.shard_label[place], dtype=np.int64)
        return np.zeros(shard.n_graph, dtype=np.int64) if shard.label is None else np.asarray(shard.label)


def open_table(config: DataConfig, data_dir: Path, *, spec: Spec | None = None, beside: Path | None = None, jobs: int = 1) -> EventTable:
    """The events of a recipe, prepared where the cache lacks them.

    `spec` replaces the one that the recipe names (a run folder's own); `beside` is the recipe, for a spec that lies next to it.
    Raises InputError for a file that is missing, wrong, or named for two classes.
    """
    spec = spec or load_spec(config.spec, beside=beside)
    groups = {name: find_files(patterns, data_dir) for name, patterns in config.classes.items()} or {"": find_files(config.files, data_dir)}
    files = [path for paths in groups.values() for path in paths]
    for path in files:
        owners = [name for name, paths in groups.items() if path in paths]
        if len(owners) > 1:
            raise InputError(f"{path}: data.classes gives this file to {' and '.join(owners)}; a file belongs to one class.")
    shards = prepare(spec, files, data_dir=data_dir, jobs=jobs)
    by_file = bool(config.classes)
    shard_label = [place for place, paths in enumerate(groups.values()) for _ in paths] if by_file else []
    classes = tuple(config.classes) if by_file else tuple(spec.label.classes) if spec.label else ()
    table = EventTable(shards, spec, classes=classes, shard_label=shard_label, max_events=config.max_events, lumi=config.lumi)
    n_empty = int((table.n_node == 0).sum())
    if n_empty:
        log.info("%s of %s events have no object at all; training leaves them out", f"{n_empty:,}", f"{len(table):,}")
    return table


def _first_by_hash(ids: Index, label: Index, n_most: int) -> Index:
    """Rows, ascending, of at most `n_most` events of each class: those whose hash is smallest."""
    place = uniform(torch.from_numpy(ids), KEEP_SALT).numpy()
    kept: list[Any] = []
    for value in np.unique(label):
        rows = np.flatnonzero(label == value)
        kept.append(rows[np.argsort(place[rows], kind="stable")[:n_most]])
    return np.sort(np.concatenate(kept)).astype(np.int64) if kept else np.zeros(0, dtype=np.int64)


def _cross_section(shards: list[Shard]) -> float:
    """Cross section after the preselection, in pb, from all files of a process."""
    facts = [shard.meta.metadata for shard in shards]
    counted = all(fact.get("n_tried") and fact.get("n_kept") is not None for fact in facts)
    tried = np.array([float(fact["n_tried"]) for fact in facts]) if counted else np.ones(len(facts))
    kept = np.array([float(fact["n_kept"]) for fact in facts]) if counted else tried
    before = float(np.average([float(fact["cross_section"]) for fact in facts], weights=tried))
    return before * float(kept.sum() / tried.sum())
