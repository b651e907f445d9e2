"""Attention against its definition, with and without the replacement for CPUs; what class attention does not see."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from root_gnn.kernels.library import SWITCH
from root_gnn.nn.attention import Attention, Block, ClassAttention, block_states, initialise


def drawn(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def by_definition(layer: Attention, rows: Tensor, bias: Tensor) -> Tensor:
    """softmax(q k^T / sqrt(width) + bias) v, head by head (Vaswani et al. 2017, equation 1)."""
    dim = rows.shape[-1]
    width = dim // layer.n_head
    q, k, v = layer.project_in(rows).split(dim, dim=-1)
    heads = []
    for head in range(layer.n_head):
        own = slice(head * width, (head + 1) * width)
        logits = q[..., own] @ k[..., own].transpose(1, 2) / math.sqrt(width) + bias[:, head]
        heads.append(logits.softmax(-1) @ v[..., own])
    out: Tensor = layer.project_out(torch.cat(heads, -1))
    return out


@pytest.mark.parametrize("switch", ["0", "1"])
def test_attention_with_a_bias_for_each_head_is_its_definition(switch: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SWITCH, switch)
    torch.manual_seed(1)
    layer = Attention(16, 4).double()
    rows, bias = drawn(3, 7, 16, seed=2), drawn(3, 4, 7, 7, seed=3)
    bias[:, :, :, 5:] = -torch.inf
    torch.testing.assert_close(layer(rows, bias=bias), by_definition(layer, rows, bias), rtol=1e-12, atol=1e-12)


def test_keys_may_be_other_rows_than_queries() -> None:
    torch.manual_seed(1)
    layer, rows = Attention(16, 2).double(), drawn(2, 5, 16, seed=2)
    torch.testing.assert_close(layer(rows[:, :2], rows), layer(rows)[:, :2], rtol=1e-12, atol=1e-12)


def test_class_attention_does_not_see_masked_rows_nor_the_order() -> None:
    torch.manual_seed(1)
    token, rows = ClassAttention(16, 2, n_block=2).double().eval(), drawn(2, 6, 16, seed=2)
    mask = torch.tensor([[True] * 4 + [False] * 2, [False] * 6])
    out = token(rows, mask)
    torch.testing.assert_close(token(rows[:1, [2, 0, 3, 1]], mask[:1, :4]), out[:1], rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(token(rows + 5.0 * ~mask[..., None], mask), out, rtol=1e-12, atol=1e-12)


def test_blocks_pass_empty_rows_and_add_less_the_later_they_come() -> None:
    torch.manual_seed(1)
    blocks = [Block(16, 2) for _ in range(4)]
    initialise(torch.nn.ModuleList(blocks), blocks)
    assert [states.shape for states in block_states(blocks, torch.zeros(3, 0, 16))] == [(3, 0, 16)] * 5
    widest = math.sqrt(6.0 / (16 + 64))  # Xavier's bound for `narrow`
    for k, block in enumerate(blocks):
        assert (
            0.9 * widest < float(block.narrow.weight.detach().abs().max()) * math.sqrt(2.0 * (k + 1)) <= widest * 1.0001
        )
