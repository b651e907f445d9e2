"""Results of linear probes as tables and as values for JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from root_gnn.analysis.claims import (
    PAIRED,
    Table,
    as_mapping,
    claims_markdown,
    each_seed,
    interval,
    paired_cells,
    verdict,
)
from root_gnn.analysis.logistic import MOST_STEPS
from root_gnn.metrics.bootstrap import PairedDifference, SeedMean

Kind = Literal["run", "random", "inputs"]
FIGURES = ("accuracy", "auc")


@dataclass(frozen=True)
class Probed:
    """Linear models on one representation, one for each seed: figures on the test events, and how the fits went."""

    name: str
    kind: Kind
    dim: int
    accuracy: SeedMean | None
    auc: SeedMean | None
    strengths: tuple[float, ...]
    converged: tuple[bool, ...]

    def content(self) -> dict[str, Any]:
        """Plain values for JSON."""
        figures = {name: as_mapping(getattr(self, name)) for name in FIGURES}
        fits = {"l2": list(self.strengths), "converged": list(self.converged)}
        return {"name": self.name, "kind": self.kind, "dim": self.dim, **figures, **fits}


@dataclass(frozen=True)
class Gain:
    """Figures of a run less those of a reference, paired by seed and test event."""

    run: str
    reference: str
    accuracy: PairedDifference | None
    auc: PairedDifference | None

    def content(self) -> dict[str, Any]:
        """Plain values for JSON, the verdicts among them."""
        found = {name: getattr(self, name) for name in FIGURES}
        verdicts = {name: verdict(one) for name, one in found.items()}
        return {
            "run": self.run,
            "reference": self.reference,
            **{name: as_mapping(one) for name, one in found.items()},
            "verdict": verdicts,
        }


@dataclass(frozen=True)
class Probes:
    """All linear models on one task, and each run compared with each of its references.

    `events` counts the events of each split.
    """

    task: str
    classes: tuple[str, ...]
    seeds: tuple[int, ...]
    events: dict[str, int]
    probed: tuple[Probed, ...]
    gains: tuple[Gain, ...]

    def tables(self) -> list[Table]:
        """Header and rows: figures of every representation, then differences of accuracy and of AUC."""
        auc = "AUC" if len(self.classes) == 2 else "AUC, mean over pairs of classes"
        header = (
            "linear model on",
            "features",
            "accuracy [68 %]",
            f"{auc} [68 %]",
            "AUC of each seed",
            "L2 of each seed",
        )
        rows: list[tuple[str, ...]] = [
            (
                one.name,
                str(one.dim),
                interval(one.accuracy, 4),
                interval(one.auc, 4),
                each_seed(one.auc, 4),
                " ".join(f"{strength:g}" for strength in one.strengths),
            )
            for one in self.probed
        ]
        paired = [self._paired(figure, title) for figure, title in zip(FIGURES, ("accuracy", auc), strict=True)]
        return [(header, rows), *(paired if self.gains else [])]

    def _paired(self, figure: str, title: str) -> Table:
        of = [(f"{gain.run} less {gain.reference}", getattr(gain, figure)) for gain in self.gains]
        return (f"difference of {title}", *PAIRED), [
            (name, *paired_cells(found, verdict(found), 4)) for name, found in of
        ]

    def __str__(self) -> str:
        counts = ", ".join(f"{count:,} {name}" for name, count in self.events.items())
        head = (
            f"{self.task}: linear models on frozen representations, {len(self.classes)} classes, events: {counts}; "
            f"seeds {' '.join(map(str, self.seeds))}, intervals over test events and seeds"
        )
        unfinished = [one.name for one in self.probed if not all(one.converged)]
        notes = (
            [f"Stopped after {MOST_STEPS:,} steps, before it converged: {', '.join(unfinished)}."] if unfinished else []
        )
        return "\n\n".join([head, *(claims_markdown(*table) for table in self.tables()), *notes])

    def content(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "task": self.task,
            "classes": list(self.classes),
            "seeds": list(self.seeds),
            "events": self.events,
            "probed": [one.content() for one in self.probed],
            "differences": [one.content() for one in self.gains],
        }
