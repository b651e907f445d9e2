"""Commands that train."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from root_gnn.cli.options import (
    AllowPlugin,
    DataDir,
    Debug,
    Overrides,
    Overwrite,
    Quiet,
    RecipeName,
    Resume,
    RunDir,
    Verbose,
)


def check_command(
    recipe: RecipeName,
    overrides: Overrides = None,
    data_dir: DataDir = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
) -> None:
    """Validate a recipe, take one step, and show the plan."""
    from root_gnn.runs.train import check

    typer.echo(check(recipe, overrides=overrides or (), data_dir=data_dir))


def train_command(
    recipe: RecipeName,
    overrides: Overrides = None,
    data_dir: DataDir = None,
    run_dir: RunDir = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
    allow_plugin: AllowPlugin = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
) -> None:
    """Train what a recipe describes, into a run folder."""
    from root_gnn.runs.train import train

    train(
        recipe,
        overrides=overrides or (),
        data_dir=data_dir,
        run_dir=run_dir,
        resume=resume,
        overwrite=overwrite,
        allow_plugins=allow_plugin or (),
    )


def finetune_command(
    task: Annotated[
        str, typer.Option("--task", metavar="NAME_OR_PATH", help="The question: a shipped task or a YAML file.")
    ],
    run: Annotated[
        Path | None,
        typer.Option(
            "--from", metavar="RUN", help="Pretrained: folder, name, checkpoint or packed run; not from scratch."
        ),
    ] = None,
    mode: Annotated[
        Literal["finetuned", "frozen", "scratch"], typer.Option("--mode", help="What happens to the backbone.")
    ] = "finetuned",
    train_events: Annotated[
        int | None, typer.Option("--train-events", help="Training events in all, balanced over the classes.")
    ] = None,
    overrides: Overrides = None,
    data_dir: DataDir = None,
    run_dir: RunDir = None,
    resume: Resume = False,
    overwrite: Overwrite = False,
    allow_plugin: AllowPlugin = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
) -> None:
    """Train on a downstream task, from a pretrained run or from scratch."""
    from root_gnn.runs.train import finetune

    finetune(
        task,
        run=run,
        mode=mode,
        train_events=train_events,
        overrides=overrides or (),
        data_dir=data_dir,
        run_dir=run_dir,
        resume=resume,
        overwrite=overwrite,
        allow_plugins=allow_plugin or (),
    )
