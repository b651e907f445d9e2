"""The command `root-gnn`; each subcommand imports and calls one function of the library when it runs."""

from __future__ import annotations

import os
import shlex
import signal
import sys
import traceback
from collections.abc import Sequence
from types import FrameType
from typing import Annotated, NoReturn

import typer

from root_gnn._version import __version__
from root_gnn.cli.comparison import bench_command, cka_command, embed_command, probe_command, study_command
from root_gnn.cli.data import inspect_command, prepare_command, simulate_command
from root_gnn.cli.options import Debug, Quiet, Verbose
from root_gnn.cli.results import (
    convert_command,
    evaluate_command,
    export_command,
    pack_command,
    predict_command,
    report_command,
    runs_command,
)
from root_gnn.cli.training import check_command, finetune_command, train_command
from root_gnn.console import set_verbosity
from root_gnn.errors import InputError

WRONG_PLACE = (PermissionError, NotADirectoryError, IsADirectoryError, FileExistsError)

app = typer.Typer(
    name="root-gnn",
    help="Simulate collisions, pretrain graph networks on them, finetune them on a question, and compare.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version and leave.")
    ] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
) -> None:
    """Handles the options that stand before a subcommand."""


for _name, _command in (
    ("simulate", simulate_command),
    ("inspect", inspect_command),
    ("prepare", prepare_command),
    ("check", check_command),
    ("train", train_command),
    ("finetune", finetune_command),
    ("evaluate", evaluate_command),
    ("predict", predict_command),
    ("runs", runs_command),
    ("pack", pack_command),
    ("export", export_command),
    ("convert", convert_command),
    ("embed", embed_command),
    ("cka", cka_command),
    ("probe", probe_command),
    ("study", study_command),
    ("report", report_command),
    ("bench", bench_command),
):
    app.command(_name)(_command)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Runs a command line and exits.

    The exit code is 0 (done), 2 (wrong input), 130 or 143 (told to stop) or 1 (anything else).
    """
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    signal.signal(signal.SIGTERM, _leave)
    set_verbosity(0)
    try:
        app(args=_repeat(("--files", "--seeds"), arguments))
    except Exception as error:
        if "--debug" in arguments:
            traceback.print_exc()
        if isinstance(error, WRONG_PLACE) and error.filename is not None:
            error = InputError(
                f"{error.filename}: cannot be read or written ({error.strerror}); name another place, or change "
                "its permissions."
            )
        wrong_input = isinstance(error, InputError)
        sys.stderr.write(f"{error}\n" if wrong_input else _one_line(error))
        sys.exit(2 if wrong_input else 1)
    except SystemExit as left:
        if left.code in (130, 143) and not {"train", "finetune"} & set(
            arguments[:1]
        ):  # those say themselves how to go on
            sys.stderr.write(f"Stopped. Go on with: {shlex.join(['root-gnn', *arguments])}\n")
        raise
    sys.exit(0)


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    """Exits through the `finally` blocks, so that no half-written file stays behind."""
    raise SystemExit(128 + number)


def _one_line(error: Exception) -> str:
    words = " ".join(str(error).split())
    return f"root-gnn stopped by an unexpected error: {type(error).__name__}: {words} (--debug shows where){os.linesep}"


def _repeat(options: Sequence[str], arguments: Sequence[str]) -> list[str]:
    """Rewrites `--files a b` as `--files a --files b`, which the parser needs, for each of `options`."""
    result: list[str] = []
    collecting = ""
    for argument in arguments:
        if argument.startswith("-"):
            collecting = argument if argument in options else ""
        elif collecting and result[-1] != collecting:
            result.append(collecting)
        result.append(argument)
    return result
