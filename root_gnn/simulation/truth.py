"""Generated Higgs bosons, top quarks, W and Z: whether they exist, and their kinematics."""

from __future__ import annotations

import numpy as np

from root_gnn.simulation.ntuple import NtupleColumns
from root_gnn.simulation.record import EventRecord
from root_gnn.typing import Integers

HIGGS, TOP, W, Z = 25, 6, 24, 23


def truth(record: EventRecord) -> NtupleColumns:
    """Truth branches of a batch: the hardest particle of each kind (the two hardest tops), and the counts.

    Kinematics are zero where there is no particle. Particles are taken as they decay (their last copy). W and Z count
    only if they come neither from a top nor from a Higgs boson.
    """
    columns: NtupleColumns = {}
    higgs, top = _last(record, HIGGS), _last(record, TOP)
    w, z = _direct(record, W), _direct(record, Z)
    for name, index, rank in (("higgs", higgs, 0), ("top1", top, 0), ("top2", top, 1), ("W", w, 0), ("Z", z, 0)):
        _fill(columns, name, record, index, rank)
    for name, index in (("n_higgs", higgs), ("n_top", top), ("n_W", w), ("n_Z", z)):
        columns[name] = np.bincount(record.event[index], minlength=record.n_event).astype(np.int8)
    return columns


def _last(record: EventRecord, kind: int) -> Integers:
    return np.flatnonzero((record.kind == kind) & record.is_last_copy)


def _direct(record: EventRecord, kind: int) -> Integers:
    index = _last(record, kind)
    return index[~np.isin(record.parent_kind(index), (TOP, HIGGS))]


def _fill(columns: NtupleColumns, name: str, record: EventRecord, index: Integers, rank: int) -> None:
    """Adds the kinematics of the particle at position `rank` by pt in each event.

    Args:
        columns: branches, to which those of the particle are added.
        name: prefix of the branches.
        record: the generated particles.
        index: the particles of the kind.
        rank: 0 for the hardest, 1 for the next.
    """
    order = index[np.lexsort((-record.pt[index], record.event[index]))]
    event = record.event[order]
    chosen = order[np.arange(len(order)) - np.searchsorted(event, event) == rank]
    exists = np.zeros(record.n_event, dtype=np.int8)
    exists[record.event[chosen]] = 1
    columns[f"{name}_exists"] = exists
    for suffix, values in (("pt", record.pt), ("eta", record.eta), ("phi", record.phi), ("m", record.mass)):
        column = np.zeros(record.n_event, dtype=np.float32)
        column[record.event[chosen]] = values[chosen]
        columns[f"{name}_{suffix}"] = column
