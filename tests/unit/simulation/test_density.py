"""Transverse momentum density of pile-up, and its subtraction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from root_gnn.clustering.jets import Jets
from root_gnn.simulation.density import Density, density, without_pileup
from root_gnn.simulation.detector import Candidates
from root_gnn.simulation.record import HARD, EventRecord, Overlaid


def test_density_of_an_even_event_and_jets_without_it(make_record: Callable[..., EventRecord]) -> None:
    turn = np.linspace(-np.pi, np.pi, 120, endpoint=False) + 0.001
    eta, phi = (grid.reshape(-1) for grid in np.meshgrid(np.arange(-44, 45) / 10 + 0.001, turn))
    n = len(eta)
    pt = np.full(n, 0.05)
    pt[n // 2] = 500.0  # a jet that the median must not see
    zeros = np.zeros(n, dtype=np.int64)
    candidates = Candidates(1, zeros, pt, eta, phi, pt * np.cosh(eta), zeros, zeros, zeros)
    record = make_record(1, event=[0], pdg=22, pt=1.0, eta=0.0, phi=0.0)
    record = replace(record, overlaid=Overlaid(np.array([3]), np.array([HARD, HARD])))
    measured = density(candidates, record)
    expected = 0.05 / (0.1 * 2 * np.pi / 120)
    assert measured.inner[0] == pytest.approx(expected, rel=0.05) and measured.outer[0] == pytest.approx(
        expected, rel=0.05
    )
    assert density(candidates, replace(record, overlaid=None)).inner.tolist() == [0.0]
    jets = Jets(np.array([0, 0]), np.array([50.0, 2.0]), np.array([0.0, 3.0]), np.zeros(2), np.array([60.0, 20.0]))
    cleaned = without_pileup(jets, measured, 0.4)
    assert cleaned.pt[0] == pytest.approx(50.0 - expected * np.pi * 0.16, rel=0.02) and cleaned.pt[1] == 0.0
    assert cleaned.energy[0] / cleaned.pt[0] == pytest.approx(1.2)


def test_the_density_changes_where_tracks_end() -> None:
    pileup = Density(np.array([1.0, 2.0]), np.array([3.0, 4.0]))
    assert pileup.at(np.array([0, 1, 0, 1]), np.array([2.4, -2.4, 2.6, -2.6])).tolist() == [1.0, 2.0, 3.0, 4.0]
