"""The test AUC and background rejection of each way to train against the number of training events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar

from root_gnn import plots
from root_gnn.analysis.claims import interval
from root_gnn.analysis.comparison import Comparison
from root_gnn.metrics.bootstrap import PairedDifference, SeedMean
from root_gnn.metrics.rejection import SIGNAL_EFFICIENCIES
from root_gnn.pages.html import paragraph, picture, pictures
from root_gnn.pages.report import HOW_COMPARED
from root_gnn.plots import Interval
from root_gnn.study.answer import Answer, StudyQuestion
from root_gnn.study.compared import compared_tables


class Config(Answer):
    """Comparisons by training size: pictures, tables, and what the summary says of the smallest and the largest."""

    title: ClassVar[str] = "{question}: against training size"
    order: ClassVar[int] = 10

    def highlights(self, question: StudyQuestion) -> Iterator[str]:
        """The AUC of scratch and the differences from it and from the trees, at the smallest and the largest size."""
        for cell in dict.fromkeys((question.smallest_cell, question.largest_cell)):
            comparison, floor = question.cells[cell].comparison, question.cells[cell].floor
            scratch = next(group for group in comparison.groups if group.name == comparison.reference)
            where = f"{question.name}, {cell.train_events:,} training events"
            yield (
                f"{where}: test AUC {interval(scratch.auc, 3)} from scratch ({len(scratch.seeds)} seeds, "
                f"{comparison.n_test:,} test events). Less that of scratch: {_differences(comparison)}."
            )
            if floor is not None:
                yield (
                    f"{where}: test AUC {interval(floor.groups[0].auc, 3)} of boosted trees. "
                    f"Less that of them: {_differences(floor)}."
                )

    def question_section(self, question: StudyQuestion, folder: Path) -> Iterator[str]:
        """Pictures with the paired gains, then the tables of groups and of differences."""
        comparisons = {cell.train_events: result.comparison for cell, result in question.cells.items()}
        floors = {
            cell.train_events: result.floor for cell, result in question.cells.items() if result.floor is not None
        }
        yield paragraph(f"{question.largest.comparison.n_test:,} test events. {HOW_COMPARED}")
        drawn = []
        for efficiency in (None, *map(str, SIGNAL_EFFICIENCIES)) if len(question.classes) == 2 else (None,):
            path = folder / f"size{efficiency or ''}.svg"
            against_size(comparisons, path, signal_efficiency=efficiency, floors=floors)
            what = "test AUC"
            if efficiency is not None:
                what = f"background rejection at {100 * float(efficiency):.0f} % signal efficiency"
            caption = (
                f"{question.name}: {what} against the number of training events, mean over seeds, and below the paired "
                "gain over scratch; 68 % intervals over events and seeds."
            )
            drawn.append(picture(path, caption))
        yield pictures(drawn)
        yield from compared_tables(comparisons)


def _differences(comparison: Comparison) -> str:
    return "; ".join(
        f"{other.group} {interval(other.auc, 3, sign=True)}, {other.verdict}" for other in comparison.differences
    )


def interval_of(found: SeedMean | PairedDifference | None) -> Interval | None:
    """As a dot with a bar."""
    return None if found is None else Interval(found.mean, found.low, found.high)


def against_size(
    sizes: Mapping[int, Comparison],
    path: Path,
    *,
    signal_efficiency: str | None = None,
    floors: Mapping[int, Comparison] | None = None,
) -> None:
    """Test AUC, or background rejection, of each group against training size, above the gain over scratch.

    The groups of `floors`, by size, are drawn beside them.
    """
    curves: dict[str, dict[int, Interval]] = {}
    gains: dict[str, dict[int, Interval]] = {}
    for size, one in sizes.items():
        for difference in one.differences:
            found = interval_of(
                difference.auc if signal_efficiency is None else difference.rejection[signal_efficiency]
            )
            if found is not None:
                gains.setdefault(difference.group, {})[size] = found
    for size, group in (
        (size, group) for each in (sizes, floors or {}) for size, one in each.items() for group in one.groups
    ):
        found = interval_of(group.auc if signal_efficiency is None else group.rejection[signal_efficiency])
        if found is not None:
            curves.setdefault(group.name, {})[size] = found
    percent = "" if signal_efficiency is None else f"{100 * float(signal_efficiency):.0f} % signal efficiency"
    quantity = "Test AUC" if signal_efficiency is None else f"Background rejection\nat {percent}"
    if curves:
        plots.training_size(curves, path, quantity=quantity, gains=gains or None, log=signal_efficiency is not None)
