"""The graph-network step by the compiled operator: same weights, same numbers, one pass over the edges in each direction.

Reads the parameters of a `GraphNetworkStep` and owns none, so a checkpoint runs in either form. Where the operator can't run
(`fused.runs`), the native step does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

import torch
from torch import Tensor, nn

from root_gnn.graph.segment import segment_sum
from root_gnn.kernels.fused import Addends, Result, Settings, Weights, fused, runs
from root_gnn.nn import message_passing as native
from root_gnn.nn.message_passing import Aggregation, GraphNetworkStep, Runner, State, Topology
from root_gnn.nn.mlp import MLP


def runner(*, recompute: bool) -> Runner:
    """The compiled form; with `recompute` the backward pass computes what is inside a perceptron again instead of keeping it."""
    return Runner(partial(run_steps, recompute=recompute), partial(run_rows, recompute=recompute))


def run_steps(steps: Iterable[GraphNetworkStep], state: State, topology: Topology, *, recompute: bool) -> Iterator[State]:
    """The state after each of the steps; without gradients its rows are those of the state before, overwritten."""
    if not runs(state.edges, state.edges.shape[1]):
        yield from native.run_steps(steps, state, topology, recompute=recompute)
        return
    for step in steps:
        state = _run_step(step, state, topology, recompute=recompute)
        yield state


def run_rows(module: MLP, rows: Tensor, *, recompute: bool) -> Tensor:
    """`module(rows)`."""
    if not runs(rows, module.first.out_features):
        return native.run_rows(module, rows, recompute=recompute)
    return fused(rows, _weights(module), _settings(module, recompute=recompute)).rows


def _run_step(step: GraphNetworkStep, state: State, t: Topology, *, recompute: bool) -> State:
    to_receiver = step.edge.part(2, state.nodes) + step.edge.part(3, state.globals, bias=True)[t.graph_index]
    ends = Addends(step.edge.part(1, state.nodes), t.senders, to_receiver, t.receivers)
    edges = _update(step.edge, 0, state.edges, ends, step.aggregation, residual=step.residual, recompute=recompute)
    received = _reduced(edges, step.aggregation, t.fan_in)
    around = Addends(step.node.part(0, received), None, step.node.part(2, state.globals, bias=True), t.graph_index)
    nodes = _update(step.node, 1, state.nodes, around, step.pooling, residual=step.residual, recompute=recompute)
    assert edges.total is not None
    over_edges = segment_sum(edges.total, t.graph_index, t.n_node.shape[0])
    if step.edge_reduction == "mean":
        over_edges = over_edges / t.n_edge.clamp(min=1).to(over_edges.dtype).unsqueeze(1)
    inputs = torch.cat([state.globals, _reduced(nodes, step.pooling, t.n_node), over_edges], dim=1)
    update = run_rows(step.globals, inputs, recompute=recompute)
    return State(edges.rows, nodes.rows, state.globals + update if step.residual else update)


def _update(
    module: MLP, part: int, rows: Tensor, addends: Addends, names: tuple[Aggregation, ...], *, residual: bool, recompute: bool
) -> Result:
    """The rows after the perceptron whose input part `part` they are, the other parts being the addends."""
    settings = _settings(module, residual=residual, recompute=recompute, total=True, largest="max" in names, in_place=True)
    return fused(rows, _weights(module, part), settings, addends)


def _reduced(result: Result, names: tuple[Aggregation, ...], count: Tensor) -> Tensor:
    """What arrives from `count (n_segment,)` rows each, `(n_segment, n_name * dim)`."""
    assert result.total is not None
    mean = result.total / count.clamp(min=1).to(result.total.dtype).unsqueeze(1)
    found = {"sum": result.total, "mean": mean, "max": result.largest}
    return torch.cat([rows for name in names if (rows := found[name]) is not None], dim=1)


def _weights(module: MLP, part: int | None = None) -> Weights:
    """The tensors of a perceptron; with `part` the first matrix is that input part's, and its bias is among the addends."""
    linear = [layer for layer in module.rest if isinstance(layer, nn.Linear)]
    norm = _norm(module)
    first = module.first.weight if part is None else torch.split(module.first.weight, list(module.widths), dim=1)[part]
    return Weights(
        (first, *(layer.weight for layer in linear)), (module.first.bias if part is None else None, *(layer.bias for layer in linear)),
        norm.weight, norm.bias,
    )


def _settings(
    module: MLP, *, recompute: bool, residual: bool = False, total: bool = False, largest: bool = False, in_place: bool = False,
) -> Settings:
    return Settings(
        activation=module.activation, activate_last=module.activate_last, epsilon=_norm(module).eps,
        dropout=module.dropout if module.training else 0.0, residual=residual, recompute=recompute, total=total, largest=largest,
        in_place=in_place,
    )


def _norm(module: MLP) -> nn.LayerNorm:
    norm = module.rest[-1]
    assert isinstance(norm, nn.LayerNorm)
    return norm
