"""From a recipe to a finished run: prepare, build, train, evaluate, write everything down."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

import torch

from root_gnn.config.loader import load, to_mapping
from root_gnn.config.shipped import find
from root_gnn.console import log
from root_gnn.data.spec.spec import load_spec
from root_gnn.errors import InputError
from root_gnn.kernels.library import operator
from root_gnn.protocols import Encoder
from root_gnn.runs.evaluate import evaluate
from root_gnn.runs.folder import check_folder, is_finished, make_ready, own_modules, resume_command
from root_gnn.runs.recipe import Recipe
from root_gnn.runs.run import RUNS, Run, load_run
from root_gnn.runs.setup import TrainingSetup
from root_gnn.runs.task import Mode, finetuning_recipe
from root_gnn.training.optim import groups, optimizer
from root_gnn.training.processes import is_restarted, seed_of

DEFAULT_PRETRAINED = RUNS / "pretrain_multiclass"
RANKS = ("RANK", "LOCAL_RANK", "NODE_RANK", "SLURM_PROCID")  # as torchrun, Lightning and Slurm number processes


def check(recipe: Path | str, *, overrides: Sequence[str] = (), data_dir: Path | str | None = None) -> str:
    """Validates a recipe, takes one step on one batch and tells the plan; writes nothing but the cache.

    Args:
        recipe: a file, or the name of a shipped recipe.
        overrides: `key=value`, as on the command line.
        data_dir: folder of the data files, by default `ROOT_GNN_DATA` or the current one.

    Raises InputError where the recipe or its data are not valid.
    """
    path = find(recipe, "recipe")
    resolved = load(Recipe, path, overrides, allow_dotted=True)
    setup = TrainingSetup(resolved, data_dir=data_dir, beside=path)
    batch = next(iter(setup.training_batches())).check()
    with torch.random.fork_rng():
        torch.manual_seed(seed_of(resolved.seed, 0))  # as the first process of a training, for dropout
        loss = setup.objective(batch)["loss"]
    loss.backward()
    optimizer(groups(setup.objective.encoder, setup.objective, resolved.optim), resolved.optim).step()
    return (
        f"{resolved.name}: {setup.table}\n{batch}\nfirst loss {float(loss.detach()):.4f}\n{setup.plan}\n  {operator()}"
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
    """Trains from a recipe, and finishes with metrics, predictions and plots of validation and test.

    Args:
        recipe: a path, the name of a shipped recipe, or a `Recipe`.
        overrides: `dotted.key=value` of the recipe.
        data_dir: where data paths start; by default `ROOT_GNN_DATA`, else the current folder.
        run_dir: the run folder; `runs/<name>` unless given.
        resume: continue the run in this folder.
        overwrite: replace the run in this folder.
        allow_plugins: modules of one's own that the recipe may import.

    Raises:
        InputError: where the run folder exists and neither `resume` nor `overwrite` is given.
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
    """Fine-tunes a pretrained encoder on a task, or trains the same network from scratch.

    Args:
        task: name of a shipped task, or a path.
        run: the pretrained run: a run folder, its name, or a `Run`; by default `runs/pretrain_multiclass`.
        encoder: an encoder from `load_encoder`, instead of `run`.
        mode: `finetuned` (backbone at `optim.backbone_lr_scale` of the head's rate), `frozen`, or `scratch`.
        train_events: size of the training subset, in total over classes, balanced, drawn by the seed.
        overrides: `dotted.key=value` for the recipe.
        data_dir: the data folder; by default that of the environment.
        run_dir: the run folder; by default `runs/<name of the recipe>`.
        resume: continue an interrupted training.
        overwrite: replace an existing run folder.
        allow_plugins: modules outside of root_gnn that the pretrained run may import.
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
                "this encoder does not come from load_encoder, so its scaling and recipe are "
                "unknown; give the run folder"
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
    """Trains and evaluates one run.

    Args:
        recipe: the resolved recipe.
        mode: `scratch`, `finetuned` or `frozen`.
        source: the pretrained run; None for none.
        data_dir: where data paths start.
        run_dir: the run folder; None for `runs/<name>`.
        resume: continue the run in this folder.
        overwrite: replace the run in this folder.
        beside: the recipe's or task's path, next to which its spec is looked for.
    """
    folder = RUNS / recipe.name if run_dir is None else Path(run_dir)
    plugins = own_modules([to_mapping(recipe), to_mapping(load_spec(recipe.data.spec, search_dir=beside))])
    is_first = all(os.environ.get(name, "0") == "0" for name in RANKS)  # the others leave the folder to it
    if is_restarted():
        resume, overwrite = True, False
    if not is_first:
        log.setLevel(logging.WARNING)  # what there is to tell is told once
    else:
        check_folder(folder, recipe, mode=mode, source=source, resume=resume, overwrite=overwrite)
    if resume and is_finished(folder):
        log.info("%s is finished already", folder)
        return load_run(folder, allow_plugins=plugins)
    try:
        setup = TrainingSetup(recipe, data_dir=data_dir, mode=mode, source=source, beside=beside)
        if is_first:
            make_ready(folder, setup, overwrite=overwrite)
        fitted = setup.fit(folder, resume=resume)
        if not is_first:
            return load_run(folder, allow_plugins=plugins)
        return evaluate(folder, allow_plugins=plugins, setup=setup, fitted=fitted)
    except (KeyboardInterrupt, SystemExit):
        if is_first:
            log.warning("Go on with: %s", resume_command(sys.argv, folder))
        raise
