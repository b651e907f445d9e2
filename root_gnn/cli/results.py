"""Commands that use trained runs, and `convert`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from root_gnn.cli.options import AllowPlugin, DataDir, Debug, Overwrite, Quiet, RunFolder, RunFolders, Verbose


def evaluate_command(
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


def predict_command(
    run: RunFolder,
    files: Annotated[
        list[str], typer.Argument(metavar="FILE...", help="Files, patterns in quotes, or addresses on a server.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder for <file>.scores.root.")],
    others: Annotated[
        list[Path] | None,
        typer.Option("--with", metavar="RUN", help="One more run: another seed, or another fold; repeatable."),
    ] = None,
    systematics: Annotated[
        bool, typer.Option("--systematics", help="A score set for every variation of the spec.")
    ] = False,
    embeddings: Annotated[bool, typer.Option("--embeddings", help="Also what the head reads.")] = False,
    form: Annotated[Literal["root", "parquet"], typer.Option("--format", help="What to write.")] = "root",
    blind: Annotated[
        str | None,
        typer.Option("--blind", metavar="CLASS>THRESHOLD", help="Withhold the scores of events above; for real data."),
    ] = None,
    spec: Annotated[
        str | None, typer.Option("--spec", help="The data spec of the files, where it is not the run's own.")
    ] = None,
    part: Annotated[
        str | None, typer.Option("--part", metavar="K/N", help="The K-th of N jobs that share the files.")
    ] = None,
    device: Annotated[
        Literal["cpu", "cuda"] | None, typer.Option("--device", help="Else the GPU where there is one.")
    ] = None,
    overwrite: Overwrite = False,
    allow_plugin: AllowPlugin = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
) -> None:
    """Write scores aligned entry by entry with each file, as a ROOT friend tree or parquet; finished files are kept."""
    from root_gnn.prediction.predict import predict

    predict(
        run,
        files,
        out=out,
        others=others or (),
        systematics=systematics,
        embeddings=embeddings,
        form=form,
        blind=blind,
        spec=spec,
        part=part,
        overwrite=overwrite,
        device=device,
        allow_plugins=allow_plugin or (),
    )


def report_command(
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


def runs_command(
    places: Annotated[
        list[Path] | None, typer.Argument(metavar="[RUN...]", help="Runs to compare; without any, all are listed.")
    ] = None,
    folder: Annotated[Path, typer.Option("--dir", help="Where runs are looked for.")] = Path("runs"),
    where: Annotated[
        list[str] | None,
        typer.Option("--where", metavar="KEY=VALUE", help="Only such runs; also != > < >= <=; repeatable."),
    ] = None,
    sort: Annotated[
        str, typer.Option("--sort", metavar="KEY", help="Sort by this, numbers from the largest.")
    ] = "name",
    json: Annotated[bool, typer.Option("--json", help="Everything that is known of each, as JSON.")] = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
) -> None:
    """List runs with their key figures, or compare some."""
    from root_gnn.runs.registry import compare_runs
    from root_gnn.runs.registry import list_runs as listed

    found = compare_runs(places) if places else listed(folder, where=where or (), sort=sort)
    typer.echo(found.as_json() if json else str(found))


def pack_command(
    run: RunFolder,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Else <name>.safetensors; with --unpack runs/<name>.")
    ] = None,
    unpack: Annotated[bool, typer.Option("--unpack", help="Make a run folder of a packed run.")] = False,
    overwrite: Overwrite = False,
    allow_plugin: AllowPlugin = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
) -> None:
    """Write a run as one file that is safe to load from anybody: safetensors with JSON and YAML texts."""
    from root_gnn.runs.registry import pack, unpack_run

    typer.echo(
        str(
            unpack_run(run, out=out, overwrite=overwrite)
            if unpack
            else pack(run, out=out, overwrite=overwrite, allow_plugins=allow_plugin or ())
        )
    )


def export_command(
    run: RunFolder,
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="model.onnx, or model.pt2 for a program of torch.export.")
    ],
    opset: Annotated[int, typer.Option("--opset", min=18, max=20, help="Version of the ONNX operators.")] = 18,
    ir_version: Annotated[int, typer.Option("--ir-version", min=8, max=10, help="Version of the ONNX format.")] = 8,
    tolerance: Annotated[
        float, typer.Option("--tolerance", help="The largest difference from PyTorch on real events.")
    ] = 1e-5,
    data_dir: DataDir = None,
    overwrite: Overwrite = False,
    allow_plugin: AllowPlugin = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
) -> None:
    """Write a run as ONNX, from raw features to probabilities, checked against PyTorch; with a model card."""
    from root_gnn.export.export import export

    export(
        run,
        out=out,
        data_dir=data_dir,
        opset=opset,
        ir_version=ir_version,
        tolerance=tolerance,
        overwrite=overwrite,
        allow_plugins=allow_plugin or (),
    )


def convert_command(
    file: Annotated[
        Path, typer.Argument(metavar="FILE.yaml", help="A data configuration of weaver-core, or one of root_gnn_dgl.")
    ],
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="The folder for the files; else the current one.")
    ] = None,
    tree: Annotated[
        str | None, typer.Option("--tree", help="The tree to read, where weaver's file names none; else tree.")
    ] = None,
    overwrite: Overwrite = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
    debug: Debug = False,
) -> None:
    """Make a data spec, and a recipe, of another program's configuration, and list what could not be translated."""
    from root_gnn.convert.convert import convert

    typer.echo(str(convert(file, out=out, tree=tree, overwrite=overwrite)))
