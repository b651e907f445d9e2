"""The projector between a representation and the loss that compares views; discarded after pretraining."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from root_gnn.kernels.linear import Linear


class Projector(nn.Module):
    """Linear layers of these `widths` with GELU between them, after a BatchNorm where `batch_norm` is true."""

    def __init__(self, dim: int, widths: tuple[int, ...], *, batch_norm: bool = False) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for layer, (before, after) in enumerate(pairwise((dim, *widths))):
            if layer > 0:
                layers += [nn.BatchNorm1d(before)] if batch_norm else []
                layers.append(nn.GELU())
            layers.append(Linear(before, after))
        self.layers = nn.Sequential(*layers)

    def forward(self, rows: Tensor) -> Tensor:
        """`(n_row, dim)` to `(n_row, widths[-1])`."""
        out: Tensor = self.layers(rows)
        return out
