"""Subjets of many jets at once beside one jet after the other, as published code finds them.

    python benchmarks/subjets.py --out subjets.json

Cambridge/Aachen with R = 0.2 (J-JEPA, arXiv:2412.05333) in jets of 39 pions on average. One by one is FastJet's classic
interface: a list of pseudojets and a cluster sequence for each jet, and loops over its subjets and their constituents.
With the cache jets have been seen before, as in all epochs but the first. Subjets are compared before.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from events import jet_sizes, pions
from numpy.typing import NDArray

from root_gnn.bench.case import Bench, agree, installed, run_case
from root_gnn.bench.row import LeftOut, Row
from root_gnn.clustering.subjets import SubjetCache, subjets

N_JET, N_SMALL, LONGEST, RADIUS = 1000, 20, 128, 0.2
Floats = NDArray[np.float64]
Index = NDArray[np.int64]


def one_by_one(kinematics: Floats, counts: Index) -> Index:
    """The subjet of each particle, hardest first in each jet."""
    import fastjet

    definition = fastjet.JetDefinition(fastjet.cambridge_algorithm, RADIUS)
    found: list[int] = []
    start = 0
    for count in counts.tolist():
        particles = [pseudojet(fastjet, *row) for row in kinematics[start : start + count].tolist()]
        for place, particle in enumerate(particles):
            particle.set_user_index(place)
        sequence = fastjet.ClusterSequence(particles, definition)
        hardest = sorted(sequence.inclusive_jets(), key=lambda jet: -jet.perp())
        places = [0] * count
        for number, jet in enumerate(hardest):
            for particle in jet.constituents():
                places[particle.user_index()] = number
        found += places
        start += count
    return np.array(found)


def pseudojet(fastjet: Any, pt: float, eta: float, phi: float, energy: float) -> Any:
    """A particle as FastJet has it."""
    return fastjet.PseudoJet(pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta), energy)


def results(bench: Bench) -> Iterator[Row | LeftOut]:
    """Anew, and from the cache."""
    if not installed("fastjet"):
        yield LeftOut(what="subjets", reason="fastjet is not installed")
        return
    rng = np.random.default_rng(1)
    counts = jet_sizes(N_SMALL if bench.quick else N_JET, LONGEST, rng)
    kinematics, ids = np.stack(pions(int(counts.sum()), rng), axis=1), np.arange(len(counts))[:, None]
    cache = SubjetCache(radius=RADIUS)
    cache(kinematics, counts, ids)
    runs = {
        "root_gnn": lambda: subjets(kinematics, counts, radius=RADIUS),
        "root_gnn, cache": lambda: cache(kinematics, counts, ids),
        "one by one": lambda: one_by_one(kinematics, counts),
    }
    whole, remembered, alone = (torch.from_numpy(np.asarray(run())) for run in runs.values())
    difference = max(agree("subjets", whole, alone, 0.0), agree("subjets from the cache", whole, remembered, 0.0))
    yield from bench.compare(
        f"{len(counts)} jets of {counts.mean():.0f} particles",
        runs,
        ours=["root_gnn", "root_gnn, cache"],
        amount=len(counts),
        unit="jets",
        difference=difference,
    )


if __name__ == "__main__":
    sys.exit(run_case(results, __doc__))
