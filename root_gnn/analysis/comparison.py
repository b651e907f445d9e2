"""Groups of finished runs on one task: means over seeds with errors, and claims about their differences.

The rule is that of `docs/statistics.md`: "above" is written only where at least three seeds were trained on the same
events in both groups, and the 68 % interval of the mean paired difference excludes zero. The difference of each seed is
shown too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from root_gnn.analysis.claims import (
    PAIRED,
    Table,
    Verdict,
    as_mapping,
    auc_by,
    claims_markdown,
    each_seed,
    interval,
    paired_cells,
    verdict,
)
from root_gnn.analysis.predictions import Predictions, check_same_events, read_predictions
from root_gnn.atomic import write_json
from root_gnn.errors import InputError, suggest
from root_gnn.metrics.bootstrap import PairedDifference, SeedMean, paired_difference, seed_mean
from root_gnn.metrics.rejection import SIGNAL_EFFICIENCIES, rejection_of
from root_gnn.runs.run import Run, SplitName

REJECTION_REPLICAS = 200


@dataclass(frozen=True)
class RunGroup:
    """Runs that differ by their seed only, with their figures on the test split.

    Attributes:
        name: the group.
        runs: names of the runs.
        seeds: their seeds.
        n_train: training events of each.
        auc: mean test AUC over seeds.
        rejection: background rejection by signal efficiency, for two classes only.
    """

    name: str
    runs: tuple[str, ...]
    seeds: tuple[int, ...]
    n_train: int
    auc: SeedMean | None
    rejection: dict[str, SeedMean | None]


@dataclass(frozen=True)
class Difference:
    """Test AUC of a group minus that of the reference, paired by seed and test event, over the seeds both have.

    `rejection` is the same for the background rejection at each signal efficiency, for two classes only.
    """

    group: str
    reference: str
    seeds: tuple[int, ...]
    same_training_events: bool
    auc: PairedDifference | None
    rejection: dict[str, PairedDifference | None]

    @property
    def verdict(self) -> Verdict:
        """What may be said of the AUC, by the rule in the module's docstring."""
        return verdict(self.auc, same_training_events=self.same_training_events)

    @property
    def rejection_verdict(self) -> dict[str, Verdict]:
        """The same of the background rejection at each signal efficiency."""
        return {at: verdict(one, same_training_events=self.same_training_events) for at, one in self.rejection.items()}


@dataclass(frozen=True)
class Comparison:
    """Groups of runs on the same test events; `differences` are those of every other group to the reference."""

    title: str
    classes: tuple[str, ...]
    n_test: int
    reference: str
    groups: tuple[RunGroup, ...]
    differences: tuple[Difference, ...]

    @classmethod
    def of(
        cls,
        groups: Mapping[str, Sequence[Run]],
        *,
        title: str = "",
        reference: str | None = None,
        split: SplitName | Literal["files"] = "test",
    ) -> Comparison:
        """Reads the test predictions of all runs and compares each group with `reference`.

        Args:
            groups: the runs of each group.
            title: heading of the comparison; made from the classes unless given.
            reference: name of the group that the others are compared with; the first group unless given.
            split: the predictions to read; `files` for those of other files.

        Raises:
            InputError: for a group without runs or with a seed twice, runs of other classes or other test events (by
                id, in order), runs of one group on other training data, and groups that share no seed with the
                reference.
        """
        if not groups or any(len(runs) == 0 for runs in groups.values()):
            raise InputError(f"A comparison takes groups of one run or more each and got {_counts(groups)}.")
        base = next(iter(groups)) if reference is None else reference
        if base not in groups:
            raise InputError(f"The reference {base} is none of the groups{suggest(base, groups)}")
        found = {name: {run.recipe.seed: read_predictions(run, split) for run in runs} for name, runs in groups.items()}
        every = [one for members in found.values() for one in members.values()]
        check_same_events(every)
        for name, runs in groups.items():
            _check_group(name, runs)
        return cls(
            title or f"{every[0].classes[-1]} against {', '.join(every[0].classes[:-1])}",
            every[0].classes,
            every[0].n_event,
            base,
            groups=tuple(
                group_of(name, [run.name for run in runs], found[name], n_train=runs[0].plan["events"]["train"])
                for name, runs in groups.items()
            ),
            differences=tuple(
                difference_of(name, base, found, same_data=training_data(runs[0]) == training_data(groups[base][0]))
                for name, runs in groups.items()
                if name != base
            ),
        )

    def figures(self) -> Table:
        """Returns header and rows of the table of means with intervals and of every seed's AUC."""
        wanted = self._efficiencies
        header = (
            "group",
            "training events",
            "seeds",
            "test AUC [68 %]",
            "AUC of each seed",
            *(f"rejection at {_percent(at)} signal [68 %]" for at in wanted),
        )
        rows = [
            (
                group.name,
                f"{group.n_train:,}",
                str(len(group.seeds)),
                interval(group.auc, 3),
                each_seed(group.auc, 3),
                *(interval(group.rejection[at], 2) for at in wanted),
            )
            for group in self.groups
        ]
        return header, rows

    def paired(self) -> list[Table]:
        """Returns header and rows of the tables of differences: AUC, then rejection at each signal efficiency."""
        if not self.differences:
            return []
        auc = [(one.group, *paired_cells(one.auc, one.verdict, 3)) for one in self.differences]
        rejection = [
            (f"{one.group}, at {_percent(at)} signal", *paired_cells(one.rejection[at], one.rejection_verdict[at], 2))
            for at in self._efficiencies
            for one in self.differences
        ]
        of = {
            f"test AUC less that of {self.reference}": auc,
            f"background rejection less that of {self.reference}": rejection,
        }
        return [((title, *PAIRED), rows) for title, rows in of.items() if rows]

    @property
    def _efficiencies(self) -> list[str]:
        return [str(at) for at in SIGNAL_EFFICIENCIES] if len(self.classes) == 2 else []

    def __str__(self) -> str:
        head = f"{self.title}: {self.n_test:,} test events, intervals over events and seeds"
        return "\n\n".join([head, *(claims_markdown(*table) for table in (self.figures(), *self.paired()))])

    def content(self) -> dict[str, Any]:
        """Returns plain values for JSON, the verdicts among them."""
        differences = [
            {
                **asdict(one),
                "auc": as_mapping(one.auc),
                "verdict": one.verdict,
                "rejection": {at: as_mapping(found) for at, found in one.rejection.items()},
                "rejection_verdict": one.rejection_verdict,
            }
            for one in self.differences
        ]
        groups = [
            {
                **asdict(group),
                "auc": as_mapping(group.auc),
                "rejection": {at: as_mapping(one) for at, one in group.rejection.items()},
            }
            for group in self.groups
        ]
        return {
            "title": self.title,
            "classes": list(self.classes),
            "n_test": self.n_test,
            "reference": self.reference,
            "groups": groups,
            "differences": differences,
        }

    def save(self, path: Path) -> None:
        """Writes JSON."""
        write_json(path, self.content())


def _check_group(name: str, runs: Sequence[Run]) -> None:
    seeds = [run.recipe.seed for run in runs]
    if len(set(seeds)) < len(seeds):
        raise InputError(
            f"The group {name} has a seed twice ({', '.join(map(str, seeds))}); runs of a group are told apart by "
            "their seed."
        )
    other = next((run for run in runs if training_data(run) != training_data(runs[0])), None)
    if other is not None:
        raise InputError(
            f"The runs of the group {name} were trained on other data: {runs[0].folder} and {other.folder} differ in "
            "their data section (files, split, max_events or train_events). Put them into two groups."
        )


def training_data(run: Run) -> dict[str, Any]:
    """Returns what decides, together with the seed, which events a run was trained on."""
    kept = {"spec", "classes", "files", "split", "max_events", "train_events"}
    return run.recipe.data.model_dump(include=kept) | {"n_train": run.plan["events"]["train"]}


def group_of(name: str, runs: Sequence[str], found: Mapping[int, Predictions], *, n_train: int) -> RunGroup:
    """Computes the figures of a group from its predictions by seed.

    Args:
        name: the group.
        runs: names of the runs, in the order of the predictions.
        found: predictions by seed.
        n_train: training events of each run.
    """
    one, binary = next(iter(found.values())), len(next(iter(found.values())).classes) == 2
    scores = np.stack([each.scores for each in found.values()])
    return RunGroup(
        name,
        tuple(runs),
        tuple(found),
        n_train,
        auc=seed_mean(scores, one.label, one.weight, **auc_by(len(one.classes))),
        rejection={
            str(at): seed_mean(scores, one.label, one.weight, **_rejection(at)) for at in SIGNAL_EFFICIENCIES if binary
        },
    )


def difference_of(
    name: str, base: str, found: Mapping[str, Mapping[int, Predictions]], *, same_data: bool
) -> Difference:
    """Computes a group minus another one from the predictions of both by seed.

    Raises:
        InputError: where the groups share no seed.
    """
    seeds = tuple(seed for seed in found[name] if seed in found[base])
    if not seeds:
        its, theirs = (", ".join(map(str, found[group])) for group in (name, base))
        raise InputError(
            f"The groups {name} (seeds {its}) and {base} (seeds {theirs}) share no seed, so they can't be "
            "compared seed by seed; train both with the same seeds."
        )
    a, b = (np.stack([found[group][seed].scores for seed in seeds]) for group in (name, base))
    one = found[base][seeds[0]]
    binary = len(one.classes) == 2
    return Difference(
        name,
        base,
        seeds,
        same_data,
        paired_difference(a, b, one.label, one.weight, **auc_by(len(one.classes))),
        rejection={
            str(at): paired_difference(a, b, one.label, one.weight, **_rejection(at))
            for at in SIGNAL_EFFICIENCIES
            if binary
        },
    )


def _rejection(at: float) -> dict[str, Any]:
    return {"metric": partial(rejection_of, signal_efficiency=at), "n_replica": REJECTION_REPLICAS}


def _percent(at: str) -> str:
    return f"{100 * float(at):.0f} %"


def _counts(groups: Mapping[str, Sequence[Run]]) -> str:
    return ", ".join(f"{name} with {len(runs)}" for name, runs in groups.items()) or "none"
