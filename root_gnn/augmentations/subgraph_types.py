"""The objects of some types as a view of an event: without its leptons, or its jets."""

from __future__ import annotations

from typing import final

import torch
from pydantic import Field
from torch import Tensor

from root_gnn.augmentations.chance import ChanceConfig, happens, survivors
from root_gnn.errors import InputError
from root_gnn.graph.batch import Batch
from root_gnn.graph.features import EVENT_NODE_FEATURES, Features
from root_gnn.graph.random_stream import RandomStream
from root_gnn.graph.subgraph import subgraph
from root_gnn.protocols import Augmentation


class Config(ChanceConfig):
    """Which types may be missing, and how often.

    Attributes:
        fraction: probability of each type to be left out.
        types: the types that may be left out, as the data spec numbers them; null for all.
    """

    fraction: float = Field(0.5, gt=0, lt=1)
    types: tuple[int, ...] | None = Field(None, min_length=1)

    def build(self, features: Features) -> SubgraphTypes:
        """Builds the augmentation for batches with these columns.

        Raises InputError where there are fewer than two types, or not the named ones.
        """
        if "type" not in features.nodes or features.n_type < 2:
            raise InputError(
                "subgraph_types leaves out types of objects, and these data have "
                f"{features.n_type} type; use subgraph_random"
            )
        unknown = [number for number in self.types or () if not 0 <= number < features.n_type]
        if unknown:
            raise InputError(
                f"subgraph_types.types has {unknown[0]}; the types of these data are 0 to {features.n_type - 1}"
            )
        return SubgraphTypes(features, self)


@final
class SubgraphTypes(Augmentation):
    """Drops all objects of a type together; at least one type of an event remains, and the order is kept."""

    invariants = EVENT_NODE_FEATURES

    def __init__(self, features: Features, config: Config) -> None:
        self.config, self.n_type = config, features.n_type
        self.column = features.column("type")
        self.fixed = [] if config.types is None else sorted(set(range(self.n_type)) - set(config.types))

    def __call__(self, batch: Batch, draws: RandomStream) -> Batch:
        """Returns the smaller copy, whose global `n_node` follows; raises ValueError for stored edges."""
        kind = batch.nodes[:, self.column].round().long().clamp(0, self.n_type - 1)
        score = self._scores(batch, draws)[batch.graph_index, kind]
        untouched = ~happens(batch, draws, self.config.probability)[batch.graph_index]
        return subgraph(batch, survivors(score, batch, self.config.fraction) | untouched)

    def _scores(self, batch: Batch, draws: RandomStream) -> Tensor:
        """A number in [0, 1) for each type of each graph, 1 for types that are never left out: `(n_graph, n_type)`."""
        always = torch.ones(batch.n_graph, dtype=torch.float64, device=batch.n_node.device)
        kinds = range(self.n_type)
        return torch.stack(
            [always if kind in self.fixed else draws.uniform(batch, stream=kind) for kind in kinds], dim=1
        )
