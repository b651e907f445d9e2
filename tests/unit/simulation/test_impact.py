"""Impact parameters of tracks from a particle gun."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from root_gnn.simulation.detector import Detector, measure
from root_gnn.simulation.impact import ImpactResolution, impact_parameters
from root_gnn.simulation.record import EventRecord

SHARP = ImpactResolution(0.0, 0.0, 0.0, 0.0)


def test_prompt_tracks_show_the_resolution(gun: Callable[..., EventRecord]) -> None:
    n = 4000
    for pt, eta, factor in ((2.0, 0.3, 1.0), (50.0, -2.0, 2.0)):
        record = gun(n, 211, pt, eta, 0.14)
        rng = np.random.default_rng(5)
        impact = impact_parameters(record, measure(record, Detector(), rng), ImpactResolution(), rng)
        track = impact.d0_error > 0
        assert track.sum() > 0.5 * n
        assert impact.d0_error[track] == pytest.approx(np.hypot(0.010, 0.060 / pt))
        assert impact.dz_error[track] == pytest.approx(factor * np.hypot(0.020, 0.090 / pt))
        for value, error in ((impact.d0, impact.d0_error), (impact.dz, impact.dz_error)):
            assert np.std(value[track] / error[track]) == pytest.approx(1.0, abs=0.06)
            assert abs(np.mean(value[track] / error[track])) < 0.08


def test_neutral_candidates_have_none(gun: Callable[..., EventRecord]) -> None:
    record = gun(100, 22, 30.0, 0.2)
    rng = np.random.default_rng(1)
    impact = impact_parameters(record, measure(record, Detector(), rng), ImpactResolution(), rng)
    assert len(impact.d0) > 50
    assert not any(values.any() for values in (impact.d0, impact.d0_error, impact.dz, impact.dz_error))


def test_lines_from_displaced_vertices(make_record: Callable[..., EventRecord]) -> None:
    """Both components against the nearest point of the straight line to the beam, found by stepping along it."""
    n = 60
    rng = np.random.default_rng(2)
    phi, eta = rng.uniform(-3, 3, n), rng.uniform(-1.4, 1.4, n)
    born = tuple(rng.normal(0, 3, n) for _ in range(3))
    record = make_record(n, event=np.arange(n), pdg=13, pt=20.0, eta=eta, phi=phi, mass=0.106, born=born)
    candidates = measure(record, Detector(), rng)
    impact = impact_parameters(record, candidates, SHARP, rng)
    steps = np.linspace(-30, 30, 60_001)  # mm in the transverse plane
    for i, event in enumerate(candidates.event):
        x = born[0][event] + steps * np.cos(phi[event])
        y = born[1][event] + steps * np.sin(phi[event])
        nearest = np.argmin(x**2 + y**2)
        assert abs(impact.d0[i]) == pytest.approx(np.hypot(x, y)[nearest], abs=2e-3)
        assert impact.dz[i] == pytest.approx(born[2][event] + steps[nearest] * np.sinh(eta[event]), abs=5e-3)
