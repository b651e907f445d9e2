"""The classes of jets, under the names of JetClass."""

from __future__ import annotations

from root_gnn.simulation.jets import JetSelection
from root_gnn.simulation.process import ControlFigures, Process, Settings
from root_gnn.simulation.pythia_settings import HADRONIC_W, LEPTONIC_W, TTBAR
from root_gnn.simulation.resonances import Decay

_BOOSTED_HIGGS = ("HiggsSM:ffbar2HZ=on", "23:onMode=off", "23:onIfAny=12 14 16", "25:onMode=off")
_HIGGS_TO_WW = (*_BOOSTED_HIGGS, "25:onIfMatch=24 -24", "24:onMode=off")
_RECOIL = "recoils against Z to neutrinos"
_NEUTRINOS, _QUARKS = (12, 14, 16), (1, 2, 3, 4, 5)
_MADE = {25: 1, 23: 1}
_MADE_FROM = "`HiggsSM:ffbar2HZ`, Z to neutrinos"
_W_OFF_SHELL = "one W off its mass shell"


def _jets(
    name: str,
    number: int,
    description: str,
    settings: Settings,
    decay: Decay | None,
    *,
    caveat: str,
    control: ControlFigures,
    row: tuple[str, str],
    parts: tuple[Settings, ...] = ((),),
    harder: tuple[float, float] = (0.9, 1.3),
) -> Process:
    """Makes a class of jets.

    Args:
        name: the class.
        number: the number in the branch `process`.
        description: what the jets come from.
        settings: settings of Pythia.
        decay: what a jet holds whole; None for any jet.
        caveat: what a user has to know.
        control: what `simulate --control` compares its events with.
        row: what it is made from and what to mind, in the documentation.
        parts: blocks of settings that are mixed in equal shares.
        harder: limits on the pt of the hard process over those on the pt of jets.
    """
    return Process(
        name,
        number,
        f"jets: {description}",
        settings,
        parts,
        caveat,
        levels=("jets",),
        jets=JetSelection(name, decay),
        harder=harder,
        control=control,
        row=row,
    )


PROCESSES = (
    _jets(
        "QCD",
        41,
        "quark and gluon jets",
        ("HardQCD:all=on",),
        None,
        caveat="dijets; JetClass takes Z to neutrinos with a jet",
        harder=(0.84, 1.3),
        control=ControlFigures(made={}, is_symmetric=False),
        row=("`HardQCD:all`", "pairs of quarks and gluons of all flavours; JetClass takes Z to neutrinos with a jet"),
    ),
    _jets(
        "Hbb",
        42,
        "Higgs to b b",
        (*_BOOSTED_HIGGS, "25:onIfAny=5"),
        Decay(25, 2, flavour=5),
        caveat=_RECOIL,
        control=ControlFigures(made=_MADE, decays={25: (5,), 23: _NEUTRINOS}, is_symmetric=False),
        row=(_MADE_FROM, ""),
    ),
    _jets(
        "Hcc",
        43,
        "Higgs to c c",
        (*_BOOSTED_HIGGS, "25:onIfAny=4"),
        Decay(25, 2, flavour=4),
        caveat=_RECOIL,
        control=ControlFigures(made=_MADE, decays={25: (4,), 23: _NEUTRINOS}, is_symmetric=False),
        row=(_MADE_FROM, ""),
    ),
    _jets(
        "Hgg",
        44,
        "Higgs to g g",
        (*_BOOSTED_HIGGS, "25:onIfMatch=21 21"),
        Decay(25, 2, flavour=21),
        caveat=_RECOIL,
        control=ControlFigures(made=_MADE, decays={25: (21,), 23: _NEUTRINOS}, is_symmetric=False),
        row=(_MADE_FROM, ""),
    ),
    _jets(
        "H4q",
        45,
        "Higgs to W W to four quarks",
        (*_HIGGS_TO_WW, "24:onIfAny=1 2 3 4 5"),
        Decay(25, 4),
        caveat=_RECOIL,
        control=ControlFigures(made=_MADE, decays={25: (24,), 24: _QUARKS, 23: _NEUTRINOS}),
        row=(f"{_MADE_FROM}, H to W W", _W_OFF_SHELL),
    ),
    _jets(
        "Hqql",
        46,
        "Higgs to W W to quarks, e or mu, neutrino",
        _HIGGS_TO_WW,
        Decay(25, 4, n_lepton=1),
        caveat=_RECOIL,
        parts=(("24:onPosIfAny=11 13", "24:onNegIfAny=1 2 3 4 5"), ("24:onPosIfAny=1 2 3 4 5", "24:onNegIfAny=11 13")),
        control=ControlFigures(
            made=_MADE, decays={25: (24,), 23: _NEUTRINOS}, fractions={24: {"e, mu": ((11, 13), 0.5)}}
        ),
        row=(f"{_MADE_FROM}, H to W W", f"{_W_OFF_SHELL}; leptons are e and mu of either charge"),
    ),
    _jets(
        "Zqq",
        47,
        "Z to quarks",
        ("WeakDoubleBoson:ffbar2gmZgmZ=on", "WeakZ0:gmZmode=2", "23:onMode=off", "23:onIfAny=1 2 3 4 5"),
        Decay(23, 2),
        caveat="from pairs of Z",
        control=ControlFigures(made={23: 2}, decays={23: _QUARKS}, is_symmetric=False),
        row=("`WeakDoubleBoson:ffbar2gmZgmZ`, Z only", "all flavours but top"),
    ),
    _jets(
        "Wqq",
        48,
        "W to quarks",
        ("WeakDoubleBoson:ffbar2WW=on", *HADRONIC_W),
        Decay(24, 2),
        caveat="from pairs of W",
        control=ControlFigures(made={24: 2}, decays={24: _QUARKS}),
        row=("`WeakDoubleBoson:ffbar2WW`", ""),
    ),
    _jets(
        "Tbqq",
        49,
        "top to b and quarks",
        (*TTBAR, *HADRONIC_W),
        Decay(6, 3),
        caveat="from pairs of tops",
        control=ControlFigures(made={6: 2}, decays={24: _QUARKS}, more_tops=0),
        row=("`Top:gg2ttbar`, `qqbar2ttbar`, both W to quarks", ""),
    ),
    _jets(
        "Tbl",
        50,
        "top to b, e or mu, neutrino",
        (*TTBAR, *LEPTONIC_W),
        Decay(6, 3, n_lepton=1),
        caveat="from pairs of tops",
        control=ControlFigures(made={6: 2}, decays={24: (11, 13)}, more_tops=0),
        row=("`Top:gg2ttbar`, `qqbar2ttbar`, both W to e or mu", ""),
    ),
)
