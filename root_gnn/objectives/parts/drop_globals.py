"""What an objective without labels takes out of a batch before it looks at it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from root_gnn.graph.batch import Batch
from root_gnn.protocols import Question


class DropGlobals(nn.Module):
    """Without labels, and with every global but the number of nodes at its mean.

    Such a global, a jet's pt say, is of the whole graph: two views would be known for a pair by it, and it tells what
    was hidden.
    """

    means: Tensor

    def __init__(self, question: Question) -> None:
        super().__init__()
        known = question.scaling.globals
        means = [known[name].mean if name in known else 0.0 for name in question.features.globals[1:]]
        self.register_buffer("means", torch.tensor(means), persistent=False)

    def forward(self, batch: Batch) -> Batch:
        """The copy; nodes, weights and ids are the batch's."""
        means = self.means.to(batch.globals.dtype).expand(batch.n_graph, -1)
        return batch.replace(labels={}, globals=torch.cat([batch.globals[:, :1], means], dim=1))
