"""The linear layer through oneDNN: that of PyTorch, with its gradients, wherever it can run, and nowhere else."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from rounding import UNIT
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from root_gnn.kernels.library import SWITCH
from root_gnn.kernels.linear import LEAST, ROWS, Linear, linear, uses_onednn

needs_onednn = pytest.mark.skipif(
    not uses_onednn(torch.zeros(LEAST, 1), torch.zeros(1, 1)), reason="this PyTorch has no oneDNN"
)
SHAPES = [((ROWS + 300, 64), 64), ((140_001, 3), 64), ((40, 200, 96), 32), ((601, 64), 512)]


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def outcomes(rows: Tensor, weight: Tensor, bias: Tensor | None, *, reference: bool) -> list[Tensor]:
    """The output and the gradients of a sum with weights of its own, in float64 by PyTorch for the reference."""
    leaves = [
        None if tensor is None else tensor.to(torch.float64 if reference else torch.float32)
        for tensor in (rows, weight, bias)
    ]
    given = [None if leaf is None else leaf.detach().requires_grad_() for leaf in leaves]
    found = (F.linear if reference else linear)(*given)
    (found * drawn(*found.shape, seed=7).to(found.dtype)).sum().backward()
    return [found.detach(), *(leaf.grad for leaf in given if leaf is not None and leaf.grad is not None)]


def assert_within_rounding(
    found: list[Tensor], expected: list[Tensor], rows: Tensor, weight: Tensor, bias: Tensor | None
) -> None:
    """Each number is off by no more than the number and size of its terms allow (`rounding`); no norm hides one."""
    doubled: Any = (None if one is None else one.double().abs() for one in (rows, weight, bias))
    rows, weight, bias = doubled
    slope, flat = drawn(*expected[0].shape, seed=7).double().abs().flatten(0, -2), rows.flatten(0, -2)
    sizes = [
        (weight.shape[1] + 1) * F.linear(rows, weight, bias),
        weight.shape[0] * (slope @ weight).reshape(rows.shape),
        len(flat) * slope.T @ flat,
        *([] if bias is None else [len(flat) * slope.sum(0)]),
    ]
    for one, other, size in zip(found, expected, sizes, strict=True):
        assert one.dtype == torch.float32
        assert bool(((one.double() - other).abs() <= UNIT * size).all())


@needs_onednn
@pytest.mark.parametrize(("shape", "n_out"), SHAPES)
@pytest.mark.parametrize("with_bias", [True, False])
def test_outputs_and_gradients_are_those_of_double_precision(
    shape: tuple[int, ...], n_out: int, with_bias: bool
) -> None:
    rows, weight, bias = drawn(*shape), drawn(n_out, shape[-1], seed=1), drawn(n_out, seed=2) if with_bias else None
    assert uses_onednn(rows, weight)
    expected, found = (outcomes(rows, weight, bias, reference=reference) for reference in (True, False))
    assert len(found) == len(expected) == (4 if with_bias else 3)
    assert_within_rounding(found, expected, rows, weight, bias)


@needs_onednn
def test_parts_of_matrices_and_turned_ones() -> None:
    wide, tall = drawn(64, 3 * 64), drawn(64, ROWS)
    expected, found = (outcomes(tall.T, wide[:, 64:128], None, reference=reference) for reference in (True, False))
    assert_within_rounding(found, expected, tall.T, wide[:, 64:128], None)


@needs_onednn
def test_only_what_is_asked_for_gets_a_gradient() -> None:
    rows, weight = drawn(ROWS, 64), drawn(32, 64, seed=1).requires_grad_()
    linear(rows, weight).sum().backward()
    assert rows.grad is None
    torch.testing.assert_close(weight.grad, rows.sum(0).expand(32, 64), rtol=1e-3, atol=1e-3)


@pytest.mark.filterwarnings("ignore:TF32 acceleration")  # of the switch, which sets back more than it was asked to
def test_where_it_does_not_run() -> None:
    rows, weight = drawn(ROWS, 64), drawn(64, 64, seed=1)
    assert not uses_onednn(rows[:10], weight)
    assert not uses_onednn(rows.double(), weight.double())
    assert not uses_onednn(rows.to("meta"), weight.to("meta"))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert not uses_onednn(rows, weight)
        assert linear(rows, weight).dtype == torch.bfloat16
    with torch.backends.mkldnn.flags(enabled=False):
        assert not uses_onednn(rows, weight)
        torch.testing.assert_close(linear(rows, weight), rows @ weight.T)


@needs_onednn
def test_its_operations_are_counted() -> None:
    layer, plain = Linear(64, 32), nn.Linear(64, 32)
    counts = []
    for module in (layer, plain):
        with FlopCounterMode(display=False) as counter:
            module(drawn(ROWS, 64).requires_grad_()).sum().backward()
        counts.append(counter.get_total_flops())
    assert counts[0] == counts[1] == 3 * 2 * ROWS * 64 * 32


def test_a_state_is_that_of_a_linear_layer() -> None:
    ours, theirs = Linear(8, 4), nn.Linear(8, 4)
    theirs.load_state_dict(ours.state_dict())
    rows = drawn(3, 8)
    assert torch.equal(ours(rows), theirs(rows))
    assert torch.equal(copy.deepcopy(ours)(rows), theirs(rows))


@needs_onednn
def test_the_same_bits_again() -> None:
    rows, weight, bias = drawn(ROWS + 17, 64), drawn(64, 64, seed=1), drawn(64, seed=2)
    for one, other in zip(*(outcomes(rows, weight, bias, reference=False) for _ in range(2)), strict=True):
        assert torch.equal(one, other)


@needs_onednn
def test_the_switch_for_plain_pytorch_holds_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    rows, weight = drawn(ROWS, 64), drawn(64, 64, seed=1)
    monkeypatch.setenv(SWITCH, "0")
    assert not uses_onednn(rows, weight)
    assert torch.equal(linear(rows, weight), F.linear(rows, weight))
