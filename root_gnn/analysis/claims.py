"""What may be claimed about a paired difference, by the rule of `docs/statistics.md`, and figures with intervals as cells of tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from root_gnn.metrics.auc import auc_multiclass_of
from root_gnn.metrics.bootstrap import PairedDifference, SeedMean

FEWEST_SEEDS = 3
MULTICLASS_REPLICAS = 100
Verdict = Literal["above", "below", "not told apart", "too few seeds", "other training events", "not defined"]
Table = tuple[tuple[str, ...], list[tuple[str, ...]]]
PAIRED = ("mean [68 %]", "each seed", "seeds that go the other way", "claim")


def auc_by(n_class: int) -> dict[str, Any]:
    """What `seed_mean` and `paired_difference` are told where the figure is the AUC: that of two classes, or the mean over pairs."""
    return {} if n_class == 2 else {"metric": auc_multiclass_of, "n_replica": MULTICLASS_REPLICAS}


def verdict(found: PairedDifference | None, *, same_training_events: bool = True) -> Verdict:
    """What may be said: above or below only with three seeds on the same training events and an interval that excludes zero."""
    if found is None:
        return "not defined"
    if not same_training_events:
        return "other training events"
    if found.n_seed < FEWEST_SEEDS:
        return "too few seeds"
    if not found.excludes_zero:
        return "not told apart"
    return "above" if found.low > 0.0 else "below"


def paired_cells(found: PairedDifference | None, said: Verdict, digits: int) -> tuple[str, ...]:
    """Cells of a row of a table of differences, under PAIRED."""
    claim = said if said in ("above", "below", "not told apart") else f"none ({said})"
    against = "" if found is None else f"{sum(value * found.mean < 0.0 for value in found.per_seed)} of {found.n_seed}"
    return interval(found, digits, sign=True), each_seed(found, digits, sign=True), against, claim


def interval(found: SeedMean | PairedDifference | None, digits: int, *, sign: bool = False) -> str:
    """The mean and its 68 % interval, or that it is not defined."""
    if found is None:
        return "not defined"
    mean, low, high = (
        format(value, f"{'+' if sign else ''}.{digits}f") for value in (found.mean, found.low, found.high)
    )
    return f"{mean} [{low}, {high}]"


def each_seed(found: SeedMean | PairedDifference | None, digits: int, *, sign: bool = False) -> str:
    """The values of the seeds."""
    return (
        "" if found is None else " ".join(format(value, f"{'+' if sign else ''}.{digits}f") for value in found.per_seed)
    )


def as_mapping(found: SeedMean | PairedDifference | None) -> dict[str, Any] | None:
    """Plain values for JSON."""
    return (
        None
        if found is None
        else {key: list(value) if isinstance(value, tuple) else value for key, value in found._asdict().items()}
    )


def claims_markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table as Markdown, its columns aligned."""
    width = [max(len(row[k]) for row in (header, *rows)) for k in range(len(header))]
    lines = [header, ["-" * n for n in width], *rows]
    return "\n".join(
        "| " + " | ".join(cell.ljust(n) for cell, n in zip(line, width, strict=True)) + " |" for line in lines
    )
