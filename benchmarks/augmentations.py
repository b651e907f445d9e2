"""Augmentations of whole batches beside loops over jets.

    python benchmarks/augmentations.py --out augmentations.json

Rotation, translation, smearing and collinear splitting of 1,000 jets of 39 pions on average. The loops do to each jet
what ours do to all, with the same random numbers, drawn in the same way for all jets at once; the results are compared
before.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator

import numpy as np
import torch
from events import jet_sizes, numbered, pions
from numpy.typing import NDArray

from root_gnn.augmentations import collinear_split, rotate, smear, translate
from root_gnn.bench.case import Bench, agree, run_case
from root_gnn.bench.row import Row
from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.random_stream import RandomStream

N_JET, N_SMALL, LONGEST = 1000, 20, 128
FEATURES = Features(nodes=("pt", "eta", "phi", "energy", "type"), n_type=1)
OURS = {
    "rotate": rotate.Config().build(FEATURES),
    "translate": translate.Config().build(FEATURES),
    "smear": smear.Config().build(FEATURES),
    "collinear_split": collinear_split.Config().build(FEATURES),
}
Floats = NDArray[np.float64]
Loop = Callable[[Floats, Floats, Floats], Floats]


def make_jets(n_jet: int) -> Batch:
    """Jets of pions, as float32."""
    rng = np.random.default_rng(1)
    sizes = jet_sizes(n_jet, LONGEST, rng)
    total = int(sizes.sum())
    nodes = torch.from_numpy(np.stack([*pions(total, rng), np.zeros(total)], axis=1).astype(np.float32))
    return numbered(Batch.of(nodes, torch.from_numpy(sizes)), rng)


def wrapped(phi: Floats) -> Floats:
    """In [-pi, pi)."""
    return (phi + math.pi) % (2.0 * math.pi) - math.pi


def moved(jet: Floats, d_eta: Floats, d_phi: Floats) -> Floats:
    """The jet with its particles elsewhere, at the same pt and mass."""
    pt, eta, phi, energy = jet[:, :4].T
    square = energy**2 - (pt * np.cosh(eta)) ** 2
    out = jet.copy()
    out[:, 1], out[:, 2] = eta + d_eta, wrapped(phi + d_phi)
    out[:, 3] = np.sqrt(np.maximum(square, 0.0) + (pt * np.cosh(out[:, 1])) ** 2)
    return out


def offsets(jet: Floats) -> tuple[Floats, Floats]:
    """Eta and phi from the pt-weighted centre."""
    pt, eta, phi = jet[:, :3].T
    direction = math.atan2((pt * np.sin(phi)).sum(), (pt * np.cos(phi)).sum())
    around = wrapped(phi - direction)
    return eta - (pt * eta).sum() / pt.sum(), around - (pt * around).sum() / pt.sum()


def rotated(jet: Floats, of_jet: Floats, _of_nodes: Floats) -> Floats:
    """Turned about its centre."""
    x, y = offsets(jet)
    cosine, sine = math.cos(2.0 * math.pi * of_jet[0]), math.sin(2.0 * math.pi * of_jet[0])
    return moved(jet, x * cosine - y * sine - x, x * sine + y * cosine - y)


def translated(jet: Floats, of_jet: Floats, _of_nodes: Floats) -> Floats:
    """Moved by up to its own extent."""
    shift = [(2.0 * draw - 1.0) * (part.max() - part.min()) for draw, part in zip(of_jet, offsets(jet), strict=True)]
    return moved(jet, np.full(len(jet), shift[0]), np.full(len(jet), shift[1]))


def smeared(jet: Floats, _of_jet: Floats, of_nodes: Floats) -> Floats:
    """Directions by normal numbers of 0.1 GeV over pt."""
    distance = np.sqrt(-2.0 * np.log1p(-of_nodes[0])) * 0.1 / np.maximum(jet[:, 0], 0.1)
    return moved(jet, distance * np.cos(2.0 * math.pi * of_nodes[1]), distance * np.sin(2.0 * math.pi * of_nodes[1]))


def split(jet: Floats, _of_jet: Floats, of_nodes: Floats) -> Floats:
    """Half of the particles in two, particle by particle."""
    rows = []
    for row, chance, share in zip(jet, *of_nodes, strict=True):
        if chance >= 0.5:
            rows.append(row)
            continue
        larger = max(share, 1.0 - share)
        for part in (larger, 1.0 - larger):
            piece = row.copy()
            piece[[0, 3]] *= part
            rows.append(piece)
    return np.array(rows)


LOOPS: dict[str, Loop] = {"rotate": rotated, "translate": translated, "smear": smeared, "collinear_split": split}


def loop(function: Loop, jets: Batch, draws: RandomStream) -> torch.Tensor:
    """One jet after the other; nodes of all in the end."""
    rows, sizes = jets.nodes.numpy().astype(np.float64), jets.n_node.tolist()
    of_jet = np.stack([draws.uniform(jets, stream=stream).numpy() for stream in (0, 1)], axis=1)
    of_nodes = np.stack([draws.uniform_nodes(jets, stream=stream).numpy() for stream in (0, 1)])
    found, start = [], 0
    for place, size in enumerate(sizes):
        part = slice(start, start + size)
        found.append(function(rows[part], of_jet[place], of_nodes[:, part]))
        start += size
    return torch.from_numpy(np.concatenate(found).astype(np.float32))


def results(bench: Bench) -> Iterator[Row]:
    """One row for each augmentation."""
    jets, draws = make_jets(N_SMALL if bench.quick else N_JET), RandomStream(seed=1, epoch=0)
    for name, augmentation in OURS.items():
        difference = agree(
            name, augmentation(jets, draws).nodes / scale(jets), loop(LOOPS[name], jets, draws) / scale(jets), 1e-6
        )
        runs = {
            "root_gnn": lambda augmentation=augmentation: augmentation(jets, draws),
            "loop": lambda function=LOOPS[name]: loop(function, jets, draws),
        }
        yield from bench.compare(
            f"{name}, {jets.n_graph} jets",
            runs,
            ours=["root_gnn"],
            amount=jets.n_graph,
            unit="jets",
            difference=difference,
        )


def scale(jets: Batch) -> torch.Tensor:
    """The largest value of each column, so that differences are relative to it."""
    return jets.nodes.abs().amax(dim=0).clamp(min=1.0)


if __name__ == "__main__":
    sys.exit(run_case(results, __doc__))
