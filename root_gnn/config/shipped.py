"""Finds recipes, specs, tasks and studies: by path, next to the file that names them, or among the shipped ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from root_gnn.errors import InputError, suggest

FOLDERS = {
    "recipe": "configs",
    "task": "configs/tasks",
    "study": "configs/studies",
    "spec": "data_specs",
    "benchmark": "benchmarks",
}


def shipped_folder(kind: str) -> Path:
    """The folder of shipped files of one kind, in the installed package or at the top of a checkout."""
    package = Path(__file__).parents[1]
    installed = package / FOLDERS[kind]
    return installed if installed.is_dir() else package.parent / FOLDERS[kind]


def shipped_names(kind: str) -> list[str]:
    """The names, without ending, of the shipped files of a kind (`recipe`, `task`, `study` or `spec`)."""
    return sorted(file.stem for file in shipped_folder(kind).glob("*.yaml"))


def find(name: str | Path, kind: str, search_dir: Path | None = None) -> Path:
    """The YAML file of a kind (`recipe`, `task`, `study`, `spec`) called `name`, with or without its ending `.yaml`.

    It is searched from the current folder, then in `search_dir` (a folder, or a file in it), then among the shipped
    files, where `configs/tasks/WHvsZH.yaml`, `tasks/WHvsZH` and `WHvsZH` are the same task. Raises `InputError` with
    similar names if there is none.
    """
    for candidate in _candidates(Path(name), kind, search_dir):
        for file in (candidate, candidate.with_name(f"{candidate.name}.yaml")):
            if file.is_file():
                return file
    where = f", next to {search_dir}" if search_dir else ""
    raise InputError(
        f"There is no {kind} {str(name)!r}, neither from the current folder{where} nor among the shipped ones"
        f"{suggest(Path(name).stem, shipped_names(kind))}"
    )


def _candidates(name: Path, kind: str, search_dir: Path | None) -> Iterator[Path]:
    if not name.name:
        return
    yield name
    if name.is_absolute():
        return
    if search_dir is not None:
        yield (search_dir if search_dir.is_dir() else search_dir.parent) / name
    if ".." in name.parts:
        return
    folder = shipped_folder(kind)
    yield folder / name
    for above, part in zip(folder.parents, reversed(folder.parts), strict=False):
        yield above / name
        if part in ("configs", "data_specs"):
            return
