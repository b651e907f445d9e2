"""The classification loss against its formula in float64, event by event."""

from __future__ import annotations

import math

import pytest
import torch

from root_gnn.errors import InputError
from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.scaling import Affine, Scaling
from root_gnn.heads.linear import Config as Linear
from root_gnn.objectives.multiclass import Config, Multiclass
from root_gnn.protocols import Question
from root_gnn.testing import QUESTION, TinyEncoder, random_batch


def objective(smoothing: float = 0.0) -> Multiclass:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return Config(head=Linear(), label_smoothing=smoothing).build(TinyEncoder(Features()), QUESTION)


def batch() -> Batch:
    return random_batch(Features(), (3, 1, 0, 4, 2, 6), seed=1, question=QUESTION)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weighted", [True, False])
def test_loss_is_the_formula(smoothing: float, weighted: bool) -> None:
    this, events = objective(smoothing), batch()
    assert events.weights is not None and bool((events.weights < 0).any())
    weights = events.weights.tolist() if weighted else [1.0] * events.n_graph
    if not weighted:
        events = events.replace(weights=None)
    total = 0.0
    for logits, label, weight in zip(
        this.logits(events).tolist(), events.labels["label"].tolist(), weights, strict=True
    ):
        norm = math.log(sum(math.exp(x) for x in logits))
        target = [(1 - smoothing) * (k == label) + smoothing / 3 for k in range(3)]
        total += weight * sum(t * (norm - x) for t, x in zip(target, logits, strict=True))
    assert this(events)["loss"].item() == pytest.approx(total / events.n_graph, rel=1e-5, abs=1e-6)


def test_negative_weights_push_the_other_way() -> None:
    this, events = objective(), batch()
    assert events.weights is not None
    this(events)["loss"].backward()
    gradient = this.head.out.weight.grad.clone()
    this.zero_grad()
    this(events.replace(weights=-events.weights))["loss"].backward()
    torch.testing.assert_close(this.head.out.weight.grad, -gradient)


def test_outputs_are_the_classes() -> None:
    assert objective().outputs() == ("first", "second", "third")
    assert objective().link == "softmax"
    assert objective().logits(batch()).shape == (6, 3)


@pytest.mark.parametrize("classes", [(), ("only",)])
def test_one_class_is_no_question(classes: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match=f"at least two classes.*there are {len(classes)}"):
        Config(head=Linear()).build(TinyEncoder(Features()), Question(classes=classes))


def test_high_level_features_stand_scaled_beside_the_representation() -> None:
    features = Features(globals=("n_node", "mass"))
    scaling = Scaling(globals={"n_node": Affine("linear", 2.0, 4.0), "mass": Affine("linear", 100.0, 50.0)})
    question = Question(classes=("a", "b"), features=features, scaling=scaling)
    encoder = TinyEncoder(features)
    plain, both = (Config(head=Linear(), beside=beside).build(encoder, question) for beside in (False, True))
    events = Batch.of(torch.rand(5, 7) + 1.0, torch.tensor([2, 3]), globals=torch.tensor([[2.0, 150.0], [3.0, 50.0]]))
    torch.testing.assert_close(both.encoded(events).globals[:, encoder.dim :], torch.tensor([[0.0, 1.0], [0.25, -1.0]]))
    torch.testing.assert_close(both.encoded(events).globals[:, : encoder.dim], plain.encoded(events).globals)
    assert both.head_outputs(events).shape == (2, 2)
