"""Parameters of processes (`--param KEY=VALUE`), and the settings of Pythia that follow from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from root_gnn.errors import InputError, suggest
from root_gnn.simulation.heavy import Resonance
from root_gnn.simulation.jets import NO_LIMIT, JetSelection
from root_gnn.simulation.matrix_elements.tth import TopPairHiggs
from root_gnn.simulation.process import Process, Settings, all_processes
from root_gnn.simulation.spectrum import DECAYS, Stop

PARAMETERS: Mapping[str, str] = MappingProxyType(
    {
        "mpi": "on or off: multiple parton interactions (default on; off is five times faster and less real)",
        "ecm": "centre-of-mass energy in GeV (default 13000)",
        "mstop": "STOP: mass of the lighter stop in GeV (default 600)",
        "mlsp": "STOP: mass of the lightest neutralino in GeV (default 100)",
        "mchargino": "STOP with decay=bottom: mass of the chargino in GeV (default: halfway between stop and "
        "neutralino)",
        "decay": "STOP: top, bottom (with a chargino that goes to W and neutralino) or charm (default top); Wprime: tb "
        "or WZ (default tb)",
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
    """Raises InputError for a parameter that is unknown, not one of `processes`, or out of range."""
    for key, value in params.items():
        if key not in PARAMETERS:
            raise InputError(f"--param {key}={value}: no such parameter{suggest(key, PARAMETERS)}")
        _check_value(key, params)
        if key == "ecm" and from_file:
            raise InputError(f"--param ecm={value}: with --lhe the beam energies are those of the file; leave ecm out")
        owners = [p.name for p in all_processes() if key in p.params or (key in _WINDOW and p.jets)]
        if owners and not any(p.jets if key in _WINDOW else key in p.params for p in processes):
            raise InputError(
                f"--param {key}={value}: it belongs to {', '.join(owners)}, not to "
                f"{', '.join(p.name for p in processes)}"
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
    """The requested heavy particle."""
    if process.resonances is None:
        raise ValueError(f"{process.name} has no heavy particle")
    return process.resonances[_chosen(process, params, process.choice, tuple(process.resonances))]


def _chosen(process: Process, params: Mapping[str, str], key: str, choices: Sequence[str]) -> str:
    """The value of a parameter, by default the first of its choices; raises InputError where it is none of them."""
    value = params.get(key, choices[0])
    if value not in choices:
        raise InputError(
            f"--param {key}={value}: for {process.name} expected {' or '.join(choices)}{suggest(value, choices)}"
        )
    return value


def stop_of(process: Process, params: Mapping[str, str]) -> Stop:
    """The requested stop with its masses in GeV."""
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
    """A parameter as a positive number; raises InputError otherwise."""
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
    """The jet selection of a process; raises InputError where `pt_min` is not below `pt_max`."""
    if process.jets is None:
        raise ValueError(f"{process.name} has no jets")
    low, high = (
        process_number(params, "pt_min", process.jets.min_pt),
        process_number(params, "pt_max", process.jets.max_pt),
    )
    if low >= high:
        raise InputError(
            f"--param pt_min, pt_max: for {process.name} jets between {low:g} and {high:g} GeV were asked for; the "
            "first must be the smaller one"
        )
    return replace(process.jets, min_pt=low, max_pt=high)


def settings_of(process: Process, params: Mapping[str, str], *, from_file: bool) -> tuple[Settings, ...]:
    """The full Pythia settings of every part of a process (beams, stable particles, switches), without the seed."""
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
    """The process to generate with this library's amplitudes; None where hard events come from Pythia or a file."""
    if process.cp_angle is None:
        return None
    return TopPairHiggs(
        _angle(params, process.cp_angle) if "cp_angle" in process.params else process.cp_angle,
        process_number(params, "ecm", _ENERGY),
    )


def _phase_space(process: Process, params: Mapping[str, str]) -> Settings:
    """Limits on the pt of the hard process, with a margin for what jets gain and lose in the shower."""
    if process.harder is None:
        return ()
    selection, (low, high) = jet_selection(process, params), process.harder
    limits = [f"PhaseSpace:pTHatMin={low * selection.min_pt:g}"]
    if selection.max_pt < NO_LIMIT:
        limits.append(f"PhaseSpace:pTHatMax={high * selection.max_pt:g}")
    return tuple(limits)
