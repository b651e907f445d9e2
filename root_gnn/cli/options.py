"""Options and arguments that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from root_gnn.console import set_verbosity
from root_gnn.errors import InputError


def _be_quiet(asked: bool) -> None:
    if asked:
        set_verbosity(-1)


def _be_verbose(asked: bool) -> None:
    if asked:
        set_verbosity(1)


Quiet = Annotated[bool, typer.Option("--quiet", "-q", callback=_be_quiet, help="Show warnings and errors only.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", callback=_be_verbose, help="Show every step.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")]
RecipeName = Annotated[str, typer.Argument(metavar="RECIPE", help="A YAML file, or the name of a shipped recipe.")]
RunFolder = Annotated[
    Path, typer.Argument(metavar="RUN", help="A run: its folder, its name below runs/, a checkpoint, or a packed run.")
]
RunFolders = Annotated[
    list[Path], typer.Argument(metavar="RUN...", help="Runs: folders, names below runs/, checkpoints or packed runs.")
]
Overrides = Annotated[
    list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a key of the recipe; repeatable.")
]
DataDir = Annotated[
    Path | None, typer.Option("--data-dir", help="Where data paths begin; else ROOT_GNN_DATA, else the current folder.")
]
RunDir = Annotated[Path | None, typer.Option("--run-dir", help="The run folder; else runs/<name>.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with the run in this folder.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")]
AllowPlugin = Annotated[
    list[str] | None,
    typer.Option("--allow-plugin", metavar="MODULE", help="A module that a run folder may import; repeatable."),
]
Jobs = Annotated[int, typer.Option("--jobs", help="Processes to use.")]

EXAMPLES = {"--param": "mstop=600", "--slurm": "partition=long"}


def pair(option: str, text: str) -> tuple[str, str]:
    """Splits an option given as `KEY=VALUE` into key and value; raises InputError for other texts."""
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise InputError(f"{option} {text}: expected KEY=VALUE, as in {option} {EXAMPLES[option]}.")
    return key, value
