"""Feature importance by permutation: how much worse a network does when an input comes from other events.

Breiman 2001 (Machine Learning 45, 5); Fisher, Rudin and Dominici 2019, arXiv:1801.01489. An input that another one
repeats looks unimportant by itself: shuffle the two together to see what they hold (pt and energy, the columns of a b
tag). Shuffled inputs make events that do not exist, with masses that no event has; the drop says what this network
reads, not what physics needs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from root_gnn.analysis.claims import auc_by
from root_gnn.console import progress
from root_gnn.errors import InputError, suggest
from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.metrics.bootstrap import PairedDifference, Statistic, paired_difference
from root_gnn.protocols import Supervised
from root_gnn.training.evaluation import ModelOutputs, model_outputs


@dataclass(frozen=True)
class Importance:
    """How much a figure drops when `inputs` are shuffled.

    Attributes:
        name: the group of inputs.
        inputs: the columns that are shuffled together.
        node_type: the type of the nodes that are shuffled; None for all.
        drop: mean over shuffles of (original - shuffled) with its 68 % interval over events and shuffles; None if
            undefined.
    """

    name: str
    inputs: tuple[str, ...]
    node_type: int | None
    drop: PairedDifference | None


def permutation_importance(
    objective: Supervised,
    batches: Sequence[Batch],
    features: Features,
    *,
    groups: Mapping[str, Sequence[str]] | None = None,
    by_type: bool = False,
    metric: Statistic | None = None,
    n_repeat: int = 3,
    n_replica: int = 200,
    seed: int = 1,
) -> tuple[Importance, ...]:
    """Returns the drop of the AUC for each group of inputs, from labelled batches that are held in memory.

    Some thousand events are enough. Values of a node go to another node of the same type, in any event, and those of a
    graph to another graph; the columns of a group move together. The same shuffles are used for every network, so that
    groups can be compared between networks.

    Args:
        objective: a trained classifier in evaluation mode.
        batches: the events with their labels.
        features: names of the columns of the batches, those that the network was built for.
        groups: names of inputs, node features or globals, by the name of the group; every column by itself unless
            given.
        by_type: each group once for every node type, with only the nodes of that type shuffled; globals are then left
            out.
        metric: as in `paired_difference`, a function of the score `(n_event,)` of two classes, or of probabilities
            `(n_event, n_class)` of more.
        n_repeat: shuffles of each group.
        n_replica: bootstrap replicas.
        seed: seed of shuffles and replicas.

    Raises:
        InputError: for an objective without classes, for names that are no columns, and without batches.
    """
    if objective.link != "softmax":
        raise InputError(
            "The importance of inputs is measured on the AUC of classes, and this objective answers several yes-or-no "
            f"questions ({', '.join(objective.outputs())}). Finetune the network on a task with classes first."
        )
    if not batches:
        raise InputError("The importance of inputs takes at least one batch of labelled events and got none.")
    asked = _asked(features, groups, batches, by_type=by_type)
    nodes, globals_ = torch.cat([one.nodes for one in batches]), torch.cat([one.globals for one in batches])
    before = model_outputs(objective, batches)
    figure = auc_by(len(objective.outputs())) if metric is None else {"metric": metric}
    found = []
    with progress("importance of inputs", len(asked), "inputs") as meter:
        for name, inputs, node_type in asked:
            generator = np.random.default_rng(seed)  # the same for all: a group alone decides what is shuffled
            shuffled = []
            for _ in range(n_repeat):
                moved = _shuffled(nodes, globals_, features, inputs, node_type=node_type, generator=generator)
                shuffled.append(_scores(model_outputs(objective, _replaced(batches, *moved))))
            drop = paired_difference(
                np.stack([_scores(before)] * n_repeat),
                np.stack(shuffled),
                before.truth,
                before.weights,
                **{**figure, "n_replica": n_replica, "seed": seed},
            )
            found.append(Importance(name, inputs, node_type, drop))
            meter.advance(1)
    return tuple(found)


def _asked(
    features: Features,
    groups: Mapping[str, Sequence[str]] | None,
    batches: Sequence[Batch],
    *,
    by_type: bool,
) -> list[tuple[str, tuple[str, ...], int | None]]:
    """Returns name, inputs and node type of each group that is to be shuffled."""
    columns = (*features.nodes, *features.globals)
    chosen = (
        {name: (name,) for name in columns}
        if groups is None
        else {name: tuple(inputs) for name, inputs in groups.items()}
    )
    for name, inputs in chosen.items():
        unknown = next((one for one in inputs if one not in columns), None)
        if unknown is not None:
            raise InputError(f"The group {name} names {unknown}, which is no input{suggest(unknown, columns)}")
    if not by_type:
        return [(name, inputs, None) for name, inputs in chosen.items()]
    if "type" not in features.nodes:
        raise InputError("Importance by node type takes batches with a column type, and these have none.")
    column = features.column("type")
    types = sorted({int(one) for batch in batches for one in np.unique(batch.nodes[:, column].cpu().numpy())})
    own = {name: inputs for name, inputs in chosen.items() if set(inputs) <= set(features.nodes) - {"type"}}
    return [(name, inputs, kind) for kind in types for name, inputs in own.items()]


def _shuffled(
    nodes: Tensor,
    globals_: Tensor,
    features: Features,
    inputs: Sequence[str],
    *,
    node_type: int | None,
    generator: np.random.Generator,
) -> tuple[Tensor, Tensor]:
    """Returns all nodes and globals with the values of some inputs in another order.

    Args:
        nodes: `(total_node, node_dim)`.
        globals_: `(n_graph, global_dim)`.
        features: names of the columns.
        inputs: the columns to shuffle.
        node_type: the only type of node to shuffle; None for all.
        generator: source of the order.
    """
    of_node = [features.nodes.index(name) for name in inputs if name in features.nodes]
    of_graph = [features.globals.index(name) for name in inputs if name in features.globals]
    nodes, globals_ = nodes.clone(), globals_.clone()
    told_apart = "type" in features.nodes and "type" not in inputs
    kinds = nodes[:, features.column("type")] if told_apart else nodes.new_zeros(len(nodes))
    for kind in np.unique(kinds.cpu().numpy()) if node_type is None else [node_type]:
        rows = torch.nonzero(kinds == float(kind)).squeeze(1)
        order = rows[torch.from_numpy(generator.permutation(len(rows))).to(rows.device)]
        nodes[rows[:, None], of_node] = nodes[order[:, None], of_node]
    if of_graph:
        globals_[:, of_graph] = globals_[torch.from_numpy(generator.permutation(len(globals_))).to(globals_.device)][
            :, of_graph
        ]
    return nodes, globals_


def _replaced(batches: Sequence[Batch], nodes: Tensor, globals_: Tensor) -> list[Batch]:
    parts = (
        torch.split(nodes, [one.total_node for one in batches]),
        torch.split(globals_, [one.n_graph for one in batches]),
    )
    return [one.replace(nodes=node, globals=of_graph) for one, node, of_graph in zip(batches, *parts, strict=True)]


def _scores(found: ModelOutputs) -> NDArray[Any]:
    return found.probabilities[:, 1] if found.probabilities.shape[1] == 2 else found.probabilities
