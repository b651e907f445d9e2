"""All events of a recipe as one table: small columns in memory, the rest gathered from the mapped cache by row."""

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
from root_gnn.typing import Index

KEEP_SALT = (0x4B454550,)


class EventTable:
    """Rows are events, in the order of the shards (class by class, file by file, graph by graph).

    Attributes:
        shards: the prepared files; `files` are their paths.
        spec: the spec they were read with.
        classes: class names; `label` is the index into them. Empty if nothing is labelled.
        rows: maps events to rows of shards.
        label: `(n_event,)` int16; -1 if the file has no label for the event, 0 everywhere without classes.
        n_node: `(n_event,)` int32.
        weight: `(n_event,)` float64, as in the files, and `ids (n_event, n_id)` int64: columns that stay in the files,
            read by `table.ids[rows]`; `numpy.asarray(table.ids)` reads all of them.
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
        """Makes the table.

        Args:
            shards: the prepared files.
            spec: the spec they were read with.
            classes: class names, if there are any.
            shard_label: the class index of each shard, if files belong to classes; otherwise each graph has its label.
            max_events: largest number of events of each class, chosen by a hash of their ids; None for all.
            whole_events: whether `max_events` counts events whose rows share all ids but the last.
            lumi: integrated luminosity in fb^-1 for expected yields; None without yields.
            cross_sections: cross sections in pb by class, for classes whose files contain none.
            files: paths of the files; by default the names that the shards remember.
        """
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
        for i_shard, shard in enumerate(self.shards):
            here = slice(self.rows.begin[i_shard], self.rows.begin[i_shard + 1])
            self.label[here] = self._labels(i_shard)
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
        """Index of the shard of each event, `(n_event,)`."""
        return self.rows.shard_of(np.arange(len(self)))

    def id_columns(self, names: Sequence[str]) -> EventColumn:
        """Returns some of the id columns, `(n_event, n_name)`."""
        return EventColumn(self.shards, "ids", self.rows, only=[self.spec.id_names.index(name) for name in names])

    def check_labels(self) -> None:
        """Raises InputError naming a file if there are classes and events of the file have no label."""
        missing = np.flatnonzero(self.label == NO_LABEL) if self.classes else np.zeros(0, dtype=np.int64)
        if len(missing):
            of_file = self.rows.shard_of(missing)
            n_here = int((of_file == of_file[0]).sum())
            raise InputError(
                f"{self.files[of_file[0]]}: {n_here:,} events have no label, because the file lacks "
                f"{self._label_source()}; training and metrics need the class of every event "
                f"({', '.join(self.classes)}). Leave the file out, or use it for prediction only."
            )

    def gather(self, index: Index, *, weights: NDArray[np.float32] | None = None) -> Batch:
        """Returns the graphs of the rows `index (n,)`, in that order, with labels and ids.

        Weights are those of the files, or `weights (n_event,)`.
        """
        located = self.rows.sorted(index)
        back = np.empty_like(located.order)  # position of each requested row among the sorted ones
        back[located.order] = np.arange(len(back))
        count = self.n_node[index].astype(np.int64)
        labels = dict(zip(self.truth, self._truth(located, back), strict=True))
        if self.classes:
            labels["label"] = torch.from_numpy(self.label[index].astype(np.int64))
        weight = self._piecewise("weight", located)[back].astype(np.float32) if weights is None else weights[index]
        ids = self._piecewise("ids", located).take(back, axis=0)
        return Batch.of(
            torch.from_numpy(self._nodes(located, back, count)),
            torch.from_numpy(count),
            globals=self._globals(located, back, count),
            labels=labels,
            weights=torch.from_numpy(weight),
            ids=torch.from_numpy(ids),
        )

    def _nodes(self, located: Located, back: Index, count: Index) -> NDArray[np.float32]:
        """Returns the nodes in the requested order: they are read shard by shard, then permuted."""
        of_sorted = count[located.order]
        end = np.cumsum(of_sorted)
        first = self._piecewise("offsets", located)
        rows = ragged_rows(first, of_sorted)
        nodes = np.empty((len(rows), len(self.spec.node_features)), dtype=np.float32)
        for shard, start, stop in located.pieces:
            part = slice(int(end[start] - of_sorted[start]), int(end[stop - 1]))
            self.shards[shard].nodes.take(rows[part], 0, nodes[part], "clip")  # without "clip" NumPy buffers the output
        return nodes.take(ragged_rows((end - of_sorted)[back], count), axis=0)

    def _globals(self, located: Located, back: Index, count: Index) -> torch.Tensor | None:
        """Returns the number of nodes and the global features, `(n, 1 + n_global)`; None without global features."""
        if not self.spec.globals:
            return None
        further = self._piecewise("globals", located).take(back, axis=0)
        return torch.from_numpy(np.concatenate([count[:, None].astype(np.float32), further], axis=1))

    def _truth(self, located: Located, back: Index) -> tuple[torch.Tensor, ...]:
        if not self.truth:
            return ()
        if not any(self._truth_columns):
            values = self._piecewise("truth", located)
        else:
            values = np.empty((len(back), len(self.truth)), dtype=np.float32)
            for shard, start, stop in located.pieces:
                values[start:stop] = self.shards[shard].truth[located.row[start:stop]][
                    :, self._truth_columns[shard] or slice(None)
                ]
        return torch.from_numpy(np.ascontiguousarray(values.take(back, axis=0).T)).unbind(0)

    def _piecewise(self, name: str, located: Located) -> NDArray[Any]:
        """Returns the rows of an array of the shards, in the order of the located rows."""
        arrays = [getattr(self.shards[shard], name) for shard, _, _ in located.pieces] or [
            getattr(self.shards[0], name)
        ]
        values = np.empty((len(located.row), *arrays[0].shape[1:]), dtype=arrays[0].dtype)
        for array, (_, start, stop) in zip(arrays, located.pieces, strict=False):
            array.take(located.row[start:stop], 0, values[start:stop], "clip")
        return values

    def cross_section_weights(self, index: Index | None = None) -> NDArray[np.float64] | None:
        """Returns expected yields: weight x cross section x luminosity / sum of weights of the sample.

        Without `index` the result is `(n_event,)`, the share of each event in all events of its files, whatever
        `max_events` leaves of them. With rows `index (n,)` (a split, say) it is `(n,)`: these rows represent all events
        of their files. Events that the spec's selection drops count in the sum of weights.

        Returns None without a luminosity, or if neither a file nor `cross_sections` has the cross section. Raises
        InputError if the sum of weights is not positive.
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
        """Groups the shards: files of one process in one class share its cross section."""
        groups: dict[tuple[int, str], list[int]] = {}
        for i_shard, shard in enumerate(self.shards):
            label = self.shard_label[i_shard] if self.shard_label else 0
            is_given = bool(self.shard_label) and self.classes[label] in self.cross_sections
            process = "" if is_given else str(shard.meta.metadata.get("process") or shard.folder.name)
            groups.setdefault((label, process), []).append(i_shard)
        yields = []
        for (label, _), indices in groups.items():
            cross_section = self.cross_sections.get(self.classes[label]) if self.shard_label else None
            yields.append((indices, SampleYield([self.shards[i_shard] for i_shard in indices], cross_section)))
        return yields

    def _labels(self, i_shard: int) -> Index | int:
        label = self.shards[i_shard].label
        if self.shard_label:
            return self.shard_label[i_shard]
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
    """Returns the events of a recipe, and prepares files that the cache lacks; warns if two classes share events.

    Args:
        config: the `data` section of the recipe.
        data_dir: the folder that file names are relative to.
        spec: replaces the spec that the recipe names (with the one in a run folder).
        beside: path of the recipe; a spec is looked up next to it too.
        jobs: number of files that are prepared at the same time.
        whole_events: whether rows that share all ids but the last are one event, of which `max_events` keeps all rows
            or none.

    Raises InputError for a file that is missing, damaged, or listed for two classes, and for files that contain
    duplicated events or momenta in different units.
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
    lacking = [name for i_class, name in enumerate(table.classes) if not (table.label == i_class).any()]
    if lacking:
        log.warning("no event is of the class %s", " or ".join(lacking))
    return table


def class_of_files(config: DataConfig, data_dir: Path) -> dict[Path, str]:
    """Returns the class of each file of a recipe, "" without classes; raises InputError for a file of two classes."""
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
    """Returns prepared files as a set, with the classes from `class_of_files` or from the spec's label."""
    names = [name for name in dict.fromkeys(owner.values()) if name]
    if not names:
        return FileSet(files, spec, classes=spec.label.names if spec.label else (), is_one_set=is_one_set)
    return FileSet(files, spec, classes=names, file_class=[names.index(owner[path]) for path in files])


def _columns(names: Sequence[str], wanted: Sequence[str]) -> list[int] | None:
    """Returns the positions of the wanted names; None if these are all names, in the same order."""
    return None if tuple(names) == tuple(wanted) else [names.index(name) for name in wanted]


def _first_by_hash(ids: EventColumn, label: NDArray[np.int16], n_most: int, *, together: bool) -> Index:
    """Returns the rows, ascending, of at most `n_most` events of each class: those with the smallest hash.

    With `together` all rows with the same ids are one event.
    """
    best: dict[int, tuple[NDArray[np.float64], Index]] = {}
    for start in range(0, len(label), BLOCK):
        rows = np.arange(start, min(start + BLOCK, len(label)))
        position = uniform_of(ids[start : start + BLOCK], KEEP_SALT)
        for value in np.unique(label[rows]).tolist():
            here = np.flatnonzero(label[rows] == value)
            positions, kept = position[here], rows[here]
            if value in best:
                positions, kept = np.concatenate([best[value][0], positions]), np.concatenate([best[value][1], kept])
            order = np.argsort(positions, kind="stable")
            order = order[positions[order] <= np.unique(positions)[:n_most][-1]] if together else order[:n_most]
            best[value] = positions[order], kept[order]
    return np.sort(np.concatenate([kept for _, kept in best.values()])) if best else np.zeros(0, dtype=np.int64)
