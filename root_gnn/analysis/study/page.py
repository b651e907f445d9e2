"""The page of a study: what was found, in words, tables and pictures, what can't be told, and how all of it was made."""

from __future__ import annotations

import json
import shlex
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from root_gnn import __version__
from root_gnn.analysis.claims import interval
from root_gnn.analysis.page import Link, folded, heading, items, listing, note, page, paragraph, picture, pictures, said, table
from root_gnn.analysis.report import HOW_ERRORS, UNDEFINED, number
from root_gnn.analysis.study.answers import Answers, source_of
from root_gnn.analysis.study.pictures import totals
from root_gnn.analysis.study.results import Results
from root_gnn.analysis.study.sections import factor_of, mean_cell, question_sections
from root_gnn.atomic import write_text
from root_gnn.config.loader import to_yaml
from root_gnn.console import log
from root_gnn.metrics.cost import BreakEven

HOW_COSTS = (
    "Break-even is the number of trainings on a task whose saved time is that of the pretraining: seconds of scratch until 99.9 % of its "
    "best validation AUC, less those of the other group until the same AUC, seed by seed. Operations are those of matrix products, counted "
    "on some events; backward counts as two forward passes."
)


def write_page(results: Results, found: Answers) -> Path:
    """Writes `study.html` in the folder of the study and returns its path."""
    path = results.folder / "study.html"
    with tempfile.TemporaryDirectory() as folder:
        write_text(path, page(f"Study {results.study.name}", _parts(results, found, Path(folder))))
    log.info("%s: the study on one page", path)
    return path


def _parts(results: Results, found: Answers, folder: Path) -> Iterator[str]:
    yield heading("In short")
    yield note(results.study.notes)
    yield items(_summary(results, found))
    if results.failures:
        yield heading("What failed")
        yield table(("training", "why"), results.failures.items())
    for name, one in found.found.items():
        yield from question_sections(name, one, folder)
    yield from _costs(results, found, folder)
    yield from _scaling(found)
    yield from _provenance(results)


def _summary(results: Results, found: Answers) -> Iterator[str]:
    """The main numbers in sentences: the smallest and the largest size of each question, data efficiency, what it costs."""
    for name, of in found.found.items():
        for cell in dict.fromkeys((next(iter(of.cells)), of.last[0])):
            one = of.cells[cell].comparison
            scratch = next(group for group in one.groups if group.name == one.reference)
            gains = "; ".join(f"{other.group} {interval(other.auc, 3, sign=True)}, {other.verdict}" for other in one.differences)
            yield (f"{name}, {cell.train_events:,} training events: test AUC {interval(scratch.auc, 3)} from scratch "
                   f"({len(scratch.seeds)} seeds, {one.n_test:,} test events). Less that of scratch: {gains}.")  # fmt: skip
        said_of = [f"{group} {factor_of(factors[0])}" for group, factors in of.efficiency.items() if factors]
        if said_of:
            yield f"{name}: scratch needs so many times the {of.efficiency_size:,} events for the same AUC: {'; '.join(said_of)}."
        paid = [(group, one) for group, one in of.pays[of.last[0].train_events].items() if one is not None and one.n is not None]
        if paid:
            yield (f"{name}, {of.last[0].train_events:,} training events: trainings after which pretraining has paid for itself: "
                   + "; ".join(f"{group} {_break_even(one)}" for group, one in paid) + ".")  # fmt: skip
    n_failed, n_all = len(results.failures), len(results.study.trainings())
    yield f"{n_all - n_failed} of {n_all} trainings ended well." if n_failed else f"All {n_all} trainings ended well."


def _costs(results: Results, found: Answers, folder: Path) -> Iterator[str]:
    yield heading("Cost")
    yield paragraph(HOW_COSTS)
    rows = [
        (name, f"{run.plan['events']['train']:,}", f"{run.metrics['seconds']:,.0f} s", f"{run.metrics['events_per_second']:,.0f}",
         f"{found.operations[name]:.2e}", run.metrics["device"])
        for name, run in results.pretrained.items()
    ]  # fmt: skip
    yield table(("pretraining", "training events", "training time", "events/s", "operations", "device"), rows)
    yield said("Energy is not told: no counter of it was read during these trainings.")
    seconds = {name: float(run.metrics["seconds"]) for name, run in results.pretrained.items()}
    drawn, cells = [], []
    for name, of in found.found.items():
        times = {group: one.seconds for group, one in of.speed[of.last[0].train_events].items()}
        totals(seconds, {group: (source_of(group, results), each) for group, each in times.items() if each}, folder / "cost.svg")
        drawn.append(picture(folder / "cost.svg", f"{of.last[0].title}: hours in all against the number of trainings, with pretraining; "
                             "bands are the 68 % error of a training's time."))  # fmt: skip
        for size, paying in of.pays.items():
            each = of.speed[size]
            cells += [(group, name, f"{size:,}", mean_cell(each["scratch"].to_scratch), mean_cell(each[group].to_scratch),
                       mean_cell(each[group].saved), _break_even(one)) for group, one in paying.items()]  # fmt: skip
    yield pictures(drawn)
    yield table(("group", "task", "training events", "seconds of scratch", "seconds to the same AUC", "seconds saved",
                 "break-even after trainings [68 %]"), cells)  # fmt: skip


def _scaling(found: Answers) -> Iterator[str]:
    yield heading("Size of pretraining")
    if not found.scaling:
        yield said("A law of the size of pretraining takes one recipe at three sizes or more, which this study does not have.")
        return
    rows = [
        (name, "not defined", "", "") if law is None
        else (name, number(law.exponent.value, law.exponent.error, digits=3), number(law.scale.value, law.scale.error, digits=4),
              UNDEFINED if law.chi2 is None else f"{law.chi2:.1f} / {law.n_dof}")
        for name, law in found.scaling.items()
    ]  # fmt: skip
    yield paragraph("1 - AUC at the smallest training size against the training events of pretraining, as a power law.")
    yield table(("task and mode", "exponent", "1 - AUC at the mean size", "chi2 / degrees of freedom"), rows)


def _break_even(found: BreakEven | None) -> str:
    if found is None:
        return UNDEFINED
    if found.n is None:
        return "not with these" if found.low is None else f"not with these, at best {found.low:,.0f}"
    low, high = (UNDEFINED if end is None else f"{end:,.1f}" for end in (found.low, found.high))
    return f"{found.n:,.1f} [{low}, {'no limit' if found.high is None else high}]"


def _provenance(results: Results) -> Iterator[str]:
    study = results.study
    yield heading("Every training")
    yield table(("run", "task", "group", "training events", "seed", "test AUC", "accuracy", "rejection at 30 % signal",
                 "rejection at 50 % signal", "significance", "best epoch", "training time", "parameters"), _runs(results))  # fmt: skip
    yield paragraph(HOW_ERRORS)
    yield heading("How it was made")
    versions = dict.fromkeys(row["versions"] for row in results.rows() if row["versions"])
    yield items(", ".join(f"{key} {value}" for key, value in json.loads(one).items() if value is not None) for one in versions)
    yield paragraph(f"Seeds: {', '.join(map(str, study.seeds))}. The study as it was run:")
    yield listing(to_yaml(study).splitlines())
    yield folded("Every command, to be run in the folder of the study", [listing(shlex.join(one.command()) for one in study.trainings())])
    for name, run in results.pretrained.items():
        yield folded(f"The recipe of the pretraining {name}", [listing((run.folder / "config.yaml").read_text("utf-8").splitlines())])
    last = list(results.answers.values())[-1]
    for group, runs in last.members.items():
        yield folded(f"The recipe of {runs[0].name} ({group})", [listing((runs[0].folder / "config.yaml").read_text("utf-8").splitlines())])
    yield paragraph(f"Written by root_gnn {__version__}. What the figures mean is in docs/statistics.md.", "source")


def _runs(results: Results) -> Iterator[Sequence[str | Link]]:
    for row in results.rows():
        link = Link(row["run"], f"runs/{row['run']}/")
        if row["failure"]:
            yield (link, row["task"], row["group"] or "pretraining", *[UNDEFINED] * 10)
            continue
        task = f"{row['task']}, {row['version']}" if row["version"] else row["task"]
        yield (
            link, task, row["group"] or "pretraining", _count(row["n_train"]), _count(row["seed"]),
            number(row["auc"], row["auc_error"]), number(row["accuracy"], row["accuracy_error"]),
            *(number(row[f"rejection_{at}"], row[f"rejection_{at}_error"], digits=2) for at in (30, 50)),
            number(row["significance"], digits=2), _count(row["best_epoch"]),
            UNDEFINED if row["seconds"] is None else f"{row['seconds']:,.1f} s", _count(row["n_parameters"]),
        )  # fmt: skip


def _count(value: int | None) -> str:
    return UNDEFINED if value is None else f"{value:,}"
