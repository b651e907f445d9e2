"""All events of a recipe as one table: small columns in memory, everything else mapped from the cache and gathered by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from root_gnn.console import log
from root_gnn.data.cache.prepare import prepare_shards
from root_gnn.data.cache.shard import Shard
from root_gnn.data.events.config import DataConfig, find_files
from root_gnn.data.events.rows import BLOCK, EventColumn, EventRows, Located, uniform_of
from root_gnn.data.events.yields import SampleYield, expected
from root_gnn.data.hygiene.report import FileSet, refuse
from root_gnn.data.reading.graphs import ragged_rows
from root_gnn.data.spec.label import NO_LABEL
from root_gnn.data.spec.spec import Spec, load_spec
from root_gnn.errors import InputError
from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.protocols import Question
from root_gnn.typing import Index

KEEP_SALT = (0x4B454550,)


class EventTable:
    """Rows are events, in the order of the shards (class by class, file by file, graph by graph).

    Attributes:
        shards: the prepared files; `files` are their paths.
        spec: what they were read with.
        classes: class names; their order is `label`. Empty where nothing is labelled.
        rows: which row of which shard an event is.
        label: `(n_event,)` int16; -1 where the file does not tell, 0 everywhere where there are no classes.
        n_node: `(n_event,)` int32.
        weight: `(n_event,)` float64, as in the files, and `ids (n_event, n_id)` int64: columns that stay there, read by
            `table.ids[rows]`; `numpy.asarray(table.ids)` is all of them.
        truth: names of the truth columns that every file has.
    """

    def __init__(
        self,
        shards: Sequence[Shard],
        spec: Spec,
        *,
        classes: Sequence[str] = (),
        shard_label: Sequence[int] = (),
        max_events: int | None = None,
        whole_events: bool = False,
        lumi: float | None = None,
        cross_sections: Mapping[str, float] | None = None,
        files: Sequence[Path] = (),
    ) -> None:
        self.shards, self.spec, self.lumi = list(shards), spec, lumi
        self.files = list(files) or [Path(str(shard.meta.source["name"])) for shard in self.shards]
        self.classes, self.shard_label, self.cross_sections = (
            tuple(classes),
            list(shard_label),
            dict(cross_sections or {}),
        )
        self.truth = tuple(name for name in spec.truth if all(name in shard.meta.truth for shard in self.shards))
        self._truth_columns = [_columns(shard.meta.truth, self.truth) for shard in self.shards]
        sizes = [shard.n_graph for shard in self.shards]
        self.rows = EventRows(sizes)
        self.label = np.empty(len(self.rows), dtype=np.int16)
        self.n_node = np.empty(len(self.rows), dtype=np.int32)
        for place, shard in enumerate(self.shards):
            here = slice(self.rows.begin[place], self.rows.begin[place + 1])
            self.label[here] = self._labels(place)
            np.subtract(shard.offsets[1:], shard.offsets[:-1], out=self.n_node[here], casting="unsafe")
        if max_events is not None:
            ids = EventColumn(
                self.shards, "ids", self.rows, only=range(len(spec.id_names) - 1) if whole_events else None
            )
            kept = _first_by_hash(ids, self.label, max_events, together=whole_events)
            self.rows, self.label, self.n_node = EventRows(sizes, kept), self.label[kept], self.n_node[kept]
        self._processes = self._grouped() if lumi is not None else []
        self.ids, self.weight = (EventColumn(self.shards, name, self.rows) for name in ("ids", "weight"))

    def __len__(self) -> int:
        return len(self.label)

    def __repr__(self) -> str:
        files = "1 file" if len(self.shards) == 1 else f"{len(self.shards):,} files"
        return f"EventTable({len(self):,} events of {files}, classes {', '.join(self.classes) or 'none'})"

    @property
    def features(self) -> Features:
        """Column names of the batches."""
        return self.spec.features()

    @property
    def split_ids(self) -> EventColumn:
        """The id columns that decide an event's split, `(n_event, n_split_id)`."""
        return self.id_columns(self.spec.id_names[: self.spec.n_split_id])

    @property
    def shard_of(self) -> Index:
        """The shard each event stands in, `(n_event,)`."""
        return self.rows.shard_of(np.arange(len(self)))

    def id_columns(self, names: Sequence[str]) -> EventColumn:
        """Some of the id columns, `(n_event, n_name)`."""
        return EventColumn(self.shards, "ids", self.rows, only=[self.spec.id_names.index(name) for name in names])

    def question(self) -> Question:
        """The classes, and the truth columns, that an objective may ask for."""
        return Question(classes=self.classes, truth=self.truth, features=self.features)

    def check_labels(self) -> None:
        """Raises InputError naming a file where there are classes and events of it belong to none: nothing can be learned from them."""
        missing = np.flatnonzero(self.label == NO_LABEL) if self.classes else np.zeros(0, dtype=np.int64)
        if len(missing):
            of_file = self.rows.shard_of(missing)
            n_here = int((of_file == of_file[0]).sum())
            raise InputError(
                f"{self.files[of_file[0]]}: {n_here:,} events have no label, because the file lacks {self._label_source()}; training and "
                f"metrics need the class of every event ({', '.join(self.classes)}). Leave the file out, or use it for prediction only."
            )

    def gather(self, index: Index, *, weights: NDArray[np.float32] | None = None) -> Batch:
        """The graphs of the rows `index (n,)`, in that order, with labels and ids.

        Weights are those of the files, or what `weights (n_event,)` says.
        """
        at = self.rows.sorted(index)
        place = np.empty_like(at.order)  # where each of `index` stands among the sorted ones
        place[at.order] = np.arange(len(place))
        count = self.n_node[index].astype(np.int64)
        labels = dict(zip(self.truth, self._truth(at, place), strict=True))
        if self.classes:
            labels["label"] = torch.from_numpy(self.label[index].astype(np.int64))
        weight = self._piecewise("weight", at)[place].astype(np.float32) if weights is None else weights[index]
        ids = self._piecewise("ids", at).take(place, axis=0)
        return Batch.of(
            torch.from_numpy(self._nodes(at, place, count)),
            torch.from_numpy(count),
            globals=self._globals(at, place, count),
            labels=labels,
            weights=torch.from_numpy(weight),
            ids=torch.from_numpy(ids),
        )

    def _nodes(self, at: Located, place: Index, count: Index) -> NDArray[np.float32]:
        """Rows of nodes in the order asked for: read shard by shard, then put in place."""
        of_sorted = count[at.order]
        end = np.cumsum(of_sorted)
        first = self._piecewise("offsets", at)
        rows = ragged_rows(first, of_sorted)
        nodes = np.empty((len(rows), len(self.spec.node_features)), dtype=np.float32)
        for shard, start, stop in at.pieces:
            part = slice(int(end[start] - of_sorted[start]), int(end[stop - 1]))
            self.shards[shard].nodes.take(rows[part], 0, nodes[part], "clip")  # without "clip" NumPy buffers the output
        return nodes.take(ragged_rows((end - of_sorted)[place], count), axis=0)

    def _globals(self, at: Located, place: Index, count: Index) -> torch.Tensor | None:
        """Number of nodes and the further columns, `(n, n_global)`; None where there are no further ones."""
        if not self.spec.globals:
            return None
        further = self._piecewise("globals", at).take(place, axis=0)
        return torch.from_numpy(np.concatenate([count[:, None].astype(np.float32), further], axis=1))

    def _truth(self, at: Located, place: Index) -> tuple[torch.Tensor, ...]:
        if not self.truth:
            return ()
        if not any(self._truth_columns):
            values = self._piecewise("truth", at)
        else:
            values = np.empty((len(place), len(self.truth)), dtype=np.float32)
            for shard, start, stop in at.pieces:
                values[start:stop] = self.shards[shard].truth[at.row[start:stop]][
                    :, self._truth_columns[shard] or slice(None)
                ]
        return torch.from_numpy(np.ascontiguousarray(values.take(place, axis=0).T)).unbind(0)

    def _piecewise(self, name: str, at: Located) -> NDArray[Any]:
        """An array of the shards at located rows, in their order."""
        arrays = [getattr(self.shards[shard], name) for shard, _, _ in at.pieces] or [getattr(self.shards[0], name)]
        values = np.empty((len(at.row), *arrays[0].shape[1:]), dtype=arrays[0].dtype)
        for array, (_, start, stop) in zip(arrays, at.pieces, strict=False):
            array.take(at.row[start:stop], 0, values[start:stop], "clip")
        return values

    def cross_section_weights(self, index: Index | None = None) -> NDArray[np.float64] | None:
        """Expected yields: weight x cross section x luminosity / sum of weights of the sample; None where they are unknown.

        Without `index`, `(n_event,)`: what the events stand for among all of their files, whatever `max_events` leaves of them.
        With the rows `index (n,)` (a split, say), `(n,)`: those rows stand for all events of their files. What the spec's
        selection drops counts in the sum of weights. Unknown is a yield without luminosity, or where neither a file nor
        `cross_sections` tells the cross section. Raises InputError where weights do not add up to something positive.
        """
        if self.lumi is None:
            return None
        rows = np.arange(len(self)) if index is None else index
        return expected(
            self._processes,
            lumi=self.lumi,
            weight=self.weight[rows],
            shard_of=self.rows.shard_of(rows),
            is_split=index is not None,
        )

    def _grouped(self) -> list[tuple[list[int], SampleYield]]:
        """Places of the shards that belong together: files of one process in one class share its cross section."""
        groups: dict[tuple[int, str], list[int]] = {}
        for place, shard in enumerate(self.shards):
            label = self.shard_label[place] if self.shard_label else 0
            is_given = bool(self.shard_label) and self.classes[label] in self.cross_sections
            process = "" if is_given else str(shard.meta.metadata.get("process") or shard.folder.name)
            groups.setdefault((label, process), []).append(place)
        found = []
        for (label, _), places in groups.items():
            given = self.cross_sections.get(self.classes[label]) if self.shard_label else None
            found.append((places, SampleYield([self.shards[place] for place in places], given)))
        return found

    def _labels(self, place: int) -> Index | int:
        label = self.shards[place].label
        if self.shard_label:
            return self.shard_label[place]
        return label if label is not None else (NO_LABEL if self.classes else 0)

    def _label_source(self) -> str:
        label = self.spec.label
        branches = ", ".join(str(value) for value in label.values()) if label else ""
        return branches or "what label in the spec names"


def open_table(
    config: DataConfig,
    data_dir: Path,
    *,
    spec: Spec | None = None,
    beside: Path | None = None,
    jobs: int = 1,
    whole_events: bool = False,
) -> EventTable:
    """The events of a recipe, prepared where the cache lacks them.

    `spec` replaces the one that the recipe names (a run folder's own); `beside` is the recipe, for a spec that lies next to it.
    With `whole_events` rows that share all ids but the last are one event, of which `max_events` keeps all rows or none.
    Raises InputError for a file that is missing, wrong, or named for two classes, and for files that hold events twice or momenta in
    different units; warns where two classes hold the same events.
    """
    spec = spec or load_spec(config.spec, search_dir=beside)
    owner = class_of_files(config, data_dir)
    selection = selected(prepare_shards(spec, list(owner), data_dir=data_dir, jobs=jobs), spec, owner)
    refuse(selection)
    if common := selection.in_two_classes():
        log.warning("%s", common)
    table = EventTable(
        selection.shards,
        spec,
        classes=selection.classes,
        shard_label=selection.file_class,
        max_events=config.max_events,
        whole_events=whole_events,
        lumi=config.lumi,
        cross_sections=config.cross_sections,
        files=selection.paths,
    )
    n_empty = int((table.n_node == 0).sum())
    if n_empty:
        log.info("%s of %s events have no object at all; training leaves them out", f"{n_empty:,}", f"{len(table):,}")
    lacking = [name for place, name in enumerate(table.classes) if not (table.label == place).any()]
    if lacking:
        log.warning("no event is of the class %s", " or ".join(lacking))
    return table


def class_of_files(config: DataConfig, data_dir: Path) -> dict[Path, str]:
    """The files of a recipe and the class of each, "" where files are not classes; raises InputError for one of two classes."""
    owner: dict[Path, str] = {}
    for name, patterns in (config.classes or {"": config.files}).items():
        for path in find_files(patterns, data_dir):
            if path in owner:
                raise InputError(
                    f"{path}: data.classes gives this file to {owner[path]} and {name}; a file belongs to one class."
                )
            owner[path] = name
    return owner


def selected(files: Mapping[Path, Shard], spec: Spec, owner: Mapping[Path, str], *, is_one_set: bool = True) -> FileSet:
    """Prepared files that are used together, with the classes that `class_of_files` or the spec's label gives them."""
    names = [name for name in dict.fromkeys(owner.values()) if name]
    if not names:
        return FileSet(files, spec, classes=spec.label.names if spec.label else (), is_one_set=is_one_set)
    return FileSet(files, spec, classes=names, file_class=[names.index(owner[path]) for path in files])


def _columns(there: Sequence[str], wanted: Sequence[str]) -> list[int] | None:
    """Places of the wanted names; None where they are all there are, in that order."""
    return None if tuple(there) == tuple(wanted) else [there.index(name) for name in wanted]


def _first_by_hash(ids: EventColumn, label: NDArray[np.int16], n_most: int, *, together: bool) -> Index:
    """Rows, ascending, of at most `n_most` events of each class: those whose hash is smallest, the earlier of equal ones.

    With `together` rows of equal ids are one event, all of which stays.
    """
    best: dict[int, tuple[NDArray[np.float64], Index]] = {}
    for start in range(0, len(label), BLOCK):
        rows = np.arange(start, min(start + BLOCK, len(label)))
        place = uniform_of(ids[start : start + BLOCK], KEEP_SALT)
        for value in np.unique(label[rows]).tolist():
            here = np.flatnonzero(label[rows] == value)
            places, kept = place[here], rows[here]
            if value in best:
                places, kept = np.concatenate([best[value][0], places]), np.concatenate([best[value][1], kept])
            order = np.argsort(places, kind="stable")
            order = order[places[order] <= np.unique(places)[:n_most][-1]] if together else order[:n_most]
            best[value] = places[order], kept[order]
    return np.sort(np.concatenate([kept for _, kept in best.values()])) if best else np.zeros(0, dtype=np.int64)
