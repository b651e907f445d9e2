"""Hard events of this library's amplitudes, handed to Pythia in memory in the Les Houches format.

Boos et al. 2001, "Generic user process interface for event generators" (arXiv:hep-ph/0109068).
"""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np

from root_gnn.simulation.matrix_elements.hard_events import HardEvents, Sampler
from root_gnn.simulation.matrix_elements.proton import GLUON, PROTON
from root_gnn.simulation.matrix_elements.tth import HIGGS_MASS, TOP_MASS, TopPairHiggs
from root_gnn.simulation.pythia import pythia8
from root_gnn.typing import Floats

TOP, HIGGS = 6, 25
_PROCESS, _UNWEIGHTED, _UNPOLARISED = 9999, 3, 9.0
_INCOMING, _OUTGOING = -1, 1
_BUILT_IN = 0  # the set of parton densities: Pythia's
_ALPHA, _ALPHA_S = 1 / 128, 0.118  # columns of the form that nothing reads

Colours = tuple[tuple[int, int], ...]


def hard_source(top_pair_higgs: TopPairHiggs, rng: np.random.Generator) -> Any:
    """An endless `LHAup` of Pythia; its cross section and events are drawn with `rng`."""
    base: Any = pythia8().LHAup

    class Source(base):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(_UNWEIGHTED)
            self._sampler = Sampler(top_pair_higgs, rng)
            self._waiting: deque[tuple[HardEvents, int]] = deque()

        def setInit(self) -> bool:  # noqa: N802 -- Pythia's name
            self.setBeamA(PROTON, 0.5 * top_pair_higgs.ecm, _BUILT_IN, _BUILT_IN)
            self.setBeamB(PROTON, 0.5 * top_pair_higgs.ecm, _BUILT_IN, _BUILT_IN)
            self.addProcess(_PROCESS, self._sampler.cross_section, self._sampler.error, 1.0)
            return True

        def setEvent(self, process: int = 0) -> bool:  # noqa: N802, ARG002 -- Pythia's name and argument
            while not self._waiting:
                events = self._sampler.block()
                self._waiting.extend((events, i) for i in range(len(events)))
            events, i = self._waiting.popleft()
            self.setProcess(_PROCESS, 1.0, float(events.scale[i]), _ALPHA, _ALPHA_S)
            for row in les_houches_rows(events, i):
                self.addParticle(*row)
            return True

    return Source()


def les_houches_rows(events: HardEvents, i: int) -> list[tuple[Any, ...]]:
    """The particles of event `i` in the columns of a Les Houches file: both partons, top, antitop, Higgs boson."""
    codes = (*(int(code) for code in events.codes[i]), TOP, -TOP, HIGGS)
    point = events.point
    momenta: tuple[Floats, ...] = (point.first[i], point.second[i], point.top[i], point.antitop[i], point.higgs[i])
    masses = (0.0, 0.0, TOP_MASS, TOP_MASS, HIGGS_MASS)
    colours = colour_flow(codes[0], first_near=bool(events.first_near[i]))
    return [
        (
            code,
            _INCOMING if position < 2 else _OUTGOING,
            *((0, 0) if position < 2 else (1, 2)),
            *colour,
            *map(float, (*p[1:], p[0])),
            mass,
            0.0,
            _UNPOLARISED,
        )
        for position, (code, p, colour, mass) in enumerate(zip(codes, momenta, colours, masses, strict=True))
    ]


def colour_flow(first: int, *, first_near: bool) -> Colours:
    """Colour and anticolour lines of both partons, top, antitop and Higgs boson; `first` is the first parton's code.

    The top continues the colour of the adjacent gluon, whose anticolour is the colour of the other gluon; a quark and
    antiquark pass their lines to the tops.
    """
    if first == GLUON:
        near, far = (501, 502), (502, 503)
        return (near, far, (501, 0), (0, 503), (0, 0)) if first_near else (far, near, (501, 0), (0, 503), (0, 0))
    quark, antiquark = (501, 0), (0, 502)
    return (*((quark, antiquark) if first > 0 else (antiquark, quark)), (501, 0), (0, 502), (0, 0))
