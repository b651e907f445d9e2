"""How far single precision may be from double precision: a bound from the number and the size of the terms of each sum.

A sum of n products `a_i * b_i` in single precision is off by about `sqrt(n) * u * sum |a_i * b_i|` at most, whatever
the order of its terms, with `u` = 2^-24 (N. J. Higham and T. Mary, SIAM J. Sci. Comput. 41, A2815, 2019). The reference
runs in double precision with an error of that size, of random sign, added to the result of every operation, forwards
and backwards; what arrives at the end is the bound. It knows nothing of how any processor happened to round.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map

UNIT = 2.0**-24  # the largest relative error of one operation in single precision
N_DRAW = 8  # of the signs: in one draw the errors of a single number may cancel
TIMES = 2  # for the order of operations, which another form may choose otherwise
FUNCTION = 8  # operations that an exponential or an error function counts for
# Linear in each argument: of ones they give the number of terms, of absolute values the size of the terms.
SUMS = {
    "mm",
    "addmm",
    "bmm",
    "baddbmm",
    "sum",
    "scatter_add",
    "index_add",
    "index_put",
    "_unsafe_index_put",
    "embedding_dense_backward",
}
EXACT = {
    "relu",
    "threshold_backward",
    "clone",
    "_to_copy",
    "copy",
    "index",
    "index_select",
    "gather",
    "cat",
    "stack",
    "neg",
    "where",
    "zeros",
    "zeros_like",
    "new_zeros",
    "ones",
    "ones_like",
    "full",
    "full_like",
    "fill",
    "empty_like",
    "new_empty",
    "amax",
    "scatter_reduce",
    "masked_fill",
    "_unsafe_view",
    "slice_backward",
    "select_backward",
    "abs",
    "max",
    "maximum",
    "zero",
}


def _name(function: Any) -> str:
    name: str = function._schema.name.removeprefix("aten::")
    return name if name.startswith("_") and not name.endswith("_") else name.rstrip("_")


def _floats(change: Callable[[Tensor], Tensor], arguments: Any) -> Any:
    """The arguments with every tensor of numbers changed; indices stay."""
    return tree_map(lambda x: change(x) if isinstance(x, Tensor) and x.is_floating_point() else x, arguments)


def _sum_size(function: Any, args: Any, kwargs: Any) -> Tensor:
    """Root of the number of terms times the sum of their absolute values, for each number of the result."""
    magnitude: Tensor = function(*_floats(Tensor.abs, args), **kwargs)
    count: Tensor = function(*_floats(torch.ones_like, args), **kwargs)
    return magnitude * count.sqrt()


def _layer_norm(out: Any, args: Any) -> list[Tensor]:
    x, _, scale, shift, _ = args
    _, mean, inverse = out
    n = x.shape[-1] ** 0.5
    rows = inverse * (x.abs() + mean.abs()) * (1 if scale is None else scale.abs())
    return [
        (n + 4) * rows + (0 if shift is None else shift.abs()),
        n * x.abs().mean(-1, keepdim=True),
        (n + 4) * inverse,
    ]


def _layer_norm_backward(args: Any) -> list[Tensor]:
    slope, x, _, mean, inverse, scale, *_ = args
    n, n_row = x.shape[-1] ** 0.5, (x.numel() // x.shape[-1]) ** 0.5
    unit, through = (x.abs() + mean.abs()) * inverse, (slope if scale is None else slope * scale).abs()
    rows = inverse * (through + through.mean(-1, keepdim=True) + unit * (through * unit).mean(-1, keepdim=True))
    flat = lambda tensor: tensor.reshape(-1, x.shape[-1]).sum(0)  # noqa: E731
    return [(n + 8) * rows, (n_row + 4) * flat(slope.abs() * unit), n_row * flat(slope.abs())]


def _sizes(name: str, function: Any, out: Any, args: Any, kwargs: Any) -> list[Tensor]:
    """The largest error of each result, in units of `UNIT`."""
    if name == "native_layer_norm":
        return _layer_norm(out, args)
    if name == "native_layer_norm_backward":
        return _layer_norm_backward(args)
    if name == "mean":
        return [(args[0].numel() / max(out.numel(), 1)) ** 0.5 * function(args[0].abs(), *args[1:], **kwargs)]
    if name in ("gelu", "silu"):
        return [FUNCTION * args[0].abs()]
    if name in ("gelu_backward", "silu_backward"):
        return [FUNCTION * args[0].abs() * (1 + args[1].abs() * torch.exp(-args[1].abs()))]
    return [out.abs()]


class Rounding(TorchDispatchMode):
    """Adds to the result of each operation inside the block the error that single precision may make in it."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._generator = torch.Generator().manual_seed(seed)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs, name = kwargs or {}, _name(func)
        before = (
            _sum_size(_out_of_place(func, name), args, kwargs) if name in SUMS else None
        )  # sums may overwrite their terms
        out = func(*args, **kwargs)
        views = any(one.alias_info is not None and not one.alias_info.is_write for one in func._schema.returns)
        results = out if isinstance(out, tuple | list) else (out,)
        if name in EXACT or views or not all(isinstance(one, Tensor) and one.is_floating_point() for one in results):
            return out
        for one, size in zip(
            results, [before] if before is not None else _sizes(name, func, out, args, kwargs), strict=True
        ):
            sign = torch.randint(2, one.shape, generator=self._generator).to(one.dtype).mul_(2).sub_(1)
            one.add_(sign.mul_(size.reshape(one.shape)), alpha=UNIT)
        return out


def _out_of_place(function: Any, name: str) -> Any:
    return getattr(getattr(torch.ops.aten, name), function._overloadname) if function._schema.is_mutable else function


def bounds(run: Callable[[], list[Tensor]], exact: list[Tensor], n_draw: int = N_DRAW) -> list[float]:
    """The bound on the norm of the error of each tensor that `run` computes in double precision.

    Args:
        run: Computes outputs and gradients in double precision.
        exact: What it computes without errors.
        n_draw: Draws of the signs; few do where each tensor has many numbers.
    """
    largest = [0.0] * len(exact)
    for seed in range(n_draw):
        with Rounding(seed):
            spoilt = run()
        largest = [max(one, float((a - b).norm())) for one, a, b in zip(largest, spoilt, exact, strict=True)]
    return [TIMES * one for one in largest]


def assert_near(got: list[Tensor], exact: list[Tensor], allowed: list[float]) -> None:
    """Every tensor is as near to double precision as its bound says."""
    for k, (one, expected, bound) in enumerate(zip(got, exact, allowed, strict=True)):
        assert float((one - expected).norm()) <= bound, f"tensor {k}"
