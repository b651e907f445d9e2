"""Quark and gluon jets."""

from __future__ import annotations

from root_gnn.simulation.process import ControlFigures, Process
from root_gnn.simulation.pythia_settings import several_jets

PROCESSES = (
    Process(
        "multijet",
        24,
        "quark and gluon jets",
        ("HardQCD:all=on",),
        levels=("events", "jets"),
        harder=(0.84, 1.3),
        jets=several_jets("QCD"),
        caveat="two partons from the matrix element, further jets from the shower",
        control=ControlFigures(made={}, is_symmetric=False),
        row=(
            "`HardQCD:all`, partons above 0.84 times `pt_min` (250 GeV)",
            "",
            "100 %",
            "two partons from the matrix element",
        ),
    ),
)
