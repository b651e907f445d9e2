"""A study: how much do pretrained networks gain over one from scratch?

On several tasks, at several training sizes, over several seeds.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path

from root_gnn.analysis.comparison import Comparison
from root_gnn.atomic import write_json, write_text
from root_gnn.config.loader import load, to_yaml
from root_gnn.config.shipped import find
from root_gnn.errors import InputError
from root_gnn.parallel.executor import refuse_two_clusters
from root_gnn.runs.build import data_folder
from root_gnn.runs.run import Run, load_run
from root_gnn.study.answer import study_answers
from root_gnn.study.execution.places import DaskPlace, Executor, LocalPlace
from root_gnn.study.execution.schedule import Outcome, run_all
from root_gnn.study.fresh import fresh_comparisons
from root_gnn.study.page import write_study_page
from root_gnn.study.plan import Cell, Study, Version
from root_gnn.study.results import CellResult, Results
from root_gnn.study.rows import write_rows
from root_gnn.study.tree_baseline import check_baseline, tree_baseline


def study(
    path: Path | str,
    *,
    data_dir: Path | str | None = None,
    out: Path | str | None = None,
    jobs: int = 2,
    scheduler: str | None = None,
    slurm: Mapping[str, str] | None = None,
    tiny: bool = False,
    fresh: Path | str | None = None,
) -> Results:
    """Runs the trainings of a study that are not done yet and writes its results.

    They are `study.json`, `.md`, `.yaml`, `.parquet` and `.html` in `out`.

    Args:
        path: a study's YAML file, or the name of a shipped study.
        data_dir: where data paths begin; `$ROOT_GNN_DATA`, or the folder where one is, unless given.
        out: the folder of the study; `studies/<name>` unless given.
        jobs: trainings at a time on this machine.
        scheduler: address of a Dask cluster that runs the trainings instead.
        slurm: parameters of sbatch for job arrays that run them instead (empty for the defaults of Slurm).
        tiny: `Study.tiny` instead of the study.
        fresh: a folder with newly simulated files of the same names; all groups are compared on all of their events
            too, in `study_fresh.md` and `.json`.

    Raises InputError where the study is wrong, or nothing can be compared since trainings failed.
    """
    plan = load(Study, find(path, "study"), allow_dotted=True)
    plan = plan.tiny() if tiny else plan
    if plan.floor is not None:
        check_baseline(plan)
    folder = Path("studies") / plan.name if out is None else Path(out)
    runs, data = folder / "runs", data_folder(data_dir)
    runs.mkdir(parents=True, exist_ok=True)
    outcome = run_all(plan.trainings(), _place(runs, data, jobs=jobs, scheduler=scheduler, slurm=slurm))
    results = Results(
        plan,
        _answers(plan, runs, outcome, data),
        _finished(plan.pretrained, runs, outcome),
        outcome.failures,
        folder,
        data,
    )
    if not results.answers:
        raise InputError(
            f"Nothing can be compared: {'; '.join(f'{name}: {why}' for name, why in outcome.failures.items())}"
        )
    write_results(results, outcome.seconds)
    if fresh is not None:
        judged = fresh_comparisons(results, Path(fresh))
        write_text(folder / "study_fresh.md", "\n\n".join(map(str, judged)) + "\n")
        write_json(folder / "study_fresh.json", [one.content() for one in judged])
    return results


def _answers(plan: Study, runs: Path, outcome: Outcome, data: Path) -> dict[Cell, CellResult]:
    """What can be compared with scratch, and with the floor where one is asked for."""
    found = {}
    for cell, groups in plan.groups().items():
        ended = {
            name: list(_finished([one.name for one in members], runs, outcome).values())
            for name, members in groups.items()
        }
        members = {name: members for name, members in ended.items() if members}
        if "scratch" in members:
            here = data / plan.data.get(cell.version, Version()).folder
            floor = None if plan.floor is None else tree_baseline(cell, members, runs=runs, data=here)
            found[cell] = CellResult(members, Comparison.of(members, title=cell.title), floor)
    return found


def _finished(names: Iterable[str], runs: Path, outcome: Outcome) -> dict[str, Run]:
    return {name: load_run(runs / name) for name in names if name in outcome.seconds}


def write_results(results: Results, seconds: Mapping[str, float]) -> None:
    """Writes all files of a study; `seconds` are those that each training took in this call."""
    plan, folder = results.study, results.folder
    write_text(folder / "study.md", f"{results}\n")
    write_text(folder / "study.yaml", to_yaml(plan))
    write_rows(folder / "study.parquet", results.rows())
    answers = study_answers(results)
    write_json(
        folder / "study.json",
        {
            "name": plan.name,
            "seconds": dict(seconds),
            "comparisons": [one.content() for one in results.comparisons],
            "floors": [one.content() for one in results.floors],
            "answers": answers.content(),
            "failures": dict(results.failures),
            "commands": [shlex.join(one.command()) for one in plan.trainings()],
        },
    )
    write_study_page(answers)


def _place(
    runs: Path, data_dir: Path, *, jobs: int, scheduler: str | None, slurm: Mapping[str, str] | None
) -> Executor:
    """What runs the trainings: this machine, a Dask cluster or Slurm.

    Args:
        runs: the folder of the runs.
        data_dir: where data paths begin.
        jobs: trainings at a time on this machine.
        scheduler: address of a Dask cluster.
        slurm: parameters of sbatch.
    """
    refuse_two_clusters(scheduler, slurm)
    if scheduler is not None:
        return DaskPlace(runs, data_dir, scheduler=scheduler)
    if slurm is not None:
        from root_gnn.study.execution.slurm import SlurmPlace

        return SlurmPlace(runs, data_dir, parameters=slurm)
    return LocalPlace(runs, data_dir, jobs=jobs)
