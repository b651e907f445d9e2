"""The layout of the Top Quark Tagging Reference Dataset."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import uproot

import root_gnn as rg
from root_gnn.errors import InputError
from root_gnn.simulation.simulate import simulate
from root_gnn.simulation.top_tagging import TEST, TRAIN, VALIDATION, _usage, check_request

QUICK = {"mpi": "off"}


def test_jets_of_an_event_stay_together_in_exact_shares() -> None:
    event = np.repeat(np.arange(50) * 7, 2)[np.random.default_rng(1).permutation(100)]
    usage = _usage(event, np.random.default_rng(2))
    split_of = dict(zip(event.tolist(), usage.tolist(), strict=True))
    assert usage.tolist() == [split_of[number] for number in event.tolist()]
    counts = [sum(split == wanted for split in split_of.values()) for wanted in (TRAIN, TEST, VALIDATION)]
    assert counts == [30, 10, 10]


def test_other_requests_are_refused() -> None:
    check_request(Path("a.h5"), ["Tbqq", "QCD"], "jets", 1)
    for processes, level, resimulate in (
        (["QCD"], "jets", 1),
        (["QCD", "Tbqq"], "events", 1),
        (["QCD", "Tbqq"], "jets", 2),
    ):
        with pytest.raises(InputError, match="expected --level jets --process QCD --process Tbqq"):
            check_request(Path("a.h5"), processes, level, resimulate)


@pytest.mark.pythia
def test_top_tagging_file_holds_the_same_jets(tmp_path: Path) -> None:
    pytest.importorskip("pythia8mc")
    pytest.importorskip("fastjet")
    table = tmp_path / "top.h5"
    paths = simulate(
        ["QCD", "Tbqq"],
        events=25,
        out=tmp_path,
        params={**QUICK, "pt_min": "550", "pt_max": "650"},
        level="jets",
        top_tagging=table,
    )
    jets = {}
    for path in paths:
        with uproot.open(path) as file:
            jets[path.stem] = file["tree"].arrays()
    assert all(np.all((j.jet_pt >= 550) & (j.jet_pt <= 650)) for j in jets.values())
    records = rg.read(table, rg.load_spec("top_tagging"))
    assert len(records) == 50 and {*records["split"].tolist()} == {0, 1, 2}
    written = {round(float(jet.part_energy[0]), 2): (name, jet) for name, table in jets.items() for jet in table}
    for record in records:
        name, jet = written.pop(round(float(record.constituent.energy[0]), 2))
        assert record.label == (name == "Tbqq")
        np.testing.assert_allclose(record.constituent.energy, jet.part_energy)
        np.testing.assert_allclose(record.constituent.pt, np.hypot(jet.part_px, jet.part_py), rtol=1e-5)
        top = record.truth
        assert np.hypot(top.top_px, top.top_py) == pytest.approx(jet.aux_genpart_pt, rel=1e-5)
        assert (top.top_energy > 0) == (name == "Tbqq")
    with pytest.raises(InputError, match="exists already"):
        simulate(["QCD", "Tbqq"], events=25, out=tmp_path, params=QUICK, level="jets", top_tagging=table)
