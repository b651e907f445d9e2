"""Complete graphs' edges against a double loop."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from root_gnn.graph.edges import complete_edges, n_complete_edge


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 7), max_size=8))
def test_edges_are_the_double_loop(sizes: list[int]) -> None:
    n_node = torch.tensor(sizes, dtype=torch.int64)
    expected, first = [], 0
    for size in sizes:
        expected += [(first + j, first + i) for i in range(size) for j in range(size) if i != j]
        first += size
    senders, receivers = complete_edges(n_node, torch.repeat_interleave(n_node), n_complete_edge(n_node))
    assert list(zip(senders.tolist(), receivers.tolist(), strict=True)) == expected
    assert n_complete_edge(n_node) == len(expected)
