"""Hard events: whole, coloured, and distributed as Pythia's where Pythia has the matrix element."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import ks_2samp

pytest.importorskip("pythia8mc")

from root_gnn.simulation.matrix_elements.dirac import METRIC
from root_gnn.simulation.matrix_elements.hard_events import HardEvents, Sampler
from root_gnn.simulation.matrix_elements.source import hard_source, les_houches_rows
from root_gnn.simulation.matrix_elements.tth import Kinematics, TopPairHiggs
from root_gnn.simulation.pythia import Generator

pytestmark = pytest.mark.pythia
NAMES = ("top", "antitop", "higgs")
NARROW = ("6:mWidth=0.0001", "6:doForceWidth=on", "25:mWidth=0.0001", "25:doForceWidth=on")
PYTHIA = (
    "HiggsSM:gg2Httbar=on",
    "HiggsSM:qqbar2Httbar=on",
    "PartonLevel:all=off",
    "ProcessLevel:resonanceDecays=off",
    "Beams:eCM=13000",
    *NARROW,
)


def _mass(p: np.ndarray) -> np.ndarray:
    return np.sqrt((METRIC * p * p).sum(axis=1))


def _observables(top: np.ndarray, antitop: np.ndarray, higgs: np.ndarray) -> dict[str, np.ndarray]:
    eta, phi = (lambda p: np.arcsinh(p[:, 3] / np.hypot(p[:, 1], p[:, 2]))), (lambda p: np.arctan2(p[:, 2], p[:, 1]))
    rapidity = lambda p: np.arctanh(p[:, 3] / p[:, 0])  # noqa: E731
    return {
        "mass of the pair": _mass(top + antitop),
        "distance in eta": np.abs(eta(top) - eta(antitop)),
        "distance in rapidity": np.abs(rapidity(top) - rapidity(antitop)),
        "pt of the Higgs boson": np.hypot(higgs[:, 1], higgs[:, 2]),
        "distance in phi": np.abs((phi(top) - phi(antitop) + np.pi) % (2 * np.pi) - np.pi),
    }


def _sampled(angle: float, n_event: int) -> tuple[float, HardEvents]:
    sampler = Sampler(TopPairHiggs(angle, 13000.0), np.random.default_rng(5))
    blocks: list[HardEvents] = []
    while sum(map(len, blocks)) < n_event:
        blocks.append(sampler.block())
    point = Kinematics(
        *(np.concatenate([getattr(b.point, name) for b in blocks]) for name in ("first", "second", *NAMES))
    )
    rest = (np.concatenate([getattr(b, name) for b in blocks]) for name in ("codes", "first_near", "scale"))
    return sampler.cross_section, HardEvents(point, *rest)


def test_events_are_whole_and_their_lines_end() -> None:
    _, events = _sampled(90.0, 100)
    assert {21, -21} & set(events.codes[:, 0]) == {21} and set(events.first_near) == {True, False}
    for i in range(100):
        lines = les_houches_rows(events, i)
        momentum = np.array([row[6:10] for row in lines])
        np.testing.assert_allclose(momentum[:2].sum(axis=0), momentum[2:].sum(axis=0), atol=1e-7)
        assert momentum[0, 2] > 0 > momentum[1, 2] and momentum[:2, 3].max() < 6500


def test_pythia_showers_them_and_keeps_the_cross_section() -> None:
    def generator() -> Generator:
        source = hard_source(TopPairHiggs(90.0, 13000.0), np.random.default_rng(4))
        return Generator(["Beams:frameType=5", "PartonLevel:MPI=off"], seed=3, source=source)

    first, again = generator(), generator()
    record, same = first.batch(10), again.batch(10)
    assert record.n_event == 10 and first.n_failed == 0
    np.testing.assert_array_equal(record.px, same.px)
    assert (record.weight == 1).all()
    assert ((record.kind == 6) & record.is_last_copy).sum() == 20
    section = first.cross_section()
    assert 0.18 < section.value < 0.22 and 0.0005 < section.error < 0.01


def _by_pythia(n_event: int) -> tuple[Any, list[np.ndarray]]:
    generator = Generator(PYTHIA, seed=7)
    found: dict[int, list[tuple[float, ...]]] = {6: [], -6: [], 25: []}
    for _ in range(n_event):
        assert generator.next()
        process = generator.pythia.process
        for i in range(5, process.size()):
            particle = process[i]
            found[particle.id()].append((particle.e(), particle.px(), particle.py(), particle.pz()))
    return generator, [np.array(found[code]) for code in (6, -6, 25)]


@pytest.mark.slow
def test_the_even_one_is_pythias() -> None:
    """Shapes and cross section, with the coupling running as Pythia lets it run."""
    generator, theirs = _by_pythia(5000)
    section, events = _sampled(0.0, 6000)
    running = (
        np.array(
            [generator.pythia.particleData.mRun(6, m) / 173.0 for m in _mass(events.point.first + events.point.second)]
        )
        ** 2
    )
    kept = np.random.default_rng(1).random(len(running)) < running / running.max()
    ours = _observables(*(getattr(events.point, name)[kept] for name in NAMES))
    pythias = _observables(*theirs)
    for name, values in ours.items():
        assert ks_2samp(values, pythias[name]).pvalue > 0.01, name
    assert abs(section * running.mean() / generator.cross_section().value - 1) < 0.03


@pytest.mark.slow
def test_the_angle_shifts_what_it_should() -> None:
    (even, *_), (mixed, *_), (odd, *_) = runs = [_sampled(angle, 4000) for angle in (0.0, 45.0, 90.0)]
    assert abs(odd / even - 0.42) < 0.02
    assert abs(mixed / (0.5 * even + 0.5 * odd) - 1) < 0.04
    means = [
        {key: v.mean() for key, v in _observables(*(getattr(e.point, name) for name in NAMES)).items()} for _, e in runs
    ]
    mass, distance, gap = (
        [mean[name] for mean in means] for name in ("mass of the pair", "distance in eta", "distance in rapidity")
    )
    assert 85 < mass[2] - mass[0] < 130 and mass[0] < mass[1] < mass[2]
    assert 1.65 < distance[2] / distance[0] < 1.95 and distance[0] < distance[1] < distance[2]
    assert 1.65 < gap[2] / gap[0] < 1.95 and gap[0] < gap[1] < gap[2]
