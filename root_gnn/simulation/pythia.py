"""Pythia 8 behind one small class: settings in, flat event records out, every return value checked.

Sjostrand et al. 2022, "A comprehensive guide to the physics and usage of PYTHIA 8.3" (arXiv:2203.11601).
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np

from root_gnn.errors import InputError, MissingExtra
from root_gnn.simulation.record import EventRecord

LARGEST_SEED = 900_000_000
TOLERATED_FAILURES = 50  # in a row, nothing accepted between them
_MB_TO_PB = 1e9


def _pythia8() -> Any:
    try:
        import pythia8mc
    except ImportError as error:
        raise MissingExtra("pythia8mc", "sim", "Simulating events") from error
    return pythia8mc


@dataclass(frozen=True)
class CrossSection:
    """Generated cross section in pb, its statistical error, and the number of accepted events it rests on."""

    value: float
    error: float
    n_event: int


class Generator:
    """Pythia ready to run with given settings and seed; RuntimeError where a setting is refused or starting up fails.

    `slha`: text of a SUSY spectrum. `lhe`: file of hard events, of which the first `skip` are passed over.
    """

    def __init__(self, settings: Sequence[str], *, seed: int, slha: str | None = None, lhe: Path | None = None, skip: int = 0) -> None:
        if not 1 <= seed <= LARGEST_SEED:
            raise ValueError(f"Pythia takes seeds from 1 to {LARGEST_SEED}, not {seed}")
        self._lhe = lhe
        self._failed_in_a_row = 0
        self.n_failed = 0
        self._pythia = _pythia8().Pythia("", False)
        self._apply(["Print:quiet=on", "Random:setSeed=on", f"Random:seed={seed}", *settings])
        if lhe is not None:
            self._pythia.settings.word("Beams:LHEF", str(lhe))
        with tempfile.TemporaryDirectory() as folder:
            if slha is not None:
                spectrum = Path(folder) / "spectrum.slha"
                spectrum.write_text(slha, encoding="ascii")
                self._pythia.settings.word("SLHA:file", str(spectrum))
            self._start()
        if skip and not self._pythia.LHAeventSkip(skip):
            raise InputError(f"--lhe {lhe}: fewer than {skip} events could be read")

    def _apply(self, settings: Sequence[str]) -> None:
        for setting in settings:
            if not self._pythia.readString(setting):
                raise RuntimeError(f"Pythia refuses the setting '{setting}': unknown, out of range, or its data files are missing")

    def _start(self) -> None:
        if self._pythia.init():
            return
        if self._lhe is not None:
            raise InputError(f"--lhe {self._lhe}: Pythia cannot start from it; its <init> block (beams, energies, processes) is not one "
                             f"of proton collisions that Pythia can shower")
        raise RuntimeError("Pythia could not start with these settings")

    @property
    def version(self) -> str:
        return f"Pythia {self._pythia.parm('Pythia:versionNumber'):.3f}"

    @property
    def at_end(self) -> bool:
        """Whether a file of hard events is used up."""
        return self._lhe is not None and bool(self._pythia.infoPython().atEndOfFile())

    def cross_section(self) -> CrossSection:
        info = self._pythia.infoPython()
        return CrossSection(info.sigmaGen() * _MB_TO_PB, info.sigmaErr() * _MB_TO_PB, int(info.nAccepted()))

    def batch(self, n_event: int) -> EventRecord:
        """Up to `n_event` showered, hadronised events: fewer where some failed or the file ended. 50 to 100 run fastest."""
        events = self._pythia.nextBatch(n_event, "none")
        good = events[~ak.is_none(events)]
        if not self.at_end:
            self.n_failed += len(events) - len(good)
        self._failed_in_a_row = 0 if len(good) else self._failed_in_a_row + len(events)
        if self._failed_in_a_row >= TOLERATED_FAILURES and not self.at_end:
            self._give_up()
        return _flat(good)

    def _give_up(self) -> None:
        if self._lhe is not None:
            raise InputError(f"--lhe {self._lhe}: Pythia rejected {self._failed_in_a_row} events in a row. Such files usually lack the "
                             f"colour flow (the columns ICOLUP are zero); write them with colours, or by another generator")
        raise RuntimeError(f"Pythia failed on {self._failed_in_a_row} events in a row")


def _flat(events: ak.Array) -> EventRecord:
    count = ak.to_numpy(ak.num(events.prt.id)) if len(events) else np.zeros(0, dtype=np.int64)
    particles = ak.flatten(ak.drop_none(events.prt, axis=0)) if len(events) else events.prt

    def column(array: ak.Array, kind: type) -> Any:
        return np.asarray(ak.to_numpy(array), dtype=kind) if len(events) else np.zeros(0, dtype=kind)

    start = np.repeat(np.cumsum(count) - count, count)
    weights = ak.to_numpy(ak.firsts(events.info.weights)) if len(events) else np.zeros(0)
    return EventRecord(
        n_event=len(events), event=np.repeat(np.arange(len(events)), count), pdg=column(particles.id, np.int64),
        final=column(particles.status, np.int64) > 0, mother=column(particles.mother1, np.int64) + start,
        px=column(particles.p.px, np.float64), py=column(particles.p.py, np.float64), pz=column(particles.p.pz, np.float64),
        energy=column(particles.p.e, np.float64), weight=np.asarray(weights, dtype=np.float64),
    )
