"""The conformance check of augmentations."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.random_stream import RandomStream
from root_gnn.graph.segment import segment_sum
from root_gnn.kinematics.pairs import KNOWN, pair_features
from root_gnn.protocols import Augmentation
from root_gnn.testing.assertions import (
    require,
    require_same,
    tensor_values,
)
from root_gnn.testing.batches import (
    QUESTION,
    SIZES,
    collimated,
    double_precision,
    random_batch,
)


def check_augmentation(build: Callable[[Features], Augmentation], *, features: Features | None = None) -> None:
    """Checks the contract of `protocols.Augmentation`, on events and on jets.

    The input is unchanged; the same random stream gives the same bits, another epoch, view or seed gives others; the
    result for an event depends neither on its position in the batch nor on the other events; labels, weights and ids
    stay with their graphs, and no graph loses its last node; `invariants` hold to 1e-5. Raises AssertionError.
    """
    features = features or Features()
    augmentation = build(features)
    events = random_batch(features, SIZES * 8, seed=1, question=QUESTION)
    for batch, meant in ((events, not augmentation.jets_only), (collimated(events, features), True)):
        out = _check_pure(augmentation, batch)
        _check_augmented(batch, out, features)
        if meant:
            exact = double_precision(batch)  # single precision says little about pairs that are close
            _check_invariants(
                augmentation.invariants, exact, augmentation(exact, RandomStream(seed=1, epoch=2)), features
            )


def _check_pure(augmentation: Augmentation, batch: Batch) -> Batch:
    draws = RandomStream(seed=1, epoch=2)
    before = tensor_values(batch)
    out = augmentation(batch, draws)
    require_same("the input batch was changed", before, tensor_values(batch), 0.0)
    require_same(
        "the same random stream gives another result",
        tensor_values(out),
        tensor_values(augmentation(batch, draws)),
        0.0,
    )
    for text, other in (
        ("epoch", RandomStream(seed=1, epoch=3)),
        ("view", RandomStream(seed=1, epoch=2, view=1)),
        ("seed", RandomStream(seed=2, epoch=2)),
    ):
        changed = augmentation(batch, other)
        same = all(
            a.shape == b.shape and torch.equal(a, b)
            for a, b in zip(tensor_values(out), tensor_values(changed), strict=True)
        )
        require(not same, f"another {text} gives the same result")
    some = torch.randperm(batch.n_graph, generator=torch.Generator().manual_seed(3))
    for chosen in (some[: batch.n_graph // 2], *torch.arange(len(SIZES)).unsqueeze(1)):
        text = "the result for a graph depends on its position or on the other graphs"
        alone = tensor_values(augmentation(batch.select(chosen), draws))
        require_same(text, tensor_values(out.select(chosen)), alone, 0.0)
    return out


def _check_augmented(batch: Batch, out: Batch, features: Features) -> None:
    out.check()
    require(out.n_graph == batch.n_graph, "the number of graphs changed")
    require(out.nodes.shape[1] == batch.nodes.shape[1], "the number of node columns changed")
    require(torch.equal(out.n_node > 0, batch.n_node > 0), "a graph lost its last node, or one without nodes got some")
    kept = all(
        a is not None and b is not None and torch.equal(a, b)
        for a, b in ((out.ids, batch.ids), (out.weights, batch.weights))
    )
    require(kept, "ids or weights changed")
    require(set(out.labels) == set(batch.labels), "labels were lost or added")
    if "phi" in features.nodes:
        require(bool((out.nodes[:, features.column("phi")].abs() <= torch.pi + 1e-5).all()), "phi left [-pi, pi]")
    if "n_node" in features.globals:
        counted = out.globals[:, features.globals.index("n_node")]
        require(torch.equal(counted, out.n_node.to(counted.dtype)), "the global n_node is not the number of nodes")


def _check_invariants(names: Sequence[str], batch: Batch, out: Batch, features: Features) -> None:
    kinematic = [features.column(name) for name in ("pt", "eta", "phi", "energy")]
    senders, receivers = batch.edge_index()
    same_nodes = torch.equal(out.n_node, batch.n_node)
    for name in names:
        total = name.removeprefix("sum_")
        if total != name:
            before, after = (
                segment_sum(x.nodes[:, [features.column(total)]].double(), x.graph_index, x.n_graph)
                for x in (batch, out)
            )
        elif name in features.nodes:
            column = features.column(name)
            before, after = batch.nodes[:, column], out.nodes[:, column]
            if not same_nodes:  # every value is one that a node of this graph had
                before = _nearest(after, out, before, batch)
        elif name in KNOWN and same_nodes:
            before, after = (
                pair_features(x.nodes[senders][:, kinematic], x.nodes[receivers][:, kinematic], [name])[:, 0]
                for x in (batch, out)
            )
        else:
            continue  # a column of other data than these
        difference = (
            torch.remainder(after - before + torch.pi, 2 * torch.pi) - torch.pi if "phi" in name else after - before
        )
        require(
            bool((difference.abs() <= 1e-5 * (1.0 + before.abs())).all()), f"{name} is declared invariant and changed"
        )


def _nearest(values: Tensor, out: Batch, before: Tensor, batch: Batch) -> Tensor:
    distance = (values.unsqueeze(1) - before.unsqueeze(0)).abs()
    distance[out.graph_index.unsqueeze(1) != batch.graph_index.unsqueeze(0)] = torch.inf
    return before[distance.argmin(dim=1)]
