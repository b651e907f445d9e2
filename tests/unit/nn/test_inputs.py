"""What enters the network: scaled by the fitted numbers, types one-hot, pairs from the kinematics of their nodes."""

from __future__ import annotations

import torch

from root_gnn.graph.features import Features
from root_gnn.graph.scaling import Affine, Scaling
from root_gnn.kinematics.pairs import PAIR_FEATURES, pair_features
from root_gnn.nn.inputs import GlobalInputs, NodeInputs, PairInputs, Standardise
from root_gnn.testing import random_batch

FEATURES = Features()
BATCH = random_batch(FEATURES, (30, 1, 0, 40), seed=1)
SCALING = Scaling.fit([BATCH], FEATURES)


def test_fitted_inputs_have_mean_zero_and_deviation_one() -> None:
    nodes = NodeInputs(FEATURES, SCALING, absolute_phi=True, one_hot_type=False)(BATCH.nodes)
    pairs = PairInputs(FEATURES, SCALING, names=PAIR_FEATURES)(BATCH.nodes, *BATCH.edge_index())
    globals_ = GlobalInputs(FEATURES, SCALING)(BATCH)
    for rows in (nodes, pairs, globals_):
        torch.testing.assert_close(rows.mean(0), torch.zeros(rows.shape[1]), rtol=0, atol=1e-4)
        torch.testing.assert_close(rows.std(0, unbiased=False), torch.ones(rows.shape[1]), rtol=1e-4, atol=1e-4)


def test_columns_are_picked_by_name_and_transformed() -> None:
    scale = Standardise([2, 0], ["d0", "pt"], {"pt": Affine("log", 1.0, 2.0), "other": Affine("tanh", 0.0, 1.0)})
    rows = torch.tensor([[1.0, 7.0, -3.0], [torch.e, 8.0, 4.0]])
    torch.testing.assert_close(scale(rows), torch.tensor([[-3.0, -0.5], [4.0, 0.0]]))


def test_inputs_without_phi_do_not_change_with_it() -> None:
    inputs = NodeInputs(FEATURES, SCALING, absolute_phi=False, one_hot_type=True)
    turned = BATCH.nodes.clone()
    turned[:, 2] += 1.0
    assert torch.equal(inputs(turned), inputs(BATCH.nodes))
    assert inputs(BATCH.nodes).shape == (71, inputs.dim) and inputs.dim == 5 + 5
    seeing = NodeInputs(FEATURES, SCALING, absolute_phi=True, one_hot_type=True)
    assert not torch.equal(seeing(turned), seeing(BATCH.nodes))


def test_types_are_one_hot() -> None:
    inputs = NodeInputs(FEATURES, Scaling(), absolute_phi=False, one_hot_type=True)
    kinds = inputs(BATCH.nodes)[:, -5:]
    assert torch.equal(kinds.argmax(1).float(), BATCH.nodes[:, 6])
    assert torch.equal(kinds.sum(1), torch.ones(71))


def test_types_are_left_out_where_there_are_none() -> None:
    jets = Features(nodes=("pt", "eta", "phi", "energy", "d0"))
    inputs = NodeInputs(jets, Scaling(), absolute_phi=True, one_hot_type=True)
    assert inputs.dim == 5 and inputs(torch.ones(2, 5)).shape == (2, 5)


def test_pairs_are_the_named_features_in_the_order_asked_for() -> None:
    names = ("ln_m2", "delta_eta")
    senders, receivers = BATCH.edge_index()
    got = PairInputs(FEATURES, Scaling(), names=names)(BATCH.nodes, senders, receivers)
    every = pair_features(BATCH.nodes[senders, :4], BATCH.nodes[receivers, :4])
    torch.testing.assert_close(got, every[:, [PAIR_FEATURES.index(name) for name in names]])


def test_scaling_is_saved_with_the_weights() -> None:
    fitted = NodeInputs(FEATURES, SCALING, absolute_phi=True, one_hot_type=False)
    other = NodeInputs(
        FEATURES, Scaling.fit([random_batch(FEATURES, (9,), seed=3)], FEATURES), absolute_phi=True, one_hot_type=False
    )
    assert not torch.allclose(other(BATCH.nodes), fitted(BATCH.nodes))
    other.load_state_dict(fitted.state_dict())
    assert torch.equal(other(BATCH.nodes), fitted(BATCH.nodes))
