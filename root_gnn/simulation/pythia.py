"""Pythia 8 behind one small class: settings in, flat event records out, every return value checked.

Sjostrand et al. 2022, "A comprehensive guide to the physics and usage of PYTHIA 8.3" (arXiv:2203.11601).
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from root_gnn.errors import InputError, MissingExtraError
from root_gnn.simulation.record import EventRecord
from root_gnn.simulation.variations import VARIATIONS
from root_gnn.typing import AnyFloats

LARGEST_SEED = 900_000_000
TOLERATED_FAILURES = 50  # in a row, nothing accepted between them
_MB_TO_PB = 1e9


def pythia8() -> Any:
    """Pythia's Python module; MissingExtraError where it is not installed."""
    try:
        import pythia8mc
    except ImportError as error:
        raise MissingExtraError("pythia8mc", "sim", "Simulating events") from error
    return pythia8mc


@dataclass(frozen=True)
class CrossSection:
    """Generated cross section in pb, its statistical error, and the number of accepted events it rests on."""

    value: float
    error: float
    n_event: int


class Generator:
    """Pythia, initialised with settings and a seed.

    `pythia` is the object of the library itself. `positions (n_event,)` are the positions of the last batch's events
    among all events requested, from 0.
    """

    def __init__(
        self,
        settings: Sequence[str],
        *,
        seed: int,
        slha: str | None = None,
        lhe: Path | None = None,
        skip: int = 0,
        source: Any = None,
    ) -> None:
        """Initialises Pythia; raises RuntimeError where a setting is refused or the initialisation fails.

        Args:
            settings: settings as Pythia reads them.
            seed: Pythia's seed, 1 to `LARGEST_SEED`.
            slha: text of a SUSY spectrum.
            lhe: Les Houches file of hard events.
            skip: number of events at the beginning of the file that are skipped.
            source: an `LHAup` of Pythia that provides the hard events.
        """
        if not 1 <= seed <= LARGEST_SEED:
            raise ValueError(f"Pythia takes seeds from 1 to {LARGEST_SEED}, not {seed}")
        self._lhe = lhe
        self._source = source  # Pythia keeps no reference to it
        self._failed_in_a_row = 0
        self.n_failed = self._n_asked = 0
        self.positions = np.zeros(0, dtype=np.int64)
        self.pythia = pythia8().Pythia("", False)
        self._apply(["Print:quiet=on", "Random:setSeed=on", f"Random:seed={seed}", *settings])
        if lhe is not None:
            self.pythia.settings.word("Beams:LHEF", str(lhe))
        if source is not None and not self.pythia.setLHAupPtr(source):
            raise RuntimeError("Pythia does not take the source of hard events")
        with tempfile.TemporaryDirectory() as folder:
            if slha is not None:
                spectrum = Path(folder) / "spectrum.slha"
                spectrum.write_text(slha, encoding="ascii")
                self.pythia.settings.word("SLHA:file", str(spectrum))
            self._start()
        if skip and not self.pythia.LHAeventSkip(skip):
            raise InputError(f"--lhe {lhe}: fewer than {skip} events could be read")

    def _apply(self, settings: Sequence[str]) -> None:
        for setting in settings:
            if not self.pythia.readString(setting):
                raise RuntimeError(
                    f"Pythia refuses the setting '{setting}': unknown, out of range, or its data files are missing"
                )

    def _start(self) -> None:
        if self.pythia.init():
            return
        if self._lhe is not None:
            raise InputError(
                f"--lhe {self._lhe}: Pythia cannot start from it; its <init> block (beams, energies, processes) is "
                "not one of proton collisions that Pythia can shower"
            )
        raise RuntimeError("Pythia could not start with these settings")

    @property
    def version(self) -> str:
        """Name and version of the generator."""
        return f"Pythia {self.pythia.parm('Pythia:versionNumber'):.3f}"

    @property
    def at_end(self) -> bool:
        """Whether a file of hard events is used up."""
        return self._lhe is not None and bool(self.pythia.infoPython().atEndOfFile())

    def cross_section(self) -> CrossSection:
        """The cross section of the events generated until now."""
        info = self.pythia.infoPython()
        # Pythia takes the cross section of a source of unweighted events as it is, but drops its error
        error = info.sigmaErr() * _MB_TO_PB if self._source is None else self._source.xErr(0)
        return CrossSection(info.sigmaGen() * _MB_TO_PB, error, int(info.nAccepted()))

    def batch(self, n_event: int) -> EventRecord:
        """Up to `n_event` showered and hadronised events, fewer where some failed or the file ended.

        50 to 100 events at once are the fastest.
        """
        good = self.events(n_event)
        if not len(good):
            return concatenate_events([], np.zeros(0))
        weights = np.asarray(ak.to_numpy(ak.firsts(good.info.weights)), dtype=np.float64)
        return concatenate_events([good], weights, self.variations(good))

    def events(self, n_event: int) -> ak.Array:
        """The events of a batch as an array of Pythia's own layout."""
        events = self.pythia.nextBatch(n_event, "none")
        made = ~ak.to_numpy(ak.is_none(events))
        good = events[made]
        self.positions = self._n_asked + np.flatnonzero(made)
        self._n_asked += n_event
        self._count(len(good), len(events))
        return good

    def variations(self, events: ak.Array) -> dict[str, AnyFloats]:
        """Factors `(n_event,)` on the weight of `events` by the name of a shower variation; empty without any."""
        if not self.pythia.flag("UncertaintyBands:doVariations"):
            return {}
        weights = np.asarray(ak.to_numpy(events.info.weights), dtype=np.float64)
        names = [str(self.pythia.infoPython().weightNameByIndex(i)) for i in range(weights.shape[1])]
        nominal = np.where(weights[:, 0] == 0.0, 1.0, weights[:, 0])
        return {name: weights[:, names.index(name)] / nominal for name in VARIATIONS}

    @property
    def ecm(self) -> float:
        """Centre-of-mass energy in GeV."""
        return float(self.pythia.infoPython().eCM())

    def next(self) -> bool:
        """Generates one event inside `pythia`; returns False where that failed or the file ended."""
        made = bool(self.pythia.next())
        self._count(int(made), 1)
        return made

    @property
    def weight(self) -> float:
        """Weight of the event that `next` generated."""
        return float(self.pythia.infoPython().weight())

    def _count(self, n_good: int, n_asked: int) -> None:
        if not self.at_end:
            self.n_failed += n_asked - n_good
        self._failed_in_a_row = 0 if n_good else self._failed_in_a_row + n_asked
        if self._failed_in_a_row >= TOLERATED_FAILURES and not self.at_end:
            self._give_up()

    def _give_up(self) -> None:
        if self._lhe is not None:
            raise InputError(
                f"--lhe {self._lhe}: Pythia rejected {self._failed_in_a_row} events in a row. Such files usually lack "
                "the colour flow (the columns ICOLUP are zero); write them with colours, or by another generator"
            )
        raise RuntimeError(f"Pythia failed on {self._failed_in_a_row} events in a row")


def concatenate_events(
    parts: Sequence[ak.Array],
    weights: NDArray[np.float64],
    variations: Mapping[str, AnyFloats] = MappingProxyType({}),
) -> EventRecord:
    """Joins arrays of Pythia's events into one flat record, with their weights and weight variations `(n_event,)`."""
    blocks = [_columns(part) for part in parts]
    if not blocks:
        empty, none = np.zeros(0), np.zeros(0, dtype=np.int64)
        return EventRecord(0, none, none, none.astype(bool), none, *(empty,) * 8)
    count = np.concatenate([block["count"] for block in blocks])
    column = {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0] if name != "count"}
    start = np.repeat(np.cumsum(count) - count, count)
    return EventRecord(
        n_event=len(count),
        event=np.repeat(np.arange(len(count)), count),
        pdg=column["id"],
        final=column["status"] > 0,
        mother=column["mother1"] + start,
        px=column["px"],
        py=column["py"],
        pz=column["pz"],
        energy=column["e"],
        x=column["x"],
        y=column["y"],
        z=column["z"],
        weight=weights,
        variations=variations,
    )


def _columns(events: ak.Array) -> dict[str, NDArray[Any]]:
    listed = ak.drop_none(events.prt, axis=0)
    particles = ak.flatten(listed)
    columns = {"count": ak.to_numpy(ak.num(listed.id)).astype(np.int64)}
    columns |= {name: ak.to_numpy(particles[name]).astype(np.int64) for name in ("id", "status", "mother1")}
    columns |= {name: np.asarray(ak.to_numpy(particles.p[name]), dtype=np.float64) for name in ("px", "py", "pz", "e")}
    vertex = {
        "x": "px",
        "y": "py",
        "z": "pz",
    }  # Pythia keeps positions in its four-vectors too; none where a particle has no vertex
    return columns | {
        name: np.asarray(ak.to_numpy(ak.fill_none(particles.vProd[axis], 0.0))) for name, axis in vertex.items()
    }
