"""What the trainings cost, and when a pretraining has paid for itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from root_gnn import plots
from root_gnn.data.events.loader import evaluation_loader
from root_gnn.data.events.splits import split_table
from root_gnn.data.events.whole_events import WholeEvents
from root_gnn.kernels.library import switched_off
from root_gnn.metrics.cost import BreakEven, amortised, break_even
from root_gnn.metrics.formatting import UNDEFINED, format_number, format_over_seeds
from root_gnn.metrics.measured import Measured
from root_gnn.metrics.seeds import OverSeeds, over_seeds
from root_gnn.pages.html import heading, paragraph, picture, pictures, said, table
from root_gnn.plots import Band
from root_gnn.runs.run import Run
from root_gnn.study.answer import Answer, StudyQuestion, StudyAnswers, source_of
from root_gnn.study.execution.training import joules_of
from root_gnn.study.results import Results
from root_gnn.study.speed import Speed

N_EVENT = 64


SHARED_AMONG = (10, 100)


HOW_COSTS = (
    "Break-even is the number of trainings on a task whose saved time is that of the pretraining: seconds of scratch "
    "until 99.9 % of its best validation AUC, less those of the other group until the same AUC, seed by seed. "
    "Operations are those of matrix products, counted on some events; backward counts as two forward passes. The last "
    "columns add a training's share of the pretraining to its seconds."
)


ENERGY = (
    "Energy is that of all processors of the machine while a training ran, evaluation and whatever ran beside it "
    "included: trainings that ran at a time count each other's."
)


NO_ENERGY = (
    "Energy is not known: the machine has no counter of it that could be read (/sys/class/powercap) during these "
    "trainings."
)


PASSES = {"frozen": 1.0}  # of the network in a training step, counted in forward passes; forward and backward are three


class CostOfQuestion(NamedTuple):
    """What trainings took, and how many of them save what the pretraining took, by training size and group."""

    spent: dict[int, dict[str, Spent]]
    pays: dict[int, dict[str, BreakEven | None]]


class Config(Answer):
    """Seconds, operations and energy of trainings and pretrainings, and the break-even between them."""

    order: ClassVar[int] = 70

    def of_question(self, question: StudyQuestion) -> CostOfQuestion:
        """Of the trainings on a task."""
        results = question.results
        paying = {
            size: {
                group: pays(results.pretrained[source], each["scratch"], one)
                for group, one in each.items()
                if (source := source_of(group, results)) is not None
            }
            for size, each in question.value("speed").items()
        }
        return CostOfQuestion(_spent_by_size(question), paying)

    def of_study(self, study: StudyAnswers) -> dict[str, Spent]:
        """Of each pretraining."""
        results, pretrained = study.results, study.results.study.pretrained
        return {
            name: spent([run], operations_of_event(run, results.data_dir / pretrained[name].folder))
            for name, run in results.pretrained.items()
        }

    def question_content(self, value: Any) -> dict[str, Any]:
        """Under `spent` and `pays`."""
        return {"spent": value.spent, "pays": value.pays}

    def study_content(self, value: Any) -> dict[str, Any]:
        """Under `pretrainings`."""
        return {"pretrainings": value}

    def highlights(self, question: StudyQuestion) -> Iterator[str]:
        """The break-even at the largest size, where there is one."""
        size = question.largest_cell.train_events
        paid = {
            group: one
            for group, one in question.value(self.name).pays[size].items()
            if one is not None and one.n is not None
        }
        if paid:
            after = "; ".join(f"{group} {break_even_cell(one)}" for group, one in paid.items())
            yield (
                f"{question.name}, {size:,} training events: trainings after which pretraining has paid for itself: "
                f"{after}."
            )

    def study_section(self, study: StudyAnswers, folder: Path) -> Iterator[str]:
        """Tables of pretrainings and trainings, pictures of the time in all, and the break-even."""
        yield from _section(study, folder)


class Spent(NamedTuple):
    """What one training of a group takes, over its seeds.

    Seconds, events per second, floating-point operations, and joules of the machine.
    """

    seconds: OverSeeds | None
    rate: OverSeeds | None
    operations: OverSeeds | None
    joules: OverSeeds | None


def spent(runs: Sequence[Run], of_event: float) -> Spent:
    """By the operations that a forward pass of one event takes."""
    return Spent(
        over_seeds([run.metrics.get("seconds") for run in runs]),
        over_seeds([run.metrics.get("events_per_second") for run in runs]),
        over_seeds([operations(run, of_event) for run in runs]),
        over_seeds([joules_of(run) for run in runs]),
    )


def operations(run: Run, of_event: float) -> float | None:
    """Floating-point operations of a whole training.

    `of_event` is that of a forward pass of one event; the backward pass counts as two of them, and a frozen backbone is
    run forward only.
    """
    seconds, rate = run.metrics.get("seconds"), run.metrics.get("events_per_second")
    return (
        None
        if seconds is None or rate is None
        else of_event * PASSES.get(run.plan["mode"], 3.0) * float(seconds) * float(rate)
    )


def operations_of_event(run: Run, data_dir: Path) -> float:
    """Those of the matrix products in a forward pass, the mean over some test events."""
    table = run.table(data_dir)
    whole = WholeEvents.of(table) if run.recipe.objective.whole_events else None
    test = split_table(table, run.recipe.data.split).test
    index = (test if whole is None else whole.leading(test))[:N_EVENT]
    batch = next(iter(evaluation_loader(table, index, N_EVENT, whole=whole)))
    with torch.inference_mode(), switched_off(), FlopCounterMode(display=False) as counter:
        run.objective(batch)
    return float(counter.get_total_flops()) / len(index)


def pays(pretraining: Run, scratch: Speed, group: Speed) -> BreakEven | None:
    """Number of trainings after which the time they save is that of the pretraining.

    The time is that until 99.9 % of the best AUC of scratch; None where not all seeds reached it.
    """
    cost = pretraining.metrics.get("seconds")
    if cost is None or scratch.to_scratch is None or group.to_scratch is None or group.saved is None:
        return None
    if group.saved.n_defined < group.saved.n_seed:
        return None
    return break_even(
        cost,
        measured_over_seeds(scratch.to_scratch),
        measured_over_seeds(group.to_scratch),
        saved=measured_over_seeds(group.saved),
    )


def measured_over_seeds(found: OverSeeds) -> Measured:
    """The mean with its error."""
    return Measured(found.mean, found.error)


def _spent_by_size(question: StudyQuestion) -> dict[int, dict[str, Spent]]:
    """The operations of an event are counted once for each group, with the networks of the largest size."""
    cells, results = question.cells, question.results
    cell, last = question.largest_cell, question.largest
    of_event = {name: operations_of_event(runs[0], results.data_of(cell)) for name, runs in last.members.items()}
    scratch = of_event["scratch"]
    return {
        cell.train_events: {name: spent(runs, of_event.get(name, scratch)) for name, runs in answer.members.items()}
        for cell, answer in cells.items()
    }


def _section(study: StudyAnswers, folder: Path) -> Iterator[str]:
    results, pretrainings = study.results, study.value("cost")
    yield heading("Cost")
    yield paragraph(HOW_COSTS)
    header = ("training time", "events/s", "operations", "energy")
    rows = [
        (name, f"{run.plan['events']['train']:,}", *_spent_cells(pretrainings[name]), run.metrics["device"])
        for name, run in results.pretrained.items()
    ]
    yield table(("pretraining", "training events", *header, "device"), rows)
    every = [
        *pretrainings.values(),
        *(one for of in study.questions.values() for each in of.value("cost").spent.values() for one in each.values()),
    ]
    yield said(NO_ENERGY if all(one.joules is None for one in every) else ENERGY)
    trainings = [
        (group, name, f"{size:,}", *_spent_cells(one), *_shared(one, source_of(group, results), results))
        for name, of in study.questions.items()
        for size, each in of.value("cost").spent.items()
        for group, one in each.items()
    ]
    yield table(
        ("group", "task", "training events", *header, *(f"time, {n} share the pretraining" for n in SHARED_AMONG)),
        trainings,
    )
    yield from _paid(study, folder)


def _spent_cells(one: Spent) -> Iterator[str]:
    yield UNDEFINED if one.seconds is None else f"{format_over_seeds(one.seconds)} s"
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


def _paid(study: StudyAnswers, folder: Path) -> Iterator[str]:
    """The time in all against the number of trainings, and where pretraining has paid for itself."""
    results = study.results
    seconds = {name: float(run.metrics["seconds"]) for name, run in results.pretrained.items()}
    drawn, cells = [], []
    for name, of in study.questions.items():
        times: dict[str, tuple[str | None, OverSeeds]] = {
            group: (source_of(group, results), one.seconds)
            for group, one in of.value("cost").spent[of.largest_cell.train_events].items()
            if one.seconds is not None
        }
        totals(seconds, times, folder / "cost.svg")
        drawn.append(
            picture(
                folder / "cost.svg",
                f"{of.largest_cell.title}: hours in all against the number of trainings, with pretraining; "
                "bands are the 68 % error of a training's time.",
            )
        )
        for size, paying in of.value("cost").pays.items():
            each = of.value("speed")[size]
            cells += [
                (
                    group,
                    name,
                    f"{size:,}",
                    format_over_seeds(each["scratch"].to_scratch),
                    format_over_seeds(each[group].to_scratch),
                    format_over_seeds(each[group].saved),
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


def totals(pretraining: Mapping[str, float], groups: Mapping[str, tuple[str | None, OverSeeds]], path: Path) -> None:
    """Hours in all against the number of trainings: by group, what it starts from and the seconds of a training."""
    n = np.geomspace(1.0, 1000.0, 60)
    bands = {}
    for name, (source, each) in groups.items():
        start, error = pretraining[source] if source else 0.0, each.error or 0.0
        value, low, high = ((start + n * max(each.mean + shift, 0.0)) / 3600.0 for shift in (0.0, -error, error))
        bands[name] = Band(n, value, low, high)
    plots.cost(bands, path)
