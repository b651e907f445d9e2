"""Hard events that Pythia only showers: made by Sherpa or shipped, counted, numbered, and never short in silence."""

from __future__ import annotations

from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot

pytest.importorskip("pythia8mc")
pytest.importorskip("fastjet")

from root_gnn.errors import InputError
from root_gnn.simulation.hard_file import hard_file_of_process
from root_gnn.simulation.lhe import count_events
from root_gnn.simulation.ntuple import read_metadata
from root_gnn.simulation.process import find_process
from root_gnn.simulation.sherpa.files import cross_section
from root_gnn.simulation.sherpa.shipped import shipped_file
from root_gnn.simulation.simulate import simulate

pytestmark = pytest.mark.pythia
QUICK = {"mpi": "off"}
BRANCHES = ["eventNumber", "resimulation", "process", "n_top", "n_W", "W_m", "jet_pt"]


def rows(path: Path) -> ak.Array:
    with uproot.open(path) as file:
        return file["Events"].arrays(BRANCHES)


def test_shipped_events(no_sherpa: None, tmp_path: Path) -> None:
    (path,) = simulate(["ttW"], events=20, out=tmp_path, params=QUICK)
    metadata, section = read_metadata(path), cross_section(shipped_file("ttW"))
    assert metadata is not None and metadata.n_kept == 20 and metadata.n_failed == 0
    assert metadata.generator.startswith("Sherpa 3") and "Pythia 8" in metadata.generator
    assert (metadata.cross_section, metadata.cross_section_error) == pytest.approx(
        (section.value, section.error), rel=1e-3
    )
    found = rows(path)
    assert set(found.process) == {12} and set(found.n_top) == {2} and set(found.n_W) == {1}
    np.testing.assert_allclose(found.W_m, 80.385, rtol=1e-4)


def test_a_hard_event_has_one_number_whatever_the_seed(no_sherpa: None, tmp_path: Path) -> None:
    (one,) = simulate(["tW"], events=12, out=tmp_path / "1", seed=1, params=QUICK)
    (two,) = simulate(["tW"], events=12, out=tmp_path / "2", seed=2, params=QUICK)
    (three,) = simulate(["tW"], events=8, out=tmp_path / "3", seed=3, params=QUICK, resimulate=2)
    first = rows(one).eventNumber[0]
    for path in (one, two, three):
        place = rows(path).eventNumber - first
        assert ak.all(place >= -5) and ak.all(place < 33)
    assert ak.to_list(rows(one).jet_pt) != ak.to_list(rows(two).jet_pt)
    assert np.bincount(rows(three).resimulation).tolist() == [8, 8]
    others = rows(simulate(["ttZ"], events=2, out=tmp_path / "1", seed=1, params=QUICK)[0]).eventNumber
    assert not set(ak.to_list(others)) & set(ak.to_list(rows(one).eventNumber))


def test_more_than_are_shipped_needs_one_of_two_ways(no_sherpa: None, tmp_path: Path) -> None:
    n = count_events(shipped_file("ttW"))
    ways = rf"--events {2 * n + 1}: expected at most {n:,}.*root_gnn\[sherpa\].*--events {n} --resimulate 3 "
    with pytest.raises(InputError, match=ways):
        simulate(["ttW"], events=2 * n + 1, out=tmp_path)
    with pytest.raises(InputError, match="ecm=14000: the shipped hard events of ttW are of 13000 GeV"):
        simulate(["ttW"], events=10, out=tmp_path, params={"ecm": "14000"})
    assert not list(tmp_path.iterdir())


def test_sherpa_is_run_where_it_is(sherpa: Path, tmp_path: Path) -> None:
    paths = [
        simulate(["ttW"], events=10, out=tmp_path / str(i), seed=seed, params=QUICK)[0]
        for i, seed in enumerate((1, 1, 2))
    ]
    found = [rows(path) for path in paths]
    assert ak.to_list(found[0]) == ak.to_list(found[1]) != ak.to_list(found[2])
    assert not set(found[0].eventNumber) & set(found[2].eventNumber)
    metadata = read_metadata(paths[0])
    assert metadata is not None and metadata.generator.startswith("Sherpa 3.0.9, Pythia")
    assert "RANDOM_SEED" in metadata.settings and metadata.cross_section == pytest.approx(0.5)
    assert simulate(["ttW"], events=10, out=tmp_path / "0", seed=1, params=QUICK) == paths[:1]  # kept, not made again


def test_sherpa_that_fails_leaves_nothing(sherpa: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="ended with code 3"):
        simulate(["ttW"], events=10, out=tmp_path / "out", params={"ecm": "3000"})
    assert not list((tmp_path / "out").glob("*"))


def test_other_processes_have_none(tmp_path: Path) -> None:
    assert hard_file_of_process(find_process("ttbar"), events=10, seed=1, params={}, folder=tmp_path) is None
