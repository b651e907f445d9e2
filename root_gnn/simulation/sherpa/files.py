"""Sherpa's event files, converted for Pythia: colour lines, cross sections, unit weights, few digits, compressed."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from root_gnn.atomic import atomic_file
from root_gnn.simulation.sherpa.program import RunCardSection
from root_gnn.typing import AnyFloats, Integers

_BEAM, _NO_SET, _UNWEIGHTED, _PROCESS = 2212, 0, 3, 1
_MADE_BY, _CARD_BEGINS, _CARD_ENDS = "# created by ", "<SHRunCard>", "</SHRunCard>"
_OF_LEG, _MOMENTUM, _MASS = slice(0, 4), slice(6, 10), 10  # columns: code, status and mothers; px, py, pz, E; mass
_DIGITS = 9


@dataclass(frozen=True)
class SherpaEvents:
    """Events with the same number of particles: scale in GeV and strong coupling `(n_event,)`, and the particles.

    `legs (n_event, n_leg, 4)`: code, status, first and last mother. `momenta (n_event, n_leg, 4)`: px, py, pz, E in
    GeV. `mass (n_event, n_leg)` in GeV.
    """

    scale: AnyFloats
    coupling: AnyFloats
    legs: Integers
    momenta: AnyFloats
    mass: AnyFloats
    version: str

    def __len__(self) -> int:
        return len(self.scale)

    @property
    def pdg(self) -> Integers:
        """PDG numbers of the particles, `(n_event, n_leg)`."""
        return self.legs[:, :, 0]


def read_events(path: Path) -> SherpaEvents:
    """The events of a file that Sherpa wrote.

    Raises ValueError where they differ in weight or in the number of particles.
    """
    heads: list[list[float]] = []
    particles: list[list[float]] = []
    version = "Sherpa"
    with path.open(encoding="ascii", errors="replace") as lines:
        for line in lines:
            if line.startswith(_MADE_BY):
                version = line.removeprefix(_MADE_BY).strip().title()
            if line.startswith("<event"):
                heads.append([float(word) for word in next(lines).split()])
                particles += ([float(word) for word in row.split()[:11]] for row in islice(lines, int(heads[-1][0])))
    head = np.array(heads)
    if len(np.unique(head[:, 0])) != 1 or np.ptp(head[:, 2]) > 1e-6 * head[0, 2]:
        raise ValueError(f"{path}: expected events of one weight and one number of particles")
    table = np.array(particles).reshape(len(head), int(head[0, 0]), -1)
    return SherpaEvents(
        head[:, 3],
        head[:, 5],
        table[:, :, _OF_LEG].astype(np.int64),
        table[:, :, _MOMENTUM],
        table[:, :, _MASS],
        version,
    )


def write_events(
    path: Path,
    events: SherpaEvents,
    colours: NDArray[np.int64],
    *,
    sections: Sequence[RunCardSection],
    card: str,
    ecm: float,
) -> None:
    """Writes a gzipped Les Houches file; the same events give the same bytes.

    Args:
        path: the file to write.
        events: the events.
        colours: colour and anticolour of each particle, `(n_event, n_leg, 2)`.
        sections: cross sections of the reactions in pb, which are added up.
        card: text of the run card, kept in the header.
        ecm: centre-of-mass energy in GeV.
    """
    total, error = (
        sum(section.value for section in sections),
        float(np.hypot.reduce([section.error for section in sections])),
    )
    with (
        atomic_file(path) as temporary,
        temporary.open("wb") as raw,
        gzip.GzipFile("", "wb", 9, raw, mtime=0) as zipped,
    ):
        zipped.write(
            "\n".join(
                (
                    '<LesHouchesEvents version="1.0">',
                    "<header>",
                    f"{_MADE_BY}{events.version}",
                    _CARD_BEGINS,
                    card.strip(),
                    _CARD_ENDS,
                    "</header>",
                    "<init>",
                    f"{_BEAM} {_BEAM} {0.5 * ecm:g} {0.5 * ecm:g} {_NO_SET} {_NO_SET} {_NO_SET} {_NO_SET} "
                    f"{_UNWEIGHTED} 1",
                    f"{total:.6g} {error:.3g} 1 {_PROCESS}",
                    "</init>",
                    "",
                )
            ).encode()
        )
        for line in _event_lines(events, colours):
            zipped.write(line.encode())
        zipped.write(b"</LesHouchesEvents>\n")


def _event_lines(events: SherpaEvents, colours: NDArray[np.int64]) -> Iterator[str]:
    n_leg = events.legs.shape[1]
    columns = (
        events.scale,
        events.coupling,
        events.legs.tolist(),
        colours.tolist(),
        events.momenta.tolist(),
        events.mass.tolist(),
    )
    for scale, coupling, legs, lines, momenta, masses in zip(*columns, strict=True):
        rows = [
            " ".join((*map(str, leg), *map(str, line), *map(_short, (*momentum, mass)), "0", "9"))
            for leg, line, momentum, mass in zip(legs, lines, momenta, masses, strict=True)
        ]
        yield "\n".join(("<event>", f"{n_leg} {_PROCESS} 1 {_short(scale)} -1 {coupling:.4g}", *rows, "</event>", ""))


def _short(value: float) -> str:
    return "0" if value == 0.0 else f"{value:.{_DIGITS}g}"


def made_by(path: Path) -> str:
    """The generator of a file that `write_events` wrote, with its version."""
    with gzip.open(path, "rt", encoding="ascii") as lines:
        return next(line.removeprefix(_MADE_BY).strip() for line in lines if line.startswith(_MADE_BY))


def cross_section(path: Path) -> RunCardSection:
    """The cross section of a file that `write_events` wrote."""
    with gzip.open(path, "rt", encoding="ascii") as lines:
        for line in lines:
            if line.startswith("<init>"):
                next(lines)
                value, error = next(lines).split()[:2]
                return RunCardSection(float(value), float(error))
    raise ValueError(f"{path}: no <init> block")
