"""A recipe: one YAML, one run."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from root_gnn.config.plugins import Family
from root_gnn.config.section import Section
from root_gnn.data.events.config import DataConfig
from root_gnn.protocols import EncoderConfig, ObjectiveConfig
from root_gnn.training.config import TrainConfig
from root_gnn.training.optim import OptimConfig

Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.+-]*$")]
Seed = Annotated[int, Field(ge=0, lt=2**31)]


class TrainingRecipe(Section):
    """How to train, without saying on what: `configs/finetune.yaml`, which a task completes."""

    name: Name
    seed: Seed = 1
    model: Annotated[EncoderConfig, Family("models")]
    objective: Annotated[ObjectiveConfig, Family("objectives")]
    optim: OptimConfig = OptimConfig()
    train: TrainConfig = TrainConfig()


class Recipe(TrainingRecipe):
    """Everything a run needs: `name, seed, data, model, objective, optim, train`."""

    data: DataConfig
