"""Several showers of the same hard event: parton shower, further interactions, hadronisation and decays drawn anew.

As in RS3L (Harris et al. 2024, arXiv:2403.07066). One Pythia generates hard events only, decays of heavy particles
included; they are passed in memory, in the Les Houches format, to a second one that showers them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np

from root_gnn.simulation.pythia import CrossSection, Generator, concatenate_events, pythia8
from root_gnn.simulation.record import EventRecord
from root_gnn.typing import AnyFloats

# what the second Pythia must know besides the properties of particles; a hard process among it would be mixed with what
# is handed over
_OF_SHOWERS = ("Next:", "ParticleDecays:", "SLHA:", "PartonLevel:", "SpaceShower:", "TimeShower:", "UncertaintyBands:")
_ONE_PROCESS = 9999
_FIRST_PARTON = 3  # in Pythia's record of a hard event: behind the event itself and the beams
_INCOMING, _OUTGOING, _DECAYED = -1, 1, 2
_UNPOLARISED = 9.0


class Reshowerer:
    """A generator of `copies` showers of every hard event, with the interface of `Generator`.

    `positions (n_event,)` are the positions of the last batch's hard events among all hard events requested, from 0.
    """

    def __init__(
        self,
        settings: Sequence[str],
        *,
        seed: int,
        hard_seed: int,
        copies: int,
        slha: str | None = None,
        lhe: Path | None = None,
        skip: int = 0,
        source: Any = None,
    ) -> None:
        """Initialises both Pythias; raises RuntimeError where a setting is refused or the initialisation fails.

        Args:
            settings: settings as Pythia reads them.
            seed: Pythia's seed for the showers.
            hard_seed: Pythia's seed for the hard events.
            copies: number of showers of each hard event.
            slha: text of a SUSY spectrum.
            lhe: Les Houches file of hard events.
            skip: number of events at the beginning of the file that are skipped.
            source: an `LHAup` of Pythia that provides the hard events.
        """
        self._copies = copies
        self._n_asked = 0
        self.positions = np.zeros(0, dtype=np.int64)
        hard = [setting for setting in settings if not setting.startswith("UncertaintyBands:")]
        self._hard = Generator(
            [*hard, "PartonLevel:all=off"], seed=hard_seed, slha=slha, lhe=lhe, skip=skip, source=source
        )
        self._source = _hand_over(self._hard.pythia)
        showers = [setting for setting in settings if setting.startswith(_OF_SHOWERS) or setting[0].isdigit()]
        self._shower = Generator([*showers, "Beams:frameType=5"], seed=seed, slha=slha, source=self._source)

    @property
    def version(self) -> str:
        """Name and version of the generator."""
        return self._hard.version

    @property
    def at_end(self) -> bool:
        """Whether all events of a file of hard events have been read."""
        return self._hard.at_end

    @property
    def n_failed(self) -> int:
        """Hard events lost because one of their showers, or they themselves, failed."""
        return self._hard.n_failed + self._shower.n_failed

    @property
    def pythia(self) -> Any:
        """The Pythia that generates the hard events."""
        return self._hard.pythia

    @property
    def ecm(self) -> float:
        """Centre-of-mass energy in GeV."""
        return self._hard.ecm

    def cross_section(self) -> CrossSection:
        """The cross section of the hard events generated until now."""
        return self._hard.cross_section()

    def batch(self, n_event: int) -> EventRecord:
        """Up to `n_event` hard events; the `copies` showers of each follow each other."""
        weights: list[float] = []
        showered: list[ak.Array] = []
        varied: list[dict[str, AnyFloats]] = []
        positions: list[int] = []
        for position in range(self._n_asked, self._n_asked + n_event):
            if self._hard.at_end:
                break
            if not self._hard.next():
                continue
            copies = self._shower.events(self._copies)
            if len(copies) == self._copies:
                showered.append(copies)
                varied.append(self._shower.variations(copies))
                weights.append(self._hard.weight)
                positions.append(position)
        self._n_asked += n_event
        self.positions = np.array(positions, dtype=np.int64)
        variations = {
            name: np.concatenate([factors[name] for factors in varied]) for name in (varied[0] if varied else ())
        }
        return concatenate_events(showered, np.repeat(np.asarray(weights), self._copies), variations)


def _hand_over(hard: Any) -> Any:
    """A source of Les Houches events that always provides the current hard event of Pythia `hard`."""
    base: Any = pythia8().LHAup

    class HardEvent(base):  # type: ignore[misc]
        def setInit(self) -> bool:  # noqa: N802 -- Pythia's name
            info = hard.infoPython()
            self.setBeamA(info.idA(), info.eA(), 0, 0)
            self.setBeamB(info.idB(), info.eB(), 0, 0)
            self.setStrategy(3)  # unweighted events: weights are kept aside
            self.addProcess(_ONE_PROCESS, 1.0, 0.0, 1.0)
            return True

        def setEvent(self, process: int = 0) -> bool:  # noqa: N802, ARG002 -- Pythia's name and argument
            event, info = hard.process, hard.infoPython()
            self.setProcess(_ONE_PROCESS, 1.0, info.QRen(), info.alphaEM(), info.alphaS())
            for i in range(_FIRST_PARTON, event.size()):
                self.addParticle(*_row(event[i], incoming=i < _FIRST_PARTON + 2))
            return True

    return HardEvent()


def _row(particle: Any, *, incoming: bool) -> tuple[Any, ...]:
    """A particle in the columns of a Les Houches file."""
    status = _INCOMING if incoming else _OUTGOING if particle.isFinal() else _DECAYED
    mothers = (
        (0, 0)
        if incoming
        else (max(particle.mother1() - _FIRST_PARTON + 1, 0), max(particle.mother2() - _FIRST_PARTON + 1, 0))
    )
    return (
        particle.id(),
        status,
        *mothers,
        particle.col(),
        particle.acol(),
        particle.px(),
        particle.py(),
        particle.pz(),
        particle.e(),
        particle.m(),
        particle.tau(),
        _UNPOLARISED,
        particle.scale(),
    )
