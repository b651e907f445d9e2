from __future__ import annotations

import numpy as np
import pytest

from root_gnn.errors import InputError
from root_gnn.metrics.learning import best, cost_to_reach, epochs_to_final, immediate, seconds_at, ultimate


def curve(*values, steps=10):
    return np.array([(epoch, steps * (epoch + 1), value) for epoch, value in enumerate(values)], dtype=float)


RISING = curve(0.6, 0.7, 0.78, 0.797, 0.79, 0.799, 0.8, 0.798)


def test_immediate_and_ultimate_are_the_fifth_and_the_last_epoch():
    assert immediate(RISING) == 0.79
    assert immediate(RISING, epochs=1) == 0.6
    assert immediate(RISING[:4]) is None, "it ended before"
    assert ultimate(RISING) == 0.798, "not the best epoch"
    assert ultimate(RISING, last=3) == pytest.approx((0.799 + 0.8 + 0.798) / 3)
    assert ultimate(RISING, last=9) is None
    assert (best(RISING), best(RISING, falling=True)) == (0.8, 0.6)


def test_epochs_to_final_asks_the_curve_to_stay():
    assert epochs_to_final(RISING) == 6, "0.79 is 1.003 % below 0.798"
    assert epochs_to_final(RISING, within=0.011) == 4
    assert epochs_to_final(RISING, within=0.5) == 1
    assert epochs_to_final(curve(1.0, 0.5, 0.9, 0.5)) == 4
    assert epochs_to_final(curve(2.0, 1.0, 0.502, 0.5)) == 3, "a loss"


def test_cost_to_reach_is_that_of_the_first_epoch_there():
    seconds = np.arange(1.0, 9.0)
    assert cost_to_reach(RISING, seconds, 0.999 * best(RISING)) == 7.0
    assert cost_to_reach(RISING, seconds, 0.75) == 3.0
    assert cost_to_reach(RISING, seconds, 0.9) is None
    assert cost_to_reach(curve(2.0, 1.0, 0.5), [5.0, 6.0, 7.0], 1.0, falling=True) == 6.0


def test_seconds_are_those_of_the_last_tick_before():
    clock = [(0, 5, 1.0), (0, 10, 2.0), (1, 15, 3.5), (1, 20, 5.0)]
    np.testing.assert_array_equal(seconds_at(curve(0.1, 0.2, 0.3), clock), [2.0, 5.0, 5.0])
    np.testing.assert_array_equal(seconds_at([(0, 3, 0.1)], clock), [np.nan])
    np.testing.assert_array_equal(seconds_at(curve(0.1), []), [np.nan])


def test_without_rows_nothing_is_defined():
    assert immediate([]) is ultimate([]) is epochs_to_final([]) is best([]) is cost_to_reach([], [], 0.5) is None


def test_wrong_rows_are_refused():
    with pytest.raises(InputError, match="epoch, step, value"):
        ultimate([0.1, 0.2])
    with pytest.raises(InputError, match="8 rows takes one cost for each"):
        cost_to_reach(RISING, [1.0], 0.5)
