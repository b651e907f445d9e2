"""The one table of what `simulate` can make, with the Pythia settings and the caveats of each process."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TypedDict

from root_gnn.errors import InputError, suggest
from root_gnn.simulation.heavy import PAIR_OF_HIGGS, TOPS_WITH_SCALAR, W_PRIME, Z_PRIME, Resonance
from root_gnn.simulation.jets import JetSelection
from root_gnn.simulation.matrix_elements.tth import TopPairHiggs
from root_gnn.simulation.resonances import Decay
from root_gnn.simulation.sherpa.cards import FOUR_TOPS, T_H_J, T_W, THREE_TOPS, TT_PHOTONS, TT_W, TT_Z, Card
from root_gnn.simulation.spectrum import DECAYS, Stop

Settings = tuple[str, ...]
EXTERNAL_IDS = 1000, 31000  # `process` values of external files under names of their own


@dataclass(frozen=True)
class Process:
    """One process: its name on disk, its number in the branch `process`, and the Pythia settings that make it.

    `parts`: settings blocks of equal cross section that are mixed in equal shares (mirror images, say), each added to `settings`.
    `resonances`: the heavy particle that is made, by the value of the parameter `choice` (the first is the default), and its `mass`.
    `jets`: what the jet ntuple keeps, None where there is none.
    `cp_angle`: degrees, where the hard events are our own of top pair and Higgs boson. `card`: what Sherpa is asked for, where they are
    Sherpa's.
    `harder`: limits on the pt of the hard process over those on the pt of jets, without the upper one where jets have none.
    """

    name: str
    id: int
    description: str
    settings: Settings = ()
    parts: tuple[Settings, ...] = ((),)
    caveat: str = ""
    params: tuple[str, ...] = ()
    needs_slha: bool = False
    levels: tuple[str, ...] = ("events",)
    jets: JetSelection | None = None
    harder: tuple[float, float] | None = None
    resonances: Mapping[str, Resonance] | None = None
    choice: str = ""
    mass: float = 0.0
    cp_angle: float | None = None
    card: Card | None = None


TTBAR = ("Top:gg2ttbar=on", "Top:qqbar2ttbar=on")
# a decay channel must be added before all are switched off; matrix-element mode 100, since 0 drops the channel without a word
TOP_TO_CHARM_HIGGS = ("6:addChannel=1 0.10 100 4 25", "6:onMode=off")
HADRONIC_W, LEPTONIC_W = ("24:onMode=off", "24:onIfAny=1 2 3 4 5"), ("24:onMode=off", "24:onIfAny=11 13")
BOOSTED_HIGGS = ("HiggsSM:ffbar2HZ=on", "23:onMode=off", "23:onIfAny=12 14 16", "25:onMode=off")
HIGGS_TO_WW = (*BOOSTED_HIGGS, "25:onIfMatch=24 -24", "24:onMode=off")
STOP_PAIR = ("SUSY:gg2squarkantisquark=on", "SUSY:qqbar2squarkantisquark=on", "SUSY:idA=1000006", "SUSY:idB=1000006")

_RECOIL = "recoils against Z to neutrinos"
_OWN = "own amplitudes, leading order, tops on their mass shell, no spin correlation between them"
_SHERPA = "hard events of Sherpa or shipped ones of it, leading order, colour lines drawn, no spin correlation"


class _Several(TypedDict):
    min_pt: float
    max_pt: float
    n_leading: int
    whole_events: bool
    min_jets: int


_NO_LIMIT = 1e6  # GeV; no number that JSON lacks
_SEVERAL: _Several = {"min_pt": 250.0, "max_pt": _NO_LIMIT, "n_leading": 0, "whole_events": True, "min_jets": 2}


def _jets(
    name: str,
    number: int,
    description: str,
    settings: Settings,
    decay: Decay | None,
    *,
    caveat: str,
    parts: tuple[Settings, ...] = ((),),
    harder: tuple[float, float] = (0.9, 1.3),
) -> Process:
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
    )


PROCESSES: tuple[Process, ...] = (
    Process(
        "ggF",
        1,
        "gluon fusion to a Higgs boson",
        ("HiggsSM:gg2H=on",),
        caveat="leading order, Higgs pt from the shower only",
    ),
    Process(
        "VBF",
        2,
        "vector boson fusion to a Higgs boson and two quarks",
        ("HiggsSM:ff2Hff(t:ZZ)=on", "HiggsSM:ff2Hff(t:WW)=on", "SpaceShower:dipoleRecoil=on"),
        caveat="dipole recoil, so that the shower leaves the rapidity gap open",
    ),
    Process("WH", 3, "Higgs boson with a W", ("HiggsSM:ffbar2HW=on",), caveat="leading order"),
    Process(
        "ZH", 4, "Higgs boson with a Z", ("HiggsSM:ffbar2HZ=on",), caveat="quark-antiquark only: gg to ZH is missing"
    ),
    Process(
        "ttH",
        5,
        "Higgs boson with a top pair",
        ("HiggsSM:gg2Httbar=on", "HiggsSM:qqbar2Httbar=on"),
        caveat="leading order, no spin correlation between the tops",
    ),
    Process(
        "bbH",
        6,
        "Higgs boson with a bottom pair",
        ("HiggsSM:gg2Hbbbar=on", "HiggsSM:qqbar2Hbbbar=on"),
        caveat="four-flavour scheme: do not add a five-flavour sample",
    ),
    Process(
        "tHjb",
        7,
        "Higgs boson with one top (either charge) and a quark",
        card=T_H_J,
        caveat=f"{_SHERPA}; five-flavour scheme: the b comes from the shower and is too soft",
    ),
    Process("ttbar", 8, "top pair", TTBAR, caveat="leading order, no spin correlation, further jets from the shower"),
    Process(
        "singletop_t",
        9,
        "single top, t-channel W",
        ("Top:qq2tq(t:W)=on",),
        caveat="five-flavour scheme: the spectator b comes from the shower and is too soft",
    ),
    Process("singletop_s", 10, "single top, s-channel W", ("Top:ffbar2tqbar(s:W)=on",), caveat="leading order"),
    Process("tW", 11, "single top (either charge) with a W", card=T_W, caveat=f"{_SHERPA}; five-flavour scheme"),
    Process(
        "ttW",
        12,
        "top pair with a W of either charge",
        card=TT_W,
        caveat=f"{_SHERPA}; the W decays in all directions alike",
    ),
    Process(
        "ttZ",
        13,
        "top pair with a Z",
        card=TT_Z,
        caveat=f"{_SHERPA}; no photon beside the Z, which decays in all directions alike",
    ),
    Process(
        "ttyy",
        14,
        "top pair with two photons",
        card=TT_PHOTONS,
        caveat=f"{_SHERPA}; photons above 20 GeV, abs(eta) below 2.5, 0.4 apart, of quarks and tops, none of what these decay to",
    ),
    Process(
        "ttt",
        15,
        "three tops (either charge) with a W or a quark",
        card=THREE_TOPS,
        caveat=f"{_SHERPA}; five-flavour scheme; both kinds in the ratio of their cross sections",
    ),
    Process("tttt", 16, "four tops", card=FOUR_TOPS, caveat=f"{_SHERPA}; strong interaction only"),
    Process(
        "FCNC",
        17,
        "top pair, one top (either charge, half each) to charm and Higgs",
        TTBAR + TOP_TO_CHARM_HIGGS,
        parts=(("6:onPosIfAny=25", "6:onNegIfAny=5"), ("6:onPosIfAny=5", "6:onNegIfAny=25")),
        caveat="decay only: charm gluon to top Higgs is missing; the cross section assumes 9 % top to charm Higgs",
    ),
    Process("ttH_CPodd", 19, "CP-odd Higgs boson with a top pair", caveat=_OWN, cp_angle=90.0),
    Process(
        "ttH_CPeven",
        28,
        "CP-even Higgs boson with a top pair, to compare with the CP-odd one",
        caveat=_OWN,
        cp_angle=0.0,
    ),
    Process(
        "ttH_CP",
        29,
        "Higgs boson of mixed CP with a top pair",
        caveat=f"{_OWN}; 45 degrees unless --param cp_angle=",
        cp_angle=45.0,
        params=("cp_angle",),
    ),
    Process(
        "STOP",
        18,
        "pair of lighter stops, all decaying in one way",
        STOP_PAIR,
        caveat="to top and neutralino, 600 and 100 GeV, unless --param decay=, mstop=, mlsp=, mchargino=; no spin correlation",
        params=("mstop", "mlsp", "mchargino", "decay"),
        needs_slha=True,
    ),
    Process(
        "Zjets",
        20,
        "Z or photon (mass above 50 GeV) with a jet",
        ("WeakBosonAndParton:qqbar2gmZg=on", "WeakBosonAndParton:qg2gmZq=on", "PhaseSpace:pTHatMin=30", "23:mMin=50"),
        caveat="one jet from the matrix element (pt above 30 GeV), further ones from the shower are too soft",
    ),
    Process(
        "Wjets",
        21,
        "W with a jet",
        ("WeakBosonAndParton:qqbar2Wg=on", "WeakBosonAndParton:qg2Wq=on", "PhaseSpace:pTHatMin=30"),
        caveat="one jet from the matrix element (pt above 30 GeV), further ones from the shower are too soft",
    ),
    Process("diboson", 22, "WW, WZ and ZZ", ("WeakDoubleBoson:all=on",), caveat="leading order, no gluon-gluon part"),
    Process(
        "HH4b",
        23,
        "resonance of spin 0 or 2 to two Higgs bosons to four b",
        ("25:onMode=off", "25:onIfAny=5"),
        resonances=PAIR_OF_HIGGS,
        choice="spin",
        mass=1500.0,
        caveat="narrow, spin 2 and 1500 GeV unless --param spin=, mass=",
        params=("spin", "mass"),
        levels=("events", "jets"),
        jets=JetSelection("Hbb", Decay(25, 2, flavour=5), **_SEVERAL),
    ),
    Process(
        "Wprime",
        25,
        "W' to top and bottom, or to W and Z",
        resonances=W_PRIME,
        choice="decay",
        mass=2000.0,
        params=("decay", "mass"),
        caveat="couples as the W; 2000 GeV to top and bottom unless --param mass=, decay=WZ; no interference with the W",
    ),
    Process(
        "Zprime",
        26,
        "Z' to a top pair",
        resonances=Z_PRIME,
        mass=2000.0,
        params=("mass",),
        caveat="couples as the Z; 2000 GeV unless --param mass=; no interference with Z and photon, no spin correlation",
    ),
    Process(
        "tttt_scalar",
        27,
        "four tops: a heavy scalar, decaying to a top pair, made with another",
        resonances=TOPS_WITH_SCALAR,
        mass=500.0,
        params=("mass",),
        caveat="narrow, 500 GeV unless --param mass=; four tops of the standard model are not part of it; no spin correlation",
    ),
    Process(
        "multijet",
        24,
        "quark and gluon jets",
        ("HardQCD:all=on",),
        levels=("events", "jets"),
        harder=(0.84, 1.3),
        jets=JetSelection("QCD", **_SEVERAL),
        caveat="two partons from the matrix element, further jets from the shower",
    ),
    _jets(
        "QCD",
        41,
        "quark and gluon jets",
        ("HardQCD:all=on",),
        None,
        caveat="dijets; JetClass takes Z to neutrinos with a jet",
        harder=(0.84, 1.3),
    ),
    _jets("Hbb", 42, "Higgs to b b", (*BOOSTED_HIGGS, "25:onIfAny=5"), Decay(25, 2, flavour=5), caveat=_RECOIL),
    _jets("Hcc", 43, "Higgs to c c", (*BOOSTED_HIGGS, "25:onIfAny=4"), Decay(25, 2, flavour=4), caveat=_RECOIL),
    _jets("Hgg", 44, "Higgs to g g", (*BOOSTED_HIGGS, "25:onIfMatch=21 21"), Decay(25, 2, flavour=21), caveat=_RECOIL),
    _jets(
        "H4q", 45, "Higgs to W W to four quarks", (*HIGGS_TO_WW, "24:onIfAny=1 2 3 4 5"), Decay(25, 4), caveat=_RECOIL
    ),
    _jets(
        "Hqql",
        46,
        "Higgs to W W to quarks, e or mu, neutrino",
        HIGGS_TO_WW,
        Decay(25, 4, n_lepton=1),
        caveat=_RECOIL,
        parts=(("24:onPosIfAny=11 13", "24:onNegIfAny=1 2 3 4 5"), ("24:onPosIfAny=1 2 3 4 5", "24:onNegIfAny=11 13")),
    ),
    _jets(
        "Zqq",
        47,
        "Z to quarks",
        ("WeakDoubleBoson:ffbar2gmZgmZ=on", "WeakZ0:gmZmode=2", "23:onMode=off", "23:onIfAny=1 2 3 4 5"),
        Decay(23, 2),
        caveat="from pairs of Z",
    ),
    _jets(
        "Wqq", 48, "W to quarks", ("WeakDoubleBoson:ffbar2WW=on", *HADRONIC_W), Decay(24, 2), caveat="from pairs of W"
    ),
    _jets("Tbqq", 49, "top to b and quarks", (*TTBAR, *HADRONIC_W), Decay(6, 3), caveat="from pairs of tops"),
    _jets(
        "Tbl",
        50,
        "top to b, e or mu, neutrino",
        (*TTBAR, *LEPTONIC_W),
        Decay(6, 3, n_lepton=1),
        caveat="from pairs of tops",
    ),
)

BY_NAME: Mapping[str, Process] = MappingProxyType({process.name: process for process in PROCESSES})


def find_process(name: str, level: str = "events") -> Process:
    """The process called `name`; InputError where it is unknown, or not made at this level."""
    if name in BY_NAME:
        _check_level(BY_NAME[name], level)
        return BY_NAME[name]
    raise InputError(f"--process {name}: no such process{suggest(name, BY_NAME)}")


def _check_level(process: Process, level: str) -> None:
    if level in process.levels:
        return
    if level == "events":
        raise InputError(
            f"--process {process.name}: it is a class of jets, which have an ntuple of their own: add --level jets"
        )
    names = ", ".join(p.name for p in PROCESSES if level in p.levels)
    raise InputError(
        f"--process {process.name} --level {level}: expected one of {names}; leave --level out for the event ntuple"
    )


def external(name: str, level: str = "events") -> Process:
    """A process whose hard events come from a file; a name of INTERFACE keeps its number, others get one from their letters.

    With jets the name says which class they are, so it must be one that has jets; InputError otherwise.
    """
    if level == "jets":
        return replace(find_process(name, level), settings=(), parts=((),), resonances=None, harder=None, params=())
    if name in BY_NAME:
        number = BY_NAME[name].id
    else:
        low, high = EXTERNAL_IDS
        number = low + zlib.crc32(name.encode()) % (high - low)
    return Process(name, number, "hard events from a Les Houches file")


def describe_processes() -> list[str]:
    """One line for each process that can be simulated: name, what it is, its caveat."""
    lines = []
    for process in PROCESSES:
        level = "" if process.levels == ("events",) else f" [--level {' or '.join(process.levels)}]"
        lines.append(
            f"{process.name:<12} {process.description}{f' ({process.caveat})' if process.caveat else ''}{level}"
        )
    return lines


PARAMETERS: Mapping[str, str] = MappingProxyType(
    {
        "mpi": "on or off: multiple parton interactions (default on; off is five times faster and less real)",
        "ecm": "centre-of-mass energy in GeV (default 13000)",
        "mstop": "STOP: mass of the lighter stop in GeV (default 600)",
        "mlsp": "STOP: mass of the lightest neutralino in GeV (default 100)",
        "mchargino": "STOP with decay=bottom: mass of the chargino in GeV (default: halfway between stop and neutralino)",
        "decay": "STOP: top, bottom (with a chargino that goes to W and neutralino) or charm (default top); Wprime: tb or WZ (default tb)",
        "spin": "HH4b: spin of the resonance, 0 or 2 (default 2)",
        "mass": "mass of the new particle in GeV (default HH4b 1500, Wprime and Zprime 2000, tttt_scalar 500)",
        "cp_angle": "ttH_CP: angle between the CP-even and the CP-odd coupling in degrees, 0 to 180 (default 45)",
        "pt_min": "jets: smallest pt in GeV (default 500; HH4b and multijet 250)",
        "pt_max": "jets: largest pt in GeV (default 1000; HH4b and multijet none)",
    }
)
_WINDOW = ("pt_min", "pt_max")
_CHOICES: Mapping[str, tuple[str, ...]] = MappingProxyType({"mpi": ("on", "off"), "spin": ("0", "2")})
_ENERGY = 13000.0


def check_params(params: Mapping[str, str], processes: Sequence[Process], *, from_file: bool) -> None:
    """InputError for a parameter that does not exist, has no use for `processes`, or has a value out of range."""
    for key, value in params.items():
        if key not in PARAMETERS:
            raise InputError(f"--param {key}={value}: no such parameter{suggest(key, PARAMETERS)}")
        _check_value(key, params)
        if key == "ecm" and from_file:
            raise InputError(f"--param ecm={value}: with --lhe the beam energies are those of the file; leave ecm out")
        owners = [p.name for p in PROCESSES if key in p.params or (key in _WINDOW and p.jets)]
        if owners and not any(p.jets if key in _WINDOW else key in p.params for p in processes):
            raise InputError(
                f"--param {key}={value}: it belongs to {', '.join(owners)}, not to {', '.join(p.name for p in processes)}"
            )
    if process_number(params, "ecm", _ENERGY) < 500.0:
        raise InputError(f"--param ecm={params['ecm']}: expected at least 500 GeV")
    for process in processes:
        if process.needs_slha:
            stop_of(process, params).check()
        if process.resonances is not None:
            _check_mass(process, params)
        if process.jets is not None:
            jet_selection(process, params)


def _check_value(key: str, params: Mapping[str, str]) -> None:
    choices = _CHOICES.get(key)
    if key == "cp_angle":
        _angle(params, 0.0)
    elif key != "decay" and choices is None:
        process_number(params, key, 0.0)
    elif choices is not None and params[key] not in choices:
        raise InputError(f"--param {key}={params[key]}: expected {' or '.join(choices)}")


def _check_mass(process: Process, params: Mapping[str, str]) -> None:
    lightest, mass = _resonance(process, params).lightest, process_number(params, "mass", process.mass)
    if mass < lightest:
        raise InputError(
            f"--param mass={mass:g}: {process.name} must be heavier than what it decays to ({lightest:g} GeV)"
        )


def _resonance(process: Process, params: Mapping[str, str]) -> Resonance:
    """The heavy particle that is asked for."""
    if process.resonances is None:
        raise ValueError(f"{process.name} has no heavy particle")
    return process.resonances[_chosen(process, params, process.choice, tuple(process.resonances))]


def _chosen(process: Process, params: Mapping[str, str], key: str, choices: Sequence[str]) -> str:
    """The value of a parameter, the first of its choices without one; InputError where it is none of them."""
    value = params.get(key, choices[0])
    if value not in choices:
        raise InputError(
            f"--param {key}={value}: for {process.name} expected {' or '.join(choices)}{suggest(value, choices)}"
        )
    return value


def stop_of(process: Process, params: Mapping[str, str]) -> Stop:
    """The stop that is asked for."""
    chargino = process_number(params, "mchargino", 0.0) if "mchargino" in params else None
    return Stop(
        process_number(params, "mstop", 600.0),
        process_number(params, "mlsp", 100.0),
        chargino,
        _chosen(process, params, "decay", tuple(DECAYS)),
    )


def _angle(params: Mapping[str, str], default: float) -> float:
    text = params.get("cp_angle", str(default))
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 180.0:
        raise InputError(f"--param cp_angle={text}: expected 0 (CP-even) to 180 degrees, 90 being CP-odd")
    return value


def process_number(params: Mapping[str, str], key: str, default: float) -> float:
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


def jet_selection(process: Process, params: Mapping[str, str]) -> JetSelection:
    """Which jets of a process are kept; InputError where `pt_min` is not below `pt_max`."""
    if process.jets is None:
        raise ValueError(f"{process.name} has no jets")
    low, high = (
        process_number(params, "pt_min", process.jets.min_pt),
        process_number(params, "pt_max", process.jets.max_pt),
    )
    if low >= high:
        raise InputError(
            f"--param pt_min, pt_max: for {process.name} jets between {low:g} and {high:g} GeV were asked for; the first must "
            f"be the smaller one"
        )
    return replace(process.jets, min_pt=low, max_pt=high)


def settings_of(process: Process, params: Mapping[str, str], *, from_file: bool) -> tuple[Settings, ...]:
    """The full Pythia settings of every part of a process (beams, stable particles, switches), the seed left out."""
    common = (
        "Next:numberCount=0",
        "ParticleDecays:limitTau0=on",
        "ParticleDecays:tau0Max=10",
        "SLHA:verbose=0",
        f"PartonLevel:MPI={params.get('mpi', 'on')}",
    )
    if from_file or process.card is not None:
        return ((*common, "Beams:frameType=4"),)
    if process.cp_angle is not None:
        return ((*common, "Beams:frameType=5"),)
    beams = f"Beams:eCM={process_number(params, 'ecm', _ENERGY):g}"
    heavy = (
        ()
        if process.resonances is None
        else _resonance(process, params).with_mass(process_number(params, "mass", process.mass))
    )
    chosen = (*process.settings, *heavy, *_phase_space(process, params))
    return tuple((*common, beams, *chosen, *part) for part in process.parts)


def hard_events_of(process: Process, params: Mapping[str, str]) -> TopPairHiggs | None:
    """What our own amplitudes make of a process; None where its hard events come from Pythia or a file."""
    if process.cp_angle is None:
        return None
    return TopPairHiggs(
        _angle(params, process.cp_angle) if "cp_angle" in process.params else process.cp_angle,
        process_number(params, "ecm", _ENERGY),
    )


def _phase_space(process: Process, params: Mapping[str, str]) -> Settings:
    """Limits on the pt of the hard process that leave room for what jets gain and lose."""
    if process.harder is None:
        return ()
    selection, (low, high) = jet_selection(process, params), process.harder
    limits = [f"PhaseSpace:pTHatMin={low * selection.min_pt:g}"]
    if selection.max_pt < _NO_LIMIT:
        limits.append(f"PhaseSpace:pTHatMax={high * selection.max_pt:g}")
    return tuple(limits)
