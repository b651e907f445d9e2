"""Pairs of simulations of one hard event (RS3L, Harris et al. 2024, arXiv:2403.07066)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from root_gnn.data.events.table import EventTable
from root_gnn.errors import InputError
from root_gnn.typing import Index

RESIMULATION = "resimulation"


def partners(table: EventTable) -> Index:
    """Returns the row of the other simulation of the same hard event, `(n_event,)`, for the first row of each pair.

    All other rows have -1. The first simulation of a hard event is paired with the second, the third with the fourth
    and so on. Splits are hashed without `resimulation`, so that partners are in one split. Raises InputError if the
    spec has no such id column, or there are no pairs.
    """
    names = table.spec.id_names
    if RESIMULATION not in names:
        raise InputError(
            f"objective.pairs is resimulation, and the spec {table.spec.name} has no branch that tells simulations "
            "of one hard event apart (its key resimulation)"
        )
    rows = paired(table.ids[:], names.index(RESIMULATION))
    if not (rows >= 0).any():
        raise InputError(
            "objective.pairs is resimulation, and no two events are simulations of the same hard event; "
            "simulate with --resimulate 2"
        )
    return rows


def paired(ids: NDArray[np.int64], column: int) -> Index:
    """Returns, for each event, the row of another simulation of the same hard event, or -1: `(n_event,)`.

    `ids (n_event, n_id)` agree for simulations of one hard event but in `column`, the number of the simulation. Only
    the first of two such events has the other as its partner.
    """
    # Equal ids without the number of the simulation: one hard event.
    others = np.delete(ids, column, axis=1)
    _, group = np.unique(others, axis=0, return_inverse=True)
    group = group.reshape(-1)
    # Simulations of one hard event side by side, in the order of their numbers; the even ones take the next.
    order = np.lexsort((ids[:, column], group))
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    rank = np.arange(len(order)) - np.repeat(starts, np.diff(starts, append=len(order)))
    has_next = np.append(group[order][1:] == group[order][:-1], False)
    first = np.flatnonzero((rank % 2 == 0) & has_next)
    partner = np.full(len(ids), -1, dtype=np.int64)
    partner[order[first]] = order[first + 1]
    return partner
