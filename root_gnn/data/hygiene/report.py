"""A report on prepared files: figures by file and class, remarks in plain words, and problems that stop the work."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from root_gnn.data.cache.shard import Shard
from root_gnn.data.hygiene import duplicates, units
from root_gnn.data.hygiene.duplicates import Groups, Repeated
from root_gnn.data.hygiene.remarks import remarks_on
from root_gnn.data.spec.label import NO_LABEL
from root_gnn.data.spec.spec import Spec
from root_gnn.errors import InputError

KEEP = "or accept them with `on_duplicate: keep` in the spec."


@dataclass(frozen=True)
class WeightSummary:
    """Weights of some graphs.

    Attributes:
        n: number of graphs.
        total: sum of the weights.
        n_negative, n_zero: how many weights are below or equal to zero.
        effective: effective number of events, (sum of weights)² / sum of squared weights.
    """

    n: int
    total: float
    n_negative: int
    n_zero: int
    effective: float

    @classmethod
    def of(cls, weight: NDArray[np.float64]) -> WeightSummary:
        """Summarises `weight (n,)`."""
        total, squares = float(weight.sum()), float(np.dot(weight, weight))
        effective = total**2 / squares if 0 < squares < math.inf else 0.0
        return cls(len(weight), total, int(np.count_nonzero(weight < 0)), int(np.count_nonzero(weight == 0)), effective)


@dataclass(frozen=True)
class FileReport:
    """Figures and remarks on one file; `classes` are those of its graphs, as far as known."""

    path: str
    classes: tuple[str, ...]
    n_entry: int
    n_graph: int
    dropped: Mapping[str, int]
    n_empty: int
    max_node: int
    weights: WeightSummary
    remarks: tuple[str, ...]


@dataclass(frozen=True)
class Report:
    """The report on all files of a selection.

    Attributes:
        spec: name of the spec they were read with.
        files: a report on each file; `skipped` holds the files that could not be read, with the reason.
        classes: weights by class; empty without classes.
        remarks: remarks that concern several files.
        problems: reasons not to use the files as they are; empty if there are none.
    """

    spec: str
    files: tuple[FileReport, ...]
    skipped: Mapping[str, str]
    classes: Mapping[str, WeightSummary]
    remarks: tuple[str, ...]
    problems: tuple[str, ...]

    def as_mapping(self) -> dict[str, Any]:
        """Returns plain values, for `hygiene.json`."""
        return asdict(self)

    def check(self) -> None:
        """Raises InputError with the first problem, if there is one."""
        if self.problems:
            raise InputError(self.problems[0])


class FileSet:
    """Prepared files that are used together, and the classes of their graphs."""

    def __init__(
        self,
        files: Mapping[Path, Shard],
        spec: Spec,
        *,
        classes: Sequence[str] = (),
        file_class: Sequence[int] = (),
        is_one_set: bool = True,
    ) -> None:
        """Describes the files.

        Args:
            files: the shards by path.
            spec: the spec they were read with.
            classes: names of the classes, if there are any.
            file_class: the class of each file, if files belong to classes; otherwise each graph has its own label.
            is_one_set: whether the files are for one training; otherwise (any files of a folder) they are unrelated.
        """
        self.paths, self.shards, self.spec = list(files), list(files.values()), spec
        self.classes, self.file_class, self.is_one_set = tuple(classes), list(file_class), is_one_set

    def label(self, i_file: int) -> int | NDArray[np.int64] | None:
        """Returns the class of the graphs of file number `i_file`: one for all, or `(n_graph,)`; None if unknown."""
        if self.file_class:
            return self.file_class[i_file]
        return self.shards[i_file].label

    def groups(self) -> Groups:
        """Returns the group of each event; equal ids within a group mean duplicated events.

        Groups are classes, or files where no class is known or the files are unrelated.
        """
        groups: list[int | NDArray[np.int64]] = []
        for i_file in range(len(self.shards)):
            label = self.label(i_file)
            if label is None:
                groups.append(-2 - i_file)
            else:
                groups.append(label if self.is_one_set else i_file * (len(self.classes) + 2) + label)
        return groups

    def problems(self) -> list[str]:
        """Returns the reasons not to use the files as they are, a paragraph each."""
        problems = [] if self.spec.on_mixed_units == "keep" else self.mixed_units()
        return problems if self.spec.on_duplicate == "keep" else [*problems, *self._duplicates()]

    def mixed_units(self) -> list[str]:
        """Returns a sentence for each collection whose momenta differ as GeV and MeV do."""
        columns = [shard.meta.findings.get("columns", {}) for shard in self.shards]
        inside = [
            text for path, each in zip(self.paths, columns, strict=True) for text in units.inside_file(path, each)
        ]
        return inside + units.between_files(self.paths, columns)

    def _duplicates(self) -> list[str]:
        groups = self.groups()
        repeated = duplicates.within(self.shards, groups)
        if repeated:
            return [
                f"{self._pair(repeated)} {self._many(repeated)} "
                f"Remove them, name in `id` of the spec what tells events apart, {KEEP}"
            ]
        if not (self.is_one_set and not self.classes and len(self.shards) > 1):
            return []
        # Without classes, files may number their events alike, but must not contain the same events.
        copied = duplicates.across(self.shards, groups)
        if copied is None or not copied.is_same:
            return []
        return [f"{self._pair(copied)} {self._many(copied)} Leave one of the files out, remove the events, {KEEP}"]

    def _pair(self, repeated: Repeated) -> str:
        (file, row), (other, before) = repeated.second, repeated.first
        names = ", ".join(
            f"{name} {value}"
            for name, value in zip(self.spec.id_names, self.shards[file].ids[row].tolist(), strict=True)
        )
        where = "of the same file" if file == other else f"of {self.paths[other]}"
        return (
            f"{self.paths[file]}: entry {int(self.shards[file].entry[row])} has the id ({names}) that entry "
            f"{int(self.shards[other].entry[before])} {where} has."
        )

    def _many(self, repeated: Repeated) -> str:
        total = sum(shard.n_graph for shard in self.shards)
        like = {0: "other objects than", repeated.n_compared: "the same objects as"}.get(
            repeated.n_same, "in part the same objects as"
        )
        number = "It is the only such event" if repeated.n == 1 else f"There are {repeated.n:,} such events"
        return f"{number} among {total:,}, with {like} those before."

    def shared(self) -> list[str]:
        """Returns a remark if ids occur in several classes or files."""
        repeated = duplicates.across(self.shards, self.groups()) if len(self.shards) > 1 or self.classes else None
        if repeated is None:
            return []
        kind = "classes" if self.classes and self.is_one_set else "files"
        number = f"event ids that stand in several {kind}: {repeated.n:,}. For example: {self._pair(repeated)}"
        if not repeated.is_same:
            return [f"{number} Their objects differ, as in simulations that number their events alike."]
        return [
            f"{number} Of {repeated.n_compared:,} compared {repeated.n_same:,} have the same objects too, "
            "so these are the same events."
        ]

    def in_two_classes(self) -> str | None:
        """Returns a sentence on events that occur in several classes with the same objects; None if there are none."""
        repeated = duplicates.across(self.shards, self.groups()) if len(self.classes) > 1 else None
        if repeated is None or not repeated.is_same:
            return None
        (file, row), (other, before) = repeated.second, repeated.first
        ids = ", ".join(
            f"{name} {value}"
            for name, value in zip(self.spec.id_names, self.shards[file].ids[row].tolist(), strict=True)
        )
        number = "1 event stands" if repeated.n == 1 else f"{repeated.n:,} events stand"
        return (
            f"{number} in several classes with the same ids and objects, "
            f"for example entry {int(self.shards[file].entry[row])} of {self.paths[file]} "
            f"and entry {int(self.shards[other].entry[before])} of {self.paths[other]} ({ids}): "
            "nothing tells them apart"
        )

    def kept_units(self) -> list[str]:
        """Returns remarks on momenta that differ as GeV and MeV do and that the spec accepts."""
        kept = self.mixed_units() if self.spec.on_mixed_units == "keep" else []
        return [text.partition(" If ")[0] + " They are kept (on_mixed_units: keep)." for text in kept]

    def kept_twice(self) -> list[str]:
        """Returns a remark if there are duplicates that the spec accepts."""
        repeated = duplicates.within(self.shards, self.groups()) if self.spec.on_duplicate == "keep" else None
        return (
            [f"{self._pair(repeated)} {self._many(repeated)} They are kept (on_duplicate: keep)."] if repeated else []
        )

    def overlap(self) -> list[str]:
        """Returns a remark if the spec's branch puts events into several splits."""
        splits = [shard.split for shard in self.shards]
        if self.spec.split is None or any(split is None for split in splits):
            return []
        codes = [split.astype(np.int64) for split in splits if split is not None]
        n = duplicates.overlap(self.shards, self.groups(), codes, self.spec.n_split_id)
        return [f"events that stand in more than one split (branch {self.spec.split.branch}): {n:,}"] if n else []

    def weights(self) -> dict[str, WeightSummary]:
        """Returns the weights of each class, and of graphs without class."""
        if not self.classes:
            return {}
        summaries = {}
        for number, name in [*enumerate(self.classes), (NO_LABEL, "without class")]:
            parts = [shard.weight[self._of_class(i_file, number)] for i_file, shard in enumerate(self.shards)]
            summaries[name] = WeightSummary.of(np.concatenate([np.zeros(0), *parts]))
        if not summaries["without class"].n:
            del summaries["without class"]
        return summaries

    def _of_class(self, i_file: int, number: int) -> slice | NDArray[np.bool_]:
        """Selects the graphs of a file that belong to class `number`, or to none."""
        label = self.label(i_file)
        if label is None or isinstance(label, int):
            return slice(None) if (NO_LABEL if label is None else label) == number else slice(0)
        return np.asarray(label == number)

    def file_report(self, i_file: int) -> FileReport:
        """Returns the report on one file."""
        shard, label = self.shards[i_file], self.label(i_file)
        findings = shard.meta.findings
        present = [] if label is None else np.unique(label).tolist()
        return FileReport(
            path=str(self.paths[i_file]),
            classes=tuple(self.classes[number] for number in present if 0 <= number < len(self.classes)),
            n_entry=findings.get("n_entry", shard.n_graph),
            n_graph=shard.n_graph,
            dropped=dict(findings.get("dropped", {})),
            n_empty=shard.meta.n_empty,
            max_node=findings.get("max_node", 0),
            weights=WeightSummary.of(shard.weight),
            remarks=tuple(remarks_on(shard, self.spec)),
        )


def examine(selection: FileSet, *, skipped: Mapping[Path, str] | None = None) -> Report:
    """Makes the report of `root-gnn prepare`; `skipped` holds the files that could not be read, and why."""
    return Report(
        spec=selection.spec.name,
        files=tuple(map(selection.file_report, range(len(selection.shards)))),
        skipped={str(path): reason for path, reason in (skipped or {}).items()},
        classes=selection.weights(),
        remarks=(*selection.kept_units(), *selection.kept_twice(), *selection.shared(), *selection.overlap()),
        problems=tuple(selection.problems()),
    )


def refuse(selection: FileSet) -> None:
    """Raises InputError for duplicated events (unless `on_duplicate: keep`) and momenta in different units."""
    problems = selection.problems()
    if problems:
        raise InputError(problems[0])
