"""New particles: parameters that fit, masses and decays as chosen, truth branches that hold them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot
import vector

from root_gnn.simulation.heavy import PAIR_OF_HIGGS
from root_gnn.simulation.ntuple import read_metadata

QUICK = {"mpi": "off"}


@pytest.mark.pythia
@pytest.mark.parametrize(
    ("name", "params", "counts"),
    [
        ("Zprime", {"mass": "1000"}, (0, 2, 0, 0)),
        ("tttt_scalar", {"mass": "600"}, (0, 4, 0, 0)),
        ("Wprime", {}, (0, 1, 0, 0)),
        ("Wprime", {"decay": "WZ"}, (0, 0, 1, 1)),
        ("STOP", {"decay": "bottom"}, (0, 0, 2, 0)),
        ("STOP", {"decay": "charm"}, (0, 0, 0, 0)),
    ],
)
def test_truth_branches(name: str, params: dict[str, str], counts: tuple[int, ...], tmp_path: Path) -> None:
    pytest.importorskip("pythia8mc")
    pytest.importorskip("fastjet")
    from root_gnn.simulation.simulate import simulate

    (path,) = simulate([name], events=25, out=tmp_path, seed=2, params={**QUICK, **params})
    metadata = read_metadata(path)
    assert (
        metadata is not None
        and metadata.n_failed == 0
        and 0 < metadata.cross_section_error < 0.2 * metadata.cross_section
    )
    with uproot.open(path) as file:
        events = file["Events"].arrays()
    for branch, number in zip(("n_higgs", "n_top", "n_W", "n_Z"), counts, strict=True):
        assert ak.all(events[branch] == number)
    if name == "Zprime":
        tops: list[Any] = [
            vector.array(
                {
                    x: ak.to_numpy(events[f"top{i}_{y}"]).astype(float)
                    for x, y in zip(("pt", "eta", "phi", "mass"), ("pt", "eta", "phi", "m"), strict=True)
                }
            )
            for i in (1, 2)
        ]
        mass = (tops[0] + tops[1]).mass
        # below the mass by what the shower radiates off the tops
        assert 850 < np.median(mass) < 1010 and np.all(mass < 1500)
    if name == "STOP":
        assert ak.mean(events.met_met) > 150


def test_a_narrow_particle_is_one_percent_wide_and_within_a_tenth_of_its_mass() -> None:
    settings = PAIR_OF_HIGGS["0"].with_mass(1000.0)
    assert {"35:m0=1000", "35:mWidth=10", "35:mMin=900", "35:mMax=1100"} <= set(settings)
    assert PAIR_OF_HIGGS["0"].lightest == pytest.approx(251.0, abs=1.0)
