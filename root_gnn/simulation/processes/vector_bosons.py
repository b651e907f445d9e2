"""One or two vector bosons."""

from __future__ import annotations

from root_gnn.simulation.process import ControlFigures, Process

PROCESSES = (
    Process(
        "Zjets",
        20,
        "Z or photon (mass above 50 GeV) with a jet",
        ("WeakBosonAndParton:qqbar2gmZg=on", "WeakBosonAndParton:qg2gmZq=on", "PhaseSpace:pTHatMin=30", "23:mMin=50"),
        caveat="one jet from the matrix element (pt above 30 GeV), further ones from the shower are too soft",
        control=ControlFigures(made={23: 1}, with_photon=True),
        row=(
            "`WeakBosonAndParton:qqbar2gmZg`, `qg2gmZq`, pt above 30 GeV, mass above 50 GeV",
            "7,150",
            "76 %",
            "one jet from the matrix element; Z and photon interfere",
        ),
    ),
    Process(
        "Wjets",
        21,
        "W with a jet",
        ("WeakBosonAndParton:qqbar2Wg=on", "WeakBosonAndParton:qg2Wq=on", "PhaseSpace:pTHatMin=30"),
        caveat="one jet from the matrix element (pt above 30 GeV), further ones from the shower are too soft",
        control=ControlFigures(made={24: 1}, is_symmetric=False),
        row=(
            "`WeakBosonAndParton:qqbar2Wg`, `qg2Wq`, pt above 30 GeV",
            "20,500",
            "82 %",
            "one jet from the matrix element",
        ),
    ),
    Process(
        "diboson",
        22,
        "WW, WZ and ZZ",
        ("WeakDoubleBoson:all=on",),
        caveat="leading order, no gluon-gluon part",
        control=ControlFigures(two_of=(24, 23), with_photon=True, is_symmetric=False),
        row=("`WeakDoubleBoson:all`", "98", "87 %", "WW, WZ, ZZ; no gluon-gluon part"),
    ),
)
