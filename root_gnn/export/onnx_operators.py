"""Operators of PyTorch that the ONNX exporter lacks, or translates to something slow or to NaN for some sizes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from onnx_ir import DataType
from onnxscript import opset18

op: Any = opset18  # its annotations are narrower than the values that tracing passes
LOWEST = -1e30  # instead of -inf in attention logits: the softmax of a graph without nodes is then no NaN


def repeat_interleave(count: Any, output_size: Any = None) -> Any:
    """Repeats k `count[k]` times, for k = 0, 1, ...: the cumulative sum of ones where a new number begins."""
    del output_size  # follows from count
    first = op.Constant(value_int=0)
    ends = op.CumSum(count, first)
    n_row = op.Gather(ends, op.Constant(value_ints=[-1]))
    none = op.Expand(op.Constant(value_int=0), op.Add(n_row, op.Constant(value_int=1)))
    ones = op.Expand(op.Constant(value_int=1), op.Shape(count))
    begins = op.ScatterElements(none, op.Sub(ends, count), ones, axis=0, reduction="add")
    number = op.Sub(op.CumSum(begins, first), op.Constant(value_int=1))
    return op.Slice(number, op.Constant(value_ints=[0]), n_row)


def segment_reduce(
    data: Any,
    reduce: str,
    lengths: Any = None,
    indices: Any = None,
    offsets: Any = None,
    axis: int = 0,
    unsafe: bool = False,
    initial: float | None = None,
) -> Any:
    """Computes the maximum over consecutive rows; raises NotImplementedError for other uses of the operator.

    Args:
        data: `(n_row, ...)`.
        reduce: the reduction; "max" is supported.
        lengths: `(n_segment,)`, number of rows of each segment.
        indices: not supported.
        offsets: not supported.
        axis: axis of the rows; 0 is supported.
        unsafe: whether PyTorch skips its checks; without meaning here.
        initial: result of an empty segment.
    """
    del indices, offsets, unsafe
    if reduce != "max" or lengths is None or initial is None or axis != 0:
        raise NotImplementedError(f"segment_reduce {reduce} has no form in ONNX here")
    index = op.Unsqueeze(repeat_interleave(lengths), op.Constant(value_int=1))
    shape = op.Concat(op.Shape(lengths), op.Shape(data, start=1), axis=0)
    lowest = op.Expand(op.CastLike(op.Constant(value_float=float(initial)), data), shape)
    return op.ScatterElements(lowest, op.Expand(index, op.Shape(data)), data, axis=0, reduction="max")


def index_add(rows: Any, dim: int, index: Any, source: Any, alpha: float = 1) -> Any:
    """Adds rows of `source` to the rows of `rows` that `index` names.

    The exporter writes ScatterND, whose additions onnxruntime spreads over threads without locking the rows.

    Args:
        rows: `(n, ...)`.
        dim: axis of the rows; 0 is supported.
        index: `(n_row,)`, the row that each row of `source` is added to.
        source: `(n_row, ...)`.
        alpha: factor; 1 is supported.
    """
    if dim != 0 or alpha != 1:
        raise NotImplementedError("index_add of anything but rows has no form in ONNX here")
    for _ in source.shape[1:]:
        index = op.Unsqueeze(index, op.Constant(value_ints=[-1]))
    return op.ScatterElements(rows, op.Expand(index, op.Shape(source)), source, axis=0, reduction="add")


def hypot(first: Any, second: Any) -> Any:
    """Computes the square root of the sum of two squares."""
    return op.Sqrt(op.Add(op.Mul(first, first), op.Mul(second, second)))


def cosh(angle: Any) -> Any:
    """Computes the hyperbolic cosine; onnxruntime has it in single precision only."""
    return (
        op.Cosh(angle) if angle.dtype != DataType.DOUBLE else _half(angle, op.Add(op.Exp(angle), op.Exp(op.Neg(angle))))
    )


def sinh(angle: Any) -> Any:
    """Computes the hyperbolic sine, as `cosh`; near 0 it loses digits that single precision does not have."""
    return (
        op.Sinh(angle) if angle.dtype != DataType.DOUBLE else _half(angle, op.Sub(op.Exp(angle), op.Exp(op.Neg(angle))))
    )


def asinh(number: Any) -> Any:
    """Computes the inverse of `sinh`."""
    if number.dtype != DataType.DOUBLE:
        return op.Asinh(number)
    one = op.CastLike(op.Constant(value_float=1.0), number)
    size = op.Abs(number)
    return op.Mul(op.Sign(number), op.Log(op.Add(size, op.Sqrt(op.Add(op.Mul(size, size), one)))))


def _half(like: Any, number: Any) -> Any:
    return op.Mul(op.CastLike(op.Constant(value_float=0.5), like), number)


def attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Any = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Any:
    """Computes scaled dot-product attention from basic operators: fused ones differ between versions of the runtime.

    Args:
        query: `(n, n_head, length, width)`.
        key: `(n, n_head, length, width)`.
        value: `(n, n_head, length, width)`.
        attn_mask: added to the logits, or false where attention is masked; broadcast to `(n, n_head, length, length)`.
        dropout_p: without meaning in evaluation mode.
        is_causal: not supported.
        scale: factor of the logits; by default one over the square root of `width`.
        enable_gqa: not supported.
    """
    del dropout_p
    if is_causal or enable_gqa:
        raise NotImplementedError("causal and grouped attention have no form in ONNX here")
    factor = op.Constant(value_float=float(query.shape[-1]) ** -0.5 if scale is None else scale)
    logits = op.Mul(op.MatMul(query, op.Transpose(key, perm=[0, 1, 3, 2])), factor)
    lowest = op.Constant(value_float=LOWEST)
    if attn_mask is not None and attn_mask.dtype == DataType.BOOL:
        logits = op.Where(attn_mask, logits, lowest)
    elif attn_mask is not None:
        logits = op.Add(logits, op.Max(attn_mask, lowest))
    return op.MatMul(op.Softmax(logits, axis=-1), value)


def sort(values: Any, stable: bool | None = None, dim: int = -1, descending: bool = False) -> Any:
    """Returns sorted values and their indices; TopK is stable, since it prefers the lower index among equals."""
    del stable
    n_value = op.Gather(op.Shape(values), op.Constant(value_ints=[dim]))
    return op.TopK(values, n_value, axis=dim, largest=descending, sorted=True)


TABLE: dict[Callable[..., Any], Callable[..., Any]] = {
    torch.ops.aten.repeat_interleave.Tensor: repeat_interleave,
    torch.ops.aten.segment_reduce.default: segment_reduce,
    torch.ops.aten.index_add.default: index_add,
    torch.ops.aten.hypot.default: hypot,
    torch.ops.aten.cosh.default: cosh,
    torch.ops.aten.sinh.default: sinh,
    torch.ops.aten.asinh.default: asinh,
    torch.ops.aten.scaled_dot_product_attention.default: attention,
    torch.ops.aten.sort.stable: sort,
}
