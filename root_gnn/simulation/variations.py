"""Event weights for half and twice the scale of the parton shower.

Mrenna, Skands 2016, "Automated parton-shower variations in Pythia 8" (arXiv:1605.08352).
"""

from __future__ import annotations

VARIATIONS = {
    "isr_half": "isr:muRfac=0.5",
    "isr_twice": "isr:muRfac=2.0",
    "fsr_half": "fsr:muRfac=0.5",
    "fsr_twice": "fsr:muRfac=2.0",
}
"""Pythia's setting of each variation: renormalisation scale of initial-state and final-state radiation."""
SETTINGS = (
    "UncertaintyBands:doVariations=on",
    f"UncertaintyBands:List={{{','.join(f'{name} {what}' for name, what in VARIATIONS.items())}}}",
    # below a pt of 2.5 GeV every hadron would count, and the weights of a few events would outweigh all others
    "UncertaintyBands:FSRpTmin2Fac=25",
)


def variation_branch(name: str) -> str:
    """The branch of the ntuple with the weight of a variation."""
    return f"weight_{name}"
