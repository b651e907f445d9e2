"""How soon trainings were good, what they cost, and when a pretraining has paid for itself, from the runs of a study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch.utils.flop_counter import FlopCounterMode

from root_gnn.analysis.learning import Learning, learning_of
from root_gnn.data.loader import evaluation_loader
from root_gnn.data.splits import split_table
from root_gnn.metrics.cost import BreakEven, break_even
from root_gnn.metrics.learning import best, cost_to_reach, epochs_to_final, immediate, ultimate
from root_gnn.metrics.measured import Measured
from root_gnn.metrics.seeds import OverSeeds, over_seeds
from root_gnn.run import Run

NEAR_SCRATCH = 0.999
N_FLOP_EVENT = 64
PASSES = {"frozen": 1.0}  # of the network in a training step, counted in forward passes; forward and backward are three
Members = Mapping[str, Sequence[Run]]


class Speed(NamedTuple):
    """Over the seeds of a group: validation AUC after epoch 5 and at the end, epochs until it stays within 1 % of that, seconds until it
    reaches 99.9 % of the best that scratch reached with the same seed, those of scratch less these, and seconds of the whole training."""

    immediate: OverSeeds | None
    ultimate: OverSeeds | None
    epochs: OverSeeds | None
    to_scratch: OverSeeds | None
    saved: OverSeeds | None
    seconds: OverSeeds | None


def learnings(members: Members) -> dict[str, list[Learning]]:
    """The learning curves of each group, where the runs have some."""
    found = {name: [learning_of(run) for run in runs] for name, runs in members.items()}
    return {name: [one for one in curves if one is not None] for name, curves in found.items() if any(curves)}


def speeds(members: Members) -> dict[str, Speed]:
    """The figures of each group."""
    scratch = {run.recipe.seed: learning_of(run) for run in members["scratch"]}
    return {name: _speed(runs, scratch) for name, runs in members.items()}


def _speed(runs: Sequence[Run], scratch: Mapping[int, Learning | None]) -> Speed:
    curves = [learning_of(run) for run in runs]
    rows = [one.rows for one in curves if one is not None]
    to_scratch = [_seconds_to(one, scratch.get(run.recipe.seed)) for run, one in zip(runs, curves, strict=True)]
    of_scratch = [_seconds_to(one, one) for one in (scratch.get(run.recipe.seed) for run in runs)]
    saved = [None if a is None or b is None else a - b for a, b in zip(of_scratch, to_scratch, strict=True)]
    return Speed(
        over_seeds([immediate(one) for one in rows]), over_seeds([ultimate(one) for one in rows]),
        over_seeds([epochs_to_final(one) for one in rows]), over_seeds(to_scratch), over_seeds(saved),
        over_seeds([run.metrics.get("seconds") for run in runs]),
    )  # fmt: skip


def _seconds_to(own: Learning | None, scratch: Learning | None) -> float | None:
    level = None if scratch is None else best(scratch.rows)
    return None if own is None or level is None else cost_to_reach(own.rows, own.seconds, NEAR_SCRATCH * level)


def pays(pretraining: Run, scratch: Speed, group: Speed) -> BreakEven | None:
    """Trainings until the time to 99.9 % of scratch that they save is that of the pretraining; None where not all seeds got there."""
    spent = pretraining.metrics.get("seconds")
    if spent is None or scratch.to_scratch is None or group.to_scratch is None or group.saved is None:
        return None
    if group.saved.n_defined < group.saved.n_seed:
        return None
    return break_even(spent, _measured(scratch.to_scratch), _measured(group.to_scratch), saved=_measured(group.saved))


def _measured(found: OverSeeds) -> Measured:
    return Measured(found.mean, found.error)


def operations(run: Run, data_dir: Path) -> float:
    """Floating-point operations of the matrix products of a whole training; a frozen backbone is run forward only.

    Counted in a forward pass of some test events; backward counts as two.
    """
    table = run.table(data_dir)
    index = split_table(table, run.recipe.data.split).test[:N_FLOP_EVENT]
    batch = next(iter(evaluation_loader(table, index, N_FLOP_EVENT)))
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        run.objective(batch)
    of_event: float = counter.get_total_flops() / batch.n_graph
    return of_event * PASSES.get(run.plan["mode"], 3.0) * seen(run)


def seen(run: Run) -> float:
    """Training events seen, each as often as it was."""
    return float(run.metrics["seconds"]) * float(run.metrics["events_per_second"])
