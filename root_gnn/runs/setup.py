"""Everything one training needs, built and checked before its first step."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.utils.data import DataLoader

from root_gnn.atomic import write_json, write_text
from root_gnn.config.loader import to_yaml
from root_gnn.data.events.loader import EventLoader, evaluation_loader, train_loader
from root_gnn.data.events.resimulations import partners
from root_gnn.data.events.splits import Splits, split_table, subset
from root_gnn.data.events.table import EventTable, open_table
from root_gnn.data.events.weights import training_weights
from root_gnn.data.events.whole_events import WholeEvents
from root_gnn.errors import InputError, suggest
from root_gnn.graph.batch import Batch
from root_gnn.graph.scaling import Scaling
from root_gnn.graph.static import Shape
from root_gnn.protocols import Encoder, Head, Objective, Supervised
from root_gnn.runs.build import build_objective, data_folder
from root_gnn.runs.recipe import Recipe
from root_gnn.runs.run import Run
from root_gnn.runs.versions import versions
from root_gnn.training.fit import FitResult, fit
from root_gnn.training.module import monitored_quantities
from root_gnn.training.plan import Plan, load_backbone
from root_gnn.training.processes import processes
from root_gnn.typing import Index

N_SCALING_EVENT = 50_000
VALIDATION_BATCH = 1024


class TrainingSetup:
    """Everything one training needs, built and checked before the first step.

    Args:
        recipe: the resolved recipe.
        data_dir: where data paths start.
        mode: `scratch`, `finetuned` or `frozen`.
        source: the pretrained run; None for none.
        beside: the recipe's path, next to which its spec is looked for.

    Attributes:
        recipe: the resolved recipe.
        table: the events.
        splits: events of the recipe's splits, all of them.
        indices: rows of the events of each split, after the training subset is drawn.
        objective: the objective with its initial weights.
        plan: which weights are loaded, new and frozen.
    """

    def __init__(
        self,
        recipe: Recipe,
        *,
        data_dir: Path | str | None,
        mode: str = "scratch",
        source: Run | None = None,
        beside: Path | None = None,
    ) -> None:
        self.recipe, self.source = recipe, source
        self.table: EventTable = open_table(
            recipe.data,
            data_folder(data_dir),
            beside=beside,
            whole_events=recipe.objective.whole_events,
        )
        self.spec = self.table.spec
        if source is not None and source.spec.features() != self.spec.features():
            raise InputError(
                f"the spec of {source.name} describes other node features than the task's: "
                f"{source.spec.features()} and {self.spec.features()}; finetune on files read with the same features"
            )
        splits = self.splits = split_table(self.table, recipe.data.split)
        self.whole = WholeEvents.of(self.table) if recipe.objective.whole_events else None
        if self.whole is not None:
            splits = Splits(*map(self.whole.leading, (splits.train, splits.validation, splits.test)))
        n_train = recipe.data.train_events
        train = splits.train if n_train is None else subset(self.table, splits.train, n_train, recipe.seed)
        self.indices: dict[str, Index] = {"train": train, "validation": splits.validation, "test": splits.test}
        for name, index in self.indices.items():
            if len(index) == 0:
                raise InputError(
                    f"the {name} split has no events; there are {len(self.table)} in all: "
                    "read more, or change data.split"
                )
        self.scaling = self._fitted_scaling() if source is None or mode == "scratch" else source.scaling
        self.objective: Objective = build_objective(recipe, self.spec, self.scaling, self.table.truth)
        if isinstance(self.objective, Supervised):
            self.table.check_labels()
        self.partner = partners(self.table) if self.objective.paired else None
        self.shape = self._static_shape()
        if recipe.train.compile and (why := _varying_shapes(self.objective.encoder)):
            raise InputError(
                f"train.compile is true, but {why}, so that it would be compiled again and again. Leave it out."
            )
        if recipe.train.compile and recipe.train.strategy == "fsdp":
            raise InputError(
                "train.compile is true and train.strategy fsdp: what is compiled needs its "
                "weights whole. Leave one out."
            )
        self.objective.prepare(evaluation_loader(self.table, self._some_training_events(), 1024, whole=self.whole))
        if recipe.train.monitor not in monitored_quantities(self.objective):
            raise InputError(
                f"train.monitor is {recipe.train.monitor}, which this objective does not measure"
                f"{suggest(recipe.train.monitor, monitored_quantities(self.objective))}"
            )
        skipped: tuple[str, ...] = ()
        checkpoint = source.checkpoint if source is not None and mode != "scratch" else None
        if checkpoint is not None:
            skipped = load_backbone(self.objective.encoder, checkpoint)
        self.plan = Plan.of(
            self.objective,
            recipe.optim,
            mode=mode,
            source=checkpoint,
            skipped=skipped,
            events={name: len(index) for name, index in self.indices.items()},
        )

    def _fitted_scaling(self) -> Scaling:
        return Scaling.fit(
            evaluation_loader(self.table, self._some_training_events(), 1024, whole=self.whole), self.spec.features()
        )

    def _some_training_events(self) -> Index:
        return np.sort(np.random.default_rng(self.recipe.seed).permutation(self.indices["train"])[:N_SCALING_EVENT])

    def training_batches(self, rank: int = 0, world: int = 1) -> EventLoader:
        """One process's training batches; weights average to one in each class of the training events."""
        return train_loader(
            self.table,
            self.indices["train"],
            self.recipe.train.batch_size // self.recipe.train.accumulate,
            seed=self.recipe.seed,
            weights=self._weights(),
            rank=rank,
            world=world,
            window=self.recipe.data.window,
            n_worker=self.recipe.data.n_worker,
            pin_memory=torch.cuda.is_available(),
            partner=self.partner,
            whole=self.whole,
        )

    def validation_batches(self) -> DataLoader[Batch]:
        """Returns all validation events, with signed weights on the scale of the training events."""
        signed = np.copysign(self._weights(), self.table.weight).astype(np.float32)
        return evaluation_loader(
            self.table,
            self.indices["validation"],
            VALIDATION_BATCH,
            weights=signed,
            partner=self.partner,
            whole=self.whole,
        )

    def _weights(self) -> NDArray[np.float32]:
        return training_weights(self.table, self.indices["train"], self.recipe.data.weights)

    def write_down(self, folder: Path) -> None:
        """The files that make the run repeatable; `config.yaml` last, so that where it is the others are too."""
        folder.mkdir(parents=True, exist_ok=True)
        write_text(folder / "spec.yaml", to_yaml(self.spec))
        self.scaling.save(folder / "scaling.json")
        self.plan.save(folder / "plan.json")
        write_json(folder / "versions.json", versions())
        write_text(folder / "config.yaml", to_yaml(self.recipe))

    def fit(self, folder: Path, *, resume: bool) -> FitResult:
        """Trains, and leaves the objective with the best weights."""
        features = self.spec.features()
        augmentations = [config.build(features) for config in self.recipe.data.augmentations]
        rows = self.indices["train"] if self.whole is None else self.whole.all_rows(self.indices["train"])
        return fit(
            self.objective,
            self.training_batches,
            self.validation_batches(),
            train=self.recipe.train,
            optim=self.recipe.optim,
            augmentations=augmentations,
            seed=self.recipe.seed,
            folder=folder,
            name=self.recipe.name,
            n_graph=len(rows),
            resume=resume,
            shape=self.shape,
        )

    def trained(self) -> Objective:
        """Returns the trained objective as `load_run` reads it: on the CPU, in single precision, in evaluation mode."""
        return self.objective.cpu().float().eval().requires_grad_(False)

    def _static_shape(self) -> Shape | None:
        """Returns the shape that batches are padded to, or None.

        Raises InputError where the network needs varying shapes.
        """
        train = self.recipe.train
        if not train.static_shapes:
            return None
        why = _varying_shapes(self.objective.encoder) or _varying_shapes(getattr(self.objective, "head", None))
        why = why or ("the head answers for whole events" if self.whole is not None else "")
        why = why or (
            "the objective compares graphs without labels" if not isinstance(self.objective, Supervised) else ""
        )
        if why:
            raise InputError(
                f"train.static_shapes is true, but {why}, so that padding would not keep its "
                "steps the same. Leave it out."
            )
        n_graph = -(-train.batch_size // (train.accumulate * math.prod(processes(train))))
        n_node = self.table.n_node[self.indices["train"]]
        return Shape.of(torch.from_numpy(n_node[n_node > 0].astype(np.int64)), n_graph)


def _varying_shapes(part: nn.Module | None) -> str:
    """Why a part of the network can't be captured once for all batches; empty where it can."""
    if not isinstance(part, Encoder | Head) or part.fixed_shapes:
        return ""
    return (
        f"{type(part).__module__.rpartition('.')[2]} works on tensors whose shapes change with the sizes of the graphs"
    )
