"""Single production of the Higgs boson."""

from __future__ import annotations

from root_gnn.simulation.process import ControlFigures, Process
from root_gnn.simulation.sherpa.cards import CAVEAT, T_H_J

PROCESSES = (
    Process(
        "ggF",
        1,
        "gluon fusion to a Higgs boson",
        ("HiggsSM:gg2H=on",),
        caveat="leading order, Higgs pt from the shower only",
        control=ControlFigures(made={25: 1}),
        row=("`HiggsSM:gg2H`", "26", "79 %", "Higgs pt from the shower only"),
    ),
    Process(
        "VBF",
        2,
        "vector boson fusion to a Higgs boson and two quarks",
        ("HiggsSM:ff2Hff(t:ZZ)=on", "HiggsSM:ff2Hff(t:WW)=on", "SpaceShower:dipoleRecoil=on"),
        caveat="dipole recoil, so that the shower leaves the rapidity gap open",
        control=ControlFigures(made={25: 1}),
        row=(
            "`HiggsSM:ff2Hff(t:ZZ)`, `(t:WW)`, `SpaceShower:dipoleRecoil`",
            "3.6",
            "96 %",
            "with the usual global recoil the shower would fill the rapidity gap",
        ),
    ),
    Process(
        "WH",
        3,
        "Higgs boson with a W",
        ("HiggsSM:ffbar2HW=on",),
        caveat="leading order",
        # next-to-leading order, LHC Higgs Cross Section Working Group 2016, arXiv:1610.07922
        control=ControlFigures(made={25: 1, 24: 1}, positive=(24, 0.61, 0.02), is_symmetric=False),
        row=("`HiggsSM:ffbar2HW`", "1.10", "94 %", ""),
    ),
    Process(
        "ZH",
        4,
        "Higgs boson with a Z",
        ("HiggsSM:ffbar2HZ=on",),
        caveat="quark-antiquark only: gg to ZH is missing",
        control=ControlFigures(made={25: 1, 23: 1}),
        row=("`HiggsSM:ffbar2HZ`", "0.60", "92 %", "quark-antiquark only: gg to ZH is missing"),
    ),
    Process(
        "bbH",
        6,
        "Higgs boson with a bottom pair",
        ("HiggsSM:gg2Hbbbar=on", "HiggsSM:qqbar2Hbbbar=on"),
        caveat="four-flavour scheme: do not add a five-flavour sample",
        control=ControlFigures(made={25: 1}),
        row=(
            "`HiggsSM:gg2Hbbbar`, `qqbar2Hbbbar`",
            "0.27",
            "70 %",
            "four-flavour scheme: do not add a five-flavour sample",
        ),
    ),
    Process(
        "tHjb",
        7,
        "Higgs boson with one top (either charge) and a quark",
        card=T_H_J,
        caveat=f"{CAVEAT}; five-flavour scheme: the b comes from the shower and is too soft",
        control=ControlFigures(made={25: 1, 6: 1}, positive=(6, 0.66, 0.03), is_symmetric=False),
        row=(
            "q b to t H q', both charges",
            "0.0691",
            "5,000",
            "t- and s-channel W; five-flavour scheme: the b of the name comes from the shower and is too soft",
        ),
    ),
)
