"""Commands that compare networks: their representations, their figures, their speed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from root_gnn.cli.options import AllowPlugin, DataDir, Debug, Quiet, RunFolder, RunFolders, Verbose, pair


def embed_command(
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


def cka_command(
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
    from root_gnn.analysis.cka import compare_layers

    compare_layers(runs, events=events, out=out, data_dir=data_dir, allow_plugins=allow_plugin or ())


def probe_command(
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


def study_command(
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

    parameters = dict(pair("--slurm", text) for text in slurm) if slurm else None
    results = run_study(
        study, data_dir=data_dir, out=out, jobs=jobs, scheduler=scheduler, slurm=parameters, tiny=tiny, fresh=fresh
    )
    typer.echo(f"{results}\n\n{results.folder / 'study.html'}")


def bench_command(
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
