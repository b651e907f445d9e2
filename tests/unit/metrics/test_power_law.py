from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import curve_fit

from root_gnn.errors import InputError
from root_gnn.metrics.power_law import power_law

SIZES = np.array([1e3, 3e3, 1e4, 3e4, 1e5, 1e6])


def law(size, scale, exponent, floor=0.0):
    return floor + scale * size**-exponent


@pytest.mark.parametrize("floor", [0.0, 0.05])
def test_an_exact_law_is_found(floor):
    found = power_law(SIZES, law(SIZES, 2.0, 0.3, floor), 0.01 * np.ones(6), with_floor=floor > 0.0)
    assert found.exponent.value == pytest.approx(0.3, rel=1e-6)
    assert found.floor.value == pytest.approx(floor, abs=1e-8)
    assert found.at(2e5).value == pytest.approx(law(2e5, 2.0, 0.3, floor), rel=1e-6)
    assert found.chi2 == pytest.approx(0.0, abs=1e-8)
    assert found.n_dof == 4 - (floor > 0.0)


@pytest.mark.parametrize("with_floor", [False, True])
@pytest.mark.parametrize("with_errors", [True, False])
def test_parameters_and_errors_are_scipys(with_floor, with_errors):
    errors = 0.02 * law(SIZES, 2.0, 0.3) + 0.001
    values = law(SIZES, 2.0, 0.3, 0.05) + errors * np.random.default_rng(0).normal(size=6)
    found = power_law(SIZES, values, errors if with_errors else None, with_floor=with_floor)
    expected, covariance = curve_fit(
        lambda size, *parameters: law(size / found.reference, *parameters),
        SIZES,
        values,
        p0=[0.2, 0.3, 0.02][: 2 + with_floor],
        sigma=errors if with_errors else None,
        absolute_sigma=with_errors,
    )
    parts = [found.scale, found.exponent, found.floor][: 2 + with_floor]
    assert [one.value for one in parts] == pytest.approx(expected, rel=1e-4)
    assert [one.error for one in parts] == pytest.approx(np.sqrt(np.diag(covariance)), rel=1e-3)
    assert (found.chi2 is None) == (not with_errors)


def test_errors_cover_the_exponent_and_the_law():
    generator, pulls = np.random.default_rng(1), []
    for _ in range(300):
        errors = 0.05 * law(SIZES, 2.0, 0.3)
        found = power_law(SIZES, law(SIZES, 2.0, 0.3) + errors * generator.normal(size=6), errors)
        at = found.at(1e5)
        pulls.append([(found.exponent.value - 0.3) / found.exponent.error, (at.value - law(1e5, 2.0, 0.3)) / at.error])
    assert np.all(np.abs(np.mean(pulls, axis=0)) < 0.25)
    assert np.std(pulls, axis=0) == pytest.approx([1.0, 1.0], abs=0.17)


def test_what_does_not_determine_a_law_gives_none():
    assert power_law(SIZES, np.full(6, 0.5), np.full(6, 0.01), with_floor=True) is None, "any floor will do"
    assert power_law(SIZES, np.full(6, 0.5), np.full(6, 0.01)).exponent.value == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    "arguments, word",
    [
        (([1e3, 1e4], [0.2, 0.1]), "takes 3 different sizes or more where no errors are given and got 2"),
        (([1e3, 1e3], [0.2, 0.1], [0.1, 0.1]), "2 different sizes or more and got 1"),
        (([0, 1e3, 1e4], [0.3, 0.2, 0.1]), r"a size of 0\.0"),
        (([1e2, 1e3, 1e4], [0.3, -0.2, 0.1]), r"a value of -0\.2"),
        (([1e2, 1e3, 1e4], [0.3, 0.2]), "as many sizes as values"),
    ],
)
def test_points_that_make_no_law_are_refused(arguments, word):
    with pytest.raises(InputError, match=word):
        power_law(*arguments)
