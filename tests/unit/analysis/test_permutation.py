"""Importance of inputs, of a network that is a formula: it reads the largest pt of an event and nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn

from root_gnn.analysis.permutation import permutation_importance
from root_gnn.errors import InputError
from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.segment import segment_sum
from root_gnn.heads.linear import Config as Linear
from root_gnn.protocols import Supervised

FEATURES = Features(nodes=("pt", "eta", "type"), globals=("n_node", "met"), n_type=2)


class Formula(Supervised):
    """Logits 0 and sum of a column over the nodes of type 1, plus `met` times a number."""

    link: Any = "softmax"

    def __init__(self, column: int = 0, met: float = 0.0, n_class: int = 2) -> None:
        super().__init__()
        self.column, self.met, self.n_class = column, met, n_class
        self.encoder = nn.Identity()  # type: ignore[assignment]
        self.head = Linear().build(1, n_class)

    def head_outputs(self, batch: Batch) -> Tensor:
        read = batch.nodes[:, self.column : self.column + 1] * (batch.nodes[:, 2:3] == 1)
        score = segment_sum(read, batch.graph_index, batch.n_graph) + self.met * batch.globals[:, 1:2]
        return score * torch.arange(self.n_class)

    def losses(self, answers: Tensor, batch: Batch) -> dict[str, Tensor]:
        return {"loss": answers.mean()}

    def outputs(self) -> tuple[str, ...]:
        return tuple("abcd"[: self.n_class])


def batches(n_batch: int = 3, n_graph: int = 200, *, gap: float = 1.0) -> list[Batch]:
    """One node of each type per event; the pt of type 1 and met are larger for signal, eta is noise."""
    generator, found = torch.Generator().manual_seed(1), []
    for _ in range(n_batch):
        label = torch.randint(2, (n_graph,), generator=generator)
        nodes = torch.randn(2 * n_graph, 3, generator=generator)
        nodes[:, 2] = torch.arange(2 * n_graph) % 2
        nodes[1::2, 0] += gap * label
        globals_ = torch.stack(
            [torch.full((n_graph,), 2.0), torch.randn(n_graph, generator=generator) + gap * label], dim=1
        )
        count = torch.full((n_graph,), 2)
        weights = torch.rand(n_graph, generator=generator) + torch.where(torch.arange(n_graph) % 9 == 1, -1.0, 0.5)
        found.append(Batch.of(nodes, count, globals=globals_, labels={"label": label}, weights=weights))
    return found


def test_only_what_is_read_matters() -> None:
    events = batches()
    found = {one.name: one.drop for one in permutation_importance(Formula(), events, FEATURES, n_replica=40)}
    assert set(found) == {"pt", "eta", "type", "n_node", "met"}
    assert all(found[name][:3] == (0.0, 0.0, 0.0) for name in ("eta", "n_node", "met"))
    assert found["pt"].excludes_zero
    assert 0.15 < found["pt"].mean < 0.35, "from an AUC of 0.76 to one half"
    assert found["type"].excludes_zero, "shuffled among all nodes"


def test_the_drop_is_that_of_aucs_by_hand() -> None:
    events = [one.replace(weights=None) for one in batches()]
    drop = permutation_importance(
        Formula(), events, FEATURES, groups={"pt": ("pt",)}, n_repeat=1, n_replica=10, seed=5
    )[0].drop
    pt, kind = (
        torch.cat([one.nodes[:, 0] for one in events]).numpy(),
        torch.cat([one.nodes[:, 2] for one in events]).numpy(),
    )
    label = torch.cat([one.labels["label"] for one in events]).numpy()
    generator = np.random.default_rng(5)
    generator.permutation(len(label))  # nodes of type 0
    moved = pt[kind == 1][generator.permutation(len(label))]
    assert drop.mean == pytest.approx(roc_auc_score(label, pt[kind == 1]) - roc_auc_score(label, moved), abs=1e-6)


def test_by_type_only_the_nodes_of_a_type_are_shuffled() -> None:
    found = permutation_importance(Formula(), batches(), FEATURES, by_type=True, n_replica=20)
    assert [(one.name, one.node_type) for one in found] == [("pt", 0), ("eta", 0), ("pt", 1), ("eta", 1)]
    assert [one.drop.mean != 0.0 for one in found] == [False, False, True, False]


def test_groups_move_together_and_networks_see_the_same_shuffles() -> None:
    events, groups = batches(), {"all": ("pt", "met"), "pt": ("pt",)}
    both = permutation_importance(Formula(met=1.0), events, FEATURES, groups=groups, n_replica=20)
    assert both[0].drop.mean > both[1].drop.mean
    again = permutation_importance(Formula(), events, FEATURES, groups={"pt": ("pt",)}, n_replica=20)
    assert again == permutation_importance(Formula(), events, FEATURES, groups={"pt": ("pt",)}, n_replica=20)


def test_more_classes_have_the_mean_auc_over_pairs() -> None:
    found = permutation_importance(
        Formula(n_class=3),
        [
            one.replace(labels={"label": one.labels["label"] + (torch.arange(one.n_graph) % 5 == 0)})
            for one in batches()
        ],
        FEATURES,
        groups={"pt": ("pt",)},
        n_replica=20,
    )
    assert found[0].drop.mean > 0.05


def test_the_interval_holds_the_truth() -> None:
    """An input that is noise drops nothing when it is shuffled, give or take the chance of events."""

    class Noise(Formula):
        def head_outputs(self, batch: Batch) -> Tensor:
            return super().head_outputs(batch) + torch.stack([torch.zeros(batch.n_graph), batch.nodes[::2, 1]], dim=1)

    inside = 0
    for seed in range(40):
        generator = torch.Generator().manual_seed(seed)
        (event,) = batches(1, 60)
        nodes = torch.cat([torch.randn(120, 2, generator=generator), event.nodes[:, 2:]], dim=1)
        label = torch.randint(2, (60,), generator=generator)
        event = event.replace(nodes=nodes, labels={"label": label}, weights=None)
        drop = permutation_importance(Noise(), [event], FEATURES, groups={"eta": ("eta",)}, n_replica=60, seed=seed)[
            0
        ].drop
        inside += drop.low <= 0.0 <= drop.high
    assert 20 <= inside <= 38


def test_what_can_not_be_asked_is_explained() -> None:
    class Labels(Formula):
        link: Any = "sigmoid"

    with pytest.raises(InputError, match="yes-or-no questions"):
        permutation_importance(Labels(), batches(), FEATURES)
    with pytest.raises(InputError, match="names ppt, which is no input"):
        permutation_importance(Formula(), batches(), FEATURES, groups={"momentum": ("ppt",)})
    with pytest.raises(InputError, match="got none"):
        permutation_importance(Formula(), [], FEATURES)
    with pytest.raises(InputError, match="a column type"):
        permutation_importance(
            Formula(), batches(), Features(nodes=("pt", "eta", "mass"), globals=("n_node", "met")), by_type=True
        )
