"""What the page of a study says about cost: of pretrainings and trainings, when the first pay, and what their size does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from root_gnn.metrics.cost import BreakEven, amortised
from root_gnn.metrics.formatting import UNDEFINED, format_number
from root_gnn.metrics.seeds import OverSeeds
from root_gnn.pages.html import heading, paragraph, picture, pictures, said, table
from root_gnn.study.answers import StudyAnswers, source_of
from root_gnn.study.cost import Spent, measured_over_seeds
from root_gnn.study.pictures import laws, totals
from root_gnn.study.results import Results
from root_gnn.study.sections import mean_cell

SHARED_AMONG = (10, 100)
HOW_COSTS = (
    "Break-even is the number of trainings on a task whose saved time is that of the pretraining: seconds of scratch until 99.9 % of its "
    "best validation AUC, less those of the other group until the same AUC, seed by seed. Operations are those of matrix products, counted "
    "on some events; backward counts as two forward passes. The last columns add a training's share of the pretraining to its seconds."
)
ENERGY = (
    "Energy is that of all processors of the machine while a training ran, evaluation and whatever ran beside it included: trainings that "
    "ran at a time count each other's."
)
NO_ENERGY = "Energy is not told: the machine has no counter of it that could be read (/sys/class/powercap) during these trainings."


def costs(results: Results, found: StudyAnswers, folder: Path) -> Iterator[str]:
    """The section on cost; pictures pass through `folder`."""
    yield heading("Cost")
    yield paragraph(HOW_COSTS)
    header = ("training time", "events/s", "operations", "energy")
    rows = [
        (name, f"{run.plan['events']['train']:,}", *_spent(found.pretrainings[name]), run.metrics["device"])
        for name, run in results.pretrained.items()
    ]
    yield table(("pretraining", "training events", *header, "device"), rows)
    every = [
        *found.pretrainings.values(),
        *(one for of in found.found.values() for each in of.spent.values() for one in each.values()),
    ]
    yield said(NO_ENERGY if all(one.joules is None for one in every) else ENERGY)
    trainings = [
        (group, name, f"{size:,}", *_spent(one), *_shared(one, source_of(group, results), results))
        for name, of in found.found.items()
        for size, each in of.spent.items()
        for group, one in each.items()
    ]
    yield table(
        ("group", "task", "training events", *header, *(f"time, {n} share the pretraining" for n in SHARED_AMONG)),
        trainings,
    )
    yield from _paid(results, found, folder)


def _spent(one: Spent) -> Iterator[str]:
    yield UNDEFINED if one.seconds is None else f"{mean_cell(one.seconds)} s"
    yield UNDEFINED if one.rate is None else f"{one.rate.mean:,.0f}"
    yield UNDEFINED if one.operations is None else f"{one.operations.mean:.2e}"
    yield UNDEFINED if one.joules is None else f"{one.joules.mean / 1e3:,.1f} kJ"


def _shared(one: Spent, source: str | None, results: Results) -> Iterator[str]:
    """Seconds of a training with its share of the pretraining."""
    pretraining = 0.0 if source is None else float(results.pretrained[source].metrics["seconds"])
    for n in SHARED_AMONG:
        if one.seconds is None:
            yield UNDEFINED
        else:
            cost = amortised(pretraining, measured_over_seeds(one.seconds), n_training=n)
            yield f"{format_number(cost.value, cost.error, digits=1)} s"


def _paid(results: Results, found: StudyAnswers, folder: Path) -> Iterator[str]:
    """The time in all against the number of trainings, and where pretraining has paid for itself."""
    seconds = {name: float(run.metrics["seconds"]) for name, run in results.pretrained.items()}
    drawn, cells = [], []
    for name, of in found.found.items():
        times: dict[str, tuple[str | None, OverSeeds]] = {
            group: (source_of(group, results), one.seconds)
            for group, one in of.spent[of.last[0].train_events].items()
            if one.seconds is not None
        }
        totals(seconds, times, folder / "cost.svg")
        drawn.append(
            picture(
                folder / "cost.svg",
                f"{of.last[0].title}: hours in all against the number of trainings, with pretraining; "
                "bands are the 68 % error of a training's time.",
            )
        )
        for size, paying in of.pays.items():
            each = of.speed[size]
            cells += [
                (
                    group,
                    name,
                    f"{size:,}",
                    mean_cell(each["scratch"].to_scratch),
                    mean_cell(each[group].to_scratch),
                    mean_cell(each[group].saved),
                    break_even_cell(one),
                )
                for group, one in paying.items()
            ]
    yield pictures(drawn)
    yield table(
        (
            "group",
            "task",
            "training events",
            "seconds of scratch",
            "seconds to the same AUC",
            "seconds saved",
            "break-even after trainings [68 %]",
        ),
        cells,
    )


def break_even_cell(found: BreakEven | None) -> str:
    """The number of trainings after which a pretraining pays, with its interval."""
    if found is None:
        return UNDEFINED
    if found.n is None:
        return "not with these" if found.low is None else f"not with these, at best {found.low:,.0f}"
    low, high = (UNDEFINED if end is None else f"{end:,.1f}" for end in (found.low, found.high))
    return f"{found.n:,.1f} [{low}, {'no limit' if found.high is None else high}]"


def pretraining_size(found: StudyAnswers, folder: Path) -> Iterator[str]:
    """The section on the size of pretraining."""
    yield heading("Size of pretraining")
    if not found.scaling:
        yield said(
            "A law of the size of pretraining takes one recipe at three sizes or more, which this study does not have."
        )
        return
    laws(found.scaling, folder / "scaling.svg")
    yield picture(
        folder / "scaling.svg",
        "1 - AUC of the tasks at their smallest training size against the events of pretraining, with "
        "68 % intervals; lines are power laws through them, bands their 68 % errors.",
    )
    rows = []
    for name, one in found.scaling.items():
        law, sizes = one.law, ", ".join(f"{size:,}" for size in one.points)
        rows.append(
            (name, f"{one.train_events:,}", sizes, *[UNDEFINED] * 3)
            if law is None
            else (
                name,
                f"{one.train_events:,}",
                sizes,
                format_number(law.exponent.value, law.exponent.error, digits=3),
                f"{format_number(law.scale.value, law.scale.error, digits=4)} at {law.reference:,.0f}",
                UNDEFINED if law.chi2 is None else f"{law.chi2:.1f} / {law.n_dof}",
            )
        )
    yield paragraph("1 - AUC = scale (size / reference)^-exponent; the reference is the geometric mean of the sizes.")
    yield table(
        (
            "task and mode",
            "training events",
            "sizes of pretraining",
            "exponent",
            "scale and reference",
            "chi2 / degrees of freedom",
        ),
        rows,
    )
