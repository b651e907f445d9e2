"""Pile-up: minimum-bias collisions laid over each event."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from root_gnn.errors import InputError
from root_gnn.simulation.detector import INVISIBLE, Detector
from root_gnn.simulation.pythia import Generator
from root_gnn.simulation.record import APART, HARD, NEAR, EventRecord, Overlaid, span_pairs
from root_gnn.typing import Integers

LARGEST_MEAN = 300.0
_SETTINGS = ("SoftQCD:inelastic=on", "Next:numberCount=0", "ParticleDecays:limitTau0=on", "ParticleDecays:tau0Max=10")
_BATCH = 100
_COLUMNS = ("pdg", "px", "py", "pz", "energy", "x", "y", "z")


@dataclass(frozen=True)
class PileUp:
    """The number and the position of the collisions laid over an event.

    Their number is Poisson distributed around a mean that itself varies from event to event as a Gaussian with `mean`
    and `spread`. They are distributed along the beam around the hard collision as a Gaussian of `length` mm; tracks of
    collisions within `resolution` mm cannot be separated from the hard one's. `n_distinct` collisions are generated for
    a chunk of events; each is reused, rotated around the beam.
    """

    mean: float
    spread: float = 0.0
    length: float = 60.0
    resolution: float = 1.0
    n_distinct: int = 1000

    @classmethod
    def parse(cls, text: str) -> PileUp:
        """From `MEAN` or `MEAN,SPREAD`; raises InputError where it is neither."""
        try:
            mean, spread = (*map(float, text.split(",")), 0.0)[:2] if text.count(",") < 2 else (-1.0, 0.0)
        except ValueError:
            mean, spread = -1.0, 0.0
        if not (0.0 < mean <= LARGEST_MEAN and 0.0 <= spread <= mean):
            raise InputError(
                f"--pileup {text}: expected MEAN or MEAN,SPREAD, the mean number of further collisions above 0 and at "
                f"most {LARGEST_MEAN:g}, its spread no larger than that"
            )
        return cls(mean, spread)


class MinimumBias:
    """The minimum-bias collisions laid over events, reduced to the particles that the detector can see."""

    def __init__(self, pileup: PileUp, *, ecm: float, seed: int, detector: Detector) -> None:
        self._pileup = pileup
        generator = Generator((*_SETTINGS, f"Beams:eCM={ecm:g}"), seed=seed)
        records: list[EventRecord] = []
        while (missing := pileup.n_distinct - sum(record.n_event for record in records)) > 0:
            records.append(_visible(generator.batch(min(_BATCH, missing)), detector))
        self._stop = np.cumsum(
            np.concatenate([np.bincount(record.event, minlength=record.n_event) for record in records])
        )
        self._start = np.concatenate(([0], self._stop[:-1]))
        self._columns = {name: np.concatenate([getattr(record, name) for record in records]) for name in _COLUMNS}

    def overlay(self, record: EventRecord, rng: np.random.Generator) -> EventRecord:
        """The events with further collisions in each, drawn with `rng`; their particles have no mothers."""
        pileup, n_event = self._pileup, record.n_event
        count = rng.poisson(np.maximum(rng.normal(pileup.mean, pileup.spread, n_event), 0.0))
        event = np.repeat(np.arange(n_event), count)
        drawn = rng.integers(len(self._start), size=len(event))
        angle, side = rng.uniform(-np.pi, np.pi, len(event)), rng.choice((-1.0, 1.0), len(event))
        z = rng.normal(0.0, pileup.length, len(event))
        collision, particle = span_pairs(self._start[drawn], self._stop[drawn])
        columns = {name: values[particle] for name, values in self._columns.items()}
        cos, sin = np.cos(angle)[collision], np.sin(angle)[collision]
        for x, y in (("px", "py"), ("x", "y")):
            columns[x], columns[y] = cos * columns[x] - sin * columns[y], sin * columns[x] + cos * columns[y]
        columns["pz"] = columns["pz"] * side[collision]
        columns["z"] = columns["z"] * side[collision] + z[collision]
        code = np.where(np.abs(z) > pileup.resolution, APART, NEAR)[collision]
        return _joined(record, event[collision], columns, Overlaid(count, code))


def _visible(record: EventRecord, detector: Detector) -> EventRecord:
    """The record reduced to the particles that the detector can see."""
    keep = (
        record.final
        & ~np.isin(record.kind, INVISIBLE)
        & (np.abs(record.eta) < detector.max_eta)
        & (record.pt > detector.min_pt)
    )
    return replace(record, **{name: getattr(record, name)[keep] for name in ("event", "final", "mother", *_COLUMNS)})


def _joined(record: EventRecord, further: Integers, columns: dict[str, Any], overlaid: Overlaid) -> EventRecord:
    """The record with further particles, which belong to the events `further (n_further,)`, after its own.

    `overlaid.collision` is given for the further particles only.
    """
    event = np.concatenate((record.event, further))
    order = np.argsort(event, kind="stable")
    new_index = np.empty(len(order), dtype=np.int64)
    new_index[order] = np.arange(len(order))
    first = np.searchsorted(record.event, np.arange(record.n_event))
    mother = new_index[np.concatenate((record.mother, first[further]))]
    final = np.concatenate((record.final, np.ones(len(further), dtype=bool)))
    collision = np.concatenate((np.full(len(record.event), HARD), overlaid.collision))
    joined: dict[str, Any] = {name: np.concatenate((getattr(record, name), columns[name]))[order] for name in _COLUMNS}
    return replace(
        record,
        event=event[order],
        mother=mother[order],
        final=final[order],
        overlaid=Overlaid(overlaid.n_collision, collision[order]),
        **joined,
    )
