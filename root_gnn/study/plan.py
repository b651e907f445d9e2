"""What a study is to run: `configs/studies/<name>.yaml`, its trainings and how they are grouped."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import Field, model_validator

from root_gnn.config.section import Section
from root_gnn.runs.recipe import Name, Seed
from root_gnn.runs.task import Mode
from root_gnn.study.execution.training import Training
from root_gnn.study.published import Published

Size = Annotated[int, Field(ge=1)]
TINY = ("data.max_events=200", "train.max_epochs=2", "train.max_steps=4", "train.batch_size=32")
TINY_SIZES, TINY_SEEDS, TINY_PRETRAINING = (40, 80), 2, 70
SIZE = "data.train_events="


class Pretraining(Section):
    """A recipe that networks are pretrained with, overrides, and the folder of its files.

    `modes` replaces those of the study; with `only_smallest` tasks start from it at the smallest training size alone,
    for what the size of pretraining does.
    """

    recipe: str
    set: tuple[str, ...] = ()
    folder: str = ""
    modes: tuple[Mode, ...] | None = None
    only_smallest: bool = False

    def tiny(self, train_events: int) -> Self:
        """With a few steps, on so many training events where the number is given."""
        kept = [f"{SIZE}{train_events}" if override.startswith(SIZE) else override for override in self.set]
        return self.model_copy(update={"set": (*kept, *TINY)})


class Version(Section):
    """Other data for the same trainings: a folder below the data folder, overrides (`data.spec=...`), or both."""

    folder: str = ""
    set: tuple[str, ...] = ()


class Cell(NamedTuple):
    """What is asked of every group: a task, a version of its data ("" where there is one only), a training size."""

    task: str
    version: str
    train_events: int

    @property
    def question(self) -> str:
        """Task and version in words."""
        return f"{Path(self.task).stem}, {self.version}" if self.version else Path(self.task).stem

    @property
    def title(self) -> str:
        """Everything in words."""
        return f"{self.question}, {self.train_events:,} training events"


class Study(Section):
    """`configs/studies/<name>.yaml`.

    Attributes:
        tasks: shipped tasks, or paths.
        pretrained: by name, what the tasks start from. The network from scratch is that of the first one.
        modes: how a task is trained from each of them, beside `scratch`.
        train_events: sizes of the training subset, total over classes.
        seeds: each training is run with each.
        data: by name, versions of the data that the tasks are trained and tested on; none is the task's own data.
        shared: overrides of every run, of pretrainings and tasks alike: the split of the data, which must be one.
        set: overrides of every training on a task, after the shared ones.
        floor: `trees` sets gradient-boosted trees on features of events beside the networks, on the same events with
            the same seeds; for graphs of whole events only.
        notes: what a reader of the results must know, one paragraph each.
        published: what somebody else found on these tasks, for the page to set beside.
    """

    name: Name
    tasks: tuple[str, ...] = Field(min_length=1)
    pretrained: dict[Name, Pretraining] = Field(min_length=1)
    modes: tuple[Mode, ...] = ("finetuned",)
    train_events: tuple[Size, ...] = Field(min_length=1)
    seeds: tuple[Seed, ...] = (1, 2, 3)
    data: dict[Name, Version] = Field(default_factory=dict)
    shared: tuple[str, ...] = ()
    set: tuple[str, ...] = ()
    floor: Literal["trees"] | None = None
    notes: tuple[str, ...] = ()
    published: Published | None = None

    @model_validator(mode="after")
    def _once(self) -> Self:
        for key in ("tasks", "train_events", "seeds"):
            if len(dict.fromkeys(getattr(self, key))) < len(getattr(self, key)):
                raise ValueError(f"{key} holds something twice")
        for modes in (self.modes, *(one.modes or () for one in self.pretrained.values())):
            if len(set(modes)) < len(modes):
                raise ValueError("modes holds something twice")
            if "scratch" in modes:
                raise ValueError(
                    "scratch is always trained, as what the others are compared with; leave it out of modes"
                )
        return self

    def tiny(self) -> Self:
        """The same trainings with a few steps on a few events, two sizes and two seeds.

        It shows in a minute that a study runs through.
        """
        pretrained = {
            name: one.tiny(TINY_PRETRAINING * (k + 1)) for k, (name, one) in enumerate(self.pretrained.items())
        }
        return self.model_copy(
            update={
                "name": f"{self.name}_tiny",
                "pretrained": pretrained,
                "set": (*self.set, *TINY),
                "seeds": self.seeds[:TINY_SEEDS],
                "train_events": TINY_SIZES[: len(self.train_events)],
                "notes": ("A tiny run, which shows that everything goes through. Its numbers mean nothing.",),
            }
        )

    def trainings(self) -> list[Training]:
        """Everything that has to be run: pretrainings first."""
        return [
            *self.pretrainings(),
            *(one for groups in self.groups().values() for members in groups.values() for one in members),
        ]

    def pretrainings(self) -> list[Training]:
        """The trainings that the others start from."""
        return [
            Training(name, one.recipe, (*self.shared, *one.set), folder=one.folder)
            for name, one in self.pretrained.items()
        ]

    def groups(self) -> dict[Cell, dict[str, list[Training]]]:
        """The trainings of each cell by group, one for each seed; the first group is `scratch`."""
        first = next(iter(self.pretrained))
        found: dict[Cell, dict[str, list[Training]]] = {}
        for task, version, size in product(self.tasks, self.data or [""], self.train_events):
            cell = Cell(task, version, size)
            groups = found[cell] = {"scratch": [self._training(cell, "scratch", first, seed) for seed in self.seeds]}
            for source, pretraining in self.pretrained.items():
                if pretraining.only_smallest and size > min(self.train_events):
                    continue
                for mode in pretraining.modes or self.modes:
                    groups[f"{source}, {mode}"] = [self._training(cell, mode, source, seed) for seed in self.seeds]
        return found

    def _training(self, cell: Cell, mode: Mode, source: str, seed: int) -> Training:
        data = self.data.get(cell.version, Version())
        of = "" if mode == "scratch" else f"_{source}"
        version = f"_{cell.version}" if cell.version else ""
        name = f"{Path(cell.task).stem}{version}_{mode}{of}_n{cell.train_events}_s{seed}"
        return Training(
            name,
            cell.task,
            (*self.shared, *data.set, *self.set, f"seed={seed}"),
            mode,
            source,
            cell.train_events,
            data.folder,
        )
