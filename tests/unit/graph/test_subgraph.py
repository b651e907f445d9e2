from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from root_gnn.graph.batch import Batch
from root_gnn.graph.subgraph import smallest, subgraph


@given(sizes=st.lists(st.integers(0, 6), min_size=1, max_size=6), seed=st.integers(0, 100))
def test_a_subgraph_is_what_a_loop_would_keep(sizes: list[int], seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    nodes = torch.rand(sum(sizes), 3, generator=generator)
    counts = torch.tensor(sizes)
    globals_ = torch.stack([counts.float(), torch.arange(len(sizes)).float()], dim=1)
    batch = Batch.of(
        nodes,
        counts,
        globals=globals_,
        labels={"label": torch.arange(len(sizes))},
        ids=torch.arange(len(sizes)).unsqueeze(1),
    )
    score = torch.rand(sum(sizes), generator=generator)
    n_kept = torch.tensor([min(2, size) + (size > 4) for size in sizes])
    keep = smallest(score, batch, n_kept)
    kept = subgraph(batch, keep).check()
    first = 0
    for graph, size in enumerate(sizes):
        chosen = sorted(sorted(range(size), key=lambda k: float(score[first + k]))[: int(n_kept[graph])])
        assert torch.equal(kept.nodes[kept.graph_index == graph], nodes[[first + k for k in chosen]])
        first += size
    assert torch.equal(kept.globals[:, 0], kept.n_node.float()) and torch.equal(kept.globals[:, 1], globals_[:, 1])
    assert (
        kept.ids is not None
        and torch.equal(kept.ids, batch.ids)
        and torch.equal(kept.labels["label"], batch.labels["label"])
    )


def test_ties_go_to_the_first_and_small_graphs_keep_all() -> None:
    batch = Batch.of(torch.arange(5.0).unsqueeze(1), torch.tensor([3, 2]))
    assert smallest(torch.zeros(5), batch, torch.tensor([2, 9])).tolist() == [True, True, False, True, True]


def test_stored_edges_are_refused() -> None:
    batch = Batch.of(torch.rand(5, 2), torch.tensor([3, 2]))
    senders, receivers = batch.edge_index()
    with pytest.raises(ValueError, match="complete graphs"):
        subgraph(batch.replace(senders=senders, receivers=receivers), torch.ones(batch.total_node, dtype=torch.bool))
