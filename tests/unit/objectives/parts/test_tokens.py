"""Tokens: nodes by themselves, or subjets; values go to nodes and means come back."""

from __future__ import annotations

import pytest
import torch

from root_gnn.graph.features import Features
from root_gnn.objectives.parts.tokens import NodeTokens, SubjetTokens, Tokens, TokensConfig
from root_gnn.testing import collimated, random_batch

FEATURES = Features()


def test_every_node_is_its_own_token() -> None:
    batch = random_batch(FEATURES, [3, 2], seed=1)
    tokens = TokensConfig().build(FEATURES)(batch)
    assert isinstance(TokensConfig().build(FEATURES), NodeTokens) and tokens.owner is None
    assert torch.equal(tokens.centres.nodes, batch.nodes[:, [FEATURES.column(name) for name in ("pt", "eta", "phi")]])
    chosen = torch.tensor([True, False, True, False, True])
    assert tokens.of_nodes(chosen) is chosen and tokens.pooled(batch) is batch


def test_values_of_tokens_go_to_their_nodes_and_means_come_back() -> None:
    batch = random_batch(FEATURES, [4], seed=1)
    centres = random_batch(Features(nodes=("pt", "eta", "phi")), [2], seed=2)
    tokens = Tokens(centres, torch.tensor([0, 1, 1, 0]))
    assert tokens.of_nodes(torch.tensor([True, False])).tolist() == [True, False, False, True]
    pooled = tokens.pooled(batch)
    torch.testing.assert_close(pooled.nodes[0], batch.nodes[[0, 3]].mean(0))
    torch.testing.assert_close(pooled.nodes[1], batch.nodes[[1, 2]].mean(0))
    kept = tokens.kept(torch.tensor([False, True]))
    assert kept.owner is not None and kept.owner.tolist() == [0, 0] and kept.centres.total_node == 1


def test_subjets_have_the_pt_of_their_constituents() -> None:
    pytest.importorskip("fastjet")
    batch = collimated(random_batch(FEATURES, [12, 1, 0, 5], seed=3), FEATURES)
    config = TokensConfig(name="subjets", radius=0.3, at_most=4)
    make = config.build(FEATURES)
    assert isinstance(make, SubjetTokens)
    tokens = make(batch)
    assert tokens.owner is not None and tokens.centres.n_node.tolist()[1:3] == [1, 0]
    assert int(tokens.centres.n_node.max()) <= 4
    pt = torch.zeros(tokens.centres.total_node).index_add(0, tokens.owner, batch.nodes[:, FEATURES.column("pt")])
    torch.testing.assert_close(tokens.centres.nodes[:, 0], pt)
    for token, centre in enumerate(tokens.centres.nodes.double()):
        of_token = batch.nodes[tokens.owner == token].double()
        pt, eta, phi = (of_token[:, FEATURES.column(name)] for name in ("pt", "eta", "phi"))
        direction = torch.atan2((pt * phi.sin()).sum(), (pt * phi.cos()).sum())
        expected = torch.stack([pt.sum(), (pt * eta).sum() / pt.sum(), direction])
        torch.testing.assert_close(centre, expected, rtol=1e-5, atol=1e-5)
