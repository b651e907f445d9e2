"""Weights of shower variations: there, centred, and the same physics as a shower with the other scale."""

from __future__ import annotations

from pathlib import Path

import awkward as ak
import numpy as np
import pytest
import uproot

pytest.importorskip("pythia8mc")
pytest.importorskip("fastjet")

from root_gnn.simulation.parameters import settings_of
from root_gnn.simulation.process import find_process
from root_gnn.simulation.pythia import Generator
from root_gnn.simulation.reshower import Reshowerer
from root_gnn.simulation.simulate import simulate
from root_gnn.simulation.variations import SETTINGS, VARIATIONS, variation_branch

pytestmark = pytest.mark.pythia
QUICK = {"mpi": "off"}
N = 200


@pytest.fixture(scope="module")
def varied(tmp_path_factory: pytest.TempPathFactory) -> ak.Array:
    (path,) = simulate(
        ["ttbar"], events=N, out=tmp_path_factory.mktemp("varied"), seed=3, params=QUICK, variations=True
    )
    with uproot.open(path) as file:
        return file["Events"].arrays()


def test_every_variation_is_a_branch_and_keeps_the_cross_section(varied: ak.Array) -> None:
    assert ak.all(varied.weight == 1.0)
    for name in VARIATIONS:
        weight = ak.to_numpy(varied[variation_branch(name)])
        assert weight.min() > 0.0 and weight.std() > 0.05
        assert abs(weight.mean() - 1.0) < 4.0 * weight.std() / np.sqrt(N)


@pytest.mark.parametrize(("name", "factor"), [("isr_half", 0.25), ("isr_twice", 4.0)])
def test_a_weight_does_what_a_shower_of_that_scale_does(name: str, factor: float) -> None:
    """The pt of the top pair, which comes from radiation off the initial state, is shifted as in a shower with the
    other scale.
    """
    n = 1500
    quick = (*settings_of(find_process("ttbar"), QUICK, from_file=False)[0], "HadronLevel:all=off")

    def pair_pt(*further: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
        record = Generator((*quick, *further), seed=seed).batch(n)
        top = (record.kind == 6) & record.is_last_copy
        px, py = (np.bincount(record.event[top], p[top], n) for p in (record.px, record.py))
        return np.hypot(px, py), record.variations.get(name, np.ones(n))

    pt, weight = pair_pt(*SETTINGS, seed=11)
    direct, _ = pair_pt(f"SpaceShower:renormMultFac={factor}", seed=12)
    shift = (weight - 1.0) * (pt - pt.mean())
    assert (shift.mean() > 0) == (name == "isr_half") and abs(shift.mean()) > 3.0 * shift.std() / np.sqrt(n)
    reweighted = (pt * weight).mean() / weight.mean()
    assert abs(reweighted - direct.mean()) < 4.0 * np.hypot(((pt - reweighted) * weight).std(), direct.std()) / np.sqrt(
        n
    )


def test_each_shower_of_a_hard_event_has_weights_of_its_own() -> None:
    settings = (*settings_of(find_process("ttbar"), QUICK, from_file=False)[0], *SETTINGS)
    record = Reshowerer(settings, seed=1, hard_seed=2, copies=2).batch(3)
    assert set(record.variations) == set(VARIATIONS)
    assert all(len(np.unique(factor)) == record.n_event == 6 for factor in record.variations.values())


def test_without_the_option_nothing_is_added(simulated: Path) -> None:
    with uproot.open(simulated / "ttbar.root") as file:
        names = set(file["Events"].keys())
    assert "weight" in names and not names & {"n_pileup", *map(variation_branch, VARIATIONS)}
