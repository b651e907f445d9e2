"""Lists runs with their results and the differences between their recipes: `root-gnn runs`."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from operator import eq, ge, gt, le, lt, ne
from pathlib import Path
from typing import Any

from root_gnn.config.loader import leaves
from root_gnn.config.yaml import read_document
from root_gnn.errors import InputError, suggest
from root_gnn.runs.packed import SUFFIX, is_packed, pack_folder, unpack, unpacked
from root_gnn.runs.packed import packed_name as name_of_packed
from root_gnn.runs.run import RUNS, Run, check_is_run, load_run, located

SHOWN = (
    "name",
    "state",
    "model.name",
    "objective.name",
    "mode",
    "data.train_events",
    "seed",
    "best_epoch",
    "test.auc",
    "test.loss",
    "seconds",
)
"""The columns of the list."""
FURTHER = ("test.auc_error", "test.accuracy", "n_parameters", "source")
"""What a comparison shows beside them, before the keys that differ."""
OF_PLAN = ("mode", "source", "n_parameters")
OF_METRICS = ("best_epoch", "seconds", "events_per_second", "n_parameters", "device")
COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {"!=": ne, ">=": ge, "<=": le, "=": eq, ">": gt, "<": lt}
CONDITION = re.compile(r"\s*([^=<>!\s]+)\s*(!=|>=|<=|=|>|<)\s*(.*?)\s*")


@dataclass(frozen=True)
class Listed:
    """A run, read without building its network or importing anything that it names.

    Attributes:
        folder: the run folder.
        recipe: values by dotted key, such as `model.dim`.
        figures: values by dotted key, such as `test.auc`, and `name`, `state` (finished, stopped, damaged), `mode`,
            `source`, `best_epoch`, `seconds`, `n_parameters`, `device`.
    """

    folder: Path
    recipe: Mapping[str, Any]
    figures: Mapping[str, Any]

    @classmethod
    def of(cls, folder: Path) -> Listed:
        """Reads a run folder; one whose files can't be read is `damaged`."""
        name = folder.resolve().name
        try:
            recipe = leaves(_mapping(read_document(folder / "config.yaml").value))
            plan, metrics = _json(folder / "plan.json"), _json(folder / "metrics.json")
            figures = {key: plan[key] for key in OF_PLAN if key in plan} | {
                key: metrics[key] for key in OF_METRICS if key in metrics
            }
            figures |= leaves(_mapping(metrics["splits"])) if metrics else {}
        except (InputError, OSError, ValueError, TypeError, KeyError):
            return cls(folder, {}, {"name": name, "state": "damaged"})
        return cls(folder, recipe, {**figures, "name": name, "state": "finished" if metrics else "stopped"})

    @property
    def facts(self) -> dict[str, Any]:
        """Values of recipe and figures by key; `name` is that of the folder."""
        return {**self.recipe, **self.figures}


@dataclass(frozen=True)
class Registry:
    """Several runs and the keys to show; as text it is a table."""

    runs: tuple[Listed, ...]
    keys: tuple[str, ...]

    def __str__(self) -> str:
        rows = [
            tuple(key.removesuffix(".name") for key in self.keys),
            *(_cells(run.facts, self.keys) for run in self.runs),
        ]
        widths = [max(len(row[place]) for row in rows) for place in range(len(self.keys))]
        return "\n".join(
            "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
        )

    def as_json(self) -> str:
        """All facts of each run, with its folder, as JSON."""
        return json.dumps([{"folder": str(run.folder), **run.facts} for run in self.runs], indent=1)


def list_runs(folder: Path | str = RUNS, *, where: Sequence[str] = (), sort: str = "name") -> Registry:
    """Lists the runs in a folder and the folders below it.

    Args:
        folder: the folder.
        where: conditions `KEY=VALUE` (also `!= > < >= <=`), all of which a run has to meet.
        sort: the key to sort by, numbers from the largest.

    Raises:
        InputError: where there is no such folder, or no run has a key.
    """
    place = Path(folder)
    if not place.is_dir():
        raise InputError(f"{place}: there is no such folder, so no runs; name another with --dir")
    found = [
        Listed.of(config.parent)
        for config in sorted(place.rglob("config.yaml"))
        if (config.parent / "plan.json").exists()
    ]
    for text in where:
        found = [run for run in found if _holds(text, run, found)]
    _check_key(sort, found, f"--sort {sort}")
    return Registry(tuple(sorted(found, key=lambda run: _rank(run.facts.get(sort)))), SHOWN)


def compare_runs(places: Sequence[Path | str]) -> Registry:
    """Compares runs: their results, and the keys of their recipes that are not the same in all."""
    listed = tuple(Listed.of(_folder(place)) for place in places)
    keys = dict.fromkeys(key for run in listed for key in run.recipe)
    differ = [key for key in keys if len({repr(run.facts.get(key)) for run in listed}) > 1]
    return Registry(listed, tuple(dict.fromkeys((*SHOWN, *FURTHER, *differ))))


def pack(
    run: Run | Path | str, *, out: Path | None = None, overwrite: bool = False, allow_plugins: Collection[str] = ()
) -> Path:
    """Writes a run as one file; raises InputError where that exists.

    Args:
        run: a run, its folder or name.
        out: the file to write, by default `<name>.safetensors`.
        overwrite: replace an existing file.
        allow_plugins: modules outside of root_gnn that the run may import.
    """
    opened = run if isinstance(run, Run) else load_run(run, allow_plugins=allow_plugins)
    target = Path(f"{opened.name}{SUFFIX}") if out is None else out
    if target.suffix != SUFFIX:
        raise InputError(
            f"--out {target}: a packed run is called *{SUFFIX}; that is how it is told from a "
            "run folder or a checkpoint"
        )
    _check_free(target, overwrite)
    return pack_folder(opened.folder, opened.checkpoint, target)


def unpack_run(file: Path, *, out: Path | None = None, overwrite: bool = False) -> Path:
    """Makes a run folder of a packed run; raises InputError where the folder exists.

    Args:
        file: a packed run.
        out: the folder to make, by default `runs/<name>`.
        overwrite: replace an existing folder.
    """
    if not is_packed(file):
        raise InputError(f"{file} is no packed run: a file called *{SUFFIX} was expected, as `root-gnn pack` writes it")
    target = RUNS / name_of_packed(file) if out is None else out
    _check_free(target, overwrite=overwrite and (target / "config.yaml").is_file())
    return unpack(file, target)


def _check_free(target: Path, overwrite: bool) -> None:
    if target.exists() and not overwrite:
        raise InputError(f"{target} exists; name another --out, or replace what was packed there with --overwrite")


def _folder(place: Path | str) -> Path:
    """The folder of a run given as `load_run` takes it, without reading its recipe."""
    path = located(place)
    if is_packed(path):
        return unpacked(path)
    folder = path.resolve().parent.parent if path.is_file() else path
    check_is_run(folder)
    return folder


def _json(path: Path) -> dict[str, Any]:
    return _mapping(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}


def _mapping(content: Any) -> dict[str, Any]:
    if not isinstance(content, dict):
        raise TypeError(f"{type(content).__name__} instead of a mapping")
    return content


def _holds(text: str, run: Listed, among: Sequence[Listed]) -> bool:
    """Whether a run meets a condition; one that lacks the key does not."""
    found = CONDITION.fullmatch(text)
    if found is None:
        raise InputError(f"--where {text}: KEY=VALUE was expected, or another of {' '.join(COMPARISONS)} in its place")
    key, sign, wanted = found.groups()
    _check_key(key, among, f"--where {text}")
    value = run.facts.get(key)
    if value is None:
        return wanted == "null" if sign == "=" else False
    number = _number(wanted)
    if number is not None and isinstance(value, int | float) and not isinstance(value, bool):
        return COMPARISONS[sign](value, number)
    if sign not in ("=", "!="):
        raise InputError(f"--where {text}: {sign} compares numbers, and {key} of {run.folder} is {value!r}")
    return COMPARISONS[sign](str(value).lower() if isinstance(value, bool) else str(value), wanted)


def _check_key(key: str, among: Sequence[Listed], said: str) -> None:
    known = {name for run in among for name in run.facts}
    if among and key not in known:
        raise InputError(f"{said}: no run has the key {key}{suggest(key, sorted(known))}")


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _rank(value: Any) -> tuple[int, float, str]:
    """Numbers first, the largest at the top, then words by the alphabet, then what is missing."""
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return 0, -float(value), ""
    return (2, 0.0, "") if value is None else (1, 0.0, str(value))


def _cells(facts: Mapping[str, Any], keys: Sequence[str]) -> tuple[str, ...]:
    return tuple(_cell(facts.get(key)) for key in keys)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
