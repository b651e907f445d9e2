from __future__ import annotations

import numpy as np
import pytest

from root_gnn.errors import InputError
from root_gnn.metrics.cost import BreakEven, amortised, break_even
from root_gnn.metrics.measured import Measured


def test_break_even_is_where_the_sums_cross():
    found = break_even(1000.0, Measured(100.0, 6.0), Measured(40.0, 8.0))
    assert found == BreakEven(pytest.approx(1000.0 / 60.0), pytest.approx(1000.0 / 70.0), pytest.approx(1000.0 / 50.0))
    assert 1000.0 + found.n * 40.0 == pytest.approx(found.n * 100.0)
    assert amortised(1000.0, Measured(40.0, 8.0), n_training=20) == Measured(90.0, 8.0)


def test_a_paired_saving_has_its_own_error():
    assert break_even(100.0, Measured(9.0, 5.0), Measured(4.0, 5.0), saved=Measured(5.0, 1.0)).high == 25.0


def test_what_never_pays_has_no_number():
    assert break_even(1000.0, Measured(100.0, 5.0), Measured(120.0, 5.0)) == BreakEven(None, None, None)
    open_ended = break_even(1000.0, Measured(100.0, 30.0), Measured(80.0, 0.0))
    assert (open_ended.n, open_ended.low, open_ended.high) == (50.0, 20.0, None)
    unlikely = break_even(1000.0, Measured(100.0, 30.0), Measured(110.0, None))
    assert (unlikely.n, unlikely.low, unlikely.high) == (None, 50.0, None)


@pytest.mark.parametrize("error", [5.0, 40.0])
def test_interval_covers_the_truth_open_ones_too(error):
    generator, inside = np.random.default_rng(1), 0
    for _ in range(2000):
        saved = Measured(generator.normal(60.0, error), error)
        found = break_even(1000.0, Measured(0.0, 0.0), Measured(0.0, 0.0), saved=saved)
        inside += (
            found.low is not None and found.low < 1000.0 / 60.0 and (found.high is None or found.high > 1000.0 / 60.0)
        )
    assert inside / 2000 == pytest.approx(0.683, abs=0.04)


def test_costs_that_make_no_sense_are_refused():
    with pytest.raises(InputError, match="can't be negative"):
        break_even(-1.0, Measured(2.0, None), Measured(1.0, None))
    with pytest.raises(InputError, match="at least one training"):
        amortised(1.0, Measured(1.0, None), n_training=0)
