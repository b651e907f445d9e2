"""The question and the network of a recipe: classes, truth, and weights of the seed alone."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from root_gnn.graph.scaling import Scaling
from root_gnn.runs.build import build_objective, data_folder, question
from root_gnn.runs.run import Run


def test_data_are_looked_for_as_given_then_where_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ROOT_GNN_DATA", raising=False)
    assert data_folder(None) == Path() and data_folder("a") == Path("a")
    monkeypatch.setenv("ROOT_GNN_DATA", "b")
    assert data_folder(None) == Path("b") and data_folder("a") == Path("a")


def test_the_question_has_the_classes_of_the_recipe(seeds: list[Run]) -> None:
    run = seeds[0]
    asked = question(run.recipe.data, run.spec, run.scaling)
    assert asked.classes == tuple(run.recipe.data.classes)
    assert asked.features == run.spec.features() and asked.scaling == run.scaling
    assert question(run.recipe.data, run.spec).scaling == Scaling()


def test_weights_follow_the_seed_and_leave_the_generator_alone(seeds: list[Run]) -> None:
    run = seeds[0]
    other = run.recipe.model_copy(update={"seed": 2})
    state = torch.get_rng_state()
    first, again = (build_objective(run.recipe, run.spec, run.scaling).state_dict() for _ in range(2))
    second = build_objective(other, run.spec, run.scaling).state_dict()
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], second[name]) for name in first)
