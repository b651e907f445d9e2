"""Random batches for checks."""

from __future__ import annotations

import torch

from root_gnn.graph.features import Features
from root_gnn.testing import (
    QUESTION,
    SIZES,
    random_batch,
)


def test_random_batches_repeat_and_hold_what_the_checks_need() -> None:
    batch = random_batch(Features(), SIZES * 3, seed=1, question=QUESTION)
    again = random_batch(Features(), SIZES * 3, seed=1, question=QUESTION)
    assert torch.equal(batch.nodes, again.nodes)
    assert not torch.equal(batch.nodes, random_batch(Features(), SIZES * 3, seed=2).nodes)
    assert batch.weights is not None and bool((batch.weights < 0).any())
    assert {0, 1} <= set(batch.n_node.tolist())
    assert set(batch.labels) == {"label", *QUESTION.truth}
