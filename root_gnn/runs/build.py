"""Builds the question and the network of a run from its recipe, spec and scaling."""

from __future__ import annotations

import os
from pathlib import Path

import torch

from root_gnn.data.events.config import DataConfig
from root_gnn.data.spec.spec import Spec
from root_gnn.graph.scaling import Scaling
from root_gnn.protocols import Objective, Question
from root_gnn.runs.recipe import Recipe


def data_folder(given: Path | str | None) -> Path:
    """Returns the folder where data paths start: as given, else `ROOT_GNN_DATA`, else the current folder."""
    return Path(given if given is not None else os.environ.get("ROOT_GNN_DATA", "."))


def question(
    data: DataConfig, spec: Spec, scaling: Scaling | None = None, truth: tuple[str, ...] | None = None
) -> Question:
    """Returns the classes, truth columns and features that an objective can use.

    `truth` names the truth columns that every file has, by default all of the spec.
    """
    classes = tuple(data.classes) if data.classes else spec.label.names if spec.label else ()
    columns = tuple(spec.truth) if truth is None else truth
    return Question(classes=classes, truth=columns, features=spec.features(), scaling=scaling or Scaling())


def build_objective(recipe: Recipe, spec: Spec, scaling: Scaling, truth: tuple[str, ...] | None = None) -> Objective:
    """Builds a new objective around a new encoder; the initial weights depend on the recipe's seed alone.

    Raises InputError where it needs a truth column that is not in `truth`, by default all of the spec.
    """
    with torch.random.fork_rng():
        torch.manual_seed(recipe.seed)
        return recipe.objective.build(
            recipe.model.build(spec.features(), scaling), question(recipe.data, spec, scaling, truth)
        )
