"""What prepared files hold and what is odd about them: figures by file and class, remarks in plain words, and reasons to stop."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from root_gnn.data.cache.shard import Shard
from root_gnn.data.hygiene import duplicates
from root_gnn.data.hygiene import units as scales
from root_gnn.data.hygiene.duplicates import Groups, Repeated
from root_gnn.data.hygiene.remarks import remarks_on
from root_gnn.data.spec.label import NO_LABEL
from root_gnn.data.spec.spec import Spec
from root_gnn.errors import InputError

KEEP = "or accept them with `on_duplicate: keep` in the spec."


@dataclass(frozen=True)
class WeightSummary:
    """Weights of some graphs: sum, how many are negative or zero, and the effective number of events, (sum)² / sum of squares."""

    n: int
    total: float
    n_negative: int
    n_zero: int
    effective: float

    @classmethod
    def of(cls, weight: NDArray[np.float64]) -> WeightSummary:
        """Of `weight (n,)`."""
        total, squares = float(weight.sum()), float(np.dot(weight, weight))
        effective = total**2 / squares if 0 < squares < math.inf else 0.0
        return cls(len(weight), total, int(np.count_nonzero(weight < 0)), int(np.count_nonzero(weight == 0)), effective)


@dataclass(frozen=True)
class FileReport:
    """What came of a file; `classes` are those of its graphs, as far as known."""

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
    """What was found in all files of a selection.

    Attributes:
        spec: the name of the spec they were read with.
        files: one by one; `skipped` are those that could not be read, with the reason.
        classes: weights by class, where there are classes.
        remarks: what concerns several files.
        problems: why they must not be used as they are; empty where all is well.
    """

    spec: str
    files: tuple[FileReport, ...]
    skipped: Mapping[str, str]
    classes: Mapping[str, WeightSummary]
    remarks: tuple[str, ...]
    problems: tuple[str, ...]

    def as_mapping(self) -> dict[str, Any]:
        """Plain values, for `hygiene.json`."""
        return asdict(self)

    def check(self) -> None:
        """Raises InputError with the first problem, where there is one."""
        if self.problems:
            raise InputError(self.problems[0])


class FileSet:
    """Prepared files that are used together, and what class their graphs are.

    Args:
        files: the shards by path.
        spec: what they were read with.
        classes: names of the classes, if there are any.
        file_class: for each file its class, where files are classes; else each graph has its label.
        is_one_set: whether the files are meant for one training; else (any file of a folder) each stands for itself.
    """

    def __init__(
        self,
        files: Mapping[Path, Shard],
        spec: Spec,
        *,
        classes: Sequence[str] = (),
        file_class: Sequence[int] = (),
        is_one_set: bool = True,
    ) -> None:
        self.paths, self.shards, self.spec = list(files), list(files.values()), spec
        self.classes, self.file_class, self.is_one_set = tuple(classes), list(file_class), is_one_set

    def label(self, place: int) -> int | NDArray[np.int64] | None:
        """The class of a file's graphs, one for all or `(n_graph,)`; None where it is unknown."""
        if self.file_class:
            return self.file_class[place]
        return self.shards[place].label

    def groups(self) -> Groups:
        """What ids belong to: a class, or a file where no class is known or each file stands for itself."""
        found: list[int | NDArray[np.int64]] = []
        for place in range(len(self.shards)):
            label = self.label(place)
            if label is None:
                found.append(-2 - place)
            else:
                found.append(label if self.is_one_set else place * (len(self.classes) + 2) + label)
        return found

    def problems(self) -> list[str]:
        """Why the files must not be used as they are, a paragraph each."""
        columns = [shard.meta.findings.get("columns", {}) for shard in self.shards]
        found = [
            text for path, each in zip(self.paths, columns, strict=True) for text in scales.inside_file(path, each)
        ]
        found += scales.between_files(self.paths, columns)
        return found if self.spec.on_duplicate == "keep" else [*found, *self._duplicates()]

    def _duplicates(self) -> list[str]:
        groups = self.groups()
        twice = duplicates.within(self.shards, groups)
        if twice:
            return [
                f"{self._pair(twice)} {self._many(twice)} Remove them, name in `id` of the spec what tells events apart, {KEEP}"
            ]
        if not (self.is_one_set and not self.classes and len(self.shards) > 1):
            return []
        copied = duplicates.across(
            self.shards, groups
        )  # without classes files may number their events alike, but not hold the same ones
        if copied is None or not copied.is_same:
            return []
        return [f"{self._pair(copied)} {self._many(copied)} Leave one of the files out, remove the events, {KEEP}"]

    def _pair(self, found: Repeated) -> str:
        (file, row), (other, before) = found.second, found.first
        names = ", ".join(
            f"{name} {value}"
            for name, value in zip(self.spec.id_names, self.shards[file].ids[row].tolist(), strict=True)
        )
        where = "of the same file" if file == other else f"of {self.paths[other]}"
        return (
            f"{self.paths[file]}: entry {int(self.shards[file].entry[row])} has the id ({names}) that entry "
            f"{int(self.shards[other].entry[before])} {where} has."
        )

    def _many(self, found: Repeated) -> str:
        total = sum(shard.n_graph for shard in self.shards)
        like = {0: "other objects than", found.n_compared: "the same objects as"}.get(
            found.n_same, "in part the same objects as"
        )
        number = "It is the only such event" if found.n == 1 else f"There are {found.n:,} such events"
        return f"{number} among {total:,}, with {like} those before."

    def shared(self) -> list[str]:
        """A remark on ids that stand in several classes or files."""
        found = duplicates.across(self.shards, self.groups()) if len(self.shards) > 1 or self.classes else None
        if found is None:
            return []
        kind = "classes" if self.classes and self.is_one_set else "files"
        number = f"event ids that stand in several {kind}: {found.n:,}. For example: {self._pair(found)}"
        if not found.is_same:
            return [f"{number} Their objects differ, as in simulations that number their events alike."]
        return [
            f"{number} Of {found.n_compared:,} compared {found.n_same:,} have the same objects too, so these are the same events."
        ]

    def in_two_classes(self) -> str | None:
        """A sentence on events that stand in several classes with the same objects; None where there are none."""
        found = duplicates.across(self.shards, self.groups()) if len(self.classes) > 1 else None
        if found is None or not found.is_same:
            return None
        (one, row), (other, before) = found.second, found.first
        ids = ", ".join(
            f"{name} {value}"
            for name, value in zip(self.spec.id_names, self.shards[one].ids[row].tolist(), strict=True)
        )
        number = "1 event stands" if found.n == 1 else f"{found.n:,} events stand"
        return (
            f"{number} in several classes with the same ids and objects, for example entry {int(self.shards[one].entry[row])} of "
            f"{self.paths[one]} and entry {int(self.shards[other].entry[before])} of {self.paths[other]} ({ids}): nothing tells them apart"
        )

    def kept_twice(self) -> list[str]:
        """A remark on duplicates that the spec accepts."""
        found = duplicates.within(self.shards, self.groups()) if self.spec.on_duplicate == "keep" else None
        return [f"{self._pair(found)} {self._many(found)} They are kept (on_duplicate: keep)."] if found else []

    def overlap(self) -> list[str]:
        """A remark on events that the spec's branch puts into several splits."""
        splits = [shard.split for shard in self.shards]
        if self.spec.split is None or any(split is None for split in splits):
            return []
        codes = [split.astype(np.int64) for split in splits if split is not None]
        n = duplicates.overlap(self.shards, self.groups(), codes, self.spec.n_split_id)
        return [f"events that stand in more than one split (branch {self.spec.split.branch}): {n:,}"] if n else []

    def weights(self) -> dict[str, WeightSummary]:
        """By class."""
        if not self.classes:
            return {}
        found = {}
        for number, name in [*enumerate(self.classes), (NO_LABEL, "without class")]:
            parts = [shard.weight[self._of_class(place, number)] for place, shard in enumerate(self.shards)]
            found[name] = WeightSummary.of(np.concatenate([np.zeros(0), *parts]))
        if not found["without class"].n:
            del found["without class"]
        return found

    def _of_class(self, place: int, number: int) -> slice | NDArray[np.bool_]:
        """The graphs of a file that belong to a class, or to none."""
        label = self.label(place)
        if label is None or isinstance(label, int):
            return slice(None) if (NO_LABEL if label is None else label) == number else slice(0)
        return np.asarray(label == number)

    def file_report(self, place: int) -> FileReport:
        """What came of one file."""
        shard, label = self.shards[place], self.label(place)
        found = shard.meta.findings
        present = [] if label is None else np.unique(label).tolist()
        return FileReport(
            path=str(self.paths[place]),
            classes=tuple(self.classes[number] for number in present if 0 <= number < len(self.classes)),
            n_entry=found.get("n_entry", shard.n_graph),
            n_graph=shard.n_graph,
            dropped=dict(found.get("dropped", {})),
            n_empty=shard.meta.n_empty,
            max_node=found.get("max_node", 0),
            weights=WeightSummary.of(shard.weight),
            remarks=tuple(remarks_on(shard, self.spec)),
        )


def examine(selection: FileSet, *, skipped: Mapping[Path, str] | None = None) -> Report:
    """Everything that `root-gnn prepare` reports about prepared files; `skipped` are those that could not be read, and why."""
    return Report(
        spec=selection.spec.name,
        files=tuple(map(selection.file_report, range(len(selection.shards)))),
        skipped={str(path): reason for path, reason in (skipped or {}).items()},
        classes=selection.weights(),
        remarks=(*selection.kept_twice(), *selection.shared(), *selection.overlap()),
        problems=tuple(selection.problems()),
    )


def refuse(selection: FileSet) -> None:
    """Raises InputError where files must not be used together: duplicated events (`on_duplicate: stop`), different units."""
    problems = selection.problems()
    if problems:
        raise InputError(problems[0])
