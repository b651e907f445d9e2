"""Outputs of a supervised objective on a split, and the figures made of them, against their definitions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from root_gnn.graph.features import Features
from root_gnn.heads import linear
from root_gnn.metrics.auc import auc
from root_gnn.objectives import multiclass, multilabel
from root_gnn.protocols import Question, Supervised
from root_gnn.testing import QUESTION, TinyEncoder, random_batch
from root_gnn.training.evaluation import ModelOutputs, figures, model_outputs, probabilities_of, quick_figures

TWO = Question(classes=("b", "s"), truth=QUESTION.truth, features=Features())


def objective_of(name: str) -> Supervised:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        plugin: Any = {"multiclass": multiclass, "multilabel": multilabel}[name]
        section = plugin.Config(head=linear.Config())
        built: Supervised = section.build(TinyEncoder(Features()), TWO)
    return built


def outputs_of(objective: Supervised, n_batch: int = 3) -> ModelOutputs:
    batches = [random_batch(Features(), [2, 3, 1, 4] * 5, seed=seed, question=TWO) for seed in range(n_batch)]
    return model_outputs(objective, batches)


def test_outputs_are_in_the_order_of_the_batches_and_leave_the_mode() -> None:
    objective = objective_of("multiclass").train()
    found = outputs_of(objective)
    assert objective.training and found.n_event == 60
    batch = random_batch(Features(), [2, 3, 1, 4] * 5, seed=1, question=TWO)
    with torch.no_grad():
        expected = torch.softmax(objective.eval().head_outputs(batch).double(), dim=1)
    np.testing.assert_allclose(found.probabilities[20:40], expected.numpy(), rtol=1e-6)
    np.testing.assert_array_equal(found.truth[20:40], batch.labels["label"].numpy())


@pytest.mark.parametrize("name", ["multiclass", "multilabel"])
def test_probabilities_follow_the_link(name: str) -> None:
    objective = objective_of(name).eval()
    with torch.no_grad():
        outputs = objective.head_outputs(random_batch(Features(), [2, 3, 1], seed=1, question=TWO))
    found, logits = probabilities_of(objective, outputs).numpy(), objective.logits_of(outputs).double().numpy()
    assert found.shape == (3, len(objective.outputs()))
    if name == "multiclass":
        np.testing.assert_allclose(found, np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), rtol=1e-12)
    else:
        np.testing.assert_allclose(found, 1.0 / (1.0 + np.exp(-logits)), rtol=1e-12)


def test_figures_of_two_classes_are_those_of_the_metrics() -> None:
    objective = objective_of("multiclass")
    found = outputs_of(objective)
    entry, area = figures(found, objective), auc(found.probabilities[:, 1], found.truth, found.weights)
    assert area is not None and entry["auc"] == pytest.approx(area.value) and entry["n_events"] == 60
    assert quick_figures(found, objective)["auc"] == pytest.approx(area.value)


def test_figures_of_labels_are_means_over_labels() -> None:
    objective = objective_of("multilabel")
    found = outputs_of(objective)
    entry = figures(found, objective)
    defined = [label["auc"] for label in entry["labels"].values() if label["auc"] is not None]
    assert set(entry["labels"]) == set(objective.outputs())
    assert entry["auc"] == pytest.approx(np.mean(defined))
