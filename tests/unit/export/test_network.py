"""The exported network, before any file format."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from root_gnn.export.network import network_of
from root_gnn.graph.batch import Batch
from root_gnn.runs.run import Run


def example(run: Run, ntuples: Path, n: int) -> Batch:
    return run.table(ntuples).gather(np.arange(n))


def test_it_gives_the_probabilities_of_the_run_and_takes_no_graph_for_another(seeds: list[Run], ntuples: Path) -> None:
    network, batch = network_of(seeds[0]), example(seeds[0], ntuples, 5)
    outputs = network(**network.signature.arguments(batch, {}))
    assert network.signature.outputs == ("ZH", "WH") and network.signature.link == "softmax"
    assert outputs.shape == (5, 2)
    torch.testing.assert_close(outputs.sum(dim=1), torch.ones(5))
    alone = network(**network.signature.arguments(example(seeds[0], ntuples, 1), {}))
    torch.testing.assert_close(alone[0], outputs[0], atol=1e-6, rtol=0)


def test_it_takes_a_batch_without_nodes(seeds: list[Run]) -> None:
    network = network_of(seeds[0])
    outputs = network(torch.zeros(0, len(network.signature.nodes)), torch.tensor([0, 0]))
    assert outputs.shape == (2, 2) and torch.isfinite(outputs).all()
