"""Checks of the folder of a run that is about to be trained, and the command that resumes it."""

from __future__ import annotations

import json
import shlex
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from root_gnn.config.loader import leaves, load, to_mapping
from root_gnn.config.yaml import read_document
from root_gnn.console import log
from root_gnn.errors import InputError
from root_gnn.runs.recipe import Recipe
from root_gnn.runs.run import Run
from root_gnn.runs.setup import TrainingSetup
from root_gnn.training.plan import sha256

WRITTEN_DOWN = ("spec.yaml", "scaling.json", "plan.json", "versions.json", "config.yaml")  # in this order
WRITTEN_LATER = ("history.csv", "tensorboard", "checkpoints", "metrics.json", "predictions", "plots", "embedding")


def make_ready(folder: Path, setup: TrainingSetup, *, overwrite: bool) -> None:
    """Removes the files of an older run, now that the new one is known to start, and writes those of this one.

    Without `overwrite` nothing is removed, and where there is a checkpoint nothing is written: its files stay. `setup`
    writes the recipe, spec, scaling, plan and versions.
    """
    if overwrite:
        for name in (*WRITTEN_DOWN, *WRITTEN_LATER):
            path = folder / name
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    if not (folder / "checkpoints" / "last.ckpt").exists():  # else the weights there go with the files there
        setup.write_down(folder)
    log.info("%s", setup.plan)


def check_folder(folder: Path, recipe: Recipe, *, mode: str, source: Run | None, resume: bool, overwrite: bool) -> None:
    """Checks whether a run may be written to a folder; changes nothing.

    Args:
        folder: the run folder.
        recipe: the resolved recipe.
        mode: `scratch`, `finetuned` or `frozen`.
        source: the pretrained run; None for none.
        resume: whether the run in the folder is to be continued.
        overwrite: whether the run in the folder is to be replaced.

    Raises:
        InputError: where it may not, with the reason.
    """
    if resume and overwrite:
        raise InputError("--resume goes on with a run and --overwrite starts it again; give one of the two")
    if folder.exists() and not folder.is_dir():
        raise InputError(f"the run folder {folder} is a file; name another with --run-dir")
    if not folder.exists() or not any(folder.iterdir()):
        return
    if source is not None and source.folder.resolve() == folder.resolve():
        raise InputError(f"{folder} is the pretrained run itself; name another folder with --run-dir")
    if not (resume or overwrite):
        raise InputError(
            f"the run folder {folder} exists; go on with --resume, start again with --overwrite, "
            "or name another with --run-dir"
        )
    is_run = all((folder / name).is_file() for name in WRITTEN_DOWN)
    if not is_run and (overwrite or not _just_begun(folder)):
        raise InputError(
            f"{folder} holds files and is no run folder ({', '.join(WRITTEN_DOWN)} are not all there), so it is left "
            "as it is; name another with --run-dir, or empty it yourself"
        )
    if is_run and resume:
        _check_same_run(folder, recipe, mode=mode, source=source)


def _just_begun(folder: Path) -> bool:
    """Returns whether the folder holds only files that `write_down` writes before the last one."""
    hidden = tuple(f".{name}." for name in WRITTEN_DOWN)
    return all(path.name in WRITTEN_DOWN[:-1] or path.name.startswith(hidden) for path in folder.iterdir())


def _check_same_run(folder: Path, recipe: Recipe, *, mode: str, source: Run | None) -> None:
    config = folder / "config.yaml"
    before, now = leaves(_written(config, recipe)), leaves(to_mapping(recipe))
    changed = [
        f"{key} is {before.get(key)!r} there and {now.get(key)!r} here"
        for key in before | now
        if before.get(key) != now.get(key)
    ]
    plan = json.loads((folder / "plan.json").read_text(encoding="utf-8")) if not changed else {}
    if plan and plan["mode"] != mode:
        changed.append(f"--mode is {plan['mode']} there and {mode} here")
    digest = sha256(source.checkpoint) if source is not None and mode != "scratch" else None
    if plan and plan["source_sha256"] != digest:
        changed.append(f"its backbone came from other weights ({plan['source']}) than --from names here")
    if changed:
        raise InputError(
            f"{config} and this recipe differ, so --resume would not give the run it promises: "
            f"{'; '.join(changed[:3])}. "
            "Resume with the recipe of the run, or use --run-dir for a new one"
        )


def _written(config: Path, recipe: Recipe) -> Any:
    """Returns a run's recipe with defaults for keys that are newer than it; unchanged where it can't be parsed."""
    try:
        return to_mapping(load(Recipe, config, allow_plugins=own_modules(to_mapping(recipe))))
    except InputError:
        return read_document(config).value


def own_modules(mapping: Any) -> set[str]:
    """Returns the modules of the user's own that a recipe names as plug-ins.

    The recipe was allowed to import them, so its run folder is too.
    """
    if isinstance(mapping, list):
        return {name for part in mapping for name in own_modules(part)}
    if not isinstance(mapping, dict):
        return set()
    name = str(mapping.get("name", ""))
    return {found for part in mapping.values() for found in own_modules(part)} | ({name} if "." in name else set())


def is_finished(folder: Path) -> bool:
    """Whether training has written its results to `metrics.json`; `evaluate` alone writes the file without them."""
    path = folder / "metrics.json"
    return path.exists() and "best_epoch" in json.loads(path.read_text(encoding="utf-8"))


def resume_command(argv: Sequence[str], folder: Path) -> str:
    """Returns the command that resumes, made from what was typed; in words where that was not `root-gnn`."""
    if Path(argv[0]).stem != "root-gnn" and Path(argv[0]).parts[-2:] != ("root_gnn", "__main__.py"):
        return f"the same call with resume (--resume), run folder {folder}"
    resume = ["--resume"] if argv[1:2] in (["train"], ["finetune"]) else []  # a study always goes on with what is there
    return shlex.join(["root-gnn", *(word for word in argv[1:] if word not in ("--overwrite", "--resume")), *resume])
