"""The one table of what `simulate` can make, with the Pythia settings and the caveats of each process."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from root_gnn.errors import InputError, suggest

Settings = tuple[str, ...]
EXTERNAL_IDS = 1000, 31000  # `process` values of external files under names of their own


@dataclass(frozen=True)
class Process:
    """One process: its name on disk, its number in the branch `process`, and the Pythia settings that make it.

    `parts`: settings blocks of equal cross section that are mixed in equal shares (mirror images, say), each added to `settings`.
    """

    name: str
    id: int
    description: str
    settings: Settings = ()
    parts: tuple[Settings, ...] = ((),)
    caveat: str = ""
    params: tuple[str, ...] = ()
    needs_slha: bool = False
    level: str = "events"


TTBAR = ("Top:gg2ttbar=on", "Top:qqbar2ttbar=on")
# a decay channel must be added before all are switched off; matrix-element mode 100, since 0 drops the channel without a word
TOP_TO_CHARM_HIGGS = ("6:addChannel=1 0.10 100 4 25", "6:onMode=off")
STOP_PAIR = ("SUSY:gg2squarkantisquark=on", "SUSY:qqbar2squarkantisquark=on", "SUSY:idA=1000006", "SUSY:idB=1000006")

PROCESSES: tuple[Process, ...] = (
    Process("ggF", 1, "gluon fusion to a Higgs boson", ("HiggsSM:gg2H=on",),
            caveat="leading order, Higgs pt from the shower only"),
    Process("VBF", 2, "vector boson fusion to a Higgs boson and two quarks",
            ("HiggsSM:ff2Hff(t:ZZ)=on", "HiggsSM:ff2Hff(t:WW)=on", "SpaceShower:dipoleRecoil=on"),
            caveat="dipole recoil, so that the shower leaves the rapidity gap open"),
    Process("WH", 3, "Higgs boson with a W", ("HiggsSM:ffbar2HW=on",), caveat="leading order"),
    Process("ZH", 4, "Higgs boson with a Z", ("HiggsSM:ffbar2HZ=on",), caveat="quark-antiquark only: gg to ZH is missing"),
    Process("ttH", 5, "Higgs boson with a top pair", ("HiggsSM:gg2Httbar=on", "HiggsSM:qqbar2Httbar=on"),
            caveat="leading order, no spin correlation between the tops"),
    Process("bbH", 6, "Higgs boson with a bottom pair", ("HiggsSM:gg2Hbbbar=on", "HiggsSM:qqbar2Hbbbar=on"),
            caveat="four-flavour scheme: do not add a five-flavour sample"),
    Process("ttbar", 8, "top pair", TTBAR, caveat="leading order, no spin correlation, further jets from the shower"),
    Process("singletop_t", 9, "single top, t-channel W", ("Top:qq2tq(t:W)=on",),
            caveat="five-flavour scheme: the spectator b comes from the shower and is too soft"),
    Process("singletop_s", 10, "single top, s-channel W", ("Top:ffbar2tqbar(s:W)=on",), caveat="leading order"),
    Process("FCNC", 17, "top pair, one top (either charge, half each) to charm and Higgs", TTBAR + TOP_TO_CHARM_HIGGS,
            parts=(("6:onPosIfAny=25", "6:onNegIfAny=5"), ("6:onPosIfAny=5", "6:onNegIfAny=25")),
            caveat="decay only: charm gluon to top Higgs is missing; the cross section assumes 9 % top to charm Higgs"),
    Process("STOP", 18, "pair of lighter stops, each to top and neutralino", STOP_PAIR,
            caveat="one decay channel; masses 600 and 100 GeV unless --param mstop=, mlsp=", params=("mstop", "mlsp"), needs_slha=True),
    Process("Zjets", 20, "Z or photon (mass above 50 GeV) with a jet",
            ("WeakBosonAndParton:qqbar2gmZg=on", "WeakBosonAndParton:qg2gmZq=on", "PhaseSpace:pTHatMin=30", "23:mMin=50"),
            caveat="one jet from the matrix element (pt above 30 GeV), further ones from the shower are too soft"),
    Process("Wjets", 21, "W with a jet", ("WeakBosonAndParton:qqbar2Wg=on", "WeakBosonAndParton:qg2Wq=on", "PhaseSpace:pTHatMin=30"),
            caveat="one jet from the matrix element (pt above 30 GeV), further ones from the shower are too soft"),
    Process("diboson", 22, "WW, WZ and ZZ", ("WeakDoubleBoson:all=on",), caveat="leading order, no gluon-gluon part"),
)

_NO_MATRIX_ELEMENT = "Pythia alone has no matrix element for it"
_LATER = "its table entry comes with a later release"
_JETS = "it is a jet class, and jets (--level jets) come with a later release"
UNAVAILABLE: Mapping[str, tuple[int, str]] = MappingProxyType({
    "tHjb": (7, _NO_MATRIX_ELEMENT), "tW": (11, _NO_MATRIX_ELEMENT), "ttW": (12, _NO_MATRIX_ELEMENT), "ttZ": (13, _NO_MATRIX_ELEMENT),
    "ttyy": (14, _NO_MATRIX_ELEMENT), "ttt": (15, _NO_MATRIX_ELEMENT), "tttt": (16, _NO_MATRIX_ELEMENT),
    "ttH_CPodd": (19, "Pythia alone would use the CP-even matrix element, which is wrong physics"),
    "HH4b": (23, _LATER), "multijet": (24, _LATER), "Wprime": (25, _LATER), "Zprime": (26, _LATER), "tttt_scalar": (27, _LATER),
    "QCD": (41, _JETS), "Hbb": (42, _JETS), "Hcc": (43, _JETS), "Hgg": (44, _JETS), "H4q": (45, _JETS), "Hqql": (46, _JETS),
    "Zqq": (47, _JETS), "Wqq": (48, _JETS), "Tbqq": (49, _JETS), "Tbl": (50, _JETS),
})
BY_NAME: Mapping[str, Process] = MappingProxyType({process.name: process for process in PROCESSES})


def find(name: str) -> Process:
    """The process called `name`; InputError where it is unknown or Pythia cannot make it."""
    if name in BY_NAME:
        return BY_NAME[name]
    if name in UNAVAILABLE:
        raise InputError(f"--process {name}: cannot be simulated here: {UNAVAILABLE[name][1]}. Make its hard events with a matrix-element "
                         f"generator (MadGraph, POWHEG) and shower them: root-gnn simulate --process {name} --lhe FILE ... "
                         f"`root-gnn simulate --list` shows what needs no file.")
    near = suggest(name, [*BY_NAME, *UNAVAILABLE])
    if "known are" in near:  # only what can be made is worth listing
        near = suggest(name, BY_NAME)
    raise InputError(f"--process {name}: no such process{near}")


def external(name: str) -> Process:
    """A process whose hard events come from a file; a name of INTERFACE keeps its number, others get one from their letters."""
    if name in BY_NAME:
        number = BY_NAME[name].id
    elif name in UNAVAILABLE:
        number = UNAVAILABLE[name][0]
    else:
        low, high = EXTERNAL_IDS
        number = low + zlib.crc32(name.encode()) % (high - low)
    return Process(name, number, "hard events from a Les Houches file")


def describe() -> list[str]:
    """One line for each process that can be simulated: name, what it is, its caveat."""
    return [f"{p.name:<12} {p.description} ({p.caveat})" if p.caveat else f"{p.name:<12} {p.description}" for p in PROCESSES]


PARAMETERS: Mapping[str, str] = MappingProxyType({
    "mpi": "on or off: multiple parton interactions (default on; off is five times faster and less real)",
    "ecm": "centre-of-mass energy in GeV (default 13000)",
    "mstop": "STOP: mass of the lighter stop in GeV (default 600)",
    "mlsp": "STOP: mass of the lightest neutralino in GeV (default 100)",
})
_TOP_MASS = 173.0


def check_params(params: Mapping[str, str], processes: Sequence[Process], *, from_file: bool) -> None:
    """InputError for a parameter that does not exist, has no use for `processes`, or has a value out of range."""
    for key, value in params.items():
        if key not in PARAMETERS:
            raise InputError(f"--param {key}={value}: no such parameter{suggest(key, PARAMETERS)}")
        if key == "mpi":
            if value not in ("on", "off"):
                raise InputError(f"--param mpi={value}: expected on or off")
            continue
        number(params, key, 0.0)
        if key == "ecm" and from_file:
            raise InputError(f"--param ecm={value}: with --lhe the beam energies are those of the file; leave ecm out")
        if key in ("mstop", "mlsp") and not any(key in process.params for process in processes):
            raise InputError(f"--param {key}={value}: it belongs to STOP, not to {', '.join(p.name for p in processes)}")
    if number(params, "ecm", 13000.0) < 500.0:
        raise InputError(f"--param ecm={params['ecm']}: expected at least 500 GeV")
    if number(params, "mstop", 600.0) < number(params, "mlsp", 100.0) + _TOP_MASS:
        raise InputError(f"--param mstop, mlsp: the stop ({number(params, 'mstop', 600.0):g} GeV) must be heavier than neutralino and top "
                         f"together ({number(params, 'mlsp', 100.0) + _TOP_MASS:g} GeV)")


def number(params: Mapping[str, str], key: str, default: float) -> float:
    """A parameter as a positive number; InputError where it is none."""
    text = params.get(key)
    if text is None:
        return default
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 < value < 1e6:
        raise InputError(f"--param {key}={text}: expected a positive number of GeV")
    return value


def settings_of(process: Process, params: Mapping[str, str], *, from_file: bool) -> tuple[Settings, ...]:
    """The full Pythia settings of every part of a process (beams, stable particles, switches), the seed left out."""
    common = ("Next:numberCount=0", "ParticleDecays:limitTau0=on", "ParticleDecays:tau0Max=10", "SLHA:verbose=0",
              f"PartonLevel:MPI={params.get('mpi', 'on')}")
    if from_file:
        return (*common, "Beams:frameType=4"),
    beams = f"Beams:eCM={number(params, 'ecm', 13000.0):g}"
    return tuple((*common, beams, *process.settings, *part) for part in process.parts)
