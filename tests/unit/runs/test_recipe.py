"""Recipes: every shipped one is valid, and names of runs are names of folders."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter, ValidationError

from root_gnn.config.loader import load
from root_gnn.config.shipped import shipped_folder
from root_gnn.runs.recipe import Name, Recipe, Seed, TrainingRecipe

RECIPES = sorted(path for path in shipped_folder("recipe").glob("*.yaml") if path.stem != "finetune")


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_shipped_recipe_is_one(path: object) -> None:
    recipe = load(Recipe, path)
    assert recipe.name == path.stem  # type: ignore[attr-defined]


def test_the_recipe_of_finetuning_has_no_data() -> None:
    recipe = load(TrainingRecipe, shipped_folder("recipe") / "finetune.yaml")
    assert recipe.optim.backbone_lr_scale == pytest.approx(0.1)


@pytest.mark.parametrize("name", ["", "../up", ".hidden", "a b", "-x", "a/b"])
def test_names_that_are_no_folder_are_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Name).validate_python(name)


def test_seeds_are_whole_and_in_range() -> None:
    assert TypeAdapter(Seed).validate_python(2**31 - 1) == 2**31 - 1
    with pytest.raises(ValidationError):
        TypeAdapter(Seed).validate_python(-1)
