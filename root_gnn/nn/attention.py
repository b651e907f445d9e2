"""Attention and the blocks made of it.

The block is the one of the Particle Transformer (Qu, Li, Qian 2022, arXiv:2202.03772): a pre-norm transformer block with
the further norms and scales of NormFormer (Shleifer et al. 2021, arXiv:2110.09456), which can be left out; class attention is
that of Touvron et al. 2021 (arXiv:2103.17239).
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

    On a processor it is written out where there is dropout, which no kernel has, or a bias for each head: the kernel takes twice as
    long where the length is no multiple of 16.
    """

    def __init__(self, dim: int, n_head: int, *, dropout: float = 0.0) -> None:
        super().__init__()
        self.n_head, self.dropout = n_head, dropout
        self.project_in = Linear(dim, 3 * dim)  # query, key, value
        self.project_out = Linear(dim, dim)

    def forward(self, queries: Tensor, keys: Tensor | None = None, *, bias: Tensor | None = None) -> Tensor:
        """`queries (n, n_query, dim)` ask `keys (n, n_key, dim)`, themselves where none are given: `(n, n_query, dim)`.

        `bias`: added to the logits, or false where a key is hidden; broadcastable to `(n, n_head, n_query, n_key)`.
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
    """`scaled_dot_product_attention` in two products; at least one key of a query is not hidden."""
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
        expansion: width of the hidden layer over `dim`.
        attention_dropout: of the attention's weights, which costs about as much time as all of `dropout`.
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
        """Class attention: `token (n, 1, dim)` asks itself and the `rows (n, length, dim)` where `mask (n, length)`: `(n, 1, dim)`."""
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
    """A learned token that asks the nodes of a graph, block after block; a graph without nodes leaves it to itself."""

    def __init__(self, dim: int, n_head: int, *, n_block: int, expansion: int = 4, dropout: float = 0.0) -> None:
        super().__init__()
        self.token = nn.Parameter(torch.empty(1, 1, dim))
        nn.init.trunc_normal_(self.token, std=0.02)
        self.blocks = nn.ModuleList(Block(dim, n_head, expansion=expansion, dropout=dropout) for _ in range(n_block))
        self.norm = nn.LayerNorm(dim)

    def forward(self, rows: Tensor, mask: Tensor) -> Tensor:
        """`rows (n, length, dim)`, looked at where `mask (n, length)`, to `(n, dim)`."""
        token = self.token.expand(rows.shape[0], -1, -1)
        for block in self.blocks:
            assert isinstance(block, Block)
            token = block.ask(token, rows, mask)
        out: Tensor = self.norm(token[:, 0])
        return out


def block_states(blocks: Iterable[nn.Module], rows: Tensor, bias: Tensor | None = None) -> list[Tensor]:
    """`rows (n, length, dim)` and what each block in turn makes of them; `bias` as in `Attention`, the same for all."""
    states = [rows]
    for block in blocks:
        states.append(block(states[-1], bias=bias) if rows.shape[1] > 0 else states[-1])
    return states


def initialise(module: nn.Module, blocks: Iterable[nn.Module] = ()) -> None:
    """Xavier-uniform weights, query, key and value each on its own; what the k-th of `blocks` adds is divided by sqrt(2 k)."""
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
