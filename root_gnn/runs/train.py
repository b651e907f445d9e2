"""From a recipe to a finished run: prepare, build, train, evaluate, write everything down."""

from __future__ import annotations

import json
import logging
import math
import os
import platform
import shlex
import shutil
import subprocess
import sys
from collections.abc import Collection, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import DataLoader

from root_gnn._version import __version__
from root_gnn.atomic import write_json, write_text
from root_gnn.config.loader import leaves, load, to_mapping, to_yaml
from root_gnn.config.shipped import find
from root_gnn.config.yaml import read_document
from root_gnn.console import log
from root_gnn.data.events.loader import EventLoader, evaluation_loader, train_loader
from root_gnn.data.events.resimulations import partners
from root_gnn.data.events.splits import Splits, split_table, subset
from root_gnn.data.events.table import EventTable, open_table
from root_gnn.data.events.weights import training_weights
from root_gnn.data.events.whole_events import WholeEvents
from root_gnn.data.spec.spec import load_spec
from root_gnn.errors import InputError, suggest
from root_gnn.graph.batch import Batch
from root_gnn.graph.scaling import Scaling
from root_gnn.graph.static import Shape
from root_gnn.kernels.library import operator
from root_gnn.protocols import Encoder, Objective, Supervised
from root_gnn.runs.evaluate import evaluate
from root_gnn.runs.recipe import Recipe
from root_gnn.runs.run import RUNS, Run, build, data_folder, load_run
from root_gnn.runs.task import Mode, finetuning_recipe
from root_gnn.training.fit import Fitted, fit
from root_gnn.training.module import measured
from root_gnn.training.optim import groups, optimizer
from root_gnn.training.plan import Plan, load_backbone, sha256
from root_gnn.training.processes import is_restarted, processes

N_SCALING_EVENT = 50_000
VALIDATION_BATCH = 1024
DEFAULT_PRETRAINED = RUNS / "pretrain_multiclass"
RANKS = ("RANK", "LOCAL_RANK", "NODE_RANK", "SLURM_PROCID")  # as torchrun, Lightning and Slurm number processes
WRITTEN_DOWN = ("spec.yaml", "scaling.json", "plan.json", "versions.json", "config.yaml")  # in this order
WRITTEN_LATER = ("history.csv", "tensorboard", "checkpoints", "metrics.json", "predictions", "plots", "embedding")
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
        splits = split_table(self.table, recipe.data.split)
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
        self.objective: Objective = build(recipe, self.spec, self.scaling)
        if isinstance(self.objective, Supervised):
            self.table.check_labels()
        self.partner = partners(self.table) if self.objective.paired else None
        self.shape = self._static_shape()
        if recipe.train.compile and _bucketed(recipe.model):
            raise InputError(
                f"train.compile is true, but {_bucketed(recipe.model)}, so that it would be compiled again and again. "
                "Leave it out."
            )
        if recipe.train.compile and recipe.train.strategy == "fsdp":
            raise InputError(
                "train.compile is true and train.strategy fsdp: what is compiled needs its weights whole. Leave one out."
            )
        self.objective.prepare(evaluation_loader(self.table, self._some_training_events(), 1024, whole=self.whole))
        if recipe.train.monitor not in measured(self.objective):
            raise InputError(
                f"train.monitor is {recipe.train.monitor}, which this objective does not measure"
                f"{suggest(recipe.train.monitor, measured(self.objective))}"
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
        """All validation events, with weights on the scale of the training events, signed whatever the loss is trained with."""
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

    def fit(self, folder: Path, *, resume: bool) -> Fitted:
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

    def _static_shape(self) -> Shape | None:
        """What the batches of one process are padded to; raises InputError where that would not fix what the network works on."""
        train, objective = self.recipe.train, self.recipe.objective
        if not train.static_shapes:
            return None
        why = _bucketed(self.recipe.model) or _bucketed(getattr(objective, "head", None))
        why = why or ("the head answers for whole events" if self.whole is not None else "")
        why = why or (
            "the objective compares graphs without labels" if not isinstance(self.objective, Supervised) else ""
        )
        if why:
            raise InputError(
                f"train.static_shapes is true, but {why}, so that padding would not keep its steps the same. Leave it out."
            )
        n_graph = -(-train.batch_size // (train.accumulate * math.prod(processes(train))))
        n_node = self.table.n_node[self.indices["train"]]
        return Shape.of(torch.from_numpy(n_node[n_node > 0].astype(np.int64)), n_graph)


def _bucketed(part: Any) -> str:
    """Why the part of a network works on other sizes in every step; empty where it does not."""
    if "bucket_nodes" not in getattr(type(part), "model_fields", ()):
        return ""
    return f"{type(part).__module__.rpartition('.')[2]} sorts graphs into buckets, whose sizes change with the batch"


def versions() -> dict[str, str | None]:
    """Versions, the commit of the current checkout, and the device, as `versions.json` keeps them."""
    git = shutil.which("git")
    commit = subprocess.run([git, "rev-parse", "HEAD"], capture_output=True, text=True, check=False) if git else None
    device = torch.cuda.get_device_name(0) if torch.cuda.is_available() else platform.processor() or platform.machine()
    return {
        "root_gnn": __version__,
        "torch": torch.__version__,
        "lightning": metadata.version("lightning"),
        "python": platform.python_version(),
        "git_commit": commit.stdout.strip() if commit is not None and commit.returncode == 0 else None,
        "device": device,
    }


def check(recipe: Path | str, *, overrides: Sequence[str] = (), data_dir: Path | str | None = None) -> str:
    """Validates a recipe, takes one step on one batch and tells the plan; writes nothing but the cache."""
    path = find(recipe, "recipe")
    resolved = load(Recipe, path, overrides, allow_dotted=True)
    bench = Workbench(resolved, data_dir=data_dir, beside=path)
    batch = next(iter(bench.training_batches())).check()
    loss = bench.objective(batch)["loss"]
    loss.backward()
    optimizer(groups(bench.objective.encoder, bench.objective, resolved.optim), resolved.optim).step()
    return (
        f"{resolved.name}: {bench.table}\n{batch}\nfirst loss {float(loss.detach()):.4f}\n{bench.plan}\n  {operator()}"
    )


def train(
    recipe: Path | str | Recipe,
    *,
    overrides: Sequence[str] = (),
    data_dir: Path | str | None = None,
    run_dir: Path | str | None = None,
    resume: bool = False,
    overwrite: bool = False,
    allow_plugins: Collection[str] = (),
) -> Run:
    """One training run from a recipe, finished with metrics, predictions and plots of validation and test.

    Raises InputError where the run folder exists and neither `resume` nor `overwrite` is given.
    """
    beside = None
    if not isinstance(recipe, Recipe):
        beside = find(recipe, "recipe")
        recipe = load(Recipe, beside, overrides, allow_dotted=True, allow_plugins=allow_plugins)
    return _run(
        recipe,
        mode="scratch",
        source=None,
        data_dir=data_dir,
        run_dir=run_dir,
        resume=resume,
        overwrite=overwrite,
        beside=beside,
    )


def finetune(
    task: str,
    *,
    run: Run | Path | str | None = None,
    encoder: Encoder | None = None,
    mode: Mode = "finetuned",
    train_events: int | None = None,
    overrides: Sequence[str] = (),
    data_dir: Path | str | None = None,
    run_dir: Path | str | None = None,
    resume: bool = False,
    overwrite: bool = False,
    allow_plugins: Collection[str] = (),
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
        task,
        mode=mode,
        model=None if source is None else source.recipe.model,
        train_events=train_events,
        overrides=overrides,
    )
    beside = find(task, "task")
    return _run(
        recipe,
        mode=mode,
        source=source,
        data_dir=data_dir,
        run_dir=run_dir,
        resume=resume,
        overwrite=overwrite,
        beside=beside,
    )


def _source(given: Run | Encoder | Path | str | None, mode: Mode, allow_plugins: Collection[str]) -> Run | None:
    if isinstance(given, Run):
        return given
    if isinstance(given, Encoder):
        if given.run_folder is None:
            raise InputError(
                "this encoder does not come from load_encoder, so its scaling and recipe are unknown; give the run folder"
            )
        return load_run(given.run_folder, allow_plugins=allow_plugins)
    if given is not None:
        return load_run(given, allow_plugins=allow_plugins)
    if mode == "scratch":
        return None
    if not DEFAULT_PRETRAINED.exists():
        raise InputError(
            f"--mode {mode} needs a pretrained run: give --from RUN, or train one into {DEFAULT_PRETRAINED} with "
            "`root-gnn train configs/pretrain_multiclass.yaml`; --mode scratch needs none"
        )
    return load_run(DEFAULT_PRETRAINED)


def _run(
    recipe: Recipe,
    *,
    mode: str,
    source: Run | None,
    data_dir: Path | str | None,
    run_dir: Path | str | None,
    resume: bool,
    overwrite: bool,
    beside: Path | None,
) -> Run:
    folder = RUNS / recipe.name if run_dir is None else Path(run_dir)
    plugins = _own_modules([to_mapping(recipe), to_mapping(load_spec(recipe.data.spec, beside=beside))])
    is_first = all(os.environ.get(name, "0") == "0" for name in RANKS)  # the others leave the folder to it
    if is_restarted():
        resume, overwrite = True, False
    if not is_first:
        log.setLevel(logging.WARNING)  # what there is to tell is told once
    else:
        _check_folder(folder, recipe, mode=mode, source=source, resume=resume, overwrite=overwrite)
    if resume and _is_finished(folder):
        log.info("%s is finished already", folder)
        return load_run(folder, allow_plugins=plugins)
    try:
        bench = Workbench(recipe, data_dir=data_dir, mode=mode, source=source, beside=beside)
        if is_first:
            _make_ready(folder, bench, overwrite=overwrite)
        fitted = bench.fit(folder, resume=resume)
        if not is_first:
            return load_run(folder, allow_plugins=plugins)
        return evaluate(folder, data_dir=data_dir, fitted=fitted, allow_plugins=plugins)
    except (KeyboardInterrupt, SystemExit):
        if is_first:
            log.warning("Go on with: %s", _resume_command(sys.argv, folder))
        raise


def _make_ready(folder: Path, bench: Workbench, *, overwrite: bool) -> None:
    """Clears an older run away, now that the new one is known to start, and writes down what this one is."""
    if overwrite:
        for name in (*WRITTEN_DOWN, *WRITTEN_LATER):
            path = folder / name
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    if not (folder / "checkpoints" / "last.ckpt").exists():  # else the weights there go with the files there
        bench.write_down(folder)
    log.info("%s", bench.plan)


def _check_folder(
    folder: Path, recipe: Recipe, *, mode: str, source: Run | None, resume: bool, overwrite: bool
) -> None:
    """Raises InputError where the folder is no place for this run, naming the reason; touches nothing."""
    if resume and overwrite:
        raise InputError("--resume goes on with a run and --overwrite starts it again; give one of the two")
    if folder.exists() and not folder.is_dir():
        raise InputError(f"the run folder {folder} is a file; name another with --run-dir")
    if not folder.exists() or not any(folder.iterdir()):
        return
    if source is not None and source.folder.resolve() == folder.resolve():
        raise InputError(f"{folder} is the pretrained run itself; name another folder with --run-dir")
    if not (resume or overwrite):
        raise InputError(
            f"the run folder {folder} exists; go on with --resume, start again with --overwrite, "
            "or name another with --run-dir"
        )
    is_run = all((folder / name).is_file() for name in WRITTEN_DOWN)
    if not is_run and (overwrite or not _just_begun(folder)):
        raise InputError(
            f"{folder} holds files and is no run folder ({', '.join(WRITTEN_DOWN)} are not all there), so it is left "
            "as it is; name another with --run-dir, or empty it yourself"
        )
    if is_run and resume:
        _check_same_run(folder, recipe, mode=mode, source=source)


def _just_begun(folder: Path) -> bool:
    """Whether all that is there are the files that `write_down` writes before the last one, or is not yet under its name."""
    hidden = tuple(f".{name}." for name in WRITTEN_DOWN)
    return all(path.name in WRITTEN_DOWN[:-1] or path.name.startswith(hidden) for path in folder.iterdir())


def _check_same_run(folder: Path, recipe: Recipe, *, mode: str, source: Run | None) -> None:
    config = folder / "config.yaml"
    before, now = leaves(_written(config, recipe)), leaves(to_mapping(recipe))
    changed = [
        f"{key} is {before.get(key)!r} there and {now.get(key)!r} here"
        for key in before | now
        if before.get(key) != now.get(key)
    ]
    plan = json.loads((folder / "plan.json").read_text(encoding="utf-8")) if not changed else {}
    if plan and plan["mode"] != mode:
        changed.append(f"--mode is {plan['mode']} there and {mode} here")
    digest = sha256(source.checkpoint) if source is not None and mode != "scratch" else None
    if plan and plan["source_sha256"] != digest:
        changed.append(f"its backbone came from other weights ({plan['source']}) than --from names here")
    if changed:
        raise InputError(
            f"{config} and this recipe differ, so --resume would not give the run it promises: {'; '.join(changed[:3])}. "
            "Resume with the recipe of the run, or use --run-dir for a new one"
        )


def _written(config: Path, recipe: Recipe) -> Any:
    """A run's recipe, with the defaults of keys that came to the library after it; as it stands where it can't be read any more."""
    try:
        return to_mapping(load(Recipe, config, allow_plugins=_own_modules(to_mapping(recipe))))
    except InputError:
        return read_document(config).value


def _own_modules(mapping: Any) -> set[str]:
    """Modules of the user's own that a recipe names as plug-ins: it was allowed to run them, so its run folder is."""
    if isinstance(mapping, list):
        return {name for part in mapping for name in _own_modules(part)}
    if not isinstance(mapping, dict):
        return set()
    name = str(mapping.get("name", ""))
    return {found for part in mapping.values() for found in _own_modules(part)} | ({name} if "." in name else set())


def _is_finished(folder: Path) -> bool:
    """Whether training has left its figures in `metrics.json`; `evaluate` alone writes the file without them."""
    path = folder / "metrics.json"
    return path.exists() and "best_epoch" in json.loads(path.read_text(encoding="utf-8"))


def _resume_command(argv: Sequence[str], folder: Path) -> str:
    """What a user types to go on, from what was typed before; in words where that was not our command line."""
    if Path(argv[0]).stem != "root-gnn" and Path(argv[0]).parts[-2:] != ("root_gnn", "cli.py"):
        return f"the same call with resume (--resume), run folder {folder}"
    resume = ["--resume"] if argv[1:2] in (["train"], ["finetune"]) else []  # a study always goes on with what is there
    return shlex.join(["root-gnn", *(word for word in argv[1:] if word not in ("--overwrite", "--resume")), *resume])
