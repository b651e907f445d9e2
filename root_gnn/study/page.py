"""The page of a study: what was found, in words, tables and pictures, what can't be told, and how all of it was made."""

from __future__ import annotations

import json
import shlex
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from root_gnn._version import __version__
from root_gnn.analysis.claims import Verdict, interval
from root_gnn.analysis.comparison import Comparison
from root_gnn.atomic import write_text
from root_gnn.config.loader import to_yaml
from root_gnn.console import log
from root_gnn.metrics.formatting import UNDEFINED
from root_gnn.metrics.metric import Metric
from root_gnn.metrics.registry import reported_metrics
from root_gnn.pages.html import Link, folded, heading, items, listing, note, page, paragraph, table
from root_gnn.pages.report import HOW_ERRORS
from root_gnn.study.answers import StudyAnswers
from root_gnn.study.cost_section import break_even_cell, costs, pretraining_size
from root_gnn.study.published import Published
from root_gnn.study.results import Results
from root_gnn.study.sections import factor_of, question_sections

HOW_BESIDE = (
    "Gains are relative to the AUC of scratch. They agree where the 68 % interval and the published range have something in common, costs "
    "where both are on the same side of one, similarity where it is told apart from that of two networks from scratch, or not, in both."
)

VERDICTS: dict[Verdict, str] = {
    "above": "test AUC above that of scratch in",
    "below": "below it in",
    "not told apart": "not told apart from it in",
    "too few seeds": "too few seeds to say in",
    "other training events": "trained on other events in",
    "not defined": "not defined in",
}


def write_study_page(results: Results, found: StudyAnswers) -> Path:
    """Writes `study.html` in the folder of the study and returns its path."""
    path = results.folder / "study.html"
    with tempfile.TemporaryDirectory() as folder:
        write_text(path, page(f"Study {results.study.name}", _parts(results, found, Path(folder))))
    log.info("%s: the study on one page", path)
    return path


def _parts(results: Results, found: StudyAnswers, folder: Path) -> Iterator[str]:
    yield heading("In short")
    yield note(results.study.notes)
    if len(found.found) > 1:
        yield items(_gist(found))
        yield heading("In numbers")
    yield items(_summary(results, found))
    if results.failures:
        yield heading("What failed")
        yield table(("training", "why"), results.failures.items())
    if results.study.published is not None:
        yield from _beside(results.study.published, found)
    for name, one in found.found.items():
        yield from question_sections(name, one, folder)
    yield from costs(results, found, folder)
    yield from pretraining_size(found, folder)
    yield from _provenance(results)


def _gist(found: StudyAnswers) -> Iterator[str]:
    """For each way to train, with the fewest and with the most events: in which tasks it is above scratch, below, or not told apart."""
    sizes = (("fewest", 0), ("most", -1)) if any(len(of.cells) > 1 for of in found.found.values()) else (("given", 0),)
    for which, place in sizes:
        said: dict[str, dict[Verdict, list[str]]] = {}
        for name, of in found.found.items():
            for one in list(of.cells.values())[place].comparison.differences:
                gain = f" {one.auc.mean:+.3f}" if one.auc is not None and one.verdict in ("above", "below") else ""
                said.setdefault(one.group, {verdict: [] for verdict in VERDICTS})[one.verdict].append(f"{name}{gain}")
        for group, tasks in said.items():
            parts = [f"{VERDICTS[verdict]} {', '.join(names)}" for verdict, names in tasks.items() if names]
            yield f"{group}, with the {which} training events: {'; '.join(parts)}."


def _summary(results: Results, found: StudyAnswers) -> Iterator[str]:
    """The main numbers in sentences: the smallest and the largest size of each question, data efficiency, what it costs."""
    for name, of in found.found.items():
        for cell in dict.fromkeys((next(iter(of.cells)), of.last[0])):
            one = of.cells[cell].comparison
            scratch = next(group for group in one.groups if group.name == one.reference)
            yield (
                f"{name}, {cell.train_events:,} training events: test AUC {interval(scratch.auc, 3)} from scratch "
                f"({len(scratch.seeds)} seeds, {one.n_test:,} test events). Less that of scratch: {_differences(one)}."
            )
            floor = of.cells[cell].floor
            if floor is not None:
                yield (
                    f"{name}, {cell.train_events:,} training events: test AUC {interval(floor.groups[0].auc, 3)} of boosted trees. "
                    f"Less that of them: {_differences(floor)}."
                )
        said_of = [f"{group} {factor_of(factors[0])}" for group, factors in of.efficiency.items() if factors]
        if said_of:
            yield f"{name}: scratch needs so many times the {of.efficiency_size:,} events for the same AUC: {'; '.join(said_of)}."
        paid = [
            (group, one)
            for group, one in of.pays[of.last[0].train_events].items()
            if one is not None and one.n is not None
        ]
        if paid:
            yield (
                f"{name}, {of.last[0].train_events:,} training events: trainings after which pretraining has paid for itself: "
                + "; ".join(f"{group} {break_even_cell(one)}" for group, one in paid)
                + "."
            )
    n_failed, n_all = len(results.failures), len(results.study.trainings())
    yield f"{n_all - n_failed} of {n_all} trainings ended well." if n_failed else f"All {n_all} trainings ended well."


def _differences(one: Comparison) -> str:
    return "; ".join(f"{other.group} {interval(other.auc, 3, sign=True)}, {other.verdict}" for other in one.differences)


def _beside(published: Published, found: StudyAnswers) -> Iterator[str]:
    yield heading("Beside what was published")
    yield paragraph(f"{published.source}; here the group {published.group}. {published.events} {HOW_BESIDE}")
    yield table(("task", "what", "published", "here [68 %]", "agreement"), found.published)


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
