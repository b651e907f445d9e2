"""Commands that make, look at and read data files."""

from __future__ import annotations

from logging import INFO
from pathlib import Path
from typing import Annotated, Literal

import typer

from root_gnn.cli.options import DataDir, Debug, Jobs, Overwrite, Quiet, Verbose, pair
from root_gnn.console import log
from root_gnn.errors import InputError


def simulate_command(
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
        from root_gnn.simulation.process import describe_processes

        typer.echo("\n".join(describe_processes()))
        return
    params = dict(pair("--param", text) for text in param or [])
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


def inspect_command(
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
                f"--draft-spec {draft_spec}: this file exists already, and a draft never "
                "replaces one; give another name."
            )
        write_text(draft_spec, found.draft_spec())


def prepare_command(
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
    from root_gnn.pages.inputs import write_inputs_page
    from root_gnn.runs.prepare import prepare

    parameters = dict(pair("--slurm", text) for text in slurm) if slurm else None
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
        page = write_inputs_page(one)
        if log.isEnabledFor(INFO):
            typer.echo(as_text(one.report) + (f"\n\n{page}" if page else ""))
    for one in done:
        one.report.check()
