"""The command `root-gnn`: each subcommand calls one function of the library, imported when it runs so that help is instant."""

from __future__ import annotations

import os
import shlex
import signal
import sys
import traceback
from collections.abc import Sequence
from logging import INFO
from pathlib import Path
from types import FrameType
from typing import Annotated, Literal, NoReturn

import typer

from root_gnn._version import __version__
from root_gnn.cli.options import (
    AllowPlugin,
    DataDir,
    Debug,
    Jobs,
    Overrides,
    Overwrite,
    Quiet,
    RecipeName,
    Resume,
    RunDir,
    RunFolder,
    RunFolders,
    Verbose,
)
from root_gnn.cli.runs import convert, export, pack, predict, runs
from root_gnn.console import log, set_verbosity
from root_gnn.errors import InputError

EXAMPLES = {"--param": "mstop=600", "--slurm": "partition=long"}
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
    """Takes the options that stand before a subcommand."""


@app.command()
def simulate(
    process: Annotated[
        list[str] | None, typer.Option("--process", help="A process by name (see --list); repeatable.")
    ] = None,
    events: Annotated[
        int, typer.Option("--events", help="Events, or jets of a class, to write for each process.")
    ] = 1000,
    out: Annotated[Path, typer.Option("--out", help="The folder for <process>.root.")] = Path(),
    level: Annotated[Literal["events", "jets"], typer.Option("--level", help="Which ntuple to write.")] = "events",
    seed: Annotated[int, typer.Option("--seed", help="Same seed, same events, whatever --jobs is.")] = 1,
    jobs: Jobs = 1,
    lhe: Annotated[Path | None, typer.Option("--lhe", help="Shower the events of a Les Houches file.")] = None,
    resimulate: Annotated[
        int, typer.Option("--resimulate", help="Showers of every hard event, all of them written.")
    ] = 1,
    param: Annotated[
        list[str] | None, typer.Option("--param", metavar="KEY=VALUE", help="A parameter of the process; repeatable.")
    ] = None,
    top_tagging: Annotated[
        Path | None,
        typer.Option(
            "--top-tagging", metavar="FILE.h5", help="Also write QCD and Tbqq as the Top Tagging reference set."
        ),
    ] = None,
    pileup: Annotated[
        str | None,
        typer.Option("--pileup", metavar="MEAN[,SD]", help="Lay so many minimum-bias collisions over each event."),
    ] = None,
    variations: Annotated[
        bool, typer.Option("--variations", help="Keep the weights of shower scale variations.")
    ] = False,
    control: Annotated[
        bool, typer.Option("--control", help="Instead: generated events against known values, OUT/control.html.")
    ] = False,
    list_processes: Annotated[bool, typer.Option("--list", help="Show the processes and leave.")] = False,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
) -> None:
    """Simulate collisions: generator, parametrised detector, jets; writes OUT/<process>.root."""
    if list_processes:
        from root_gnn.simulation.processes import describe

        typer.echo("\n".join(describe()))
        return
    params = dict(_pair("--param", text) for text in param or [])
    if control:
        from root_gnn.pages.control import control_page

        control_page(process or [], events=events, out=out, level=level, seed=seed, params=params)
        return
    from root_gnn.simulation.pileup import PileUp
    from root_gnn.simulation.simulate import simulate

    simulate(
        process or [],
        events=events,
        out=out,
        seed=seed,
        jobs=jobs,
        lhe=lhe,
        resimulate=resimulate,
        params=params,
        level=level,
        overwrite=overwrite,
        top_tagging=top_tagging,
        pileup=None if pileup is None else PileUp.parse(pileup),
        variations=variations,
    )


@app.command()
def inspect(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A data file, or the address of one on a server.")],
    tree: Annotated[str | None, typer.Option("--tree", help="Which tree, where the file holds several.")] = None,
    draft_spec: Annotated[
        Path | None, typer.Option("--draft-spec", metavar="OUT.yaml", help="Write a data spec to start from.")
    ] = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
) -> None:
    """Show what a file holds: trees, entries, collections, guessed units."""
    from root_gnn.data.formats.location import locate
    from root_gnn.data.inspection.inspect import inspect

    found = inspect(locate(file), tree)
    typer.echo(str(found))
    if draft_spec is not None:
        from root_gnn.atomic import write_text

        if draft_spec.exists():
            raise InputError(
                f"--draft-spec {draft_spec}: this file exists already, and a draft never replaces one; give another name."
            )
        write_text(draft_spec, found.draft_spec())


@app.command()
def prepare(
    recipe_or_spec: Annotated[str, typer.Argument(metavar="RECIPE_OR_SPEC", help="A YAML file or a shipped name.")],
    jobs: Jobs = 1,
    scheduler: Annotated[
        str | None, typer.Option("--scheduler", metavar="ADDRESS", help="Read on this Dask cluster instead.")
    ] = None,
    slurm: Annotated[
        list[str] | None,
        typer.Option(
            "--slurm", metavar="KEY=VALUE", help="Read in a Slurm job array, with this of sbatch; repeatable."
        ),
    ] = None,
    systematics: Annotated[
        bool, typer.Option("--systematics", help="Every variation of the spec, not the nominal one alone.")
    ] = False,
    data_dir: DataDir = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
) -> None:
    """Read the files once into the cache and report what is odd about them; train reads by itself where needed."""
    from root_gnn.data.hygiene.text import as_text
    from root_gnn.pages.inputs import write_page
    from root_gnn.runs.prepare import prepare

    parameters = dict(_pair("--slurm", text) for text in slurm) if slurm else None
    done = prepare(
        recipe_or_spec,
        jobs=jobs,
        data_dir=data_dir,
        scheduler=scheduler,
        slurm=parameters,
        systematics=systematics,
        stop=False,
    )
    for one in done:
        page = write_page(one)
        if log.isEnabledFor(INFO):
            typer.echo(as_text(one.report) + (f"\n\n{page}" if page else ""))
    for one in done:
        one.report.check()


@app.command()
def check(
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


@app.command()
def train(
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


@app.command()
def finetune(
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


@app.command()
def evaluate(
    run: RunFolder,
    split: Annotated[
        Literal["train", "validation", "test"] | None,
        typer.Option("--split", help="A part of the run's data; else validation and test."),
    ] = None,
    spec: Annotated[
        str | None, typer.Option("--spec", help="The data spec of other files, by path or shipped name.")
    ] = None,
    files: Annotated[
        list[str] | None, typer.Option("--files", metavar="F...", help="Files in the data folder, F or CLASS=F.")
    ] = None,
    variation: Annotated[
        str | None, typer.Option("--variation", metavar="NAME", help="A systematic variation of the spec.")
    ] = None,
    data_dir: DataDir = None,
    allow_plugin: AllowPlugin = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
) -> None:
    """Write metrics.json, plots and predictions of a run."""
    from root_gnn.runs.evaluate import evaluate

    evaluate(
        run,
        split=split,
        spec=spec,
        files=files or (),
        variation=variation,
        data_dir=data_dir,
        allow_plugins=allow_plugin or (),
    )


app.command()(predict)
app.command()(runs)
app.command()(pack)
app.command()(export)
app.command()(convert)


@app.command()
def embed(
    run: RunFolder,
    method: Annotated[
        Literal["pca", "tsne", "umap"], typer.Option("--method", help="What brings them to two dimensions.")
    ] = "pca",
    data_dir: DataDir = None,
    allow_plugin: AllowPlugin = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
) -> None:
    """Write the representations of a run and a picture of them."""
    from root_gnn.analysis.embed import embed

    embed(run, method=method, data_dir=data_dir, allow_plugins=allow_plugin or ())


@app.command()
def cka(
    runs: RunFolders,
    events: Annotated[int, typer.Option("--events", help="Events to compare on.")] = 10_000,
    out: Annotated[Path | None, typer.Option("--out", help="The folder for cka.json and cka.png.")] = None,
    data_dir: DataDir = None,
    allow_plugin: AllowPlugin = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
) -> None:
    """Compare runs layer by layer with CKA."""
    from root_gnn.analysis.cka import compare

    compare(runs, events=events, out=out, data_dir=data_dir, allow_plugins=allow_plugin or ())


@app.command()
def probe(
    runs: RunFolders,
    task: Annotated[
        str, typer.Option("--task", metavar="NAME_OR_PATH", help="The classes: a shipped task or a YAML file.")
    ],
    train_events: Annotated[
        int | None,
        typer.Option(
            "--train-events", help="Training events that each seed draws, balanced; else half of what there is."
        ),
    ] = None,
    seeds: Annotated[
        list[int] | None, typer.Option("--seeds", metavar="N...", help="Draws of the training events; else 1 2 3.")
    ] = None,
    random: Annotated[
        bool, typer.Option("--random", help="Also the same networks with the weights they begin with.")
    ] = False,
    inputs: Annotated[bool, typer.Option("--inputs", help="Also linear models on the inputs as they are.")] = False,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Change a key of the task; repeatable.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="The folder for probe.json and probe.md; else probe.")
    ] = None,
    data_dir: DataDir = None,
    allow_plugin: AllowPlugin = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
) -> None:
    """Fit linear models to frozen representations: how much of the classes can be read off."""
    from root_gnn.analysis.linear_probe import probe

    found = probe(
        runs,
        task=task,
        train_events=train_events,
        seeds=seeds or (1, 2, 3),
        random=random,
        inputs=inputs,
        overrides=overrides or (),
        data_dir=data_dir,
        out=out,
        allow_plugins=allow_plugin or (),
    )
    typer.echo(str(found))


@app.command()
def study(
    study: Annotated[str, typer.Argument(metavar="STUDY", help="A YAML file or a shipped name.")],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Where runs and results go; studies/<name> otherwise.")
    ] = None,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Trainings at a time, one thread each.")] = 2,
    scheduler: Annotated[
        str | None, typer.Option("--scheduler", metavar="ADDRESS", help="Train on this Dask cluster instead.")
    ] = None,
    slurm: Annotated[
        list[str] | None,
        typer.Option(
            "--slurm", metavar="KEY=VALUE", help="Train in Slurm job arrays, with this of sbatch; repeatable."
        ),
    ] = None,
    tiny: Annotated[
        bool, typer.Option("--tiny", help="A few steps on a few events, to see that it goes through.")
    ] = False,
    fresh: Annotated[
        Path | None,
        typer.Option(
            "--fresh", metavar="DIR", help="Compare also on newly simulated files of the same names: study_fresh.md."
        ),
    ] = None,
    data_dir: DataDir = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
) -> None:
    """Pretrained against from scratch: tasks, training sizes, seeds, with paired errors; what is done is kept."""
    from root_gnn.study import study as run_study

    parameters = dict(_pair("--slurm", text) for text in slurm) if slurm else None
    results = run_study(
        study, data_dir=data_dir, out=out, jobs=jobs, scheduler=scheduler, slurm=parameters, tiny=tiny, fresh=fresh
    )
    typer.echo(f"{results}\n\n{results.folder / 'study.html'}")


@app.command()
def report(
    runs: RunFolders,
    out: Annotated[Path, typer.Option("--out", metavar="report.html", help="The page to write.")] = Path("report.html"),
    allow_plugin: AllowPlugin = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
) -> None:
    """Write one self-contained page about runs."""
    from root_gnn.pages.report import report

    report(runs, out=out, allow_plugins=allow_plugin or ())


@app.command()
def bench(
    cases: Annotated[
        list[str] | None, typer.Argument(metavar="CASE...", help="Benchmarks by name; all of them without.")
    ] = None,
    case: Annotated[
        list[str] | None, typer.Option("--case", metavar="NAME", help="One more of them; repeatable.")
    ] = None,
    rounds: Annotated[int, typer.Option("--rounds", help="Turns of each comparison.")] = 9,
    quick: Annotated[
        bool, typer.Option("--quick", help="As small as it can be: everything runs, and no time means anything.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="bench.json", help="A JSON file, or a folder; a table beside.")
    ] = None,
    allocator: Annotated[
        Literal["both", "tuned", "default"], typer.Option("--allocator", help="Memory allocator.")
    ] = "both",
    data_dir: Annotated[
        Path | None, typer.Option("--data-dir", help="Simulated files to use instead of the repository's.")
    ] = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
) -> None:
    """Measure how fast the library is beside others, by turns, after asserting that they give the same."""
    from root_gnn.bench.suite import bench

    names = [*(cases or []), *(case or [])]
    typer.echo(bench(names, rounds=rounds, quick=quick, out=out, allocator=allocator, data_dir=data_dir).markdown())


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Runs a command line and leaves with 0 (done), 2 (wrong input), 130 or 143 (told to stop) or 1 (anything else)."""
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
    """Ends through the `finally` blocks, so that no half-written file stays behind."""
    raise SystemExit(128 + number)


def _one_line(error: Exception) -> str:
    words = " ".join(str(error).split())
    return f"root-gnn stopped by an unexpected error: {type(error).__name__}: {words} (--debug shows where){os.linesep}"


def _pair(option: str, text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not (key and equals):
        raise InputError(f"{option} {text}: expected KEY=VALUE, as in {option} {EXAMPLES[option]}.")
    return key, value


def _repeat(options: Sequence[str], arguments: Sequence[str]) -> list[str]:
    """`--files a b` as `--files a --files b`, which is what the parser takes, for each of `options`."""
    result: list[str] = []
    collecting = ""
    for argument in arguments:
        if argument.startswith("-"):
            collecting = argument if argument in options else ""
        elif collecting and result[-1] != collecting:
            result.append(collecting)
        result.append(argument)
    return result


if __name__ == "__main__":
    main()
