"""Reads files into the cache and reports what looks odd in them: `root-gnn prepare`."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from root_gnn.atomic import write_json
from root_gnn.config.loader import load
from root_gnn.config.shipped import find
from root_gnn.config.yaml import read_document
from root_gnn.console import log
from root_gnn.data.cache.prepare import cache_dir
from root_gnn.data.cache.prepare import prepare_shards as prepare_files
from root_gnn.data.cache.shard import Shard
from root_gnn.data.events.config import Split
from root_gnn.data.events.splits import split_table
from root_gnn.data.events.table import EventTable, class_of_files, selected
from root_gnn.data.formats.score_file import is_score_file
from root_gnn.data.formats.sniff import meant_for
from root_gnn.data.hygiene.report import FileSet, Report, examine
from root_gnn.data.spec.spec import Spec, load_spec
from root_gnn.errors import InputError
from root_gnn.runs.build import data_folder
from root_gnn.runs.recipe import Recipe
from root_gnn.runs.task import Task

BESIDE = {".md", ".yaml", ".yml", ".json", ".html", ".log", ".py", ".sh", ".pdf", ".png"}
"""What people keep beside their data."""


@dataclass(frozen=True)
class Prepared:
    """The prepared files, the findings in them, and the folder `cache` with the report `<name>.json`."""

    selection: FileSet
    report: Report
    cache: Path
    name: str

    @property
    def shards(self) -> list[Shard]:
        """The prepared files."""
        return self.selection.shards


def prepare(
    recipe_or_spec: Path | str,
    *,
    jobs: int = 1,
    data_dir: Path | str | None = None,
    scheduler: str | None = None,
    slurm: Mapping[str, str] | None = None,
    systematics: bool = False,
    stop: bool = True,
) -> list[Prepared]:
    """Reads the files of a recipe or task, or all files of the data folder for a spec, into the cache and checks them.

    Args:
        recipe_or_spec: name or path of a recipe, a task or a data spec.
        jobs: number of files that are read at the same time.
        data_dir: the data folder; by default that of the environment.
        scheduler: address of a Dask cluster that reads the files instead.
        slurm: parameters of sbatch for a job array that reads the files instead; empty for Slurm's defaults.
        systematics: prepare every variation of the spec, the nominal one first; otherwise only the nominal one.
        stop: raise where files must not be used together; otherwise `report.check()` of the result does.

    Raises InputError where the name is neither, the data folder holds nothing to read, a file is not what the spec
    says, or events come twice or in different units.
    """
    folder = data_folder(data_dir)
    spec, owner, split = _files_of(recipe_or_spec, folder)
    if systematics and not spec.systematics:
        raise InputError(
            f"--systematics: the spec {spec.name} has none; its key `systematics` lists what "
            "stands for %SYS% in branch names"
        )
    done = []
    for name in spec.systematics[: None if systematics else 1] or (None,):
        skipped: dict[Path, str] = {}
        varied = spec.variation(name)
        files = prepare_files(
            varied, list(owner), data_dir=folder, jobs=jobs, scheduler=scheduler, slurm=slurm, skipped=skipped
        )
        selection = selected(files, varied, owner, is_one_set=split is not None)
        report = examine(selection, skipped=skipped)
        if split is not None and split.by == "file":
            report = replace(report, remarks=(*report.remarks, *_overlap(selection, split)))
        is_nominal = name is None or name == spec.systematics[0]
        done.append(Prepared(selection, report, cache_dir(folder), "hygiene" if is_nominal else f"hygiene_{name}"))
        with suppress(OSError):  # a cache that cannot be written can still be read
            write_json(done[-1].cache / f"{done[-1].name}.json", report.as_mapping())
    for one in done if stop else ():
        one.report.check()
    return done


def _files_of(recipe_or_spec: Path | str, folder: Path) -> tuple[Spec, dict[Path, str], Split | None]:
    """The spec, the files with the class of each, and how a recipe splits them.

    None for a spec, whose files are no set.
    """
    for kind in ("recipe", "task"):
        path = _found(recipe_or_spec, kind)
        if path is not None and "data" in read_document(path).value:
            config = (
                load(Recipe, path, allow_dotted=True).data
                if "model" in read_document(path).value
                else load(Task, path).data
            )
            return load_spec(config.spec, search_dir=path), class_of_files(config, folder), config.split
    spec = load_spec(recipe_or_spec)
    there = sorted(path for path in folder.glob("*") if path.is_file() and not path.name.startswith("."))
    files = [path for path in there if path.suffix.lower() not in BESIDE and not is_score_file(path)]
    files = [path for path in files if meant_for(type(spec.source), path)] or files
    if files and len(files) < len(there):
        log.info(
            "no data for this spec by name or format, left out: %s",
            ", ".join(path.name for path in there if path not in files),
        )
    if not files:
        raise InputError(f"the data folder {folder} holds no data file; name another with --data-dir or ROOT_GNN_DATA")
    return spec, dict.fromkeys(files, ""), None


def _overlap(selection: FileSet, split: Split) -> list[str]:
    """What a split by files puts on both sides."""
    table = EventTable(
        selection.shards,
        selection.spec,
        classes=selection.classes,
        shard_label=selection.file_class,
        files=selection.paths,
    )
    try:
        split_table(table, split)
    except InputError as error:
        return [str(error)]
    return []


def _found(name: Path | str, kind: str) -> Path | None:
    try:
        return find(name, kind)
    except InputError:
        return None
