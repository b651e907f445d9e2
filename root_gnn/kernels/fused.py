"""A multilayer perceptron over many rows that stay in cache, with gathers before and reductions after it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from root_gnn.kernels.library import Layer, Library, OperatorCall, library

ACTIVATIONS = ("relu", "gelu", "silu")  # in the order of interface.h


@dataclass(frozen=True)
class Addends:
    """Rows that are added to the first layer: `first[first_index] + second[second_index]`.

    Args:
        first: `(n_first, dim)`.
        first_index: `(n_row,)`; None where row m of `first` is added to row m.
        second: `(n_second, dim)`.
        second_index: `(n_row,)`, ascending.
    """

    first: Tensor
    first_index: Tensor | None
    second: Tensor
    second_index: Tensor


@dataclass(frozen=True)
class Settings:
    """The choices of the perceptron that are no tensors, and which outputs it computes.

    Args:
        activation: one of `ACTIVATIONS`, after every layer but the last.
        activate_last: whether activation and dropout follow the last layer too.
        epsilon: added to the variance in the LayerNorm.
        dropout: after every activation, drawn from PyTorch's generator.
        residual: whether the input is added to the output.
        recompute: whether the backward pass computes the layers again instead of reading stored ones.
        total: whether the rows of every `second_index` are added up.
        largest: whether the maximum over the rows of every `second_index` is taken.
        in_place: whether the input may be overwritten by the output, where no gradient is needed.
        form: the instruction set; empty for the best one.
        seed: of dropout.
        n_thread: number of threads.
    """

    activation: str
    activate_last: bool
    epsilon: float
    dropout: float = 0.0
    residual: bool = False
    recompute: bool = False
    total: bool = False
    largest: bool = False
    in_place: bool = False
    form: str = ""
    seed: int = 0
    n_thread: int = 1


@dataclass(frozen=True)
class PackedWeights:
    """The tensors of a perceptron.

    `matrices[l] (dim, n_in)` and `biases[l] (dim,)` or None are those of linear layer l, `scale (dim,)` and `shift
    (dim,)` those of the LayerNorm.
    """

    matrices: tuple[Tensor, ...]
    biases: tuple[Tensor | None, ...]
    scale: Tensor
    shift: Tensor


@dataclass(frozen=True)
class FusedResult:
    """Output `rows (n_row, dim)`, and their sum and maximum by second addend, `(n_second, dim)`, where computed.

    Sum and maximum over no rows are 0.
    """

    rows: Tensor
    total: Tensor | None
    largest: Tensor | None


def can_fuse(rows: Tensor, dim: int) -> bool:
    """Whether the compiled operator can take `rows` and layers of width `dim` here.

    It needs float32 on a CPU, outside of autocast and of `torch.compile`.
    """
    if rows.device.type != "cpu" or rows.dtype != torch.float32 or torch.compiler.is_compiling():
        return False
    operator = library()
    return operator is not None and operator.form(dim) != "" and not torch.is_autocast_enabled("cpu")


def fused(x: Tensor, weights: PackedWeights, settings: Settings, addends: Addends | None = None) -> FusedResult:
    """The perceptron of `x (n_row, n_in)`, as interface.h describes it; float32 on a CPU, differentiable once."""
    seed = int(torch.randint(2**62, (1,))) if settings.dropout > 0 else 0
    settings = replace(settings, seed=seed, n_thread=torch.get_num_threads())
    of_rows = (
        (None,) * 4 if addends is None else (addends.first, addends.first_index, addends.second, addends.second_index)
    )
    given = (*of_rows, weights.scale, weights.shift, *weights.matrices, *weights.biases)
    if torch.is_grad_enabled() and any(tensor is not None and tensor.requires_grad for tensor in (x, *given)):
        return FusedResult(*_Fused.apply(settings, x, *given))  # type: ignore[no-untyped-call]
    call = _Call.of(settings, x, given)
    can_replace = settings.in_place and x.shape[1] == call.scale.shape[0]
    result, _ = _forward(call, None, out=call.x if can_replace else None)
    return result


def _forward(call: _Call, stored: Tensor | None, out: Tensor | None = None) -> tuple[FusedResult, Tensor | None]:
    """The result, and how many rows share each maximum.

    The layers, which the backward pass reads, are written to `stored`, the output rows to `out`.
    """
    settings, x, dim = call.settings, call.x, call.scale.shape[0]
    n_second = 0 if call.second is None else call.second.shape[0]
    rows = x.new_empty(x.shape[0], dim) if out is None else out
    total = x.new_zeros(n_second, dim) if settings.total else None
    largest, n_largest = (x.new_empty(n_second, dim) for _ in range(2)) if settings.largest else (None, None)
    _library().run(
        call.job(stored=stored, out=rows, total=total, largest=largest, n_largest=n_largest), form=settings.form
    )
    return FusedResult(rows, total, largest), n_largest


class _Fused(torch.autograd.Function):
    """The operator with its backward pass; the tensors are passed flat, in the order of `_Call.of`."""

    @staticmethod
    def forward(ctx: Any, settings: Settings, x: Tensor, *given: Tensor | None) -> tuple[Tensor | None, ...]:
        call = _Call.of(settings, x, given)
        stored = None if settings.recompute else x.new_empty(x.shape[0] * call.n_layer * call.scale.shape[0])
        result, n_largest = _forward(call, stored)
        ctx.settings = settings
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(x, *given, stored, result.largest, n_largest)
        return result.rows, result.total, result.largest

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, ...]:
        x, *given, stored, largest, n_largest = ctx.saved_tensors
        call = _Call.of(ctx.settings, x, given)
        of_rows, of_total, of_largest = (None if g is None else g.contiguous() for g in gradients)
        if of_largest is not None:
            # rows that share a maximum share its gradient
            of_largest = of_largest / n_largest.clamp(min=1)
        needed = ctx.needs_input_grad[1:]
        of_x = torch.empty_like(call.x) if needed[0] else None
        of_first, of_second = (torch.zeros_like(given[k]) if needed[1 + k] else None for k in (0, 2))
        of_scale, of_shift = torch.empty_like(call.scale), torch.empty_like(call.shift)
        of_matrices = [x.new_empty(matrix.shape) for matrix in call.matrices]
        of_biases = [None if bias is None else torch.empty_like(bias) for bias in call.biases]
        job = call.job(
            of_matrices,
            of_biases,
            stored=stored,
            largest=largest,
            n_largest=n_largest,
            out_gradient=of_rows,
            total_gradient=of_total,
            largest_gradient=of_largest,
            x_gradient=of_x,
            first_gradient=of_first,
            second_gradient=of_second,
            scale_gradient=of_scale,
            shift_gradient=of_shift,
        )
        _library().run(job, backward=True, form=ctx.settings.form)
        return None, of_x, of_first, None, of_second, None, of_scale, of_shift, *of_matrices, *of_biases


@dataclass(frozen=True)
class _Call:
    """The tensors of one call, laid out as the library reads them."""

    settings: Settings
    x: Tensor
    first: Tensor | None
    first_index: Tensor | None
    second: Tensor | None
    second_index: Tensor | None
    scale: Tensor
    shift: Tensor
    matrices: list[Tensor]
    biases: list[Tensor | None]

    @classmethod
    def of(cls, settings: Settings, x: Tensor, given: Any) -> _Call:
        """From the tensors in the order of `fused`: addends, LayerNorm, all matrices, all biases."""
        names = ("first", "first_index", "second", "second_index", "scale", "shift")
        tidy: dict[str, Any] = {
            name: None if tensor is None else tensor.contiguous() for name, tensor in zip(names, given, strict=False)
        }
        n_layer = (len(given) - 6) // 2
        matrices = [matrix if matrix.stride(1) == 1 else matrix.contiguous() for matrix in given[6 : 6 + n_layer]]
        return cls(settings, x.contiguous(), **tidy, matrices=matrices, biases=list(given[6 + n_layer :]))

    @property
    def n_layer(self) -> int:
        """Number of linear layers."""
        return len(self.matrices)

    def job(
        self,
        of_matrices: list[Tensor] | None = None,
        of_biases: list[Tensor | None] | None = None,
        **outputs: Tensor | None,
    ) -> OperatorCall:
        """The call as the library takes it; valid while the tensors live."""
        no_gradient: list[Any] = [None] * self.n_layer
        layers = (Layer * self.n_layer)(
            *(
                Layer(_at(matrix), matrix.shape[1], matrix.stride(0), _at(bias), _at(of_matrix), _at(of_bias))
                for matrix, bias, of_matrix, of_bias in zip(
                    self.matrices, self.biases, of_matrices or no_gradient, of_biases or no_gradient, strict=True
                )
            )
        )
        s = self.settings
        inputs = ("x", "first", "first_index", "second", "second_index", "scale", "shift")
        return OperatorCall(
            n_row=self.x.shape[0],
            dim=self.scale.shape[0],
            n_layer=self.n_layer,
            n_thread=s.n_thread,
            activation=ACTIVATIONS.index(s.activation),
            activate_last=s.activate_last,
            residual=s.residual,
            dropout=s.dropout,
            epsilon=s.epsilon,
            seed=s.seed,
            layers=layers,
            n_first=0 if self.first is None else self.first.shape[0],
            n_second=0 if self.second is None else self.second.shape[0],
            **{name: _at(getattr(self, name)) for name in inputs},
            **{name: _at(tensor) for name, tensor in outputs.items()},
        )


def _at(tensor: Tensor | None) -> int | None:
    """The address of a tensor's data; None is a null pointer."""
    return None if tensor is None else tensor.data_ptr()


def _library() -> Library:
    operator = library()
    if operator is None:
        raise RuntimeError("the compiled operator is not available; check can_fuse() first")
    return operator
