"""The networks of a study on events that no setting of it was tried on."""

from __future__ import annotations

from pathlib import Path

from root_gnn.analysis.comparison import Comparison
from root_gnn.runs.evaluate import evaluate, tells_classes
from root_gnn.runs.run import Run
from root_gnn.study.results import Results


def fresh_comparisons(results: Results, folder: Path) -> tuple[Comparison, ...]:
    """Of each cell, on all events of the files in another folder that have the names of the study's own.

    Each network is evaluated on them anew (`predictions/files.parquet`). Raises InputError where one of the files is
    missing.
    """
    found = []
    for cell, answer in results.answers.items():
        for run in (run for runs in answer.members.values() for run in runs):
            evaluate(run.folder, files=_files(run), data_dir=folder)
        found.append(Comparison.of(answer.members, title=f"{cell.title}, on fresh events", split="files"))
    return tuple(found)


def _files(run: Run) -> list[str]:
    data = run.recipe.data
    told = tells_classes(run.spec, run)
    return [
        *data.files,
        *(file if told else f"{name}={file}" for name, files in data.classes.items() for file in files),
    ]
