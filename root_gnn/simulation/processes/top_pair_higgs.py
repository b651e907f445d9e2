"""A top pair with a Higgs boson, of the standard model and of any CP."""

from __future__ import annotations

from root_gnn.simulation.process import ControlFigures, Process

_CAVEAT = "own amplitudes, leading order, tops on their mass shell, no spin correlation between them"
_CONTROL = ControlFigures(made={25: 1, 6: 2}, more_tops=0)
_AMPLITUDES = "[own amplitudes](#a-higgs-boson-of-any-cp-with-top-quarks)"
_MIND = "no spin correlation between the tops; do not mix with `ttH`"

PROCESSES = (
    Process(
        "ttH",
        5,
        "Higgs boson with a top pair",
        ("HiggsSM:gg2Httbar=on", "HiggsSM:qqbar2Httbar=on"),
        caveat="leading order, no spin correlation between the tops",
        control=_CONTROL,
        row=("`HiggsSM:gg2Httbar`, `qqbar2Httbar`", "0.35", "100 %", "no spin correlation between the tops"),
    ),
    Process(
        "ttH_CPodd",
        19,
        "CP-odd Higgs boson with a top pair",
        caveat=_CAVEAT,
        cp_angle=90.0,
        control=_CONTROL,
        row=(_AMPLITUDES, "0.20", "100 %", _MIND),
    ),
    Process(
        "ttH_CPeven",
        28,
        "CP-even Higgs boson with a top pair, to compare with the CP-odd one",
        caveat=_CAVEAT,
        cp_angle=0.0,
        control=_CONTROL,
        row=(_AMPLITUDES, "0.47", "100 %", _MIND),
    ),
    Process(
        "ttH_CP",
        29,
        "Higgs boson of mixed CP with a top pair",
        caveat=f"{_CAVEAT}; 45 degrees unless --param cp_angle=",
        cp_angle=45.0,
        params=("cp_angle",),
        control=_CONTROL,
        row=(_AMPLITUDES, "0.33", "100 %", f"{_MIND}; `--param cp_angle=`"),
    ),
)
