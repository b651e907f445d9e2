"""The SUSY spectrum of a stop with a single decay, as an SLHA file (Skands et al. 2004, arXiv:hep-ph/0311123)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from root_gnn.errors import InputError

_TOP, _BOTTOM, _CHARM, _W = 173.0, 4.8, 1.5, 80.4
DECAYS: Mapping[str, tuple[str, float]] = {
    "top": ("1000022    6", _TOP),
    "bottom": ("1000024    5", _BOTTOM),
    "charm": ("1000022    4", _CHARM),
}
"""Products of a stop's decay by its name, the neutralino or chargino first, and the mass of the quark in GeV."""
_WORDS = {
    "top": "a top quark and the lightest neutralino",
    "bottom": "a bottom quark and a chargino, and that to W and neutralino",
    "charm": "a charm quark and the lightest neutralino",
}


@dataclass(frozen=True)
class Stop:
    """A lighter stop with its mass and those of lightest neutralino and lighter chargino in GeV.

    `decay` is a key of `DECAYS`. The chargino takes part in the decay "bottom" only: stop to bottom and chargino,
    chargino to W and neutralino. Its default mass is halfway between the other two.
    """

    stop: float = 600.0
    neutralino: float = 100.0
    chargino: float | None = None
    decay: str = "top"

    @property
    def chargino_mass(self) -> float:
        """Mass of the chargino in GeV."""
        return 0.5 * (self.stop + self.neutralino) if self.chargino is None else self.chargino

    def check(self) -> None:
        """Raises InputError where a particle is lighter than its decay products."""
        _, quark = DECAYS[self.decay]
        if self.decay == "bottom":
            if self.chargino_mass < self.neutralino + _W:
                raise InputError(
                    f"--param mchargino, mlsp: the chargino ({self.chargino_mass:g} GeV) must be heavier than "
                    f"neutralino and W together ({self.neutralino + _W:g} GeV)"
                )
            if self.stop < self.chargino_mass + quark:
                raise InputError(
                    f"--param mstop, mchargino: the stop ({self.stop:g} GeV) must be heavier than chargino and bottom "
                    f"together ({self.chargino_mass + quark:g} GeV)"
                )
        elif self.stop < self.neutralino + quark:
            raise InputError(
                f"--param mstop, mlsp: the stop ({self.stop:g} GeV) must be heavier than neutralino and {self.decay} "
                f"together ({self.neutralino + quark:g} GeV)"
            )

    def slha(self) -> str:
        """The text of the SLHA file; pair production needs only masses and decays."""
        with_chargino = self.decay == "bottom"
        products, _ = DECAYS[self.decay]
        lines = [
            f"# A lightest stop that always decays to {_WORDS[self.decay]} (stable, invisible).",
            "# Pair production needs no more than the masses and the decay table; the gluino is out of reach.",
            "BLOCK MODSEL",
            "     1     0             # general MSSM",
            "BLOCK MASS",
            f"   1000006    {self.stop:.6E}",
            f"   1000022    {self.neutralino:.6E}",
            *([f"   1000024    {self.chargino_mass:.6E}"] if with_chargino else []),
            "   1000021    5.0E+03    # gluino",
            "DECAY   1000006     1.0E+00",
            f"     1.0E+00    2    {products}",
            *(["DECAY   1000024     1.0E-02", "     1.0E+00    2    1000022    24"] if with_chargino else []),
            "DECAY   1000022     0.0E+00",
        ]
        return "\n".join(lines) + "\n"
