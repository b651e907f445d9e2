"""From a task and a mode to a recipe."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from root_gnn.errors import InputError
from root_gnn.models import deep_sets
from root_gnn.runs.task import Mode, finetuning_recipe


def recipe(mode: Any = "finetuned", **keys: Any) -> Any:
    return finetuning_recipe("WHvsZH", mode=mode, model=keys.pop("model", None), **keys)


@pytest.mark.parametrize(("mode", "scale"), [("scratch", 1.0), ("frozen", 0.0), ("finetuned", 0.1)])
def test_a_mode_is_the_rate_of_the_backbone(mode: str, scale: float) -> None:
    made = recipe(mode, train_events=40)
    assert made.optim.backbone_lr_scale == pytest.approx(scale)
    assert made.name == f"WHvsZH_{mode}_n40_s1" and made.data.train_events == 40
    assert mode in get_args(Mode)


@pytest.mark.parametrize(("mode", "override"), [("scratch", "0.5"), ("frozen", "0.1"), ("finetuned", "0")])
def test_a_rate_that_contradicts_the_mode_is_refused(mode: str, override: str) -> None:
    with pytest.raises(InputError, match=f"contradicts --mode {mode}"):
        recipe(mode, overrides=(f"optim.backbone_lr_scale={override}",))


def test_the_pretrained_model_is_taken_and_cannot_be_changed() -> None:
    model = deep_sets.Config()
    assert recipe(model=model).model is model
    with pytest.raises(InputError, match="the model is that of the pretrained run"):
        recipe(model=model, overrides=("model.dim=8",))


def test_overrides_reach_their_section_and_unknown_modes_are_refused() -> None:
    made = recipe("scratch", overrides=("seed=7", "data.max_events=10", "name=mine"))
    assert (made.seed, made.data.max_events, made.name) == (7, 10, "mine")
    with pytest.raises(InputError, match="--mode must be finetuned, frozen or scratch, not cold"):
        recipe("cold")


def test_a_task_with_an_objective_of_its_own_keeps_it() -> None:
    made = finetuning_recipe("HH4b", mode="scratch", model=None)
    assert made.objective != recipe("scratch").objective
