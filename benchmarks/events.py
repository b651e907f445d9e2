"""Events and jets for benchmarks: as many objects as Poisson's distribution gives, or simulated ones."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from resample import simulated_files

from root_gnn.data.reading.graphs import build_graphs
from root_gnn.data.reading.read import read
from root_gnn.data.spec.spec import load_spec
from root_gnn.graph.batch import Batch, concatenate
from root_gnn.graph.features import Features

EVENTS = Features()
MEAN, FEWEST, MOST = 9.0, 2, 25
JET_MEAN, JET_SPREAD, PION = 39.0, 19.0, 0.13957


def poisson_events(n_event: int, *, seed: int) -> Batch:
    """Events of 2 to 25 objects, 9 on average, with the seven features of the standard ntuple and two classes."""
    rng = np.random.default_rng(seed)
    return events_of(np.clip(rng.poisson(MEAN, n_event), FEWEST, MOST), rng)


def events_of(counts: np.ndarray, rng: np.random.Generator) -> Batch:
    """Events with `counts (n_event,)` objects."""
    total = int(counts.sum())
    pt, eta, phi = rng.exponential(0.5, total), rng.normal(0.0, 1.2, total), rng.uniform(-np.pi, np.pi, total)
    columns = {
        "pt": pt,
        "eta": eta,
        "phi": phi,
        "energy": pt * np.cosh(eta),
        "btag": rng.random(total) < 0.2,
        "charge": rng.integers(-1, 2, total),
        "type": rng.integers(0, 4, total),
    }
    nodes = torch.from_numpy(np.stack([columns[name] for name in EVENTS.nodes], axis=1).astype(np.float32))
    return numbered(Batch.of(nodes, torch.from_numpy(counts.astype(np.int64))), rng)


def simulated_events(n_event: int, data_dir: Path | None, *, seed: int) -> Batch:
    """Simulated events of two objects at least.

    Drawn with replacement from the standard ntuples of a folder or the repository's.
    """
    rng, spec = np.random.default_rng(seed), load_spec("events")
    files = simulated_files(data_dir)
    there = concatenate(
        [
            build_graphs(read(file, spec, stop=n_event), spec).replace(labels={}, weights=None, ids=None)
            for file in files
        ]
    )
    usable = torch.nonzero(there.n_node >= FEWEST).squeeze(1)
    return numbered(there.select(usable[torch.from_numpy(rng.integers(0, len(usable), n_event))]), rng)


def numbered(batch: Batch, rng: np.random.Generator) -> Batch:
    """The batch with a class and an id for each graph."""
    label = torch.from_numpy(rng.integers(0, 2, batch.n_graph))
    return batch.replace(labels={"label": label}, ids=torch.arange(batch.n_graph).unsqueeze(1))


def jet_sizes(n_jet: int, longest: int, rng: np.random.Generator) -> np.ndarray:
    """Numbers of constituents, 39 on average with a standard deviation of 19 (a Gamma distribution).

    `longest` at most.
    """
    sizes = rng.gamma((JET_MEAN / JET_SPREAD) ** 2, JET_SPREAD**2 / JET_MEAN, n_jet).round().clip(1, longest)
    return sizes.astype(np.int64)


def pions(total: int, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """pt, eta, phi and energy of pions around an axis at eta 0.5, `(total,)` each, in GeV and radians."""
    pt, eta, phi = np.exp(rng.normal(1.5, 1.0, total)), rng.normal(0.5, 0.3, total), rng.normal(0.0, 0.3, total)
    return pt, eta, phi, np.sqrt((pt * np.cosh(eta)) ** 2 + PION**2)
