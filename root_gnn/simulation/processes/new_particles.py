"""Particles beyond the standard model."""

from __future__ import annotations

from root_gnn.simulation.heavy import PAIR_OF_HIGGS, TOPS_WITH_SCALAR, W_PRIME, Z_PRIME
from root_gnn.simulation.process import ControlFigures, Process
from root_gnn.simulation.pythia_settings import several_jets
from root_gnn.simulation.resonances import Decay

_STOP_PAIR = ("SUSY:gg2squarkantisquark=on", "SUSY:qqbar2squarkantisquark=on", "SUSY:idA=1000006", "SUSY:idB=1000006")
_STOPS = {1000006: 2, 1000022: 2}

PROCESSES = (
    Process(
        "STOP",
        18,
        "pair of lighter stops, all decaying in one way",
        _STOP_PAIR,
        caveat="to top and neutralino, 600 and 100 GeV, unless --param decay=, mstop=, mlsp=, mchargino=; no spin "
        "correlation",
        params=("mstop", "mlsp", "mchargino", "decay"),
        needs_slha=True,
        control=ControlFigures(
            made={**_STOPS, 6: 2},
            made_by_decay={"bottom": {**_STOPS, 24: 2}, "charm": _STOPS},
        ),
        row=(
            "`SUSY:gg2squarkantisquark`, `qqbar2squarkantisquark` of the lighter stop",
            "0.113",
            "100 %",
            "stop to top and neutralino, 600 and 100 GeV; `--param mstop=`, `mlsp=`; `decay=bottom` (with a chargino, "
            "`mchargino=`, that goes to W and neutralino) or `charm`; scalars decay without spin",
        ),
    ),
    Process(
        "HH4b",
        23,
        "resonance of spin 0 or 2 to two Higgs bosons to four b",
        ("25:onMode=off", "25:onIfAny=5"),
        resonances=PAIR_OF_HIGGS,
        choice="spin",
        mass=1500.0,
        caveat="narrow, spin 2 and 1500 GeV unless --param spin=, mass=",
        params=("spin", "mass"),
        levels=("events", "jets"),
        jets=several_jets("Hbb", Decay(25, 2, flavour=5)),
        control=ControlFigures(made={25: 2}, decays={25: (5,)}),
        row=(
            "`ExtraDimensionsG*:gg2G*` (spin 2) or `HiggsBSM:gg2H2` (spin 0), to two Higgs bosons, `25:onIfAny=5`",
            "",
            "100 %",
            "width 1 % of the mass, within 10 % of it; `--param spin=`, `mass=` (2, 1500 GeV); the cross section means "
            "nothing",
        ),
    ),
    Process(
        "Wprime",
        25,
        "W' to top and bottom, or to W and Z",
        resonances=W_PRIME,
        choice="decay",
        mass=2000.0,
        params=("decay", "mass"),
        caveat="couples as the W; 2000 GeV to top and bottom unless --param mass=, decay=WZ; no interference with the "
        "W",
        control=ControlFigures(made={34: 1, 6: 1}, made_by_decay={"WZ": {34: 1, 24: 1, 23: 1}}, is_symmetric=False),
        row=(
            "`NewGaugeBoson:ffbar2Wprime`, to t b (`34:onIfAny=6`) or, with `--param decay=WZ`, to W Z "
            "(`Wprime:coup2WZ=1`)",
            "0.30 (t b), 2000 GeV",
            "100 %",
            "couplings of the W, width 3 %, within 0.5 to 1.5 times the mass; no interference with the W; `--param "
            "mass=`",
        ),
    ),
    Process(
        "Zprime",
        26,
        "Z' to a top pair",
        resonances=Z_PRIME,
        mass=2000.0,
        params=("mass",),
        caveat="couples as the Z; 2000 GeV unless --param mass=; no interference with Z and photon, no spin "
        "correlation",
        control=ControlFigures(made={32: 1, 6: 2}, more_tops=0),
        row=(
            "`NewGaugeBoson:ffbar2gmZZprime`, `Zprime:gmZmode=3`, `32:onIfAny=6`",
            "0.049, 2000 GeV",
            "100 %",
            "couplings of the Z, width 3 %, within 0.5 to 1.5 times the mass; no interference with Z and photon; "
            "`--param mass=`",
        ),
    ),
    Process(
        "tttt_scalar",
        27,
        "four tops: a heavy scalar, decaying to a top pair, made with another",
        resonances=TOPS_WITH_SCALAR,
        mass=500.0,
        params=("mass",),
        caveat="narrow, 500 GeV unless --param mass=; four tops of the standard model are not part of it; no spin "
        "correlation",
        control=ControlFigures(made={35: 1, 6: 4}, more_tops=0),
        row=(
            "`HiggsBSM:gg2H2ttbar`, `qqbar2H2ttbar`, `35:onIfAny=6`",
            "0.0011, 500 GeV",
            "100 %",
            "width 1 %; coupling to tops that of the Higgs boson; without the four tops of the standard model; "
            "`--param mass=` (347 GeV and more)",
        ),
    ),
)
