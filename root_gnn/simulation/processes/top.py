"""Top pairs and single tops."""

from __future__ import annotations

from root_gnn.simulation.process import ControlFigures, Process
from root_gnn.simulation.pythia_settings import TTBAR
from root_gnn.simulation.sherpa.cards import CAVEAT, T_W

# A decay channel must be added before all are switched off; matrix-element mode 100, since 0 drops the channel
# silently.
_TOP_TO_CHARM_HIGGS = ("6:addChannel=1 0.10 100 4 25", "6:onMode=off")

PROCESSES = (
    Process(
        "ttbar",
        8,
        "top pair",
        TTBAR,
        caveat="leading order, no spin correlation, further jets from the shower",
        control=ControlFigures(made={6: 2}, more_tops=0),
        row=("`Top:gg2ttbar`, `qqbar2ttbar`", "510", "100 %", "no spin correlation"),
    ),
    Process(
        "singletop_t",
        9,
        "single top, t-channel W",
        ("Top:qq2tq(t:W)=on",),
        caveat="five-flavour scheme: the spectator b comes from the shower and is too soft",
        # next-to-leading order, ATLAS-CMS top working group
        control=ControlFigures(made={6: 1}, positive=(6, 0.63, 0.03), is_symmetric=False),
        row=(
            "`Top:qq2tq(t:W)`",
            "149",
            "96 %",
            "five-flavour scheme: the spectator b comes from the shower and is too soft",
        ),
    ),
    Process(
        "singletop_s",
        10,
        "single top, s-channel W",
        ("Top:ffbar2tqbar(s:W)=on",),
        caveat="leading order",
        control=ControlFigures(made={6: 1}, positive=(6, 0.615, 0.03), is_symmetric=False),
        row=("`Top:ffbar2tqbar(s:W)`", "7.4", "97 %", ""),
    ),
    Process(
        "tW",
        11,
        "single top (either charge) with a W",
        card=T_W,
        caveat=f"{CAVEAT}; five-flavour scheme",
        control=ControlFigures(made={6: 1, 24: 1}, positive=(6, 0.5, 0.0)),
        row=("g b to t W, both charges", "52.7", "5,000", "five-flavour scheme"),
    ),
    Process(
        "FCNC",
        17,
        "top pair, one top (either charge, half each) to charm and Higgs",
        TTBAR + _TOP_TO_CHARM_HIGGS,
        parts=(("6:onPosIfAny=25", "6:onNegIfAny=5"), ("6:onPosIfAny=5", "6:onNegIfAny=25")),
        caveat="decay only: charm gluon to top Higgs is missing; the cross section assumes 9 % top to charm Higgs",
        control=ControlFigures(
            made={6: 2, 25: 1},
            more_tops=0,
            fractions={6: {"H c": ((25,), 0.5)}},
            equal_charges_to=(6, 25),
        ),
        row=(
            "as `ttbar`, one top decays to c H, the other to b W",
            "86",
            "100 %",
            "half the events with t to cH, half with the antitop; no cg to tH; assumes 9.1 % top to cH",
        ),
    ),
)
