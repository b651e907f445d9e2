"""Claims about a paired difference, by the rule of `docs/statistics.md`, and cells of tables with intervals."""

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
    """Returns the arguments of `seed_mean` and `paired_difference` for the AUC.

    For two classes it is the AUC, for more the mean over pairs of classes.
    """
    return {} if n_class == 2 else {"metric": auc_multiclass_of, "n_replica": MULTICLASS_REPLICAS}


def verdict(found: PairedDifference | None, *, same_training_events: bool = True) -> Verdict:
    """Returns what may be claimed about a paired difference.

    Above or below needs three seeds, the same training events, and an interval that excludes 0.
    """
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
    """Formats a difference as a row of a table with the columns `PAIRED`: interval, seeds, how many contradict, claim.

    Args:
        found: the paired difference, or None where there is none.
        said: the claim in words, or why there is none.
        digits: digits after the decimal point.
    """
    claim = said if said in ("above", "below", "not told apart") else f"none ({said})"
    against = "" if found is None else f"{sum(value * found.mean < 0.0 for value in found.per_seed)} of {found.n_seed}"
    return interval(found, digits, sign=True), each_seed(found, digits, sign=True), against, claim


def interval(found: SeedMean | PairedDifference | None, digits: int, *, sign: bool = False) -> str:
    """Formats the mean and its 68 % interval, as in `0.912 [0.905, 0.919]`; `not defined` for None.

    `digits` are those after the decimal point; with `sign`, positive numbers get a plus.
    """
    if found is None:
        return "not defined"
    mean, low, high = (
        format(value, f"{'+' if sign else ''}.{digits}f") for value in (found.mean, found.low, found.high)
    )
    return f"{mean} [{low}, {high}]"


def each_seed(found: SeedMean | PairedDifference | None, digits: int, *, sign: bool = False) -> str:
    """Formats the value of each seed, separated by spaces; nothing for None.

    `digits` are those after the decimal point; with `sign`, positive numbers get a plus.
    """
    return (
        "" if found is None else " ".join(format(value, f"{'+' if sign else ''}.{digits}f") for value in found.per_seed)
    )


def as_mapping(found: SeedMean | PairedDifference | None) -> dict[str, Any] | None:
    """Returns plain values for JSON."""
    return (
        None
        if found is None
        else {key: list(value) if isinstance(value, tuple) else value for key, value in found._asdict().items()}
    )


def claims_markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Formats a table as Markdown with aligned columns."""
    width = [max(len(row[k]) for row in (header, *rows)) for k in range(len(header))]
    lines = [header, ["-" * n for n in width], *rows]
    return "\n".join(
        "| " + " | ".join(cell.ljust(n) for cell, n in zip(line, width, strict=True)) + " |" for line in lines
    )
