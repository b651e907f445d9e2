"""Physical features in, network inputs out: scaling and type embedding that belong to the weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.scaling import TRANSFORMS, Affine, Scaling
from root_gnn.kinematics.object_pairs import pairs_by_pseudorapidity, pseudorapidity_kinematics
from root_gnn.kinematics.pairs import compute_pair_features


class Standardise(nn.Module):
    """`(transform(x) - mean) / std` for the selected columns, with the fitted numbers kept as buffers.

    Args:
        columns: indices of the selected columns in the input.
        scaling: the fitted numbers by name.
        names: their names in `scaling`; a name that was not fitted passes unscaled.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, columns: Sequence[int], names: Sequence[str], scaling: Mapping[str, Affine]) -> None:
        super().__init__()
        numbers = [scaling.get(name, Affine("linear", 0.0, 1.0)) for name in names]
        self.columns = list(columns)
        self.transforms = [affine.transform for affine in numbers]
        self.register_buffer("mean", torch.tensor([affine.mean for affine in numbers]))
        self.register_buffer("std", torch.tensor([affine.std for affine in numbers]))

    def forward(self, rows: Tensor) -> Tensor:
        """`(n_row, dim)` to `(n_row, len(columns))`."""
        picked = [
            TRANSFORMS[transform](rows[:, column])
            for column, transform in zip(self.columns, self.transforms, strict=True)
        ]
        return (torch.stack(picked, dim=1) - self.mean) / self.std


class NodeInputs(nn.Module):
    """Scaled node features and, if asked for, the node type as a one-hot row for an embedding.

    Args:
        features: names of the node columns.
        scaling: the fitted scales.
        absolute_phi: whether phi is an input; without it the network is invariant under rotations about the beam.
        one_hot_type: the type as `n_type` columns instead of one number.
    """

    def __init__(self, features: Features, scaling: Scaling, *, absolute_phi: bool, one_hot_type: bool) -> None:
        super().__init__()
        left_out = {"phi"} if not absolute_phi else set()
        left_out |= {"type"} if one_hot_type else set()
        names = [name for name in features.nodes if name not in left_out]
        self.scale = Standardise([features.column(name) for name in names], names, scaling.nodes)
        self.type_column = features.column("type") if one_hot_type and "type" in features.nodes else None
        self.n_type = features.n_type
        self.dim = len(names) + (features.n_type if self.type_column is not None else 0)

    def forward(self, nodes: Tensor) -> Tensor:
        """Physical features `(n_node, node_dim)` to inputs `(n_node, dim)`."""
        scaled: Tensor = self.scale(nodes)
        if self.type_column is None:
            return scaled
        kind = nodes[:, self.type_column : self.type_column + 1].round()
        one_hot = (kind == torch.arange(self.n_type, device=nodes.device, dtype=nodes.dtype)).to(scaled.dtype)
        return torch.cat([scaled, one_hot], dim=1)


class PairInputs(nn.Module):
    """Scaled features of every edge, computed from the kinematics of its two nodes, never stored."""

    def __init__(self, features: Features, scaling: Scaling, *, names: Sequence[str]) -> None:
        super().__init__()
        self.kinematic = [features.column(name) for name in ("pt", "eta", "phi", "energy")]
        self.scale = Standardise(range(len(names)), names, {name: scaling.pair(name) for name in names})
        self.names, self.dim = names, len(names)

    def forward(self, nodes: Tensor, senders: Tensor, receivers: Tensor) -> Tensor:
        """Physical node features `(n_node, node_dim)` and edge ends `(n_edge,)` to inputs `(n_edge, dim)`."""
        objects = pseudorapidity_kinematics(nodes[:, self.kinematic])  # once for each node, not for each edge
        pairs = pairs_by_pseudorapidity(objects[senders], objects[receivers])
        scaled: Tensor = self.scale(compute_pair_features(pairs, self.names))
        return scaled


class GlobalInputs(nn.Module):
    """Scaled features of each graph."""

    def __init__(self, features: Features, scaling: Scaling) -> None:
        super().__init__()
        self.scale = Standardise(range(len(features.globals)), features.globals, scaling.globals)
        self.dim = len(features.globals)

    def forward(self, batch: Batch) -> Tensor:
        """`globals (n_graph, global_dim)` to inputs `(n_graph, dim)`."""
        scaled: Tensor = self.scale(batch.globals)
        return scaled
