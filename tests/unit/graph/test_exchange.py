"""What conversions share: names of tensors of whole graphs, and when edges are stored."""

from __future__ import annotations

import pytest
import torch

from root_gnn.errors import InputError
from root_gnn.graph.exchange import batch_of, edge_fields, graph_fields
from root_gnn.graph.features import Features
from root_gnn.testing import random_batch
from root_gnn.testing import QUESTION

BATCH = random_batch(Features(), (3, 1, 4), seed=1, question=QUESTION)


def test_a_batch_comes_back_from_shuffled_edges_without_storing_them() -> None:
    senders, receivers = BATCH.edge_index()
    order = torch.randperm(BATCH.n_edge, generator=torch.Generator().manual_seed(1))
    fields = graph_fields(BATCH)
    assert {"u", "complete", "y", "weights", "ids", "y_higgs_pt"} <= set(fields)
    back = batch_of(BATCH.nodes, BATCH.n_node, fields, senders=senders[order], receivers=receivers[order], edges=None)
    assert back.is_complete and back.check().n_edge == BATCH.n_edge
    assert set(back.labels) == set(BATCH.labels) and torch.equal(back.labels["label"], BATCH.labels["label"])


def test_a_missing_edge_makes_the_others_stored_and_sorted_with_their_features() -> None:
    senders, receivers = (end[1:].flip(0) for end in BATCH.edge_index())
    edges = torch.arange(len(senders)).unsqueeze(1).float()
    back = batch_of(
        BATCH.nodes, BATCH.n_node, graph_fields(BATCH), senders=senders, receivers=receivers, edges=edges
    ).check()
    assert not back.is_complete and back.edges is not None
    row = back.edges[:, 0].long()
    stored = back.edge_index()
    assert torch.equal(senders[row], stored[0]) and torch.equal(receivers[row], stored[1])


def test_edge_features_need_the_columns_that_are_named() -> None:
    with pytest.raises(InputError, match=r"the batch has 7 columns\. Pass features="):
        edge_fields(BATCH, *BATCH.edge_index(), Features(nodes=("pt", "eta", "phi", "energy")))
