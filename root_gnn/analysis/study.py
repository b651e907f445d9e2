"""A study: how much do pretrained networks gain over one from scratch, on which tasks, at which training sizes, over seeds."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from root_gnn.analysis.comparison import Comparison
from root_gnn.analysis.trainings import Training, run_all
from root_gnn.atomic import write_json, write_text
from root_gnn.config.loader import load
from root_gnn.config.section import Section
from root_gnn.config.shipped import find
from root_gnn.errors import InputError
from root_gnn.recipe import Name, Seed
from root_gnn.run import Run, data_folder, load_run
from root_gnn.task import Mode

Size = Annotated[int, Field(ge=1)]


class Pretraining(Section):
    """A recipe that networks are pretrained with, and what differs from it."""

    recipe: str
    set: tuple[str, ...] = ()


class Study(Section):
    """`configs/studies/<name>.yaml`.

    Attributes:
        tasks: shipped tasks, or paths.
        pretrained: by name, what the tasks start from. The network from scratch is that of the first one.
        modes: how a task is trained from each of them, beside `scratch`.
        train_events: sizes of the training subset, total over classes.
        seeds: each training is run with each.
        set: overrides of every training on a task.
        notes: what a reader of the results must know, one paragraph each.
    """

    name: Name
    tasks: tuple[str, ...] = Field(min_length=1)
    pretrained: dict[Name, Pretraining] = Field(min_length=1)
    modes: tuple[Mode, ...] = ("finetuned",)
    train_events: tuple[Size, ...] = Field(min_length=1)
    seeds: tuple[Seed, ...] = (1, 2, 3)
    set: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _once(self) -> Self:
        for key in ("tasks", "modes", "train_events", "seeds"):
            if len(dict.fromkeys(getattr(self, key))) < len(getattr(self, key)):
                raise ValueError(f"{key} holds something twice")
        if "scratch" in self.modes:
            raise ValueError("scratch is always trained, as what the others are compared with; leave it out of modes")
        return self

    def trainings(self) -> list[Training]:
        """Everything that has to be run: pretrainings first."""
        return [*self._pretrainings(), *(one for groups in self.groups().values() for members in groups.values() for one in members)]

    def _pretrainings(self) -> list[Training]:
        return [Training(name, one.recipe, one.set) for name, one in self.pretrained.items()]

    def groups(self) -> dict[tuple[str, int], dict[str, list[Training]]]:
        """By task and training size, by name of the group, the trainings with each seed; the first group is `scratch`."""
        first = next(iter(self.pretrained))
        found: dict[tuple[str, int], dict[str, list[Training]]] = {}
        for task in self.tasks:
            for size in self.train_events:
                groups = found[task, size] = {"scratch": [self._training(task, "scratch", first, size, seed) for seed in self.seeds]}
                for source in self.pretrained:
                    for mode in self.modes:
                        groups[f"{source}, {mode}"] = [self._training(task, mode, source, size, seed) for seed in self.seeds]
        return found

    def _training(self, task: str, mode: Mode, source: str, size: int, seed: int) -> Training:
        of = "" if mode == "scratch" else f"_{source}"
        return Training(f"{Path(task).stem}_{mode}{of}_n{size}_s{seed}", task, (*self.set, f"seed={seed}"), mode, source, size)


@dataclass(frozen=True)
class Results:
    """What a study found: a comparison for each task and size, and the trainings that failed with the reason."""

    study: Study
    comparisons: tuple[Comparison, ...]
    pretrained: Mapping[str, Run]
    failures: Mapping[str, str]
    folder: Path

    def __str__(self) -> str:
        runs = [f"{name}: {run.plan['n_parameters']:,} parameters" for name, run in self.pretrained.items() if "n_parameters" in run.plan]
        failed = [f"failed: {name}: {reason}" for name, reason in self.failures.items()]
        return "\n\n".join([*map(str, self.comparisons), *runs, *self.study.notes, *failed])


def study(path: Path | str, *, data_dir: Path | str | None = None, out: Path | str | None = None, jobs: int = 2) -> Results:
    """Runs what a study needs and is not done yet, and writes `study.json` and `study.md` in `out` (`studies/<name>`).

    Raises InputError where the study is wrong, or nothing can be compared since trainings failed.
    """
    plan = load(Study, find(path, "study"), allow_dotted=True)
    folder = Path("studies") / plan.name if out is None else Path(out)
    runs, data = folder / "runs", data_folder(data_dir)
    runs.mkdir(parents=True, exist_ok=True)
    outcome = run_all(plan.trainings(), runs=runs, data_dir=data, jobs=jobs)
    comparisons = []
    for (task, size), groups in plan.groups().items():
        ended = {name: [one.name for one in trainings if one.name in outcome.seconds] for name, trainings in groups.items()}
        members = {name: [load_run(runs / one) for one in names] for name, names in ended.items() if names}
        if "scratch" in members:
            comparisons.append(Comparison.of(members, title=f"{Path(task).stem}, {size:,} training events"))
    if not comparisons:
        raise InputError(f"Nothing can be compared: {'; '.join(f'{name}: {why}' for name, why in outcome.failures.items())}")
    pretrained = {name: load_run(runs / name) for name in plan.pretrained if name in outcome.seconds}
    results = Results(plan, tuple(comparisons), pretrained, outcome.failures, folder)
    commands = [shlex.join(one.command()) for one in plan.trainings()]
    content = {"comparisons": [one.content() for one in comparisons], "failures": dict(outcome.failures), "commands": commands}
    write_json(folder / "study.json", {"name": plan.name, "seconds": outcome.seconds, **content})
    write_text(folder / "study.md", f"{results}\n")
    return results
