"""The bias of attention: which pairs it is for, what it is made of, where it lands."""

from __future__ import annotations

import torch
from torch import Tensor

from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.scaling import Affine, Scaling
from root_gnn.kinematics.object_pairs import pairs_by_rapidity, rapidity_kinematics
from root_gnn.kinematics.pairs import ATTENTION_FEATURES, compute_pair_features
from root_gnn.nn.buckets import Buckets
from root_gnn.nn.pair_bias import PairBias, dense_bias, lower_pairs
from root_gnn.testing import random_batch

FEATURES = Features()


def a_bias(names: tuple[str, ...] = ATTENTION_FEATURES, scaling: Scaling | None = None) -> PairBias:
    torch.manual_seed(1)
    return PairBias(FEATURES, scaling or Scaling(), 2, names=names, hidden=(8,), batch_norm=False)


def dense(module: PairBias, batch: Batch) -> Tensor:
    """The bias of a batch of one graph, `(n_head, n_node, n_node)`."""
    buckets = Buckets.of(batch.n_node, batch.graph_index, 1024)
    (rows,) = module(batch, buckets)
    return dense_bias(rows, buckets.parts[0])[0]


def test_every_pair_has_the_bias_of_its_own_features() -> None:
    batch, module = random_batch(FEATURES, (5,), seed=2), a_bias()
    objects = rapidity_kinematics(batch.nodes[:, :4])
    grid = pairs_by_rapidity(objects.repeat_interleave(5, 0), objects.repeat(5, 1))
    expected = module.embed(compute_pair_features(grid, ATTENTION_FEATURES)).view(5, 5, 2).permute(2, 0, 1)
    torch.testing.assert_close(dense(module, batch), expected)


def test_pairs_are_each_node_with_those_before_it_and_itself() -> None:
    first, second = lower_pairs(torch.tensor([3, 0, 2]), total_node=5, n_pair=9)
    assert first.tolist() == [0, 1, 1, 2, 2, 2, 3, 4, 4]
    assert second.tolist() == [0, 0, 1, 0, 1, 2, 3, 3, 4]


def test_padded_keys_are_masked_and_real_ones_are_not() -> None:
    batch = random_batch(FEATURES, (2, 4), seed=3)
    buckets = Buckets.of(batch.n_node, batch.graph_index, 1024)
    assert len(buckets.parts) == 1
    (rows,) = a_bias()(batch, buckets)
    mask = buckets.parts[0].mask
    assert torch.equal(torch.isneginf(dense_bias(rows, buckets.parts[0]))[:, 0, 0], ~mask)


def test_features_are_scaled_by_the_fitted_numbers_unless_their_scale_is_fixed() -> None:
    scaling = Scaling(edges={"ln_kt": Affine("linear", 3.0, 2.0), "ln_dr": Affine("linear", 5.0, 5.0)})
    module = a_bias(("ln_kt", "ln_dr", "ln_z"), scaling)
    assert module.mean.tolist() == [3.0, -1.0, 0.0] and module.std.tolist() == [2.0, 1.0, 1.0]
