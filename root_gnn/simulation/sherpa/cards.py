"""Sherpa's run cards, process by process.

Sherpa Collaboration 2024, "Event generation with Sherpa 3" (arXiv:2410.22148).
"""

from __future__ import annotations

from dataclasses import dataclass

TOP_MASS, HIGGS_MASS, W_MASS, Z_MASS = 173.0, 125.0, 80.385, 91.1876  # those of Pythia, which decays them
PDF = "NNPDF31_nnlo_as_0118_mc"  # the set that comes with Sherpa
_COMMON = f"""\
BEAMS: 2212
PDF_LIBRARY: LHAPDFSherpa
PDF_SET: {PDF}
MPI_PDF_SET: {PDF}
EVENT_GENERATION_MODE: Unweighted
SHOWER_GENERATOR: None
FRAGMENTATION: None
MI_HANDLER: None
BEAM_REMNANTS: false
ME_QED: {{ENABLED: false}}
HARD_DECAYS: {{Enabled: false}}
ME_GENERATORS: [Comix]
SCALES: VAR{{H_TM2/4}}
"""
_PARTICLES = f"""\
PARTICLE_DATA:
  6: {{Mass: {TOP_MASS}, Width: 0}}
  23: {{Mass: {Z_MASS}, Width: 0}}
  24: {{Mass: {W_MASS}, Width: 0}}
  25: {{Mass: {HIGGS_MASS}, Width: 0}}
"""

CAVEAT = "hard events of Sherpa or shipped ones of it, leading order, colour lines drawn, no spin correlation"
"""What a user has to know of all processes of Sherpa."""


@dataclass(frozen=True)
class Card:
    """Reactions of a process, mixed in the ratio of their cross sections.

    `reactions`: initial and final particles in Sherpa's notation (93 any massless parton), and the powers of the strong
    and the electroweak coupling in the cross section. `selectors`: cuts. `apart`: pairs of kinds of partons (g, b, t, q
    for the others) that no colour line joins.
    """

    reactions: tuple[tuple[str, int, int], ...]
    apart: tuple[str, ...] = ()
    selectors: str = ""

    def text(self, *, events: int, seed: int, ecm: float, name: str) -> str:
        """The text of a run card for a file `name`.lhe of `events` events at a collision energy of `ecm` GeV."""
        lines = [
            f"EVENTS: {events}",
            f"RANDOM_SEED: {seed}",
            f"BEAM_ENERGIES: {0.5 * ecm:g}",
            f"EVENT_OUTPUT: LHEF[{name}]",
        ]
        reactions = [
            f"- {reaction}:\n    Order: {{QCD: {strong}, EW: {weak}}}\n    Integration_Error: 0.03\n"
            for reaction, strong, weak in self.reactions
        ]
        return "".join((_COMMON, "\n".join(lines), "\n", _PARTICLES, "PROCESSES:\n", *reactions, self.selectors))


_VIA_GLUONS = ("qq", "bb")  # a quark and an antiquark that meet in a gluon hand their colours on
_PHOTONS = """\
SELECTORS:
- [PT, 22, 20, E_CMS]
- [Eta, 22, -2.5, 2.5]
- [DR, 22, 22, 0.4, 1000]
"""

T_H_J = Card((("93 93 -> 6 25 93", 0, 3), ("93 93 -> -6 25 93", 0, 3)), ("qb", "qt"))
T_W = Card((("93 93 -> 6 -24", 1, 1), ("93 93 -> -6 24", 1, 1)))
TT_W = Card((("93 93 -> 6 -6 24", 2, 1), ("93 93 -> 6 -6 -24", 2, 1)), _VIA_GLUONS)
TT_Z = Card((("93 93 -> 6 -6 23", 2, 1),), _VIA_GLUONS)
TT_PHOTONS = Card((("93 93 -> 6 -6 22 22", 2, 2),), _VIA_GLUONS, selectors=_PHOTONS)
THREE_TOPS = Card(
    (
        ("93 93 -> 6 6 -6 -24", 3, 1),
        ("93 93 -> -6 -6 6 24", 3, 1),
        ("93 93 -> 6 6 -6 93", 2, 2),
        ("93 93 -> -6 -6 6 93", 2, 2),
    ),
    ("qb",),
)
FOUR_TOPS = Card((("93 93 -> 6 -6 6 -6", 4, 0),), _VIA_GLUONS)
