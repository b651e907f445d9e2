"""Generated events compared with what is known of a process, with pulls.

Compared are conservation laws, multiplicities, masses, charges and decay fractions.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

import numpy as np

from root_gnn.simulation.chunk import Chunk, make_generator
from root_gnn.simulation.detector import CHARGE
from root_gnn.simulation.hard_file import hard_file_of_process
from root_gnn.simulation.matrix_elements.tth import TOP_MASS
from root_gnn.simulation.parameters import hard_events_of, settings_of, stop_of
from root_gnn.simulation.process import Process
from root_gnn.simulation.pythia import CrossSection, Generator
from root_gnn.simulation.record import EventRecord
from root_gnn.simulation.reshower import Reshowerer
from root_gnn.simulation.sherpa.make import make_hard_events
from root_gnn.typing import AnyFloats, Booleans, Integers

LARGEST_PULL = 4.0
_BATCH = 100
_FEWEST = 50  # particles of a kind, below which its fractions are not looked at
_EXACT = 1e-4
_SHARP = 1e-5  # of a mass: what varies less has the mass that was asked for
_NAMES = {
    6: "t",
    23: "Z",
    24: "W",
    25: "H",
    32: "Z'",
    34: "W'",
    35: "scalar",
    1000006: "stop",
    1000022: "neutralino",
    5100039: "graviton",
}
_QUARKS, _LEPTONS, _NEUTRINOS = (1, 2, 3, 4, 5), (11, 13, 15), (12, 14, 16)
_FREE: Mapping[int, Mapping[str, tuple[tuple[int, ...], float]]] = MappingProxyType(
    {
        # Higgs boson of 125 GeV: LHC Higgs Cross Section Working Group 2016, arXiv:1610.07922
        # W, Z: Particle Data Group 2024
        25: {
            "b b": ((5,), 0.582),
            "W W": ((24,), 0.214),
            "g g": ((21,), 0.0819),
            "tau tau": ((15,), 0.0627),
            "c c": ((4,), 0.0289),
            "Z Z": ((23,), 0.0262),
        },
        24: {"e nu": ((11,), 0.1071), "mu nu": ((13,), 0.1063), "tau nu": ((15,), 0.1138), "quarks": (_QUARKS, 0.6741)},
        23: {
            "charged leptons": (_LEPTONS, 0.1010),
            "neutrinos": (_NEUTRINOS, 0.2000),
            "b b": ((5,), 0.1512),
            "quarks": (_QUARKS, 0.6991),
        },
        6: {"W b": ((5,), 0.998)},
    }
)
_TOP, _HIGGS, _W, _Z = 6, 25, 24, 23
_PHOTON, _PHOTON_PT = 22, 20.0
_ANY = -1


@dataclass(frozen=True)
class Check:
    """An observed quantity of a process, its expected value, and the error of the difference (0: exact)."""

    quantity: str
    observed: float
    expected: float
    error: float

    @property
    def pull(self) -> float | None:
        """Difference over error; None where it must be exact."""
        return None if self.error == 0.0 else (self.observed - self.expected) / self.error

    @property
    def holds(self) -> bool:
        """Whether the observed value agrees with the expected one."""
        pull = self.pull
        return (
            abs(self.observed - self.expected) <= _EXACT * max(abs(self.expected), 1.0)
            if pull is None
            else abs(pull) < LARGEST_PULL
        )


@dataclass(frozen=True)
class Control:
    """The checks of a process on `n_event` generated events; `spectra` are values by the name of their quantity."""

    process: str
    description: str
    n_event: int
    n_failed: int
    cross_section: CrossSection
    checks: tuple[Check, ...]
    spectra: Mapping[str, AnyFloats]


def control(process: Process, *, events: int, seed: int, params: Mapping[str, str]) -> Control:
    """Generates events of a process without a detector and checks them against known values.

    Args:
        process: the process to generate.
        events: number of events.
        seed: seed of the generator.
        params: parameters of the process by name (`parameters.PARAMETERS`).
    """
    with tempfile.TemporaryDirectory(prefix="hard-events-") as folder:
        chunk = _chunk(process, events=events, seed=seed, params=params, folder=Path(folder))
        return _check_events(process, chunk, params)


def _chunk(process: Process, *, events: int, seed: int, params: Mapping[str, str], folder: Path) -> Chunk:
    """All events as one chunk; the hard events of Sherpa are made first.

    Args:
        process: the process to generate.
        events: number of events.
        seed: the seed of the user.
        params: parameters of the process by name (`parameters.PARAMETERS`).
        folder: folder for the hard events that Sherpa makes.
    """
    settings = settings_of(process, params, from_file=False)
    slha = stop_of(process, params).slha() if process.needs_slha else None
    chunk = Chunk(process.id, seed, 0, settings, events, slha, hard=hard_events_of(process, params))
    hard_file = hard_file_of_process(process, events=events, seed=seed, params=params, folder=folder, spare=False)
    if hard_file is None:
        return chunk
    if hard_file.request is not None:
        make_hard_events(hard_file.request)
    return replace(chunk, lhe=hard_file.path, n_hard=hard_file.n_event)


def _check_events(process: Process, chunk: Chunk, params: Mapping[str, str]) -> Control:
    settings, events = chunk.parts, chunk.n_keep
    generators = [make_generator(chunk, part) for part in range(len(settings))]
    records = [
        _events(generator, len(share))
        for generator, share in zip(generators, np.array_split(np.arange(events), len(generators)), strict=True)
    ]
    particles = [record for batch in records for record in batch]
    looked = _GeneratedEvents(process, generators[0], particles, made=_made(process, params))
    sections = [generator.cross_section() for generator in generators]
    total = CrossSection(
        sum(section.value for section in sections),
        float(np.hypot.reduce([section.error for section in sections])),
        sum(one.n_event for one in sections),
    )
    n_failed = sum(generator.n_failed for generator in generators)
    n_event = sum(record.n_event for record in particles)
    return Control(
        process.name, process.description, n_event, n_failed, total, tuple(looked.checks()), looked.spectra()
    )


def _made(process: Process, params: Mapping[str, str]) -> Mapping[int, int] | None:
    """The number of heavy particles of each kind that every event must have; None where it differs between events."""
    made = process.control.made_by_decay.get(params.get("decay", ""), process.control.made)
    return None if made is None else {**dict.fromkeys((_TOP, _HIGGS, _W, _Z), 0), **made}


def _events(generator: Generator | Reshowerer, n_event: int) -> list[EventRecord]:
    records: list[EventRecord] = []
    while (missing := n_event - sum(record.n_event for record in records)) > 0 and not generator.at_end:
        records.append(generator.batch(min(missing, _BATCH)))
    return records


class _GeneratedEvents:
    """The events of a process and the checks on them."""

    def __init__(
        self,
        process: Process,
        generator: Generator | Reshowerer,
        records: list[EventRecord],
        *,
        made: Mapping[int, int] | None,
    ) -> None:
        self._process, self._records, self._made = process, records, made
        self._generator = generator  # Pythia's table of particles is gone when Pythia is
        self._data = generator.pythia.particleData
        self._n_event = sum(record.n_event for record in records)
        self._last = [
            {kind: np.flatnonzero((record.kind == kind) & record.is_last_copy) for kind in _NAMES} for record in records
        ]

    def checks(self) -> Iterator[Check]:
        yield from self._conserved()
        yield from self._multiplicities()
        yield from self._masses()
        yield from self._charges()
        yield from self._fractions()

    def spectra(self) -> dict[str, AnyFloats]:
        """Masses and transverse momenta of all heavy particles, and the number of charged particles in the tracker."""
        values: dict[str, AnyFloats] = {}
        for kind, name in _NAMES.items():
            if self._count(kind) >= _FEWEST and kind != 1000022:
                values[f"mass of {name} [GeV]"] = self._values(kind, "mass")
                values[f"pt of {name} [GeV]"] = self._values(kind, "pt")
        seen = []
        for record in self._records:
            charged = record.final & np.isin(record.kind, list(CHARGE)) & (np.abs(record.eta) < 2.5) & (record.pt > 0.3)
            seen.append(np.bincount(record.event[charged], minlength=record.n_event))
        return values | {"charged particles, abs(eta) < 2.5, pt > 0.3 GeV": np.concatenate(seen).astype(np.float64)}

    def _conserved(self) -> Iterator[Check]:
        n_charge = n_energy = 0
        for record in self._records:
            final = np.flatnonzero(record.final)
            charge = sum(
                (np.where(record.pdg[final] == kind, sign, 0) - np.where(record.pdg[final] == -kind, sign, 0))
                for kind, sign in CHARGE.items()
            )
            n_charge += int((np.bincount(record.event[final], charge, record.n_event).round() == 2).sum())
            energy = np.bincount(record.event[final], record.energy[final], record.n_event)
            n_energy += int((np.abs(energy / self._generator.ecm - 1.0) < _EXACT).sum())
        yield Check("events with the charge of two protons", n_charge / self._n_event, 1.0, 0.0)
        yield Check("events with the energy of the beams", n_energy / self._n_event, 1.0, 0.0)

    def _multiplicities(self) -> Iterator[Check]:
        figures = self._process.control
        if figures.two_of:  # in any mixture
            several = [np.concatenate(each) for each in zip(*map(self._direct, figures.two_of), strict=True)]
            n_right = sum(_n_events(record, index, 2) for record, index in zip(self._records, several, strict=True))
            names = " or ".join(_NAMES[kind] for kind in figures.two_of)
            yield Check(f"events with 2 {names}", n_right / self._n_event, 1.0, 0.0)
        for kind, number in (self._made or {}).items():
            if number == _ANY:
                continue
            n_right = sum(
                _n_events(record, index, number)
                for record, index in zip(self._records, self._direct(kind), strict=True)
            )
            yield Check(f"events with {number} {_NAMES[kind]}", n_right / self._n_event, 1.0, 0.0)
        if (more := figures.more_tops) is not None:
            charges = [
                np.bincount(record.event[i], np.sign(record.pdg[i]), record.n_event)
                for record, i in zip(self._records, self._direct(_TOP), strict=True)
            ]
            n_right = int((np.abs(np.concatenate(charges)) == more).sum())
            yield Check(f"events with {more} more t of one charge than of the other", n_right / self._n_event, 1.0, 0.0)
        if (n_photon := figures.n_hard_photon) is not None:
            n_right = sum(
                int((_hard_photons(record, i) == n_photon).sum())
                for record, i in zip(self._records, self._direct(_TOP), strict=True)
            )
            yield Check(f"events with {n_photon} photons above {_PHOTON_PT:g} GeV", n_right / self._n_event, 1.0, 0.0)

    def _direct(self, kind: int) -> list[Integers]:
        """Particles of a kind that come from no top and no Higgs boson, for each batch of events."""
        direct = []
        for record, last in zip(self._records, self._last, strict=True):
            index = last[kind]
            direct.append(index[~np.isin(record.parent_kind(index), (6, 25))] if kind in (23, 24) else index)
        return direct

    def _masses(self) -> Iterator[Check]:
        """Median masses of the heavy particles.

        The fall of the parton densities pulls a wide resonance down by up to half of its squared width over its mass.
        """
        for kind in (6, 23, 24, 25, 32, 34, 35, 5100039, 1000006):
            index = self._direct(kind)
            mass = np.sort(np.concatenate([record.mass[i] for record, i in zip(self._records, index, strict=True)]))
            if len(mass) < _FEWEST or (kind == 23 and self._process.control.with_photon):
                continue
            known = TOP_MASS if kind == 6 and self._process.cp_angle is not None else float(self._data.m0(kind))
            half = 0.5 * np.sqrt(len(mass))
            low, high = mass[[round(0.5 * len(mass) - half), min(round(0.5 * len(mass) + half), len(mass) - 1)]]
            as_made = kind == 1000006 or self._process.card is not None  # nothing widens it
            pulled = 0.0 if as_made else 2.0 * float(self._data.mWidth(kind)) ** 2 / known
            error = float(np.hypot(0.5 * (high - low), pulled))
            yield Check(
                f"median mass of {_NAMES[kind]} [GeV]",
                float(np.median(mass)),
                known,
                error if error > _SHARP * known else 0.0,
            )

    def _charges(self) -> Iterator[Check]:
        if self._process.control.positive is not None:
            kind, known, error = self._process.control.positive
            sign = np.concatenate(
                [np.sign(record.pdg[index]) for record, index in zip(self._records, self._direct(kind), strict=True)]
            )
            share = float(np.mean(sign > 0))
            yield Check(
                f"share of positive {_NAMES[kind]}", share, known, float(np.hypot(error, _binomial(known, len(sign))))
            )
        if self._process.control.is_symmetric:
            sign = np.concatenate(
                [
                    -np.sign(record.pdg[child])
                    for record, last in zip(self._records, self._last, strict=True)
                    for child in [record.children(last[24])[1]]
                    for child in [child[np.isin(record.kind[child], (11, 13))]]
                ]
            )
            if len(sign) >= _FEWEST:
                yield Check("share of positive e, mu from W", float(np.mean(sign > 0)), 0.5, _binomial(0.5, len(sign)))
        if self._process.control.equal_charges_to is not None:
            kind, product = self._process.control.equal_charges_to
            sign = np.concatenate(
                [
                    np.sign(record.pdg[last[kind]][_has(record, last[kind], (product,))])
                    for record, last in zip(self._records, self._last, strict=True)
                ]
            )
            quantity = f"share of positive {_NAMES[kind]} among those to {_NAMES[product]}"
            yield Check(quantity, float(np.mean(sign > 0)), 0.5, _binomial(0.5, len(sign)))

    def _fractions(self) -> Iterator[Check]:
        forced = self._process.control.decays
        for kind, ways in _FREE.items():
            n = self._count(kind)
            if n < _FEWEST or (kind == 23 and self._process.control.with_photon):
                continue
            if kind in forced:
                yield Check(f"{_NAMES[kind]} decaying as chosen", self._share(kind, forced[kind]), 1.0, 0.0)
                continue
            if kind in self._process.control.fractions:
                yield from (
                    Check(f"{_NAMES[kind]} to {name}", self._share(kind, to), known, 0.0)
                    for name, (to, known) in self._process.control.fractions[kind].items()
                )
                continue
            for name, (to, known) in ways.items():
                yield Check(f"{_NAMES[kind]} to {name}", self._share(kind, to), known, _binomial(known, n))

    def _count(self, kind: int) -> int:
        return sum(len(last[kind]) for last in self._last)

    def _values(self, kind: int, name: str) -> AnyFloats:
        return np.concatenate(
            [getattr(record, name)[last[kind]] for record, last in zip(self._records, self._last, strict=True)]
        )

    def _share(self, kind: int, products: tuple[int, ...]) -> float:
        """The share of the particles of a kind that have one of `products` among their decay products."""
        right = [_has(record, last[kind], products) for record, last in zip(self._records, self._last, strict=True)]
        return float(np.mean(np.concatenate(right)))


def _n_events(record: EventRecord, index: Integers, number: int) -> int:
    """The number of events with exactly `number` of the particles `index`."""
    return int((np.bincount(record.event[index], minlength=record.n_event) == number).sum())


def _hard_photons(record: EventRecord, top: Integers) -> Integers:
    """The number of hard photons of each event `(n_event,)` that were made together with the tops `top`."""
    _, made = record.children(np.unique(record.mother[record.first_copy(top)]))
    chosen = made[(record.kind[made] == _PHOTON) & (record.pt[made] > _PHOTON_PT)]
    return np.bincount(record.event[chosen], minlength=record.n_event)


def _has(record: EventRecord, index: Integers, products: tuple[int, ...]) -> Booleans:
    owner, child = record.children(index)
    has: Booleans = np.bincount(owner[np.isin(record.kind[child], products)], minlength=len(index)) > 0
    return has


def _binomial(share: float, n: int) -> float:
    return float(np.sqrt(share * (1.0 - share) / max(n, 1)))
