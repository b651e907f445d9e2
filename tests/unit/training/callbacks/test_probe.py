"""The linear probe: what it finds, what it cannot, and that it never sees what it is judged on."""

from __future__ import annotations

import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

from root_gnn.graph.features import Features
from root_gnn.objectives.contrastive import Config
from root_gnn.protocols import Question
from root_gnn.testing import TinyEncoder, random_batch
from root_gnn.training.callbacks.probe import probe_auc
from root_gnn.training.module import TrainingModule, monitored_quantities
from root_gnn.training.optim import OptimConfig


def gaussians(n: int, shift: float, dim: int = 6, n_class: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    labels = torch.arange(n) % (2 * n_class) // 2  # both halves have every class
    rows = torch.randn(n, dim, generator=generator) * torch.logspace(-3, 3, dim)
    rows[torch.arange(n), labels % dim] += shift * torch.logspace(-3, 3, dim)[labels % dim]
    return rows, labels


def test_the_probe_agrees_with_a_logistic_regression() -> None:
    rows, labels = gaussians(4000, 1.0)
    areas = []
    for half in (0, 1):
        scaler = StandardScaler().fit(rows[half::2].numpy())
        fitted = LogisticRegression().fit(scaler.transform(rows[half::2].numpy()), labels[half::2].numpy())
        areas.append(
            roc_auc_score(
                labels[1 - half :: 2].numpy(), fitted.decision_function(scaler.transform(rows[1 - half :: 2].numpy()))
            )
        )
    assert probe_auc(rows, labels) == pytest.approx(sum(areas) / 2, abs=0.003)


def test_the_probe_is_judged_on_events_it_was_not_fitted_to() -> None:
    """With more features than events a probe judged on the events it was fitted to is always right, as JetCLR's was."""
    generator = torch.Generator().manual_seed(3)
    rows, labels = torch.randn(200, 400, generator=generator), torch.arange(200) % 4 // 2
    found = probe_auc(rows, labels)
    assert found is not None and 0.35 < found < 0.65


def test_more_classes_and_labels_that_are_missing_in_between() -> None:
    rows, labels = gaussians(600, 4.0, n_class=3)
    found, other = probe_auc(rows, labels), probe_auc(rows, labels * 5)
    assert found is not None and found > 0.95 and found == other


def test_no_figure_without_two_classes_or_events() -> None:
    rows, labels = gaussians(100, 1.0)
    assert probe_auc(rows, torch.zeros_like(labels)) is None and probe_auc(rows[:10], labels[:10]) is None
    assert probe_auc(torch.ones(100, 3), labels) == pytest.approx(0.5)


def test_the_probe_reads_the_backbone_and_no_gradient_comes_back() -> None:
    """A JetCLR descendant called the first layer of the projector "representation 0"."""
    objective = Config().build(TinyEncoder(Features()), Question())
    module = TrainingModule(objective, OptimConfig()).eval()
    batch = random_batch(Features(), (3, 5, 2), seed=1).replace(labels={"label": torch.tensor([0, 1, 0])})
    with torch.no_grad():
        found = module.validation_step(batch, 0)
    assert (
        torch.equal(found["representation"], objective.encoder(batch).globals)
        and not found["representation"].requires_grad
    )
    assert torch.equal(found["label"], batch.labels["label"])
    assert monitored_quantities(objective) == (
        "val/loss",
        "probe/auc",
        "ssl/feature_std",
        "ssl/cosine",
        "ssl/effective_rank",
        "ssl/uniformity",
        "ssl/alignment",
    )
