"""The page of a study: its answers in words, tables and pictures, and how all of it was made."""

from __future__ import annotations

import json
import shlex
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from root_gnn._version import __version__
from root_gnn.analysis.claims import Verdict
from root_gnn.atomic import write_text
from root_gnn.config.loader import to_yaml
from root_gnn.console import log
from root_gnn.metrics.formatting import UNDEFINED
from root_gnn.metrics.metric import Metric
from root_gnn.metrics.registry import reported_metrics
from root_gnn.pages.html import Link, folded, heading, items, listing, note, page, paragraph, table
from root_gnn.pages.report import HOW_ERRORS
from root_gnn.study.answer import Answer, StudyQuestion, StudyAnswers, all_answers
from root_gnn.study.results import Results

VERDICTS: dict[Verdict, str] = {
    "above": "test AUC above that of scratch in",
    "below": "below it in",
    "not told apart": "not told apart from it in",
    "too few seeds": "too few seeds to say in",
    "other training events": "trained on other events in",
    "not defined": "not defined in",
}


def write_study_page(study: StudyAnswers) -> Path:
    """Writes `study.html` in the folder of the study and returns its path."""
    results = study.results
    path = results.folder / "study.html"
    with tempfile.TemporaryDirectory() as folder:
        write_text(path, page(f"Study {results.study.name}", _parts(study, Path(folder))))
    log.info("%s: the study on one page", path)
    return path


def _parts(study: StudyAnswers, folder: Path) -> Iterator[str]:
    """HTML of the whole page; pictures pass through `folder`."""
    results, answers = study.results, all_answers()
    yield heading("In short")
    yield note(results.study.notes)
    if len(study.questions) > 1:
        yield items(_gist(study.questions))
        yield heading("In numbers")
    yield items(_summary(study, answers))
    if results.failures:
        yield heading("What failed")
        yield table(("training", "why"), results.failures.items())
    for answer in answers:
        if answer.study_place == "before":
            yield from answer.study_section(study, folder)
    for name, question in study.questions.items():
        for answer in answers:
            parts = list(answer.question_section(question, folder))
            if parts and answer.title:
                yield heading(answer.title.format(question=name))
            yield from parts
    for answer in answers:
        if answer.study_place == "after":
            yield from answer.study_section(study, folder)
    yield from _provenance(results)


def _gist(questions: Mapping[str, StudyQuestion]) -> Iterator[str]:
    """In which tasks each way to train is above scratch, below, or neither, with the fewest and the most events."""
    several = any(len(question.cells) > 1 for question in questions.values())
    for which, position in (("fewest", 0), ("most", -1)) if several else (("given", 0),):
        tasks_by_group: dict[str, dict[Verdict, list[str]]] = {}
        for name, question in questions.items():
            for one in list(question.cells.values())[position].comparison.differences:
                gain = f" {one.auc.mean:+.3f}" if one.auc is not None and one.verdict in ("above", "below") else ""
                tasks = tasks_by_group.setdefault(one.group, {verdict: [] for verdict in VERDICTS})
                tasks[one.verdict].append(f"{name}{gain}")
        for group, tasks in tasks_by_group.items():
            parts = [f"{VERDICTS[verdict]} {', '.join(names)}" for verdict, names in tasks.items() if names]
            yield f"{group}, with the {which} training events: {'; '.join(parts)}."


def _summary(study: StudyAnswers, answers: Sequence[Answer]) -> Iterator[str]:
    """The main numbers in sentences: what each answer highlights, and how many trainings ended well."""
    for question in study.questions.values():
        for answer in answers:
            yield from answer.highlights(question)
    n_failed, n_all = len(study.results.failures), len(study.results.study.trainings())
    yield f"{n_all - n_failed} of {n_all} trainings ended well." if n_failed else f"All {n_all} trainings ended well."


def _provenance(results: Results) -> Iterator[str]:
    study = results.study
    metrics = [metric for metric in reported_metrics() if "study" in metric.shown_in]
    yield heading("Every training")
    yield table(
        (
            "run",
            "task",
            "group",
            "training events",
            "seed",
            *(title for metric in metrics for title in metric.cells({})),
            "best epoch",
            "training time",
            "parameters",
        ),
        _runs(results, metrics),
    )
    yield paragraph(HOW_ERRORS)
    yield heading("How it was made")
    versions = dict.fromkeys(row["versions"] for row in results.rows() if row["versions"])
    yield items(
        ", ".join(f"{key} {value}" for key, value in json.loads(one).items() if value is not None) for one in versions
    )
    yield paragraph(f"Seeds: {', '.join(map(str, study.seeds))}. The study as it was run:")
    yield listing(to_yaml(study).splitlines())
    yield folded(
        "Every command, to be run in the folder of the study",
        [listing(shlex.join(one.command()) for one in study.trainings())],
    )
    for name, run in results.pretrained.items():
        yield folded(
            f"The recipe of the pretraining {name}",
            [listing((run.folder / "config.yaml").read_text("utf-8").splitlines())],
        )
    last = list(results.answers.values())[-1]
    for group, runs in last.members.items():
        yield folded(
            f"The recipe of {runs[0].name} ({group})",
            [listing((runs[0].folder / "config.yaml").read_text("utf-8").splitlines())],
        )
    yield paragraph(f"Written by root_gnn {__version__}. What the figures mean is in docs/statistics.md.", "source")


def _runs(results: Results, metrics: Sequence[Metric]) -> Iterator[Sequence[str | Link]]:
    for row in results.rows():
        link = Link(row["run"], f"runs/{row['run']}/")
        if row["failure"]:
            n_undefined = 5 + sum(len(metric.cells({})) for metric in metrics)
            yield (link, row["task"], row["group"] or "pretraining", *[UNDEFINED] * n_undefined)
            continue
        task = f"{row['task']}, {row['version']}" if row["version"] else row["task"]
        yield (
            link,
            task,
            row["group"] or "pretraining",
            _count(row["n_train"]),
            _count(row["seed"]),
            *(cell for metric in metrics for cell in metric.cells(row).values()),
            _count(row["best_epoch"]),
            UNDEFINED if row["seconds"] is None else f"{row['seconds']:,.1f} s",
            _count(row["n_parameters"]),
        )


def _count(value: int | None) -> str:
    return UNDEFINED if value is None else f"{value:,}"
