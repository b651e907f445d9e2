"""The work counted by hand against PyTorch's own counter of floating-point operations."""

from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from root_gnn.bench.limit import MULTIPLICATION, ONEDNN, GraphNetwork, multiplication
from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.scaling import Scaling
from root_gnn.heads.mlp import Config as Head
from root_gnn.models.encode_process_decode import Config


@pytest.mark.parametrize(("dim", "n_layer", "share"), [(16, 4, True), (24, 2, False), (8, 1, True)])
def test_the_work_of_the_network_is_what_pytorch_counts(dim: int, n_layer: int, share: bool) -> None:
    generator = torch.Generator().manual_seed(1)
    batch = Batch.of(torch.rand(21, 7, generator=generator), torch.tensor([5, 2, 9, 4, 1]))
    config = Config(
        dim=dim,
        n_layer=n_layer,
        n_steps=3,
        share_steps=share,
        aggregation=("sum",),
        pooling=("mean",),
        activate_last=True,
        residual=False,
        dropout=0.0,
        form="native",
    )
    encoder = config.build(Features(), Scaling())
    head = Head(n_layer=n_layer, dropout=0.0).build(dim, 2)
    counted = GraphNetwork(
        n_graph=5,
        n_node=21,
        n_edge=batch.n_edge,
        node_dim=encoder.node_inputs.dim,
        edge_dim=encoder.pair_inputs.dim,
        global_dim=1,
        dim=dim,
        n_layer=n_layer,
        n_step=3,
        n_output=2,
    )
    with FlopCounterMode(display=False) as forward:
        logits = head(encoder(batch))
    with FlopCounterMode(display=False) as backward:
        logits.sum().backward()
    assert counted.forward == forward.get_total_flops()
    assert counted.training == forward.get_total_flops() + backward.get_total_flops()


@pytest.mark.parametrize("by", [MULTIPLICATION, ONEDNN])
def test_the_multiplication_does_what_it_says(by: str) -> None:
    run, operations = multiplication(64, by)
    with FlopCounterMode(display=False) as counter:
        run()
    assert operations == counter.get_total_flops()
