"""A codebook of typical rows, fitted once by k-means, that turns a row into the number of its nearest centre."""

from __future__ import annotations

import torch
from torch import Tensor, nn

N_ROUND = 25
BLOCK = 65_536  # rows whose distances are in memory at a time
START_ROWS = 20_000  # rows that the first centres are drawn from


class Codebook(nn.Module):
    """`n_code` centres in `dim` dimensions, saved with the weights; `fit` sets them, `forward` finds the nearest."""

    centres: Tensor
    is_fitted: Tensor

    def __init__(self, n_code: int, dim: int) -> None:
        super().__init__()
        self.register_buffer("centres", torch.randn(n_code, dim, generator=torch.Generator().manual_seed(0)))
        self.register_buffer("is_fitted", torch.tensor(False))

    @torch.no_grad()
    def fit(self, rows: Tensor, *, seed: int = 0) -> None:
        """Fits the centres to `rows (n_row, dim)` by k-means (Lloyd 1982).

        They start far apart, by k-means++ (Arthur, Vassilvitskii 2007); a centre without rows moves to a random row.
        """
        rows = rows.to(self.centres)
        generator = torch.Generator().manual_seed(seed)
        rows = rows[torch.randperm(len(rows), generator=generator)]
        n = len(self.centres)
        centres = _far_apart(rows[:START_ROWS], n, generator)
        for _ in range(N_ROUND):
            code = _nearest(rows, centres)
            count = torch.bincount(code, minlength=n)
            mean = torch.zeros_like(centres).index_add(0, code, rows) / count.clamp(min=1).unsqueeze(1)
            anywhere = rows[torch.randint(len(rows), (n,), generator=generator)]
            centres = torch.where(count.unsqueeze(1) > 0, mean, anywhere)
        self.centres.copy_(centres)
        self.is_fitted.fill_(True)

    @torch.no_grad()
    def forward(self, rows: Tensor) -> Tensor:
        """The number of the nearest centre of each of `rows (n_row, dim)`: `(n_row,)`, int64."""
        return _nearest(rows.to(self.centres.dtype), self.centres)


def _far_apart(rows: Tensor, n: int, generator: torch.Generator) -> Tensor:
    """`n` of the `rows (n_row, dim)`, each drawn by its squared distance to those before."""
    chosen = [rows[0]]
    distance = (rows - rows[0]).square().sum(1)
    for _ in range(n - 1):
        weight = distance if bool(distance.sum() > 0) else torch.ones_like(distance)
        chosen.append(rows[torch.multinomial(weight, 1, generator=generator)[0]])
        distance = torch.minimum(distance, (rows - chosen[-1]).square().sum(1))
    return torch.stack(chosen)


def _nearest(rows: Tensor, centres: Tensor) -> Tensor:
    # |row - centre|^2 without |row|^2, which is the same for all centres
    offset = 0.5 * centres.square().sum(1)
    return torch.cat([(offset - part @ centres.T).argmin(1) for part in torch.split(rows, BLOCK)])
