"""Paired timing: runs take turns in one process, so that a slow moment of the machine affects all of them."""

from __future__ import annotations

import gc
import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Run = Callable[[], object]
Clock = Callable[[], float]
Seconds = dict[str, list[float]]
SHORTEST = 0.02  # seconds: what is quicker is repeated until it takes as long, and divided


@dataclass(frozen=True)
class Spread:
    """Median, smallest and largest value, and the quartiles."""

    median: float
    low: float
    high: float
    quartiles: tuple[float, float]

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Returns the spread of `values`, of which there is at least one."""
        lower, _, upper = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else (values[0],) * 3
        return cls(statistics.median(values), min(values), max(values), (lower, upper))


def alternate(runs: Mapping[str, Run], rounds: int, *, warm_up: int = 1, clock: Clock = time.perf_counter) -> Seconds:
    """Returns the seconds of each run in each of the `rounds`; every other round goes in the opposite order.

    What takes less than 20 ms is repeated for that long, and its time is the mean.

    Args:
        runs: the functions to time, by name.
        rounds: how often each is timed.
        warm_up: runs before the first round.
        clock: the clock to use.
    """
    repeats = {}
    for name, run in runs.items():
        for _ in range(warm_up):
            run()
        repeats[name] = max(1, math.ceil(SHORTEST / max(_seconds(run, 1, clock), 1e-7))) if warm_up else 1
    seconds: Seconds = {name: [] for name in runs}
    for place in range(rounds):
        gc.collect()
        for name in list(runs)[:: -1 if place % 2 else 1]:
            seconds[name].append(_seconds(runs[name], repeats[name], clock))
    return seconds


def ratios(reference: Sequence[float], ours: Sequence[float]) -> Spread:
    """Returns how many times as long the reference takes, round by round."""
    return Spread.of([theirs / mine for theirs, mine in zip(reference, ours, strict=True)])


def exponent(sizes: Sequence[float], seconds: Sequence[float]) -> float:
    """Returns the power of the size that time grows with.

    It is the slope of a straight line through the logarithms (least squares).
    """
    return statistics.linear_regression([math.log(size) for size in sizes], [math.log(time) for time in seconds]).slope


def _seconds(run: Run, repeats: int, clock: Clock) -> float:
    start = clock()
    for _ in range(repeats):
        run()
    return (clock() - start) / repeats
