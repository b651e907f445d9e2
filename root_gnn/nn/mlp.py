"""The multilayer perceptron of all networks; its first layer can be applied to parts of the input separately."""

from __future__ import annotations

from typing import Literal

from torch import Tensor, nn

from root_gnn.kernels.dropout import Dropout
from root_gnn.kernels.linear import Linear, linear

ActivationName = Literal["relu", "gelu", "silu"]
ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "gelu": nn.GELU, "silu": nn.SiLU}


class MLP(nn.Module):
    """`n_layer` linear layers with activation and dropout between them, then an optional LayerNorm.

    Args:
        widths: width of each input part, concatenated in this order; one matrix holds the weights of all parts.
        dim: width of every layer and of the output.
        n_layer: number of linear layers.
        activation: the activation function.
        dropout: after every activation.
        norm: whether a LayerNorm follows.
        activate_last: whether the last linear layer is followed by activation and dropout as well.
    """

    def __init__(
        self,
        widths: tuple[int, ...],
        dim: int,
        *,
        n_layer: int = 2,
        activation: ActivationName = "gelu",
        dropout: float = 0.0,
        norm: bool = True,
        activate_last: bool = False,
    ) -> None:
        super().__init__()
        self.widths = widths
        self.activation, self.activate_last, self.dropout = activation, activate_last, dropout
        self.first = Linear(sum(widths), dim)
        rest: list[nn.Module] = []
        for layer in range(n_layer):
            if layer > 0:
                rest.append(Linear(dim, dim))
            if layer < n_layer - 1 or activate_last:
                rest += [ACTIVATIONS[activation](), Dropout(dropout)]
        if norm:
            rest.append(nn.LayerNorm(dim))
        self.rest = nn.Sequential(*rest)

    def forward(self, rows: Tensor) -> Tensor:
        """`(n_row, sum of widths)` to `(n_row, dim)`."""
        out: Tensor = self.rest(self.first(rows))
        return out

    def part(self, k: int, rows: Tensor, *, bias: bool = False) -> Tensor:
        """The contribution of input part `k`, `rows (n_row, widths[k])`, to the first layer: `(n_row, dim)`.

        What a node contributes to all of its edges is multiplied once for the node instead of once for each edge.
        """
        start = sum(self.widths[:k])
        weight = self.first.weight[:, start : start + self.widths[k]]
        return linear(rows, weight, self.first.bias if bias else None)
