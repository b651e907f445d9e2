"""What the trainings of a study cost, and when a pretraining has paid for itself."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch.utils.flop_counter import FlopCounterMode

from root_gnn.data.events.loader import evaluation_loader
from root_gnn.data.events.splits import split_table
from root_gnn.data.events.whole_events import WholeEvents
from root_gnn.kernels.library import switched_off
from root_gnn.metrics.cost import BreakEven, break_even
from root_gnn.metrics.measured import Measured
from root_gnn.metrics.seeds import OverSeeds, over_seeds
from root_gnn.runs.run import Run
from root_gnn.study.execution.training import joules_of
from root_gnn.study.speed import Speed

N_EVENT = 64
PASSES = {"frozen": 1.0}  # of the network in a training step, counted in forward passes; forward and backward are three


class Spent(NamedTuple):
    """Over the seeds of a group, of one training: seconds, events per second, floating-point operations, and joules of the machine."""

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
    """Floating-point operations of a whole training; backward counts as two forward passes, and a frozen backbone is run forward only."""
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
    """Trainings until the time to 99.9 % of scratch that they save is that of the pretraining; None where not all seeds got there."""
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
