"""Removes from a batch what an objective without labels must not see."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from root_gnn.graph.batch import Batch
from root_gnn.protocols import Question


class DropGlobals(nn.Module):
    """Drops labels, and sets every global but the number of nodes to its mean.

    Such a global, the pt of a jet say, belongs to the whole graph: it would identify two views as a pair, and it
    reveals what is masked.
    """

    means: Tensor

    def __init__(self, question: Question) -> None:
        super().__init__()
        known = question.scaling.globals
        means = [known[name].mean if name in known else 0.0 for name in question.features.globals[1:]]
        self.register_buffer("means", torch.tensor(means), persistent=False)

    def forward(self, batch: Batch) -> Batch:
        """Returns the copy, with the nodes, weights and ids of the batch."""
        means = self.means.to(batch.globals.dtype).expand(batch.n_graph, -1)
        return batch.replace(labels={}, globals=torch.cat([batch.globals[:, :1], means], dim=1))
