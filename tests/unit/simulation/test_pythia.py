"""Pythia behind one class: seeds, refused settings, records and cross sections."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("pythia8mc")

from root_gnn.errors import InputError
from root_gnn.simulation.pythia import LARGEST_SEED, Generator, concatenate_events
from root_gnn.simulation.sherpa.shipped import shipped_file

pytestmark = pytest.mark.pythia
SETTINGS = (
    "WeakSingleBoson:ffbar2gmZ=on",
    "23:mMin=60",
    "Beams:eCM=13000",
    "PartonLevel:MPI=off",
    "Next:numberCount=0",
)


@pytest.fixture(scope="module")
def generator() -> Generator:
    return Generator(SETTINGS, seed=1)


@pytest.mark.parametrize("seed", [0, LARGEST_SEED + 1])
def test_seeds_that_pythia_lacks(seed: int) -> None:
    with pytest.raises(ValueError, match="takes seeds from 1"):
        Generator(SETTINGS, seed=seed)


def test_a_refused_setting_is_named() -> None:
    with pytest.raises(RuntimeError, match="refuses the setting 'Weak:nothing=on'"):
        Generator(["Weak:nothing=on"], seed=1)


def test_too_few_events_to_skip() -> None:
    with pytest.raises(InputError, match="fewer than 1000000 events"):
        Generator(["Beams:frameType=4", "Next:numberCount=0"], seed=1, lhe=shipped_file("tttt"), skip=1_000_000)


def test_energy_momentum_and_charge_are_conserved(generator: Generator) -> None:
    record = generator.batch(10)
    assert record.n_event == 10 and generator.positions.tolist() == list(range(10)) and generator.ecm == 13000.0
    final = record.final
    energy = np.bincount(record.event[final], record.energy[final])
    pz = np.bincount(record.event[final], record.pz[final])
    np.testing.assert_allclose(energy, 13000.0, rtol=1e-6)
    np.testing.assert_allclose(pz, 0.0, atol=0.02)
    assert (record.mother <= np.arange(len(record.pdg))).mean() > 0.9 and record.event[record.mother].tolist() == (
        record.event.tolist()
    )
    section = generator.cross_section()
    assert section.n_event == 10 and 0.0 < section.error < section.value


def test_a_seed_decides_everything() -> None:
    first, again, other = (Generator(SETTINGS, seed=seed).batch(3) for seed in (7, 7, 8))
    assert first.px.tobytes() == again.px.tobytes() != other.px.tobytes()


def test_no_events_are_an_empty_record() -> None:
    record = concatenate_events([], np.zeros(0))
    assert record.n_event == 0 and record.pt.shape == record.children(np.zeros(0, dtype=np.int64))[0].shape == (0,)
