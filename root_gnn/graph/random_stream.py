"""Random numbers of an augmentation: a function of seed, epoch, event and view, never of rank, worker or batch."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from root_gnn.graph.batch import Batch
from root_gnn.graph.hashing import uniform
from root_gnn.graph.segment import segment_place


@dataclass(frozen=True, kw_only=True)
class RandomStream:
    """The stream of one pass over the data.

    Augmented copies of an event differ in `view`, the augmentations of a chain in `place`, their position in it.
    """

    seed: int
    epoch: int
    view: int = 0
    place: int = 0

    def uniform(self, batch: Batch, stream: int) -> Tensor:
        """One number in [0, 1) per graph, `(n_graph,)`, float64; each `stream` of an augmentation is independent.

        Raises ValueError where the batch carries no ids.
        """
        if batch.ids is None:
            raise ValueError("augmentations draw their random numbers from event ids; this batch has none")
        return uniform(batch.ids, (self.seed, self.epoch, self.view, self.place, stream))

    def uniform_nodes(self, batch: Batch, stream: int) -> Tensor:
        """One number in [0, 1) per node, `(total_node,)`, float64: by the event and the node's position in it.

        Raises ValueError where the batch carries no ids.
        """
        if batch.ids is None:
            raise ValueError("augmentations draw their random numbers from event ids; this batch has none")
        place = segment_place(batch.graph_index, batch.n_node)
        ids = torch.cat([batch.ids[batch.graph_index], place.unsqueeze(1)], dim=1)
        return uniform(ids, (self.seed, self.epoch, self.view, self.place, stream))
