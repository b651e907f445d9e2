"""The predictor: its buckets change nothing, and a graph's answers depend on that graph alone."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from root_gnn.graph.batch import Batch
from root_gnn.nn import predictor
from root_gnn.nn.predictor import Predictor

KNOWN, ASKED = [3, 0, 7, 1, 12], [2, 4, 0, 1, 5]


def tokens(dim: int, seed: int) -> Tensor:
    return torch.randn(
        sum(KNOWN if seed < 3 else ASKED), dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64
    )


def answers(network: Predictor, graphs: list[int] | None = None) -> Tensor:
    """Of the graphs named, of all unless given."""
    chosen = range(len(KNOWN)) if graphs is None else graphs

    def of(rows: Tensor, sizes: list[int]) -> Tensor:
        pieces = rows.split(sizes)
        return torch.cat([pieces[graph] for graph in chosen])

    n_known, n_asked = (torch.tensor([sizes[graph] for graph in chosen]) for sizes in (KNOWN, ASKED))
    graph = torch.randn(len(KNOWN), 16, generator=torch.Generator().manual_seed(0), dtype=torch.float64)[list(chosen)]
    known = Batch.of(of(tokens(16, 1), KNOWN), n_known, globals=graph)
    asked = Batch.of(of(tokens(6, 3), ASKED), n_asked, globals=graph)
    out: Tensor = network(known, of(tokens(10, 2), KNOWN), asked)
    return out


@pytest.fixture
def network() -> Predictor:
    torch.manual_seed(1)
    return Predictor(16, n_place=10, n_question=6, width=8, depth=2, n_head=2, n_output=5).double().eval()


def test_each_graph_is_answered_by_itself(network: Predictor) -> None:
    together = answers(network).split(ASKED)
    for graph in range(len(KNOWN)):
        torch.testing.assert_close(answers(network, [graph]), together[graph])
    torch.testing.assert_close(answers(network, [4, 2, 0]), torch.cat([together[graph] for graph in (4, 2, 0)]))


def test_buckets_change_nothing(network: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = answers(network)
    monkeypatch.setattr(predictor, "BUCKET_NODES", 4)
    torch.testing.assert_close(answers(network), whole)
