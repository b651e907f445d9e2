"""Attention and the blocks made of it.

The block is the one of the Particle Transformer (Qu, Li, Qian 2022, arXiv:2202.03772): a pre-norm transformer block
with the further norms and scales of NormFormer (Shleifer et al. 2021, arXiv:2110.09456), which are optional; class
attention is that of Touvron et al. 2021 (arXiv:2103.17239).
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from root_gnn.kernels.dropout import Dropout, dropout
from root_gnn.kernels.library import is_switched_off
from root_gnn.kernels.linear import Linear, linear


class Attention(nn.Module):
    """Multi-head attention through `scaled_dot_product_attention`, which picks the fastest kernel there is.

    On a CPU, attention with dropout or with a bias for each head is written out as two matrix products: no fast kernel
    has dropout, and with a bias the kernel takes twice as long where the length is no multiple of 16.
    """

    def __init__(self, dim: int, n_head: int, *, dropout: float = 0.0) -> None:
        super().__init__()
        self.n_head, self.dropout = n_head, dropout
        self.project_in = Linear(dim, 3 * dim)  # query, key, value
        self.project_out = Linear(dim, dim)

    def forward(self, queries: Tensor, keys: Tensor | None = None, *, bias: Tensor | None = None) -> Tensor:
        """`queries (n, n_query, dim)` attend to `keys (n, n_key, dim)`, by default to themselves: `(n, n_query, dim)`.

        `bias` is added to the logits or, as bool, false where a key is masked; broadcastable to
        `(n, n_head, n_query, n_key)`.
        """
        if keys is None:
            q, k, v = self.project_in(queries).chunk(3, dim=-1)
        else:
            dim = queries.shape[-1]
            weight, offset = self.project_in.weight, self.project_in.bias
            q = linear(queries, weight[:dim], offset[:dim])
            k, v = linear(keys, weight[dim:], offset[dim:]).chunk(2, dim=-1)
        if bias is not None and bias.dtype != torch.bool:
            bias = bias.to(q.dtype)
        heads = (self._heads(q), self._heads(k), self._heads(v))
        rate = self.dropout if self.training else 0.0
        biased = bias is not None and bias.dtype != torch.bool and not torch.compiler.is_compiling()
        if (rate > 0.0 or biased) and q.device.type == "cpu" and not is_switched_off():
            mixed = _written_out(*heads, bias, rate)
        else:
            mixed = F.scaled_dot_product_attention(*heads, bias, rate)
        out: Tensor = self.project_out(mixed.transpose(1, 2).flatten(2))
        return out

    def _heads(self, rows: Tensor) -> Tensor:
        return rows.view(*rows.shape[:2], self.n_head, rows.shape[2] // self.n_head).transpose(1, 2)


def _written_out(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None, rate: float) -> Tensor:
    """`scaled_dot_product_attention` as two matrix products; each query must have a key that is not masked.

    Args:
        q: queries `(n, n_head, n_query, width)`.
        k: keys `(n, n_head, n_key, width)`.
        v: values `(n, n_head, n_key, width)`.
        bias: as in `Attention.forward`.
        rate: dropout of the attention weights.
    """
    shape, scale = (*q.shape[:3], k.shape[2]), q.shape[3] ** -0.5
    if bias is not None and bias.dtype == torch.bool:
        bias = torch.zeros(bias.shape, dtype=q.dtype).masked_fill_(~bias, -torch.inf)
    added = q.new_zeros(1) if bias is None else bias.expand(shape).flatten(0, 1)
    logits = torch.baddbmm(
        added, q.flatten(0, 1), k.flatten(0, 1).transpose(1, 2), beta=0.0 if bias is None else 1.0, alpha=scale
    )
    return torch.bmm(dropout(logits.softmax(dim=-1), rate), v.flatten(0, 1)).view(q.shape)


class Block(nn.Module):
    """Attention, then two linear layers, each with its residual.

    Args:
        dim: width of the rows.
        n_head: number of attention heads.
        expansion: width of the hidden layer divided by `dim`.
        dropout: of the outputs of attention and of both linear layers.
        attention_dropout: of the attention weights, which costs about as much time as all of `dropout`.
        scaled: the further norms and scales of NormFormer.
    """

    def __init__(
        self,
        dim: int,
        n_head: int,
        *,
        expansion: int = 4,
        dropout: float = 0.0,
        attention_dropout: float = 0.0,
        scaled: bool = True,
    ) -> None:
        super().__init__()
        self.before_attention = nn.LayerNorm(dim)
        self.attention = Attention(dim, n_head, dropout=attention_dropout)
        self.after_attention = nn.LayerNorm(dim) if scaled else nn.Identity()
        self.before_layers = nn.LayerNorm(dim)
        self.widen = Linear(dim, expansion * dim)
        self.between_layers = nn.LayerNorm(expansion * dim) if scaled else nn.Identity()
        self.narrow = Linear(expansion * dim, dim)
        self.dropout = Dropout(dropout)
        self.head_scale = nn.Parameter(torch.ones(n_head)) if scaled else None
        self.residual_scale = nn.Parameter(torch.ones(dim)) if scaled else None

    def forward(self, rows: Tensor, *, bias: Tensor | None = None) -> Tensor:
        """`rows (n, length, dim)` attend to each other: `(n, length, dim)`; `bias` as in `Attention`."""
        return self._layers(rows + self._scaled(self.attention(self.before_attention(rows), bias=bias)))

    def ask(self, token: Tensor, rows: Tensor, mask: Tensor) -> Tensor:
        """Class attention: `token (n, 1, dim)` attends to itself and to `rows (n, length, dim)`: `(n, 1, dim)`.

        `mask (n, length)` is false where a row is padding.
        """
        keys = self.before_attention(torch.cat([token, rows], dim=1))
        seen = F.pad(mask, (1, 0), value=True)[:, None, None, :]
        return self._layers(token + self._scaled(self.attention(token, keys, bias=seen)))

    def _scaled(self, mixed: Tensor) -> Tensor:
        if self.head_scale is not None:
            mixed = mixed * self.head_scale.repeat_interleave(mixed.shape[-1] // self.head_scale.shape[0])
        out: Tensor = self.dropout(self.after_attention(mixed))
        return out

    def _layers(self, rows: Tensor) -> Tensor:
        hidden = self.dropout(F.gelu(self.widen(self.before_layers(rows))))
        update: Tensor = self.dropout(self.narrow(self.between_layers(hidden)))
        return update + (rows if self.residual_scale is None else rows * self.residual_scale)


class ClassAttention(nn.Module):
    """A learned token that attends to the nodes of a graph; in a graph without nodes it attends to itself alone.

    Args:
        dim: width of the rows.
        n_head: number of attention heads.
        n_block: number of blocks, one after the other.
        expansion: width of a block's hidden layer divided by `dim`.
        dropout: as in `Block`.
    """

    def __init__(self, dim: int, n_head: int, *, n_block: int, expansion: int = 4, dropout: float = 0.0) -> None:
        super().__init__()
        self.token = nn.Parameter(torch.empty(1, 1, dim))
        nn.init.trunc_normal_(self.token, std=0.02)
        self.blocks = nn.ModuleList(Block(dim, n_head, expansion=expansion, dropout=dropout) for _ in range(n_block))
        self.norm = nn.LayerNorm(dim)

    def forward(self, rows: Tensor, mask: Tensor) -> Tensor:
        """`rows (n, length, dim)`, padding where `mask (n, length)` is false, to `(n, dim)`."""
        token = self.token.expand(rows.shape[0], -1, -1)
        for block in self.blocks:
            assert isinstance(block, Block)
            token = block.ask(token, rows, mask)
        out: Tensor = self.norm(token[:, 0])
        return out


def block_states(blocks: Iterable[nn.Module], rows: Tensor, bias: Tensor | None = None) -> list[Tensor]:
    """`rows (n, length, dim)` and the output of each block in turn; `bias` as in `Attention`, the same for all."""
    states = [rows]
    for block in blocks:
        states.append(block(states[-1], bias=bias) if rows.shape[1] > 0 else states[-1])
    return states


def initialise(module: nn.Module, blocks: Iterable[nn.Module] = ()) -> None:
    """Sets Xavier-uniform weights, for query, key and value separately, and zero offsets.

    The output layers of the k-th of `blocks` are divided by sqrt(2 k), so that deep networks start near the identity.
    """
    packed = {part.project_in for part in module.modules() if isinstance(part, Attention)}
    for part in module.modules():
        if not isinstance(part, nn.Linear):
            continue
        fan = part.in_features + part.out_features // (3 if part in packed else 1)
        nn.init.uniform_(part.weight, -math.sqrt(6.0 / fan), math.sqrt(6.0 / fan))
        if part.bias is not None:
            nn.init.zeros_(part.bias)
    with torch.no_grad():
        for k, block in enumerate(blocks):
            assert isinstance(block, Block)
            for layer in (block.attention.project_out, block.narrow):
                layer.weight.div_(math.sqrt(2.0 * (k + 1)))
