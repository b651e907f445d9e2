"""Integrated gradients: how much each input moves a network's output away from that for unrelated events.

Sundararajan, Taly and Yan 2017, arXiv:1703.01365, with baselines drawn from the data as in Erion et al. 2019,
arXiv:1906.10670. The output that is explained is the log-odds of a class. The contribution of an input is the integral,
along a path from a baseline to the event, of the gradient with respect to that input times its change. All
contributions of an event add up to the difference of the two outputs (completeness) up to `gap`: the error of the
quadrature, and jumps of the network along the path, as where the angle between two nodes is wrapped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from root_gnn.console import progress
from root_gnn.errors import InputError, suggest
from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.segment import segment_start, segment_sum
from root_gnn.metrics.measured import Measured, weighted_mean
from root_gnn.protocols import Supervised

FIXED = "type"  # a category: there is nothing between two types
SEED = 1


@dataclass(frozen=True)
class Contribution:
    """What an input adds to the log-odds, summed over the nodes of one type in each event.

    Attributes:
        name: the input.
        node_type: the type of the nodes; None for inputs of the whole graph.
        size: mean over events of the absolute contribution with its 68 % error; None where the weights sum to zero or
            less.
        shift: mean over events of the signed contribution with its 68 % error; None likewise.
    """

    name: str
    node_type: int | None
    size: Measured | None
    shift: Measured | None


@dataclass(frozen=True)
class Contributions:
    """The contributions of all inputs.

    `gap` is the mean over events of the absolute difference between the sum of an event's contributions and the
    difference of its two outputs.
    """

    inputs: tuple[Contribution, ...]
    gap: float
    n_event: int


def contributions(
    objective: Supervised,
    batches: Sequence[Batch],
    features: Features,
    *,
    output: str | None = None,
    n_step: int = 16,
    n_baseline: int = 4,
) -> Contributions:
    """Returns integrated gradients for each node type and column, averaged over events that are held in memory.

    In a baseline each node has the columns of another node of its type, from any event, and each graph has the globals
    of another graph: an event with as many objects of the same types that have nothing to do with each other. The
    contributions of an event are the mean over `n_baseline` such baselines. The column `energy` stands for what the
    mass contributes, see `integrated_gradients`.

    Args:
        objective: a trained classifier in evaluation mode.
        batches: the events.
        features: names of the columns of the batches, those that the network was built for.
        output: the class, or the yes-or-no label, whose log-odds are explained; the last one unless given.
        n_step: points of the quadrature (Gauss-Legendre); take more where `gap` is not small against the sizes.
        n_baseline: baselines for each event.

    Raises:
        InputError: where there is no such output, or no batch.
    """
    if not batches:
        raise InputError("Contributions of inputs take at least one batch of events and got none.")
    place, pool = _place(objective, output), _Pool(batches, features)
    of_node, of_graph, gaps = [], [], []
    with progress("contributions of inputs", sum(batch.n_graph for batch in batches)) as meter:
        for batch in batches:
            owner = batch.graph_index * pool.n_type + _kinds(batch, features)
            found = [
                integrated_gradients(objective, batch, pool.drawn(batch), features, output=place, n_step=n_step)
                for _ in range(n_baseline)
            ]
            nodes, globals_, gap = (torch.stack(part).mean(dim=0) for part in zip(*found, strict=True))
            of_node.append(
                segment_sum(nodes, owner, batch.n_graph * pool.n_type).view(batch.n_graph, pool.n_type, -1).cpu()
            )
            of_graph.append(globals_.cpu())
            gaps.append(gap.cpu())
            meter.advance(batch.n_graph)
    weights = (
        torch.cat([torch.ones(one.n_graph) if one.weights is None else one.weights.cpu() for one in batches])
        .double()
        .numpy()
    )
    by_type, whole, gap = torch.cat(of_node), torch.cat(of_graph), torch.cat(gaps)
    rows = [
        (name, kind if FIXED in features.nodes else None, by_type[:, kind, column])
        for kind in pool.types
        for column, name in enumerate(features.nodes)
        if name != FIXED
    ] + [(name, None, whole[:, column]) for column, name in enumerate(features.globals)]
    return Contributions(tuple(_contribution(*row, weights) for row in rows), float(gap.abs().mean()), len(gap))


def integrated_gradients(
    objective: Supervised,
    batch: Batch,
    baseline: Batch,
    features: Features,
    *,
    output: int,
    n_step: int = 16,
) -> tuple[Tensor, Tensor, Tensor]:
    """Integrates the gradients of one output along the path from a baseline to each event.

    The path is straight in every column but the energy, which energy over momentum replaces: so no mass becomes
    imaginary, and the column `energy` has what the mass contributes, while `pt` and `eta` move the energy along. With
    the energy itself, a light particle would have large contributions of pt and of energy that cancel. Everything is
    computed in float64.

    Args:
        objective: a trained classifier in evaluation mode.
        batch: the events.
        baseline: events with the topology of `batch` and other columns.
        features: names of the columns.
        output: column of the logits.
        n_step: points of the quadrature.

    Returns:
        Contributions of nodes `(total_node, node_dim)` and of globals `(n_graph, global_dim)`, and the gap of
        completeness `(n_graph,)`.
    """
    points, shares = np.polynomial.legendre.leggauss(n_step)
    starts = _with_ratio(baseline.nodes, features), baseline.globals
    ways = _with_ratio(batch.nodes, features) - starts[0], batch.globals - starts[1]
    sums = [torch.zeros_like(way, dtype=torch.float64) for way in ways]
    was_training = objective.training
    objective.eval()
    for point, share in zip((points + 1.0) / 2.0, shares / 2.0, strict=True):
        inputs = [
            (start + float(point) * way).detach().requires_grad_() for start, way in zip(starts, ways, strict=True)
        ]
        between = batch.replace(nodes=_with_energy(inputs[0], features), globals=inputs[1])
        slopes = torch.autograd.grad(_log_odds(objective, between, output).sum(), inputs, allow_unused=True)
        for added, slope, way in zip(sums, slopes, ways, strict=True):
            added += 0.0 if slope is None else float(share) * slope.double() * way.double()
    with torch.no_grad():
        difference = _log_odds(objective, batch, output) - _log_odds(objective, baseline, output)
    objective.train(was_training)
    added_up = segment_sum(sums[0], batch.graph_index, batch.n_graph).sum(dim=1) + sums[1].sum(dim=1)
    return sums[0], sums[1], added_up - difference


def _with_ratio(nodes: Tensor, features: Features) -> Tensor:
    """Energy over momentum in place of the energy; one where there is no momentum."""
    return _exchanged(nodes, features, lambda energy, momentum: torch.where(momentum > 0.0, energy / momentum, 1.0))


def _with_energy(nodes: Tensor, features: Features) -> Tensor:
    """The energy in place of energy over momentum."""
    return _exchanged(nodes, features, lambda ratio, momentum: ratio * momentum)


def _exchanged(nodes: Tensor, features: Features, function: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """Replaces the energy by a function of energy and momentum, where there are such columns."""
    if not {"pt", "eta", "energy"} <= set(features.nodes):
        return nodes
    pt, eta, energy = (features.column(name) for name in ("pt", "eta", "energy"))
    new = function(nodes[:, energy], nodes[:, pt] * torch.cosh(nodes[:, eta]))
    return torch.cat([nodes[:, :energy], new[:, None], nodes[:, energy + 1 :]], dim=1)


def _log_odds(objective: Supervised, batch: Batch, output: int) -> Tensor:
    """Log of p / (1 - p) of one column, `(n_graph,)`, in float64."""
    logits = objective.logits(batch).double()
    if objective.link == "sigmoid":
        return logits[:, output]
    others = torch.arange(logits.shape[1], device=logits.device) != output
    return logits[:, output] - torch.logsumexp(logits[:, others], dim=1)


def _place(objective: Supervised, output: str | None) -> int:
    """The column of the logits that belongs to an output; raises InputError where there is none."""
    names = objective.outputs()
    if output is not None and output not in names:
        raise InputError(f"The network answers nothing called {output}{suggest(output, names)}")
    return len(names) - 1 if output is None else names.index(output)


def _kinds(batch: Batch, features: Features) -> Tensor:
    """The type of each node `(total_node,)`, int64; all the same where there is no such column."""
    if FIXED not in features.nodes:
        return torch.zeros_like(batch.graph_index)
    return batch.nodes[:, features.column(FIXED)].long()


class _Pool:
    """Nodes of all batches by type, and their globals, for baselines to draw from."""

    def __init__(self, batches: Sequence[Batch], features: Features) -> None:
        nodes, kinds = torch.cat([one.nodes for one in batches]), torch.cat([_kinds(one, features) for one in batches])
        self.features, self.count = features, torch.bincount(kinds)
        self.nodes, self.globals = nodes[torch.argsort(kinds, stable=True)], torch.cat([one.globals for one in batches])
        self.n_type, self.types = len(self.count), torch.nonzero(self.count).squeeze(1).tolist()
        self.generator = torch.Generator().manual_seed(SEED)

    def drawn(self, batch: Batch) -> Batch:
        """The batch with other nodes of the same types and other globals."""
        kinds = _kinds(batch, self.features)
        first = segment_start(self.count)
        rows = first[kinds] + (self._uniform(kinds) * self.count[kinds]).long()
        graphs = (self._uniform(batch.n_node) * len(self.globals)).long()
        return batch.replace(nodes=self.nodes[rows], globals=self.globals[graphs])

    def _uniform(self, like: Tensor) -> Tensor:
        return torch.rand(len(like), generator=self.generator, dtype=torch.float64).to(like.device)


def _contribution(name: str, kind: int | None, each: Tensor, weights: NDArray[np.float64]) -> Contribution:
    values = each.numpy()
    return Contribution(name, kind, weighted_mean(np.abs(values), weights), weighted_mean(values, weights))
