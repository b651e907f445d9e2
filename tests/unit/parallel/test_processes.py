"""Results come in order, and workers go when they should."""

from __future__ import annotations

import math
import multiprocessing
import time
from collections.abc import Iterator

import pytest

from root_gnn.parallel.processes import run_in_order


@pytest.mark.parametrize("jobs", [1, 2])
def test_order_is_that_of_the_tasks(jobs: int) -> None:
    assert list(run_in_order(math.factorial, range(12), jobs=jobs)) == [math.factorial(i) for i in range(12)]


def test_tasks_are_taken_only_a_few_ahead() -> None:
    taken: list[int] = []

    def tasks() -> Iterator[int]:
        for i in range(100):
            taken.append(i)
            yield i

    results = run_in_order(math.factorial, tasks(), jobs=2)
    assert next(results) == 1
    assert len(taken) <= 6
    results.close()  # type: ignore[attr-defined]
    assert not multiprocessing.active_children()


def test_an_error_reaches_the_caller_and_stops_the_rest() -> None:
    with pytest.raises(ValueError, match="not defined for negative"):
        list(run_in_order(math.factorial, [3, -1, 5], jobs=2))
    assert not multiprocessing.active_children()


def test_closing_does_not_wait_for_running_tasks() -> None:
    results = run_in_order(time.sleep, [0.0, 60.0, 60.0, 60.0, 60.0, 60.0, 60.0], jobs=2)
    next(results)
    begin = time.monotonic()
    results.close()  # type: ignore[attr-defined]
    assert time.monotonic() - begin < 20
