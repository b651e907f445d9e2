from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t

from root_gnn.metrics.seeds import over_seeds


def test_mean_over_seeds_has_students_interval():
    found = over_seeds([3.0, 5.0, None, 7.0])
    assert (found.mean, found.spread, found.n_defined, found.n_seed) == (5.0, 2.0, 3, 4)
    assert found.error == pytest.approx(t.interval(0.6826894921370859, 2, loc=0.0, scale=2.0 / np.sqrt(3.0))[1])
    assert over_seeds([4.0]).error is None
    assert over_seeds([None, None]) is None


@pytest.mark.parametrize("n_seed", [2, 3, 5])
def test_intervals_of_the_mean_over_seeds_cover(n_seed):
    found = [over_seeds(row) for row in np.random.default_rng(n_seed).normal(1.0, 0.3, (2000, n_seed))]
    assert np.mean([abs(one.mean - 1.0) < one.error for one in found]) == pytest.approx(0.683, abs=0.04)
