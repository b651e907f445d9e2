"""From a recipe to a finished run: prepare, build, train, evaluate, write everything down."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from collections.abc import Collection, Sequence
from importlib import metadata
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader

from root_gnn import __version__
from root_gnn.atomic import write_json, write_text
from root_gnn.config.loader import load, to_yaml
from root_gnn.config.shipped import find
from root_gnn.config.yaml import read_document
from root_gnn.console import log
from root_gnn.data.cache import Shard
from root_gnn.data.loader import EventLoader, evaluation_loader, train_loader
from root_gnn.data.prepare import prepare as prepare_files
from root_gnn.data.spec import load_spec
from root_gnn.data.splits import split_table, subset
from root_gnn.data.table import EventTable, open_table
from root_gnn.data.weights import training_weights
from root_gnn.errors import InputError
from root_gnn.evaluation import evaluate
from root_gnn.graph.batch import Batch
from root_gnn.graph.scaling import Scaling
from root_gnn.protocols import Encoder, Objective
from root_gnn.recipe import Recipe
from root_gnn.run import RUNS, Run, build, data_folder, load_run
from root_gnn.task import Mode, Task, finetuning_recipe
from root_gnn.training.fit import Fitted, fit
from root_gnn.training.plan import Plan, load_backbone

N_SCALING_EVENT = 50_000
VALIDATION_BATCH = 1024
DEFAULT_PRETRAINED = RUNS / "pretrain_multiclass"
Index = NDArray[np.int64]


class Workbench:
    """Everything one training needs, built and checked before the first step.

    Attributes:
        recipe: the resolved recipe.
        table: the events.
        indices: positions of the events of each split, the training subset already drawn.
        objective: with its initial weights.
        plan: what was loaded, is new, is frozen.
    """

    def __init__(self, recipe: Recipe, *, data_dir: Path | str | None, mode: str = "scratch", source: Run | None = None) -> None:
        self.recipe, self.source = recipe, source
        self.table: EventTable = open_table(recipe.data, data_folder(data_dir))
        self.spec = self.table.spec
        if source is not None and source.spec.features() != self.spec.features():
            raise InputError(f"the spec of {source.name} describes other node features than the task's: "
                             f"{source.spec.features()} and {self.spec.features()}; finetune on files read with the same features")
        splits = split_table(self.table, recipe.data.split)
        n_train = recipe.data.train_events
        train = splits.train if n_train is None else subset(self.table, splits.train, n_train, recipe.seed)
        self.indices: dict[str, Index] = {"train": train, "validation": splits.validation, "test": splits.test}
        for name, index in self.indices.items():
            if len(index) == 0:
                raise InputError(f"the {name} split has no events; there are {len(self.table)} in all: "
                                 "read more, or change data.split")
        self.scaling = self._fitted_scaling() if source is None or mode == "scratch" else source.scaling
        self.objective: Objective = build(recipe, self.spec, self.scaling)
        skipped: tuple[str, ...] = ()
        checkpoint = source.checkpoint if source is not None and mode != "scratch" else None
        if checkpoint is not None:
            skipped = load_backbone(self.objective.encoder, checkpoint)
        self.plan = Plan.of(self.objective, recipe.optim, mode=mode, source=checkpoint, skipped=skipped,
                            events={name: len(index) for name, index in self.indices.items()})

    def _fitted_scaling(self) -> Scaling:
        index = self.indices["train"]
        chosen = np.sort(np.random.default_rng(self.recipe.seed).permutation(index)[:N_SCALING_EVENT])
        return Scaling.fit(evaluation_loader(self.table, chosen, 1024), self.spec.features())

    def training_batches(self, rank: int = 0, world: int = 1) -> EventLoader:
        """One process's training batches; weights average to one in each class of the training events."""
        return train_loader(
            self.table, self.indices["train"], self.recipe.train.batch_size // self.recipe.train.accumulate, seed=self.recipe.seed,
            weights=self._weights(), rank=rank, world=world, n_worker=self.recipe.data.n_worker, pin_memory=torch.cuda.is_available(),
        )

    def validation_batches(self) -> DataLoader[Batch]:
        """All validation events, with weights on the scale of the training events."""
        return evaluation_loader(self.table, self.indices["validation"], VALIDATION_BATCH, weights=self._weights())

    def _weights(self) -> NDArray[np.float32]:
        return training_weights(self.table, self.indices["train"], self.recipe.data.weights)

    def write_down(self, folder: Path) -> None:
        """The files that make the run repeatable."""
        folder.mkdir(parents=True, exist_ok=True)
        write_text(folder / "spec.yaml", to_yaml(self.spec))
        self.scaling.save(folder / "scaling.json")
        self.plan.save(folder / "plan.json")
        write_json(folder / "versions.json", versions())
        write_text(folder / "config.yaml", to_yaml(self.recipe))

    def fit(self, folder: Path, *, resume: bool) -> Fitted:
        """Trains, and leaves the objective with the best weights."""
        features = self.spec.features()
        augmentations = [config.build(features) for config in self.recipe.data.augmentations]
        return fit(
            self.objective, self.training_batches, self.validation_batches(),
            train=self.recipe.train, optim=self.recipe.optim, augmentations=augmentations,
            seed=self.recipe.seed, folder=folder, name=self.recipe.name, n_event=len(self.indices["train"]), resume=resume,
        )


def versions() -> dict[str, str | None]:
    """Versions, the commit of the current checkout, and the device, as `versions.json` keeps them."""
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    device = torch.cuda.get_device_name(0) if torch.cuda.is_available() else platform.processor() or platform.machine()
    return {
        "root_gnn": __version__, "torch": torch.__version__, "lightning": metadata.version("lightning"),
        "python": platform.python_version(),
        "git_commit": commit.stdout.strip() if commit.returncode == 0 else None, "device": device,
    }


def prepare(recipe_or_spec: Path | str, *, jobs: int = 1, data_dir: Path | str | None = None) -> list[Shard]:
    """Reads files into the cache: those of a recipe or task, or every file of the data folder for a spec.

    Raises InputError where the name is neither, or the data folder holds nothing to read.
    """
    folder = data_folder(data_dir)
    for kind in ("recipe", "task"):
        path = _found(recipe_or_spec, kind)
        if path is not None and "data" in read_document(path).value:
            config = load(Recipe, path, allow_dotted=True).data if "model" in read_document(path).value else load(Task, path).data
            return open_table(config, folder, beside=path, jobs=jobs).shards
    spec = load_spec(recipe_or_spec)
    files = sorted(path for path in folder.glob("*") if path.is_file() and not path.name.startswith("."))
    if not files:
        raise InputError(f"the data folder {folder} holds no file; name another with --data-dir or ROOT_GNN_DATA")
    return prepare_files(spec, files, data_dir=folder, jobs=jobs)


def _found(name: Path | str, kind: str) -> Path | None:
    try:
        return find(name, kind)
    except InputError:
        return None


def check(recipe: Path | str, *, overrides: Sequence[str] = (), data_dir: Path | str | None = None) -> str:
    """Validates a recipe, takes one step on one batch and tells the plan; writes nothing but the cache."""
    resolved = load(Recipe, find(recipe, "recipe"), overrides, allow_dotted=True)
    bench = Workbench(resolved, data_dir=data_dir)
    batch = next(iter(bench.training_batches())).check()
    loss = bench.objective(batch)["loss"]
    loss.backward()
    return f"{resolved.name}: {bench.table}\n{batch}\nfirst loss {float(loss.detach()):.4f}\n{bench.plan}"


def train(
    recipe: Path | str | Recipe, *, overrides: Sequence[str] = (), data_dir: Path | str | None = None, run_dir: Path | str | None = None,
    resume: bool = False, overwrite: bool = False, allow_plugins: Collection[str] = (),
) -> Run:
    """One training run from a recipe, finished with metrics, predictions and plots of validation and test.

    Raises InputError where the run folder exists and neither `resume` nor `overwrite` is given.
    """
    if not isinstance(recipe, Recipe):
        recipe = load(Recipe, find(recipe, "recipe"), overrides, allow_dotted=True, allow_plugins=allow_plugins)
    return _run(recipe, mode="scratch", source=None, data_dir=data_dir, run_dir=run_dir, resume=resume, overwrite=overwrite)


def finetune(
    task: str, *, run: Run | Path | str | None = None, encoder: Encoder | None = None, mode: Mode = "finetuned",
    train_events: int | None = None, overrides: Sequence[str] = (), data_dir: Path | str | None = None, run_dir: Path | str | None = None,
    resume: bool = False, overwrite: bool = False, allow_plugins: Collection[str] = (),
) -> Run:
    """Puts a pretrained encoder to a task, or trains the same network from scratch.

    Args:
        task: a shipped task's name, or a path.
        run: the pretrained run; a run folder, its name, or a `Run`. `runs/pretrain_multiclass` where nothing is given.
        encoder: instead of `run`: an encoder that `load_encoder` returned.
        mode: `finetuned` (backbone at `optim.backbone_lr_scale` of the head's rate), `frozen`, or `scratch`.
        train_events: size of the training subset, total over classes, balanced, drawn by the seed.
    """
    source = _source(run if run is not None else encoder, mode, allow_plugins)
    recipe = finetuning_recipe(
        task, mode=mode, model=None if source is None else source.recipe.model, train_events=train_events, overrides=overrides,
    )
    return _run(recipe, mode=mode, source=source, data_dir=data_dir, run_dir=run_dir, resume=resume, overwrite=overwrite)


def _source(given: Run | Encoder | Path | str | None, mode: Mode, allow_plugins: Collection[str]) -> Run | None:
    if isinstance(given, Run):
        return given
    if isinstance(given, Encoder):
        if given.run_folder is None:
            raise InputError("this encoder does not come from load_encoder, so its scaling and recipe are unknown; give the run folder")
        return load_run(given.run_folder, allow_plugins=allow_plugins)
    if given is not None:
        return load_run(given, allow_plugins=allow_plugins)
    if mode == "scratch":
        return None
    if not DEFAULT_PRETRAINED.exists():
        raise InputError(f"--mode {mode} needs a pretrained run: give --from RUN, or train one into {DEFAULT_PRETRAINED} with "
                         "`root-gnn train configs/pretrain_multiclass.yaml`; --mode scratch needs none")
    return load_run(DEFAULT_PRETRAINED)


def _run(
    recipe: Recipe, *, mode: str, source: Run | None, data_dir: Path | str | None, run_dir: Path | str | None,
    resume: bool, overwrite: bool,
) -> Run:
    folder = RUNS / recipe.name if run_dir is None else Path(run_dir)
    is_first = os.environ.get("LOCAL_RANK", "0") == "0"  # the others of a node are started while the first one works
    if is_first and _already_finished(folder, recipe, resume=resume, overwrite=overwrite):
        log.info("%s is finished already", folder)
        return load_run(folder)
    bench = Workbench(recipe, data_dir=data_dir, mode=mode, source=source)
    if is_first:
        bench.write_down(folder)
        log.info("%s", bench.plan)
    fitted = bench.fit(folder, resume=resume)
    return evaluate(folder, data_dir=data_dir, fitted=fitted) if is_first else load_run(folder)


def _already_finished(folder: Path, recipe: Recipe, *, resume: bool, overwrite: bool) -> bool:
    """Whether a resumed run has nothing left to do; clears the folder for `overwrite`."""
    if not folder.exists() or not any(folder.iterdir()):
        return False
    if overwrite:
        shutil.rmtree(folder)
        return False
    if not resume:
        raise InputError(f"the run folder {folder} exists; go on with --resume, start again with --overwrite, "
                         "or name another with --run-dir")
    config = folder / "config.yaml"
    if config.exists() and config.read_text(encoding="utf-8") != to_yaml(recipe):
        raise InputError(f"{config} and this recipe differ, so --resume would not give the run it promises; "
                         "resume with the recipe of the run, or use --run-dir for a new one")
    return (folder / "metrics.json").exists()
