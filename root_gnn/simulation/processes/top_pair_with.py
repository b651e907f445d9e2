"""A top pair with a vector boson, photons or further tops; hard events of Sherpa."""

from __future__ import annotations

from root_gnn.simulation.process import ControlFigures, Process
from root_gnn.simulation.sherpa.cards import CAVEAT, FOUR_TOPS, THREE_TOPS, TT_PHOTONS, TT_W, TT_Z

PROCESSES = (
    Process(
        "ttW",
        12,
        "top pair with a W of either charge",
        card=TT_W,
        caveat=f"{CAVEAT}; the W decays in all directions alike",
        control=ControlFigures(made={6: 2, 24: 1}, positive=(24, 0.66, 0.02), is_symmetric=False, more_tops=0),
        row=("q qbar' to t tbar W, both charges", "0.379", "5,000", "66 % have a W+"),
    ),
    Process(
        "ttZ",
        13,
        "top pair with a Z",
        card=TT_Z,
        caveat=f"{CAVEAT}; no photon beside the Z, which decays in all directions alike",
        control=ControlFigures(made={6: 2, 23: 1}, more_tops=0),
        row=("t tbar Z", "0.505", "5,000", "no photon beside the Z"),
    ),
    Process(
        "ttyy",
        14,
        "top pair with two photons",
        card=TT_PHOTONS,
        caveat=f"{CAVEAT}; photons above 20 GeV, abs(eta) below 2.5, 0.4 apart, of quarks and tops, none of what these "
        "decay to",
        control=ControlFigures(made={6: 2}, more_tops=0, n_hard_photon=2),
        row=(
            "t tbar and two photons",
            "0.00397",
            "5,000",
            "photons with pt above 20 GeV, abs(eta) below 2.5, 0.4 apart, radiated by quarks and tops, "
            "not by what tops decay to",
        ),
    ),
    Process(
        "ttt",
        15,
        "three tops (either charge) with a W or a quark",
        card=THREE_TOPS,
        caveat=f"{CAVEAT}; five-flavour scheme; both kinds in the ratio of their cross sections",
        control=ControlFigures(made={6: 3, 24: -1}, is_symmetric=False, more_tops=1),
        row=(
            "three tops with a W, or with a quark; both charges",
            "0.000902",
            "5,000",
            "five-flavour scheme; the reactions come in the ratio of their cross sections",
        ),
    ),
    Process(
        "tttt",
        16,
        "four tops",
        card=FOUR_TOPS,
        caveat=f"{CAVEAT}; strong interaction only",
        control=ControlFigures(made={6: 4}, more_tops=0),
        row=("four tops", "0.00398", "3,000", "strong interaction only"),
    ),
)
