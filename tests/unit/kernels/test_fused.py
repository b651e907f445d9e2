"""The compiled operator against plain PyTorch in double precision, in every instruction set of this processor."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F
from rounding import assert_near, bounds
from torch import Tensor

from root_gnn.kernels.fused import Addends, FusedResult, PackedWeights, Settings, can_fuse, fused

pytestmark = pytest.mark.compiled
PLAIN = Settings(activation="relu", activate_last=True, epsilon=1e-5)
ACTIVATIONS = {"relu": F.relu, "gelu": F.gelu, "silu": F.silu}
FULL = replace(PLAIN, residual=True, total=True, largest=True)
COUNT = (0, 3, 1, 0, 120, 90, 40, 0)  # rows that each segment has: more than a tile, none, and none at the end


def drawn(*shape: int, seed: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def weights_of(n_in: int, dim: int, n_layer: int, *, first_bias: bool = True) -> PackedWeights:
    widths = [n_in] + [dim] * (n_layer - 1)
    matrices = tuple(drawn(dim, width, seed=k) / width**0.5 for k, width in enumerate(widths))
    biases = tuple(drawn(dim, seed=10 + k) if k or first_bias else None for k in range(n_layer))
    return PackedWeights(matrices, biases, 1 + 0.3 * drawn(dim, seed=20), drawn(dim, seed=21))


def addends_of(dim: int) -> Addends:
    count = torch.tensor(COUNT)
    senders = torch.randint(30, (int(count.sum()),), generator=torch.Generator().manual_seed(3))
    return Addends(drawn(30, dim, seed=31), senders, drawn(len(COUNT), dim, seed=32), torch.repeat_interleave(count))


def plain(x: Tensor, weights: PackedWeights, settings: Settings, addends: Addends | None) -> FusedResult:
    """The same in plain PyTorch."""
    rows = x
    for layer, (matrix, bias) in enumerate(zip(weights.matrices, weights.biases, strict=True)):
        rows = F.linear(rows, matrix, bias)
        if layer == 0 and addends is not None:
            first = addends.first if addends.first_index is None else addends.first[addends.first_index]
            rows = rows + first + addends.second[addends.second_index]
        if layer < len(weights.matrices) - 1 or settings.activate_last:
            rows = ACTIVATIONS[settings.activation](rows)
    rows = F.layer_norm(rows, rows.shape[1:], weights.scale, weights.shift, settings.epsilon)
    rows = x + rows if settings.residual else rows
    if addends is None:
        return FusedResult(rows, None, None)
    index = addends.second_index.unsqueeze(1).expand_as(rows)
    zeros = torch.zeros_like(addends.second)
    return FusedResult(
        rows, zeros.scatter_add(0, index, rows), zeros.scatter_reduce(0, index, rows, "amax", include_self=False)
    )


def leaves(
    x: Tensor, weights: PackedWeights, addends: Addends | None, dtype: torch.dtype
) -> tuple[list[Tensor], Tensor, PackedWeights, Addends | None]:
    found: list[Tensor] = []

    def leaf(tensor: Tensor) -> Tensor:
        found.append(tensor.to(dtype).detach().clone().requires_grad_())
        return found[-1]

    x = leaf(x)
    biases = tuple(None if bias is None else leaf(bias) for bias in weights.biases)
    weights = PackedWeights(
        tuple(leaf(matrix) for matrix in weights.matrices), biases, leaf(weights.scale), leaf(weights.shift)
    )
    addends = None if addends is None else replace(addends, first=leaf(addends.first), second=leaf(addends.second))
    return found, x, weights, addends


def outputs_and_gradients(
    function: Callable[..., FusedResult],
    x: Tensor,
    weights: PackedWeights,
    settings: Settings,
    addends: Addends | None,
    dtype: torch.dtype,
) -> list[Tensor]:
    """Outputs, and the gradients in every input of a fixed random projection of them."""
    given, x, weights, addends = leaves(x, weights, addends, dtype)
    result = function(x, weights, settings, addends)
    outputs = [
        result.rows,
        *((result.total,) if settings.total else ()),
        *((result.largest,) if settings.largest else ()),
    ]
    projected = sum((out * drawn(*out.shape, seed=50 + k).to(dtype)).sum() for k, out in enumerate(outputs))
    return [*(out.detach() for out in outputs), *torch.autograd.grad(projected, given)]


def assert_plain(x: Tensor, weights: PackedWeights, settings: Settings, addends: Addends | None = None) -> None:
    """Outputs and gradients are no further from double precision than single precision may be."""
    run = functools.partial(outputs_and_gradients, plain, x, weights, settings, addends, torch.float64)
    exact = run()
    allowed = bounds(run, exact)
    for recompute in (False, True):
        got = outputs_and_gradients(fused, x, weights, replace(settings, recompute=recompute), addends, torch.float32)
        assert_near(got, exact, allowed)


@pytest.mark.parametrize("activation", ["relu", "gelu", "silu"])
@pytest.mark.parametrize("activate_last", [True, False])
@pytest.mark.parametrize("n_layer", [1, 2, 4])
def test_rows_with_ends_and_reductions(form: str, activation: str, activate_last: bool, n_layer: int) -> None:
    settings = replace(FULL, activation=activation, activate_last=activate_last, form=form)
    assert_plain(drawn(sum(COUNT), 64, seed=1), weights_of(64, 64, n_layer, first_bias=False), settings, addends_of(64))


@pytest.mark.parametrize("dim", [16, 48, 80, 128, 208])
def test_widths_that_do_not_fill_a_panel(form: str, dim: int) -> None:
    assert_plain(
        drawn(sum(COUNT), dim, seed=1),
        weights_of(dim, dim, 2, first_bias=False),
        replace(FULL, form=form),
        addends_of(dim),
    )


@pytest.mark.parametrize(("n_row", "n_in"), [(0, 3), (1, 3), (7, 1), (500, 6), (500, 192)])
def test_rows_of_any_number_and_width(form: str, n_row: int, n_in: int) -> None:
    assert_plain(drawn(n_row, n_in, seed=1), weights_of(n_in, 32, 3), replace(PLAIN, form=form, activation="gelu"))


@pytest.mark.parametrize("dim", [4, 8, 24, 40])
def test_narrow_rows_take_narrower_vectors(dim: int) -> None:
    assert_plain(drawn(sum(COUNT), dim, seed=1), weights_of(dim, dim, 2, first_bias=False), FULL, addends_of(dim))


def test_slices_of_a_matrix_and_transposed_rows() -> None:
    whole = drawn(32, 96, seed=1)
    weights = weights_of(32, 32, 2)
    sliced = replace(weights, matrices=(whole[:, 32:64], weights.matrices[1].t().contiguous().t()))
    rows = drawn(32, 50, seed=2).t()
    torch.testing.assert_close(
        fused(rows, sliced, PLAIN).rows, plain(rows, sliced, PLAIN, None).rows, rtol=1e-5, atol=1e-5
    )


def test_rows_that_share_the_maximum_share_its_gradient() -> None:
    """All rows of a segment are equal; PyTorch rounds them differently, so only sums over a segment are compared."""
    addends = replace(addends_of(16), first_index=torch.zeros(sum(COUNT), dtype=torch.int64))
    same, weights = drawn(1, 16, seed=1).expand(sum(COUNT), 16).contiguous(), weights_of(16, 16, 2, first_bias=False)
    settings, slope = replace(FULL, residual=False), drawn(len(COUNT), 16, seed=2)
    found = {}
    for function, dtype in ((fused, torch.float32), (plain, torch.float64)):
        _, x, given, ends = leaves(same, weights, addends, dtype)
        assert ends is not None
        largest = function(x, given, settings, ends).largest
        assert largest is not None
        found[function] = torch.autograd.grad((largest * slope).sum(), (x, ends.second))
    for gradients in found[fused][0].split(COUNT):
        assert torch.equal(gradients, gradients[:1].expand_as(gradients))
    torch.testing.assert_close(found[fused][1].double(), found[plain][1], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("n_thread", [1, 2])
def test_rows_are_overwritten_only_where_they_may_be_and_no_gradient_is_wanted(form: str, n_thread: int) -> None:
    before, settings = drawn(5000, 64, seed=1), replace(FULL, form=form, in_place=True)
    count = torch.full((500,), 10)
    ends = Addends(
        drawn(30, 64, seed=31), torch.arange(5000) % 30, drawn(500, 64, seed=32), torch.repeat_interleave(count)
    )
    expected = fused(before, weights_of(64, 64, 3), replace(settings, in_place=False), ends)
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(n_thread)
        x = before.clone()
        found = fused(x, weights_of(64, 64, 3), settings, ends)
    finally:
        torch.set_num_threads(threads)
    assert found.rows.data_ptr() == x.data_ptr()
    for one, other in zip(
        (found.rows, found.total, found.largest), (expected.rows, expected.total, expected.largest), strict=True
    ):
        assert one is not None and other is not None
        torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-6)
    differentiable = before.clone().requires_grad_()
    assert not torch.equal(fused(differentiable, weights_of(64, 64, 3), settings, ends).rows, before)
    assert torch.equal(differentiable, before)
    narrow = drawn(7, 3, seed=1)
    fused(narrow, weights_of(3, 64, 3), replace(PLAIN, in_place=True))
    assert torch.equal(narrow, drawn(7, 3, seed=1))


def test_not_a_number_is_not_hidden() -> None:
    x = drawn(sum(COUNT), 16, seed=1)
    x[50, 3] = torch.nan
    addends = addends_of(16)
    result = fused(x, weights_of(16, 16, 2, first_bias=False), FULL, addends)
    segment = int(addends.second_index[50])
    assert result.rows[50].isnan().all() and not result.rows[51].isnan().any()
    assert result.total is not None and result.largest is not None
    assert result.total[segment].isnan().all() and result.largest[segment].isnan().all()


@pytest.mark.parametrize("recompute", [False, True])
def test_the_same_again_bit_for_bit_and_with_more_threads_nearly(recompute: bool) -> None:
    count = torch.full((40,), 300)
    index = torch.repeat_interleave(count)
    senders = torch.randint(40, index.shape, generator=torch.Generator().manual_seed(1))
    addends = Addends(drawn(40, 32, seed=2), senders, drawn(40, 32, seed=3), index)
    x, weights = drawn(len(index), 32, seed=4), weights_of(32, 32, 2, first_bias=False)
    settings, n_thread = replace(FULL, recompute=recompute), torch.get_num_threads()
    found = []
    try:
        for n in (1, 1, 3, 3):
            torch.set_num_threads(n)
            found.append(outputs_and_gradients(fused, x, weights, settings, addends, torch.float32))
    finally:
        torch.set_num_threads(n_thread)
    for first, second, third, fourth in zip(*found, strict=True):
        assert torch.equal(first, second) and torch.equal(third, fourth)
        assert float((first - third).norm()) <= 1e-5 * float(first.norm())


@pytest.mark.parametrize("activation", ["relu", "gelu"])
def test_dropout_is_drawn_from_torch_at_its_rate_and_kept_for_the_gradient(activation: str) -> None:
    settings = Settings(activation=activation, activate_last=True, epsilon=1e-5, dropout=0.25)
    ones = PackedWeights((torch.zeros(64, 3),), (torch.ones(64),), torch.ones(64), torch.zeros(64))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        first, second = (
            fused(drawn(2000, 3, seed=1), ones, settings).rows,
            fused(drawn(2000, 3, seed=1), ones, settings).rows,
        )
        torch.manual_seed(1)
        again = fused(drawn(2000, 3, seed=1), ones, settings).rows
        assert torch.equal(first, again) and not torch.equal(first, second)
        dropped = (first < 0).float()  # below the mean: a normed row holds two values
        assert abs(float(dropped.mean()) - 0.25) < 0.005
        assert float(dropped.mean(0).std()) < 0.02 and float(dropped.mean(1).std()) < 0.07
        weights, x, addends = weights_of(16, 16, 3, first_bias=False), drawn(sum(COUNT), 16, seed=1), addends_of(16)
        gradients = []
        for recompute in (False, True):
            torch.manual_seed(2)
            gradients.append(
                outputs_and_gradients(fused, x, weights, replace(settings, recompute=recompute), addends, torch.float32)
            )
        assert all(torch.equal(a, b) for a, b in zip(*gradients, strict=True))

        def moved(step: float) -> float:
            torch.manual_seed(2)
            first, second, third = weights.matrices
            changed = fused(x, replace(weights, matrices=(first, second + step, third)), settings, addends).rows
            return float((changed.double() * drawn(*changed.shape, seed=50).double()).sum())

        slope = (moved(1e-3) - moved(-1e-3)) / 2e-3
    of_second_matrix = gradients[0][5]  # behind the output, x, two biases and the first matrix
    assert slope == pytest.approx(float(of_second_matrix.sum()), rel=0.02 if activation == "gelu" else 0.1)


def test_what_it_cannot_run() -> None:
    assert can_fuse(torch.zeros(2, 8), 8)
    assert not can_fuse(torch.zeros(2, 8, dtype=torch.float64), 8)
    assert not can_fuse(torch.zeros(2, 8, device="meta"), 8)
    assert not can_fuse(torch.zeros(2, 6), 6)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert not can_fuse(torch.zeros(2, 8), 8)


def test_gradients_of_gradients_are_refused() -> None:
    x = drawn(5, 8, seed=1).requires_grad_()
    (slope,) = torch.autograd.grad(fused(x, weights_of(8, 8, 2), PLAIN).rows.square().sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        slope.sum().backward()
