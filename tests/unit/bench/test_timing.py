"""Spreads against NumPy, the order of turns, and the fitted exponent."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from root_gnn.bench.timing import SHORTEST, Spread, alternate, exponent, ratios


def test_the_spread_is_that_of_numpy() -> None:
    values = np.random.default_rng(1).normal(size=9)
    found = Spread.of(values.tolist())
    wanted = np.percentile(values, [50, 0, 100, 25, 75])
    assert np.allclose([found.median, found.low, found.high, *found.quartiles], wanted)
    assert Spread.of([2.0]) == Spread(2.0, 2.0, 2.0, (2.0, 2.0))


def test_runs_take_turns_in_alternating_order() -> None:
    seen: list[str] = []
    now = iter(np.arange(1000) * 2 * SHORTEST)
    runs = {name: partial(seen.append, name) for name in "ab"}
    seconds = alternate(runs, 3, clock=lambda: float(next(now)))
    assert seen[-6:] == ["a", "b", "b", "a", "a", "b"]
    assert seconds == {name: pytest.approx([2 * SHORTEST] * 3) for name in "ab"}


def test_what_is_short_is_repeated_and_divided() -> None:
    n_call = 0
    clock = 0.0

    def run() -> None:
        nonlocal n_call, clock
        n_call += 1
        clock += SHORTEST / 8

    seconds = alternate({"short": run}, 2, clock=lambda: clock)
    assert seconds == {"short": pytest.approx([SHORTEST / 8] * 2)}
    assert n_call == 2 + 2 * 8


def test_a_ratio_is_the_median_of_the_rounds_own_ratios() -> None:
    assert ratios([2.0, 9.0, 8.0], [1.0, 3.0, 1.0]) == Spread(3.0, 2.0, 8.0, (2.5, 5.5))


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_the_exponent_of_a_power_law_is_found(power: float) -> None:
    sizes = [10.0, 100.0, 3000.0]
    assert exponent(sizes, [0.3 * size**power for size in sizes]) == pytest.approx(power)
