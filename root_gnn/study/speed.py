"""How soon the trainings of a study were good."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from root_gnn.analysis.learning import Learning, learning_of
from root_gnn.metrics.learning import best, cost_to_reach, epochs_to_final, immediate, ultimate
from root_gnn.metrics.seeds import OverSeeds, over_seeds
from root_gnn.runs.run import Run

NEAR_SCRATCH = 0.999
Members = Mapping[str, Sequence[Run]]


class Speed(NamedTuple):
    """How soon the trainings of a group were good, over its seeds.

    Attributes:
        immediate: validation AUC after epoch 5.
        ultimate: validation AUC at the end.
        epochs: number of epochs until it stays within 1 % of that at the end.
        to_scratch: seconds until it reaches 99.9 % of the best that scratch reached with the same seed.
        saved: seconds that scratch takes to that AUC less `to_scratch`.
        seconds: of the whole training.
    """

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
        over_seeds([immediate(one) for one in rows]),
        over_seeds([ultimate(one) for one in rows]),
        over_seeds([epochs_to_final(one) for one in rows]),
        over_seeds(to_scratch),
        over_seeds(saved),
        over_seeds([run.metrics.get("seconds") for run in runs]),
    )


def _seconds_to(own: Learning | None, scratch: Learning | None) -> float | None:
    level = None if scratch is None else best(scratch.rows)
    return None if own is None or level is None else cost_to_reach(own.rows, own.seconds, NEAR_SCRATCH * level)
