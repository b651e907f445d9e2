"""Single particles through the detector: efficiencies and resolutions are the documented ones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from root_gnn.simulation.detector import (
    CHARGED_HADRON,
    ELECTRON,
    MUON,
    NEUTRAL_HADRON,
    PHOTON,
    Detector,
    Steps,
    measure,
)
from root_gnn.simulation.record import EventRecord

Gun = Callable[..., EventRecord]
N = 20_000


def _within(fraction: float, expected: float, n: int = N) -> bool:
    return abs(fraction - expected) <= 4.5 * np.sqrt(expected * (1 - expected) / n)


@pytest.mark.parametrize(
    ("pdg", "eta", "kind", "efficiency"),
    [
        (13, 0.3, MUON, 0.985 * 0.96),
        (-13, 2.0, MUON, 0.98 * 0.96),
        (11, 0.3, ELECTRON, 0.97 * 0.90),
        (11, -2.0, ELECTRON, 0.90 * 0.82),
        (211, 1.0, CHARGED_HADRON, 0.95),
        (-321, 1.8, CHARGED_HADRON, 0.85),
        (211, 2.7, CHARGED_HADRON, 0.0),
    ],
)
def test_track_and_identification_efficiency(gun: Gun, pdg: int, eta: float, kind: int, efficiency: float) -> None:
    found = measure(gun(N, pdg, 40.0, eta), Detector(), np.random.default_rng(1))
    assert _within((found.kind == kind).sum() / N, efficiency)


@pytest.mark.parametrize(
    ("pdg", "pt", "eta", "expected"),
    [
        (211, 10.0, 0.2, np.hypot(0.01, 1e-3)),
        (13, 200.0, 0.2, np.hypot(0.01, 0.02)),
        (211, 50.0, 2.0, np.hypot(0.025, 0.0175)),
    ],
)
def test_momentum_resolution(gun: Gun, pdg: int, pt: float, eta: float, expected: float) -> None:
    found = measure(gun(N, pdg, pt, eta), Detector(), np.random.default_rng(2))
    tracks = found.pt[np.isin(found.kind, (CHARGED_HADRON, MUON))] / pt
    assert tracks.std() == pytest.approx(expected, rel=0.03)
    assert tracks.mean() == pytest.approx(1.0, abs=5 * expected / np.sqrt(len(tracks)))


@pytest.mark.parametrize(
    ("pdg", "kind", "energy", "expected"),
    [
        (22, PHOTON, 100.0, np.sqrt(0.01**2 + 0.05**2 / 100 + (0.2 / 100) ** 2)),
        (130, NEUTRAL_HADRON, 400.0, np.hypot(0.05, 0.8 / 20)),
    ],
)
def test_calorimeter_resolution(gun: Gun, pdg: int, kind: int, energy: float, expected: float) -> None:
    found = measure(gun(N, pdg, energy, 0.0), Detector(), np.random.default_rng(3))
    assert (found.kind == kind).all()
    assert (found.energy / energy).std() == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize(("pdg", "eta"), [(12, 0.0), (1000022, 0.0), (22, 5.5), (13, 3.0)])
def test_what_leaves_nothing(gun: Gun, pdg: int, eta: float) -> None:
    assert len(measure(gun(100, pdg, 50.0, eta), Detector(), np.random.default_rng(4)).pt) == 0


def test_charge_is_that_of_the_particle(gun: Gun) -> None:
    for pdg, charge in ((11, -1), (-13, 1), (211, 1), (-2212, -1), (22, 0), (2112, 0)):
        found = measure(gun(50, pdg, 50.0, 0.1), Detector(), np.random.default_rng(5))
        tracked = found.kind != PHOTON if abs(pdg) == 11 else found.kind != NEUTRAL_HADRON
        assert set(found.charge[tracked if charge else slice(None)]) == {charge}


def test_photons_of_one_cell_are_one_cluster_at_their_center(make_record: Gun) -> None:
    record = make_record(
        2, event=[0, 0, 1, 1], pdg=22, pt=[30.0, 10.0, 30.0, 10.0], eta=[0.005, 0.015, 0.005, 0.105], phi=0.105
    )
    found = measure(record, Detector(), np.random.default_rng(6))
    assert np.bincount(found.event).tolist() == [1, 2]
    assert found.eta[0] == pytest.approx(0.0075, abs=0.015)
    assert found.energy[0] == pytest.approx(40.0, rel=0.1)
    assert record.pt[found.source[0]] == pytest.approx(30.0)


def test_sorted_by_event_and_pt_with_offsets(make_record: Gun) -> None:
    rng = np.random.default_rng(7)
    record = make_record(
        4,
        event=rng.choice([0, 1, 3], 300),
        pdg=211,
        pt=rng.exponential(5, 300) + 1,
        eta=rng.normal(0, 1, 300),
        phi=rng.uniform(-3, 3, 300),
    )
    found = measure(record, Detector(), rng)
    assert (np.diff(found.event) >= 0).all()
    assert all((np.diff(found.pt[a:b]) <= 0).all() for a, b in zip(found.start[:-1], found.start[1:], strict=True))
    assert found.start[2] == found.start[3]


def test_same_generator_state_same_answer(gun: Gun) -> None:
    first, second, other = (
        measure(gun(500, 211, 20.0, 1.0), Detector(), np.random.default_rng(seed)) for seed in (8, 8, 9)
    )
    assert np.array_equal(first.pt, second.pt)
    assert not np.array_equal(first.pt[:100], other.pt[:100])


def test_steps() -> None:
    steps = Steps((0.5, 1.5), (1.0, 2.0, 3.0))
    assert steps.at(np.array([0.0, 0.5, 1.49, 1.5, 9.0])).tolist() == [1.0, 2.0, 2.0, 3.0, 3.0]
