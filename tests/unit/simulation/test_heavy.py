"""New particles: parameters that fit, masses and decays as chosen, truth branches that hold them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np
import pytest
import uproot
import vector

from root_gnn.errors import InputError
from root_gnn.simulation.ntuple import read_metadata
from root_gnn.simulation.parameters import check_params, settings_of, stop_of
from root_gnn.simulation.process import find_process
from root_gnn.simulation.spectrum import Stop

QUICK = {"mpi": "off"}


@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        ("Zprime", {"mass": "300"}, "Zprime must be heavier .* .347 GeV."),
        ("tttt_scalar", {"mass": "340"}, "347"),
        ("HH4b", {"mass": "250"}, "251"),
        ("Wprime", {"mass": "150", "decay": "WZ"}, "172.6"),
        ("Wprime", {"decay": "top"}, "tb or WZ"),
        ("STOP", {"decay": "tb"}, "top or bottom"),
        ("Zprime", {"decay": "tb"}, "belongs to STOP, Wprime"),
        ("STOP", {"decay": "charm", "mstop": "100"}, "neutralino and charm"),
        ("STOP", {"decay": "bottom", "mstop": "200", "mlsp": "150"}, "neutralino and W"),
        ("STOP", {"decay": "bottom", "mchargino": "599"}, "chargino and bottom"),
    ],
)
def test_masses_and_decays_that_cannot_be(name: str, params: dict[str, str], message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_params(params, [find_process(name)], from_file=False)


def test_settings_follow_the_parameters() -> None:
    (settings,) = settings_of(find_process("Wprime"), {"mass": "900", "decay": "WZ"}, from_file=False)
    assert {"34:m0=900", "34:onIfAll=24 23", "34:mMin=450", "34:mMax=1350"} <= set(
        settings
    ) and "34:onIfAny=6" not in settings
    (settings,) = settings_of(find_process("HH4b"), {"spin": "0"}, from_file=False)
    assert {"35:m0=1500", "35:mWidth=15", "HiggsH2:coup2H1H1=1"} <= set(settings)


def test_spectrum_of_each_decay() -> None:
    assert stop_of(find_process("STOP"), {}) == Stop()
    text = Stop(700.0, 50.0, decay="bottom").slha()
    assert "1000024    3.750000E+02" in text and "1000024    5\n" in text and "1000022    24" in text
    assert "1000024" not in Stop(decay="charm").slha() and "1000022    4\n" in Stop(decay="charm").slha()


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
