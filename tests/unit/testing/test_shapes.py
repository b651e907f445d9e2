"""A network is captured once only where the shapes of its tensors do not depend on the sizes of graphs."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.scaling import Scaling
from root_gnn.graph.segment import segment_sum
from root_gnn.nn.buckets import Buckets
from root_gnn.protocols import Encoder
from root_gnn.testing import TinyEncoder, check_encoder, random_batch
from root_gnn.testing.shapes import shapes_are_fixed


def a_batch(sizes: Sequence[int]) -> Batch:
    return random_batch(Features(), sizes, seed=1)


def test_a_sum_over_nodes_has_one_shape_and_padded_graphs_have_several() -> None:
    assert shapes_are_fixed(lambda batch: segment_sum(batch.nodes, batch.graph_index, batch.n_graph), a_batch)
    assert not shapes_are_fixed(lambda batch: Buckets.of(batch.n_node, batch.graph_index, 8).pad(batch.nodes), a_batch)


class Grouped(Encoder):
    """An encoder of a user's own that sorts graphs into buckets, and does not say so."""

    def __init__(self, features: Features) -> None:
        super().__init__()
        self.tiny = TinyEncoder(features)
        self.dim = self.tiny.dim

    def forward(self, batch: Batch) -> Batch:
        buckets = Buckets.of(batch.n_node, batch.graph_index, 8)
        out: Batch = self.tiny(batch)
        return out.replace(nodes=buckets.flat(buckets.pad(out.nodes)))

    def layers(self, batch: Batch) -> dict[str, Tensor]:
        return self.tiny.layers(batch)


class GroupedAndDeclared(Grouped):
    fixed_shapes = False


def build(kind: type[Grouped], features: Features, scaling: Scaling) -> Grouped:
    del scaling  # the tiny encoder scales nothing
    return kind(features)


def test_the_conformance_suite_finds_an_encoder_whose_shapes_vary_unless_it_declares_that() -> None:
    torch.manual_seed(1)
    with pytest.raises(AssertionError, match="fixed_shapes is true, and shapes of tensors change"):
        check_encoder(lambda features, scaling: build(Grouped, features, scaling))
    check_encoder(lambda features, scaling: build(GroupedAndDeclared, features, scaling))
