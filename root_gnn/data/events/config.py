"""The `data` section of a recipe."""

from __future__ import annotations

import glob
import math
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from root_gnn.config.plugins import Family
from root_gnn.config.section import Section, Words
from root_gnn.data.events.shuffle import WINDOW
from root_gnn.data.formats.location import is_address, locate
from root_gnn.data.formats.score_file import without_scores
from root_gnn.errors import InputError, suggest
from root_gnn.protocols import AugmentationConfig

GLOB = "*?["


PositivePb = Annotated[float, Field(gt=0)]


class Split(Section):
    """How events are divided into those that train, validate and test.

    Attributes:
        by: `hash` of the events' ids, the `branch` that the spec's `split` names, or the `file` an event is in.
        train, validation, test: fractions of the events, by hash. With folds `validation` is a fraction of the events
            outside the test fold.
        ids: the id columns that are hashed; by default all but `resimulation`.
        validation_files, test_files: with `by: file`, names or patterns of files, compared from the right of their
            paths; all other files train.
        n_fold: number of folds, by hash.
        fold: the fold that tests (0 is the first).
    """

    by: Literal["hash", "branch", "file"] = "hash"
    train: float = Field(0.7, ge=0, le=1)
    validation: float = Field(0.1, ge=0, le=1)
    test: float = Field(0.2, ge=0, le=1)
    ids: Words = ()
    validation_files: Words = ()
    test_files: Words = ()
    n_fold: int | None = Field(None, ge=2)
    fold: int | None = Field(None, ge=0)

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.by != "hash" and (self.ids or self.n_fold is not None or self.fold is not None):
            raise ValueError(f"ids, n_fold and fold belong to by: hash, not to by: {self.by}")
        if self.by != "hash" and self._changed("train", "validation", "test"):
            raise ValueError(f"train, validation and test are fractions by hash; with by: {self.by} leave them out")
        if self.by == "file" and not (self.validation_files and self.test_files):
            raise ValueError("by: file needs validation_files and test_files; the other files train")
        if self.by != "file" and (self.validation_files or self.test_files):
            raise ValueError("validation_files and test_files need by: file")
        return self

    @model_validator(mode="after")
    def _add_up(self) -> Self:
        if (self.n_fold is None) != (self.fold is None):
            raise ValueError("n_fold (how many) and fold (which one tests) belong together")
        if self.n_fold is not None and self.fold is not None:
            if self.fold >= self.n_fold:
                raise ValueError(f"fold is {self.fold}; of {self.n_fold} folds the last is {self.n_fold - 1}")
            if self._changed("train", "test"):
                raise ValueError("with n_fold the fold is the test split and the rest trains; give validation only")
            if self.validation == 1:
                raise ValueError("validation is the fraction of what the fold leaves for training; 1 leaves nothing")
            return self
        total = self.train + self.validation + self.test
        if not math.isclose(total, 1.0, abs_tol=1e-6):
            raise ValueError(f"train, validation and test add up to {total:g}, not to 1")
        return self

    def _changed(self, *names: str) -> bool:
        """Whether one of the keys is other than its default: a recipe that was written down names them all."""
        return any(getattr(self, name) != type(self).model_fields[name].default for name in names)


class DataConfig(Section):
    """Which files, what they mean, and how their events are used.

    Attributes:
        spec: name of a shipped data spec, or a path.
        classes: files (or patterns such as `WH*.root`) of each class, relative to the data folder; the order is the
            class index. Files on a server are named by their addresses (`https://...`, `root://...`). Empty if the
            label is a branch (`label` in the spec) or nothing is labelled: then use `files`.
        files: files or patterns; their classes, if any, come from the spec's label.
        split: which events train, validate and test.
        lumi: integrated luminosity in fb^-1 for expected yields; null if significances make no sense.
        cross_sections: by class, cross section in pb, for classes whose files do not contain it.
        weights: event weights in the loss, `signed` as they are or `abs`; evaluation is always signed.
        augmentations: applied to each training batch, in this order.
        max_events: largest number of events of each class (of graphs, if the head does not classify whole events),
            chosen by a hash of their ids; null for all.
        train_events: training events in total, equally many of each class, drawn by the recipe's seed; a smaller set
            is part of a larger one. Null for all of the training split.
        window: size of the shuffle window; an epoch with more training events is shuffled window by window.
        n_worker: processes that read ahead; 0 reads in the training process.
    """

    spec: str = "events"
    classes: dict[str, Words] = Field(default_factory=dict)
    files: Words = ()
    split: Split = Field(default_factory=Split)
    lumi: float | None = Field(None, gt=0)
    cross_sections: dict[str, PositivePb] = Field(default_factory=dict)
    weights: Literal["signed", "abs"] = "signed"
    augmentations: tuple[Annotated[AugmentationConfig, Family("augmentations")], ...] = ()
    max_events: int | None = Field(None, ge=1)
    train_events: int | None = Field(None, ge=1)
    window: int = Field(WINDOW, ge=1)
    n_worker: int = Field(0, ge=0)

    @model_validator(mode="after")
    def _one_source_of_files(self) -> Self:
        if bool(self.classes) == bool(self.files):
            state = (
                "both are there: leave one out (--set data.classes={} does so)" if self.files else "neither is there"
            )
            raise ValueError(f"give classes (files by class) or files, one of the two; {state}")
        return self

    @model_validator(mode="after")
    def _known_cross_sections(self) -> Self:
        for name in self.cross_sections:
            if name not in self.classes:
                near = suggest(name, self.classes) if self.classes else "; there are none"
                raise ValueError(f"cross_sections: {name} is not one of classes{near}")
        if self.cross_sections and self.lumi is None:
            raise ValueError("cross_sections make yields together with lumi only; give lumi too")
        return self


def find_files(patterns: tuple[str, ...], data_dir: Path) -> list[Path]:
    """Returns the files that names, patterns or addresses mean, relative to `data_dir`, each once.

    The files of a pattern are in alphabetical order, without files of scores that `root-gnn predict` wrote. The name of
    an existing file is never taken as a pattern. Raises InputError with similar names if nothing matches.
    """
    files: dict[Path, None] = {}
    for pattern in patterns:
        if is_address(pattern):
            files[locate(pattern)] = None
            continue
        if (data_dir / pattern).is_file():
            files[data_dir / pattern] = None
            continue
        matches = without_scores(sorted(_glob(data_dir, pattern))) if any(sign in pattern for sign in GLOB) else []
        if not matches:
            raise InputError(_nothing_found(pattern, data_dir))
        files.update(dict.fromkeys(matches))
    return list(files)


def matches(path: Path, pattern: str) -> bool:
    """Whether a name or pattern matches a path, compared from the right: `*_test.root`, `ttbar/test.root`."""
    return path.match(pattern) or path.match(glob.escape(pattern))


def _glob(data_dir: Path, pattern: str) -> list[Path]:
    whole = Path(pattern)
    if whole.is_absolute():
        return [path for path in Path(whole.anchor).glob(str(whole.relative_to(whole.anchor))) if path.is_file()]
    return [path for path in data_dir.glob(pattern) if path.is_file()]


def _nothing_found(pattern: str, data_dir: Path) -> str:
    if not data_dir.is_dir():
        return f"The data folder {data_dir} does not exist; name it with --data-dir or ROOT_GNN_DATA."
    names = sorted(path.name for path in data_dir.iterdir() if path.is_file() and not path.name.startswith("."))
    near = suggest(pattern, names[:40]) if names else "; the folder has no files"
    stop = "" if near.endswith("?") else "."
    return (
        f"No file in the data folder {data_dir} is called {pattern}{near}{stop} "
        "Name another folder with --data-dir or ROOT_GNN_DATA."
    )
