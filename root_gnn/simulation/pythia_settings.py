"""Pythia settings shared by several processes."""

from __future__ import annotations

from root_gnn.simulation.jets import NO_LIMIT, JetSelection
from root_gnn.simulation.resonances import Decay

TTBAR = ("Top:gg2ttbar=on", "Top:qqbar2ttbar=on")
HADRONIC_W = ("24:onMode=off", "24:onIfAny=1 2 3 4 5")
LEPTONIC_W = ("24:onMode=off", "24:onIfAny=11 13")


def several_jets(name: str, decay: Decay | None = None) -> JetSelection:
    """Selects all jets above 250 GeV of events with two or more."""
    return JetSelection(name, decay, min_pt=250.0, max_pt=NO_LIMIT, n_leading=0, whole_events=True, min_jets=2)
