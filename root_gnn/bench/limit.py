"""The limit of a machine: the speed of its matrix multiplication, and the floating-point work of the exact network."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from root_gnn.bench.timing import Run
from root_gnn.kernels.linear import linear

MULTIPLICATION, ONEDNN = "torch.mm", "oneDNN"
ROWS, TIMES = 4096, 40


def multiplication(width: int, by: str = MULTIPLICATION) -> tuple[Run, float]:
    """Returns a run of products `(4096, width) x (width, width)` in float32, and its floating-point operations.

    `by` is torch.mm or oneDNN.
    """
    generator = torch.Generator().manual_seed(1)
    rows, weight = torch.randn(ROWS, width, generator=generator), torch.randn(width, width, generator=generator)
    out = torch.empty(ROWS, width)

    def run() -> None:
        for _ in range(TIMES):
            if by == ONEDNN:
                linear(rows, weight)
            else:
                torch.mm(rows, weight, out=out)

    return run, 2.0 * TIMES * ROWS * width * width


@dataclass(frozen=True, kw_only=True)
class GraphNetwork:
    """Floating-point work of an encode-process-decode network, a product and its sum counted as two operations.

    The first layer of each update counts as split by its inputs, so that what depends on a node or a graph is
    multiplied once for each of them: the least work that gives the exact result. Activations, norms, sums and features
    are not counted. There is one aggregation each, sharing weights or not.
    """

    n_graph: int
    n_node: int
    n_edge: int
    node_dim: int
    edge_dim: int
    global_dim: int
    dim: int
    n_layer: int
    n_step: int
    n_output: int

    @property
    def forward(self) -> float:
        """Operations of one evaluation."""
        return 2.0 * (self._encoders_first + self._rest)

    @property
    def training(self) -> float:
        """Operations forward and backward; the inputs of the encoders need no gradient."""
        return 2.0 * (2.0 * self._encoders_first + 3.0 * self._rest)

    @property
    def _encoders_first(self) -> float:
        return self.dim * (self.n_node * self.node_dim + self.n_edge * self.edge_dim + self.n_graph * self.global_dim)

    @property
    def _rest(self) -> float:
        square, rows = self.dim**2, self.n_node + self.n_edge + self.n_graph
        deeper = (self.n_layer - 1) * square * rows
        edge = square * (self.n_edge + 2 * self.n_node + self.n_graph)  # edge; sender and receiver; global
        node = square * (2 * self.n_node + self.n_graph)  # received and node; global
        globals_ = 3 * square * self.n_graph  # global, nodes, edges
        decoder = self.n_graph * (self.n_layer * square + self.dim * self.n_output)
        return deeper + self.n_step * (edge + node + globals_ + deeper) + decoder
