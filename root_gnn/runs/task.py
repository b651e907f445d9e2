"""A downstream question: which events, which classes; and how a pretrained encoder is put to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from root_gnn.config.loader import load
from root_gnn.config.plugins import Family
from root_gnn.config.section import Section
from root_gnn.config.shipped import find
from root_gnn.data.events.config import DataConfig
from root_gnn.errors import InputError
from root_gnn.protocols import EncoderConfig, ObjectiveConfig
from root_gnn.runs.recipe import Name, Recipe, TrainingRecipe

Mode = Literal["finetuned", "frozen", "scratch"]
BACKBONE_SCALE = {"scratch": 1.0, "frozen": 0.0}


class Task(Section):
    """`configs/tasks/<name>.yaml`: the data, and an objective where it is not the one of `configs/finetune.yaml`."""

    name: Name
    data: DataConfig
    objective: Annotated[ObjectiveConfig, Family("objectives")] | None = None


def finetuning_recipe(
    task: str,
    *,
    mode: Mode,
    model: EncoderConfig | None,
    train_events: int | None = None,
    overrides: Sequence[str] = (),
) -> Recipe:
    """The recipe of one downstream training.

    Args:
        task: a name among the shipped tasks, or a path.
        mode: sets `optim.backbone_lr_scale`: scratch 1, frozen 0, finetuned what `configs/finetune.yaml` says.
        model: the encoder's section in the pretrained run; None takes that of `configs/finetune.yaml`.
        train_events: size of the training subset, in total over classes; None for all.
        overrides: `dotted.key=value`; those of `data`, and of an objective that the task has, belong to the task.

    Raises InputError where an override contradicts the mode.
    """
    if mode not in ("finetuned", "frozen", "scratch"):
        raise InputError(f"--mode must be finetuned, frozen or scratch, not {mode}")
    if model is not None and any(_section(override) == "model" for override in overrides):
        raise InputError(
            "the model is that of the pretrained run; --set model... only goes with --mode scratch and no --from"
        )
    path = find(task, "task")
    has_objective = load(Task, path, allow_dotted=True).objective is not None
    of_task = ("data", "objective") if has_objective else ("data",)
    for_task = [override for override in overrides if _section(override) in of_task]
    for_training = [override for override in overrides if _section(override) not in of_task]
    question = load(Task, path, for_task, allow_dotted=True)
    how = load(TrainingRecipe, find("finetune", "recipe"), for_training, allow_dotted=True)
    optim = how.optim
    scale_given = any(override.split("=")[0].strip() == "optim.backbone_lr_scale" for override in overrides)
    wanted = BACKBONE_SCALE.get(mode)
    if scale_given and (
        (wanted is not None and optim.backbone_lr_scale != wanted) or (wanted is None and optim.backbone_lr_scale == 0)
    ):
        raise InputError(
            f"--set optim.backbone_lr_scale={optim.backbone_lr_scale:g} contradicts --mode {mode}; "
            "scratch means 1, frozen 0, finetuned anything above 0"
        )
    if wanted is not None:
        optim = optim.model_copy(update={"backbone_lr_scale": wanted})
    data = question.data if train_events is None else question.data.model_copy(update={"train_events": train_events})
    name_given = any(_section(override) == "name" for override in overrides)
    size = f"_n{data.train_events}" if data.train_events is not None else ""
    return Recipe(
        name=how.name if name_given else f"{question.name}_{mode}{size}_s{how.seed}",
        seed=how.seed,
        data=data,
        model=model or how.model,
        objective=question.objective or how.objective,
        optim=optim,
        train=how.train,
    )


def _section(override: str) -> str:
    """The first key of `dotted.key=value`."""
    return override.partition("=")[0].partition(".")[0].strip()
