"""The graph-network step by the compiled operator: same weights and results, one pass over the edges per direction.

Reads the parameters of a `GraphNetworkStep` and owns none, so a checkpoint runs with any backend. Where the operator
can't run (`kernels.fused.can_fuse`), the native step does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from root_gnn.graph.segment import segment_sum
from root_gnn.kernels.fused import Addends, FusedResult, PackedWeights, Settings, can_fuse, fused
from root_gnn.kernels.linear import linear
from root_gnn.nn.message_passing import native
from root_gnn.nn.message_passing.native import Aggregation, GraphNetworkStep, Runner, State, Topology
from root_gnn.nn.mlp import MLP


def compiled_runner(*, recompute: bool) -> Runner:
    """The compiled backend; with `recompute` the backward pass computes the layers of a perceptron again."""
    return Runner(partial(run_steps_compiled, recompute=recompute), partial(run_rows_compiled, recompute=recompute))


def run_steps_compiled(
    steps: Iterable[GraphNetworkStep], state: State, topology: Topology, *, recompute: bool
) -> Iterator[State]:
    """The state after each of the steps; without gradients its rows are those of the state before, overwritten."""
    if not can_fuse(state.edges, state.edges.shape[1]):
        yield from native.run_steps_native(steps, state, topology, recompute=recompute)
        return
    ready: dict[GraphNetworkStep, _Ready] = {}  # steps may be one module
    for step in steps:
        if step not in ready:
            ready[step] = _Ready.of(step, recompute=recompute)
        state = _run_step(step, ready[step], state, topology)
        yield state


def run_rows_compiled(module: MLP, rows: Tensor, *, recompute: bool) -> Tensor:
    """`module(rows)`."""
    if not can_fuse(rows, module.first.out_features):
        return native.run_rows_native(module, rows, recompute=recompute)
    return fused(rows, _weights(module), _settings(module, recompute=recompute)).rows


@dataclass(frozen=True)
class _Perceptron:
    """A perceptron as the operator takes it.

    Attributes:
        parts: the first matrix, split by input part.
        bias: offsets of the first layer.
        weights: all other tensors, with the part of the first matrix that is multiplied by the operator's rows.
        settings: the choices that are no tensors.
    """

    parts: tuple[Tensor, ...]
    bias: Tensor
    weights: PackedWeights
    settings: Settings

    @classmethod
    def of(
        cls, module: MLP, part: int, names: tuple[Aggregation, ...], *, residual: bool, recompute: bool
    ) -> _Perceptron:
        """The tensors of `module`, whose rows the operator reads in input part `part`.

        Args:
            module: the perceptron.
            part: the input part that comes as the operator's rows; the others come as addends.
            names: how the output rows are aggregated.
            residual: whether the input is added to the output.
            recompute: whether the backward pass computes the layers again.
        """
        parts = torch.split(module.first.weight, list(module.widths), dim=1)
        settings = _settings(
            module, residual=residual, recompute=recompute, total=True, largest="max" in names, in_place=True
        )
        return cls(parts, module.first.bias, _weights(module, parts[part]), settings)


@dataclass(frozen=True)
class _Ready:
    """The tensors of a step, split once, however often the step runs."""

    edge: _Perceptron
    node: _Perceptron
    weights: PackedWeights
    settings: Settings

    @classmethod
    def of(cls, step: GraphNetworkStep, *, recompute: bool) -> _Ready:
        """The tensors of all perceptrons of `step`."""
        return cls(
            _Perceptron.of(step.edge, 0, step.aggregation, residual=step.residual, recompute=recompute),
            _Perceptron.of(step.node, 1, step.pooling, residual=step.residual, recompute=recompute),
            _weights(step.globals),
            _settings(step.globals, recompute=recompute),
        )


def _run_step(step: GraphNetworkStep, ready: _Ready, state: State, t: Topology) -> State:
    edge, node = ready.edge, ready.node
    to_receiver = linear(state.nodes, edge.parts[2]) + linear(state.globals, edge.parts[3], edge.bias)[t.graph_index]
    ends = Addends(linear(state.nodes, edge.parts[1]), t.senders, to_receiver, t.receivers)
    edges = fused(state.edges, edge.weights, edge.settings, ends)
    received = _reduced(edges, step.aggregation, t.fan_in)
    addends = Addends(
        linear(received, node.parts[0]), None, linear(state.globals, node.parts[2], node.bias), t.graph_index
    )
    nodes = fused(state.nodes, node.weights, node.settings, addends)
    assert edges.total is not None
    over_edges = segment_sum(edges.total, t.graph_index, t.n_node.shape[0])
    if step.edge_reduction == "mean":
        over_edges = over_edges / t.n_edge.clamp(min=1).to(over_edges.dtype).unsqueeze(1)
    inputs = torch.cat([state.globals, _reduced(nodes, step.pooling, t.n_node), over_edges], dim=1)
    update = fused(inputs, ready.weights, ready.settings).rows
    return State(edges.rows, nodes.rows, state.globals + update if step.residual else update)


def _reduced(result: FusedResult, names: tuple[Aggregation, ...], count: Tensor) -> Tensor:
    """The aggregations `names` over segments of `count (n_segment,)` rows, `(n_segment, n_name * dim)`."""
    parts = [_rows(result, name, count) for name in names]
    return torch.cat(parts, dim=1) if len(parts) > 1 else parts[0]  # saves the copy of a single part


def _rows(result: FusedResult, name: Aggregation, count: Tensor) -> Tensor:
    rows = result.largest if name == "max" else result.total
    assert rows is not None
    return rows / count.clamp(min=1).to(rows.dtype).unsqueeze(1) if name == "mean" else rows


def _weights(module: MLP, part: Tensor | None = None) -> PackedWeights:
    """The tensors of a perceptron.

    With `part` of the first matrix in place of the whole, the bias of the first layer is among the addends instead.
    """
    rest = [layer for layer in module.rest if isinstance(layer, nn.Linear)]
    norm = _norm(module)
    first, bias = (module.first.weight, module.first.bias) if part is None else (part, None)
    return PackedWeights(
        (first, *(layer.weight for layer in rest)), (bias, *(layer.bias for layer in rest)), norm.weight, norm.bias
    )


def _settings(
    module: MLP,
    *,
    recompute: bool,
    residual: bool = False,
    total: bool = False,
    largest: bool = False,
    in_place: bool = False,
) -> Settings:
    """What the operator needs to know of a perceptron apart from tensors.

    Args:
        module: the perceptron.
        recompute: whether the backward pass computes the layers again.
        residual: whether the input is added to the output.
        total: whether sums of the output rows are needed.
        largest: whether maxima of the output rows are needed.
        in_place: whether the input may be overwritten.
    """
    return Settings(
        activation=module.activation,
        activate_last=module.activate_last,
        epsilon=_norm(module).eps,
        dropout=module.dropout if module.training else 0.0,
        residual=residual,
        recompute=recompute,
        total=total,
        largest=largest,
        in_place=in_place,
    )


def _norm(module: MLP) -> nn.LayerNorm:
    norm = module.rest[-1]
    assert isinstance(norm, nn.LayerNorm)
    return norm
