"""The `data` section of a recipe."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from root_gnn.config.plugins import Family
from root_gnn.config.section import Section
from root_gnn.errors import InputError, suggest
from root_gnn.protocols import AugmentationConfig

GLOB = "*?["


def _several(given: Any) -> Any:
    return (given,) if isinstance(given, str) else given


Files = Annotated[tuple[str, ...], BeforeValidator(_several)]


class Split(Section):
    """Fractions of the events, by hash of their ids, that go into each split."""

    train: float = Field(0.7, ge=0, le=1)
    validation: float = Field(0.1, ge=0, le=1)
    test: float = Field(0.2, ge=0, le=1)

    @model_validator(mode="after")
    def _add_up(self) -> Self:
        total = self.train + self.validation + self.test
        if not math.isclose(total, 1.0, abs_tol=1e-6):
            raise ValueError(f"train, validation and test add up to {total:g}, not to 1")
        return self


class DataConfig(Section):
    """Which files, what they mean, and how their events are used.

    Attributes:
        spec: name of a shipped data spec, or a path.
        classes: files (or patterns such as `WH*.root`) of each class, relative to the data folder; the order is the class
            index. Empty where the label is a branch (`label` in the spec) or nothing is labelled: then `files`.
        files: files or patterns whose classes, if any, the spec's label tells.
        split: fractions of train, validation and test.
        lumi: integrated luminosity in fb^-1 for expected yields; null where significances make no sense.
        weights: event weights in the loss, `signed` as they are or `abs`; evaluation is always signed.
        augmentations: what is done to a batch in training, in this order.
        max_events: at most so many events of each class, chosen by hash of their ids; null for all.
        train_events: training events in total, as many of each class, drawn by the recipe's seed and nested between sizes;
            null for all of the training split.
        n_worker: processes that read ahead; 0 reads in the training process.
    """

    spec: str = "events"
    classes: dict[str, Files] = Field(default_factory=dict)
    files: Files = ()
    split: Split = Field(default_factory=Split)
    lumi: float | None = Field(None, gt=0)
    weights: Literal["signed", "abs"] = "signed"
    augmentations: tuple[Annotated[AugmentationConfig, Family("augmentations")], ...] = ()
    max_events: int | None = Field(None, ge=1)
    train_events: int | None = Field(None, ge=1)
    n_worker: int = Field(0, ge=0)

    @model_validator(mode="after")
    def _one_source_of_files(self) -> Self:
        if bool(self.classes) == bool(self.files):
            raise ValueError("give classes (files by class) or files, one of the two")
        return self


def find_files(patterns: tuple[str, ...], data_dir: Path) -> list[Path]:
    """The files that names or patterns mean, relative to `data_dir`, each once, patterns in alphabetical order.

    A name that exists is taken as it stands, whatever characters it has. Raises InputError with near names where nothing fits.
    """
    found: dict[Path, None] = {}
    for pattern in patterns:
        if (data_dir / pattern).is_file():
            found[data_dir / pattern] = None
            continue
        matches = sorted(_glob(data_dir, pattern)) if any(sign in pattern for sign in GLOB) else []
        if not matches:
            raise InputError(_nothing_found(pattern, data_dir))
        found.update(dict.fromkeys(matches))
    return list(found)


def _glob(data_dir: Path, pattern: str) -> list[Path]:
    whole = Path(pattern)
    if whole.is_absolute():
        return [path for path in Path(whole.anchor).glob(str(whole.relative_to(whole.anchor))) if path.is_file()]
    return [path for path in data_dir.glob(pattern) if path.is_file()]


def _nothing_found(pattern: str, data_dir: Path) -> str:
    if not data_dir.is_dir():
        return f"The data folder {data_dir} does not exist; name it with --data-dir or ROOT_GNN_DATA."
    there = sorted(path.name for path in data_dir.iterdir() if path.is_file() and not path.name.startswith("."))
    near = suggest(pattern, there[:40]) if there else "; the folder has no files"
    stop = "" if near.endswith("?") else "."
    return f"No file in the data folder {data_dir} is called {pattern}{near}{stop} Name another folder with --data-dir or ROOT_GNN_DATA."
