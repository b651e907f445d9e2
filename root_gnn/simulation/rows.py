"""Rows of the ntuple made from a batch of generated events, and the items they are counted by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from root_gnn.simulation.detector import Detector, measure
from root_gnn.simulation.jets import ClusteredJets, JetSelection, choose_jets, find_jets, jet_columns, same_jets
from root_gnn.simulation.ntuple import Layout, NtupleColumns, concatenate_columns, reorder, select_rows
from root_gnn.simulation.objects import ObjectSelection, preselected, reconstruct
from root_gnn.simulation.record import EventRecord
from root_gnn.simulation.truth import truth
from root_gnn.simulation.variations import variation_branch
from root_gnn.typing import Integers


@dataclass
class NtupleRows:
    """Branches of some rows, and for each row `(n_row,)` its item (from 0, in order), hard event and shower.

    Items are what `--events` counts: an event with all its showers, a jet with all its showers, or all jets of an
    event.
    """

    columns: NtupleColumns
    item: Integers
    hard: Integers
    copy: Integers

    @property
    def n_item(self) -> int:
        """Number of items."""
        return int(self.item[-1]) + 1 if len(self.item) else 0

    def event_rank(self) -> Integers:
        """For each row `(n_row,)` the number of its hard event, in the order of their first appearance."""
        _, first, inverse = np.unique(self.hard, return_index=True, return_inverse=True)
        rank = np.argsort(np.argsort(first))
        return np.asarray(rank[inverse.reshape(-1)], dtype=np.int64)

    @property
    def hard_of_item(self) -> Integers:
        """The hard event of each item, `(n_item,)`."""
        return self.hard[np.searchsorted(self.item, np.arange(self.n_item))]


def event_rows(
    record: EventRecord, detector: Detector, selection: ObjectSelection, rng: np.random.Generator, *, copies: int
) -> NtupleRows:
    """Events as rows; a hard event is kept where all its showers pass the preselection.

    Args:
        record: the generated particles.
        detector: parameters of the response.
        selection: cuts on objects and the preselection.
        rng: random numbers of detector and selection.
        copies: number of showers of each hard event, which follow each other in the record.
    """
    columns = reconstruct(record, measure(record, detector, rng), selection, rng)
    columns |= _of_events(record, np.arange(record.n_event))
    columns |= truth(record)
    keep = np.repeat(preselected(columns, selection).reshape(-1, copies).all(axis=1), copies)
    hard, copy = np.divmod(np.flatnonzero(keep), copies)
    return NtupleRows(select_rows(columns, keep), _counted(hard), hard, copy)


def jet_rows(
    record: EventRecord, detector: Detector, selection: JetSelection, rng: np.random.Generator, *, copies: int
) -> NtupleRows:
    """Jets as rows; an item is a jet, or an event where the selection is one of whole events.

    With several showers a jet is kept where each shower has it, and its rows follow each other; of whole events all
    showers must have enough jets.

    Args:
        record: the generated particles.
        detector: parameters of the response.
        selection: which jets are kept.
        rng: random numbers of detector and impact parameters.
        copies: number of showers of each hard event, which follow each other in the record.
    """
    candidates = measure(record, detector, rng)
    clustered = find_jets(record, candidates, selection)
    item: Integers | None = None
    if selection.whole_events:
        clustered = _of_complete_events(clustered, record.n_event, copies)
    elif copies > 1:
        clustered, item = same_jets(clustered, copies, selection.radius)
    hard, copy = np.divmod(clustered.jets.event, copies)
    if item is None:
        item = _counted(hard) if selection.whole_events else np.arange(len(hard))
    columns = jet_columns(record, candidates, clustered, selection, rng)
    return NtupleRows(columns | _of_events(record, clustered.jets.event), item, hard, copy)


def _of_events(record: EventRecord, event: Integers) -> NtupleColumns:
    """Weights and number of further collisions of the events that rows `(n_row,)` belong to."""
    columns: NtupleColumns = {"weight": record.weight[event].astype(np.float32)}
    columns |= {
        variation_branch(name): (record.weight * factor)[event].astype(np.float32)
        for name, factor in record.variations.items()
    }
    if record.overlaid is not None:
        columns["n_pileup"] = record.overlaid.n_collision[event].astype(np.int16)
    return columns


def _of_complete_events(clustered: ClusteredJets, n_event: int, copies: int) -> ClusteredJets:
    """The jets of hard events that have jets in each of their showers."""
    has = np.bincount(clustered.jets.event, minlength=n_event) > 0
    complete = np.repeat(has.reshape(-1, copies).all(axis=1), copies)
    return choose_jets(clustered, complete[clustered.jets.event])


def _counted(hard: Integers) -> Integers:
    """The same groups of rows numbered from 0 without gaps; `hard` is sorted."""
    return np.cumsum(np.diff(hard, prepend=hard[:1]) > 0)


def first_items(rows: NtupleRows, n_item: int, layout: Layout) -> NtupleRows:
    """The rows of the first `n_item` items."""
    keep = rows.item < n_item
    return NtupleRows(select_rows(rows.columns, keep, layout), rows.item[keep], rows.hard[keep], rows.copy[keep])


def join(parts: Sequence[NtupleRows]) -> NtupleRows:
    """The rows of all parts one after the other."""
    first = np.cumsum([0, *(part.n_item for part in parts)])
    items = [part.item + n for part, n in zip(parts, first, strict=False)]
    return NtupleRows(
        concatenate_columns([part.columns for part in parts]),
        np.concatenate(items),
        np.concatenate([part.hard for part in parts]),
        np.concatenate([part.copy for part in parts]),
    )


def shuffle(rows: NtupleRows, rng: np.random.Generator, layout: Layout) -> NtupleRows:
    """The items in random order; the rows of each stay together."""
    order = rng.permutation(rows.n_item)
    position = np.empty(rows.n_item, dtype=np.int64)
    position[order] = np.arange(rows.n_item)
    item = position[rows.item]
    row = np.argsort(item, kind="stable")
    return NtupleRows(reorder(rows.columns, row, layout), item[row], rows.hard[row], rows.copy[row])
