"""Tokens: what is masked and predicted as one, each node by itself or the nodes of a subjet together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from root_gnn.clustering.subjets import SubjetCache
from root_gnn.config.section import Section
from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.segment import segment_mean, segment_sum
from root_gnn.graph.subgraph import subgraph

Count = Annotated[int, Field(ge=1)]


@dataclass(frozen=True)
class Tokens:
    """The tokens of a batch.

    Attributes:
        centres: a batch with one node for each token, with its pt, eta and phi; among subjets the hardest comes first.
        owner: the token of each node, `(total_node,)`; None where every node is its own token.
    """

    centres: Batch
    owner: Tensor | None

    def of_nodes(self, chosen: Tensor) -> Tensor:
        """Expands values of tokens `(n_token,)` to their nodes `(total_node,)`."""
        return chosen if self.owner is None else chosen[self.owner]

    def kept(self, keep: Tensor) -> Tokens:
        """Returns the tokens where `keep (n_token,)` holds, for a batch of their nodes alone."""
        owner = None if self.owner is None else (torch.cumsum(keep, 0) - 1)[self.owner[keep[self.owner]]]
        return Tokens(subgraph(self.centres, keep), owner)

    def pooled(self, encoded: Batch) -> Batch:
        """Returns the encoded batch with one node for each token, the mean over its nodes: `nodes (n_token, dim)`."""
        if self.owner is None:
            return encoded
        count = torch.zeros(self.centres.total_node, dtype=torch.int64, device=self.owner.device)
        count = count.index_add(0, self.owner, torch.ones_like(self.owner))
        return self.centres.replace(nodes=segment_mean(encoded.nodes, self.owner, count), globals=encoded.globals)


class TokensConfig(Section):
    """Tokens are `nodes`, or the `at_most` hardest `subjets` of a radius; softer ones join the last.

    `jobs`: processes that cluster at a time; what was clustered is remembered for the next epoch.
    """

    name: Literal["nodes", "subjets"] = "nodes"
    algorithm: Literal["cambridge", "antikt"] = "cambridge"
    radius: Annotated[float, Field(gt=0)] = 0.2
    at_most: Count | None = None
    jobs: Count = 1

    def build(self, features: Features) -> NodeTokens | SubjetTokens:
        """What makes tokens of batches with these columns."""
        return NodeTokens(features) if self.name == "nodes" else SubjetTokens(self, features)


class NodeTokens:
    """Every node is a token."""

    def __init__(self, features: Features) -> None:
        self.columns = [features.column(name) for name in ("pt", "eta", "phi")]

    def __call__(self, batch: Batch) -> Tokens:
        """The tokens of a batch."""
        return Tokens(batch.replace(nodes=batch.nodes[:, self.columns]), None)


class SubjetTokens:
    """Every subjet is a token: its pt the scalar sum, its direction the pt-weighted mean."""

    def __init__(self, config: TokensConfig, features: Features) -> None:
        self.columns = [features.column(name) for name in ("pt", "eta", "phi", "energy")]
        self.find = SubjetCache(algorithm=config.algorithm, radius=config.radius, jobs=config.jobs)
        self.at_most = config.at_most

    def __call__(self, batch: Batch) -> Tokens:
        """The tokens of a batch; FastJet runs on the CPU, so that the first look at a jet on a GPU waits for a copy."""
        kinematics = batch.nodes[:, self.columns].detach()
        ids = None if batch.ids is None else batch.ids.cpu().numpy()
        found = self.find(kinematics.double().cpu().numpy(), batch.n_node.cpu().numpy(), ids)
        place = torch.from_numpy(found)
        if self.at_most is not None:
            place = place.clamp(max=self.at_most - 1)
        key = batch.graph_index * (batch.total_node + 1) + place.to(
            batch.nodes.device
        )  # where some are missing, numbers close up
        first, owner = torch.unique(key, return_inverse=True)
        total = first.shape[0]
        graph = first // (batch.total_node + 1)
        n_token = torch.zeros_like(batch.n_node).index_add(0, graph, torch.ones_like(graph))
        pt, eta, phi, _ = kinematics.unbind(1)
        sums = segment_sum(torch.stack([pt, pt * eta, pt * phi.cos(), pt * phi.sin()], 1), owner, total)
        sum_pt = sums[:, 0].clamp(min=1e-6)
        centres = torch.stack([sums[:, 0], sums[:, 1] / sum_pt, torch.atan2(sums[:, 3], sums[:, 2])], 1)
        return Tokens(Batch.of(centres, n_token, ids=batch.ids), owner)
