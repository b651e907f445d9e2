"""New heavy particles described by a mass and a choice: W', Z', a resonance of two Higgs bosons, a scalar with tops."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_TOP, _HIGGS, _W, _Z, _BOTTOM = 173.0, 125.0, 80.4, 91.2, 4.8
_MARGIN = 1.0
_BELOW, _ABOVE = 0.5, 1.5  # of the mass: what is left of the tails of a particle with the width that its couplings give
_WINDOW = 0.1  # the same, on both sides, where the width is a hundredth of the mass


@dataclass(frozen=True)
class Resonance:
    """A particle by its Pythia `code`, the settings of its production and decay, and the summed masses of its products.

    `narrow`: one percent wide, whatever its couplings are.
    """

    code: int
    settings: tuple[str, ...]
    decays_to: float
    narrow: bool = True

    @property
    def lightest(self) -> float:
        """The smallest mass that can be requested, GeV."""
        return self.decays_to + _MARGIN

    def with_mass(self, mass: float) -> tuple[str, ...]:
        """All settings of the particle with this mass in GeV."""
        low, high = (1.0 - _WINDOW, 1.0 + _WINDOW) if self.narrow else (_BELOW, _ABOVE)
        width = (f"{self.code}:mWidth={mass / 100:g}", f"{self.code}:doForceWidth=on") if self.narrow else ()
        return (
            *self.settings,
            f"{self.code}:m0={mass:g}",
            *width,
            f"{self.code}:mMin={low * mass:g}",
            f"{self.code}:mMax={high * mass:g}",
        )


# the first choice is the default
PAIR_OF_HIGGS: Mapping[str, Resonance] = {
    "2": Resonance(5100039, ("ExtraDimensionsG*:gg2G*=on", "5100039:onMode=off", "5100039:onIfAny=25"), 2 * _HIGGS),
    "0": Resonance(
        35,
        ("Higgs:useBSM=on", "HiggsBSM:gg2H2=on", "HiggsH2:coup2H1H1=1", "35:onMode=off", "35:onIfMatch=25 25"),
        2 * _HIGGS,
    ),
}
_W_PRIME = ("NewGaugeBoson:ffbar2Wprime=on", "34:onMode=off")
W_PRIME: Mapping[str, Resonance] = {
    "tb": Resonance(34, (*_W_PRIME, "34:onIfAny=6"), _TOP + _BOTTOM, narrow=False),
    "WZ": Resonance(34, (*_W_PRIME, "Wprime:coup2WZ=1", "34:onIfAll=24 23"), _W + _Z, narrow=False),
}
Z_PRIME: Mapping[str, Resonance] = {
    "tt": Resonance(
        32,
        ("NewGaugeBoson:ffbar2gmZZprime=on", "Zprime:gmZmode=3", "32:onMode=off", "32:onIfAny=6"),
        2 * _TOP,
        narrow=False,
    ),
}
TOPS_WITH_SCALAR: Mapping[str, Resonance] = {
    "tt": Resonance(
        35,
        (
            "Higgs:useBSM=on",
            "HiggsBSM:gg2H2ttbar=on",
            "HiggsBSM:qqbar2H2ttbar=on",
            "HiggsH2:coup2u=1",
            "35:onMode=off",
            "35:onIfAny=6",
        ),
        2 * _TOP,
    ),
}
