"""What was published beside what a study found, point by point."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar, Literal, NamedTuple

from root_gnn.analysis.claims import interval
from root_gnn.metrics.cost import BreakEven
from root_gnn.metrics.seeds import OverSeeds
from root_gnn.pages.html import heading, paragraph, table
from root_gnn.study.answer import Answer, StudyAnswers
from root_gnn.study.cka import FLOOR, ValueWithError
from root_gnn.study.published import Published, Range
from root_gnn.study.results import CellResult
from root_gnn.study.speed import Speed

HOW_BESIDE = (
    "Gains are relative to the AUC of scratch. They agree where the 68 % interval and the published range have "
    "something in common, costs where both are on the same side of one, similarity where it is told apart from that "
    "of two networks from scratch, or not, in both."
)


Agreement = Literal["agrees", "differs", "not told apart", "not defined"]


class Config(Answer):
    """The figures that the study's YAML names under `published`, each with the study's own and whether they agree."""

    order: ClassVar[int] = 90
    study_place: ClassVar[Literal["before", "after"]] = "before"

    def of_study(self, study: StudyAnswers) -> tuple[PublishedComparison, ...]:
        """The points of all questions; none where nothing is published."""
        published = study.results.study.published
        if published is None:
            return ()
        return tuple(
            point
            for name, question in study.questions.items()
            for point in points(
                published,
                name,
                {cell.train_events: result for cell, result in question.cells.items()},
                question.value("speed"),
                question.value("cost").pays,
                question.value("similarity").by_size,
            )
        )

    def study_section(self, study: StudyAnswers, folder: Path) -> Iterator[str]:
        """A table of the points."""
        del folder  # there are no pictures
        published = study.results.study.published
        if published is not None:
            yield heading("Beside what was published")
            yield paragraph(f"{published.source}; here the group {published.group}. {published.events} {HOW_BESIDE}")
            yield table(("task", "what", "published", "here [68 %]", "agreement"), study.value(self.name))


class PublishedComparison(NamedTuple):
    """One thing that was published, what this study has of it, and whether the two agree."""

    question: str
    what: str
    published: str
    here: str
    agreement: Agreement


def points(
    published: Published,
    question: str,
    answers: Mapping[int, CellResult],
    speed: Mapping[int, Mapping[str, Speed]],
    pays: Mapping[int, Mapping[str, BreakEven | None]],
    by_size: Mapping[int, Mapping[str, ValueWithError]],
) -> Iterator[PublishedComparison]:
    """The points of one question, from what the study found by training size.

    Args:
        published: what the YAML of the study holds.
        question: its name.
        answers: the results by training size.
        speed: by training size and group.
        pays: break-even by training size and group.
        by_size: CKA of the last layer with scratch, by training size and group.
    """
    smallest, largest, group = min(answers), max(answers), published.group
    for what, size, claimed in ("fewest", smallest, published.gain_smallest), ("most", largest, published.gain_largest):
        if claimed is not None:
            yield _gain(
                question, f"gain in test AUC at the {what} training events", group, answers[size], size, claimed
            )
    if question in published.cost_ratio:
        each = speed[largest]
        found = _ratio(each[group].to_scratch, each["scratch"].to_scratch) if group in each else None
        yield _cost(question, published.cost_ratio[question], found, largest)
    if published.break_even is not None:
        paid = pays[largest].get(group)
        here = "not defined"
        if paid is not None and paid.n is not None:
            here = f"{paid.n:,.1f} [{_end(paid.low)}, {_end(paid.high)}], {largest:,} events"
        yield PublishedComparison(
            question,
            "trainings after which pretraining pays",
            f"{published.break_even:,.0f}",
            here,
            "not defined" if paid is None else "differs" if paid.n is None else "agrees",
        )
    if published.similarity is not None:
        yield _similarity(question, published, by_size[largest].get(group), by_size[largest].get(FLOOR))


def _gain(question: str, what: str, group: str, answer: CellResult, size: int, claimed: Range) -> PublishedComparison:
    """The gain relative to the AUC of scratch, as it was published.

    The two agree where the interval and the published range overlap.

    Args:
        question: its name.
        what: what is compared, in words.
        group: the group of the study that was published.
        answer: the results at the training size.
        size: number of training events.
        claimed: from and to, as a fraction.
    """
    one = answer.comparison
    gain = next((other for other in one.differences if other.group == group), None)
    scratch = next(other.auc for other in one.groups if other.name == one.reference)
    low, high = claimed
    said = f"{100 * low:+.0f} to {100 * high:+.0f} %"
    if gain is None or gain.auc is None or scratch is None:
        return PublishedComparison(question, what, said, "not defined", "not defined")
    mean, least, most = (100 * end / scratch.mean for end in (gain.auc.mean, gain.auc.low, gain.auc.high))
    percent = f"{mean:+.1f} % [{least:+.1f}, {most:+.1f}]"
    here = f"{percent} ({interval(gain.auc, 3, sign=True)}, {gain.verdict}), {size:,} events"
    return PublishedComparison(
        question, what, said, here, "agrees" if least <= 100 * high and most >= 100 * low else "differs"
    )


def _cost(question: str, claimed: float, found: tuple[float, float] | None, size: int) -> PublishedComparison:
    """They agree where both are on the same side of one."""
    what = "cost to 99.9 % of scratch's best, over that of scratch"
    if found is None:
        return PublishedComparison(question, what, f"{claimed:.2f}", "not defined", "not defined")
    ratio, error = found
    agreement: Agreement = (
        "not told apart" if abs(ratio - 1.0) <= error else "agrees" if (ratio < 1.0) == (claimed < 1.0) else "differs"
    )
    return PublishedComparison(
        question, what, f"{claimed:.2f}", f"{ratio:.2f} ± {error:.2f}, {size:,} events", agreement
    )


def _ratio(one: OverSeeds | None, scratch: OverSeeds | None) -> tuple[float, float] | None:
    """With its error; None where a seed did not get there, or there is one seed only."""
    if one is None or scratch is None or one.error is None or scratch.error is None or scratch.mean <= 0.0:
        return None
    if one.n_defined < one.n_seed or scratch.n_defined < scratch.n_seed:
        return None
    ratio = one.mean / scratch.mean
    return ratio, math.hypot(one.error / scratch.mean, ratio * scratch.error / scratch.mean)


def _similarity(
    question: str, published: Published, of: ValueWithError | None, floor: ValueWithError | None
) -> PublishedComparison:
    """Other than scratch: less alike than two networks from scratch are, by more than the errors of both."""
    what, said = (
        "CKA of the last layer with scratch",
        "other than scratch" if published.similarity == "other" else "like scratch",
    )
    values = [*(of or (None, None)), *(floor or (None, None))]
    if any(value is None for value in values):
        return PublishedComparison(question, what, said, "not defined", "not defined")
    cka, error, between, its_error = (float(value) for value in values if value is not None)
    here = f"{cka:.2f} ± {error:.2f}; between seeds of scratch {between:.2f} ± {its_error:.2f}"
    apart = between - cka
    is_other = apart > math.hypot(error, its_error)
    return PublishedComparison(
        question, what, said, here, "agrees" if is_other == (published.similarity == "other") else "differs"
    )


def _end(value: float | None) -> str:
    return "no limit" if value is None else f"{value:,.1f}"
