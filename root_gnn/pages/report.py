"""`root-gnn report`: what was done and what came out, on one page that can be kept, mailed and printed."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from root_gnn import plots
from root_gnn._version import __version__
from root_gnn.analysis.cka import run_labels
from root_gnn.analysis.comparison import Comparison
from root_gnn.analysis.grouping import compared
from root_gnn.atomic import write_text
from root_gnn.console import log
from root_gnn.errors import InputError
from root_gnn.metrics.formatting import UNDEFINED, format_number
from root_gnn.metrics.metric import Metric
from root_gnn.metrics.registry import reported_metrics
from root_gnn.pages.html import heading, listing, note, page, paragraph, picture, pictures, table
from root_gnn.runs.run import Run, load_run

CAPTIONS = {
    "learning_curves": "Learning curves. The best epoch was chosen on the validation split.",
    "roc": "Background rejection against signal efficiency on the test split, with 68 % bands over test events.",
    "scores": "Scores on the test split for each true class, normalised to one, with statistical errors.",
    "confusion": "Share of each true class of the test split that is predicted as each class.",
}
HOW_ERRORS = (
    "Errors and intervals are 68 %. Those of a single run come from the finite number of test events alone; what "
    "another training would have given is in the spread between seeds. The epoch was chosen on the validation split, "
    "and the test split was looked at once."
)
HOW_COMPARED = (
    "All runs were tested on the same events. Means are over seeds; intervals are over test events and seeds at once, "
    "and those of differences are paired, event by event and seed by seed. “Above” or “below” is said only where at "
    "least three seeds were trained on the same events in both groups and the 68 % interval of the difference "
    "excludes zero; one in six comparisons of equal networks gives it in favour of one of them by chance."
)
HOW_SIMILAR = (
    "Centred kernel alignment of every layer of one run with every layer of another, on the same test events: 1 means "
    "equal up to a rotation and a scale, and the null level is what unrelated representations stay below. Two "
    "trainings that differ only in their seed are not equal either, so they are the floor to compare with."
)


def report(
    runs: Sequence[Run | Path | str],
    *,
    out: Path,
    title: str = "",
    comparisons: Sequence[Comparison] | None = None,
    cka: Path | None = None,
    notes: Sequence[str] = (),
    commands: Sequence[str] = (),
    detailed: Collection[str] | None = None,
    allow_plugins: Collection[str] = (),
) -> Path:
    """Writes one self-contained HTML page about runs, and returns its path.

    Args:
        runs: runs, or their folders.
        out: the file to write.
        title: of the page; the name of the run, or the number of runs, unless given.
        comparisons: tables of groups of runs; found among the runs by task, mode and training size unless given.
        cka: a folder with `cka.json` and `cka.png`.
        notes: what a reader must know, at the top.
        commands: what to type to do it again, at the end.
        detailed: names of the runs that get a section of their own; all unless given.
        allow_plugins: dotted names of modules that the runs may import.

    Raises InputError for no runs, or a folder without `cka.json`.
    """
    if not runs:
        raise InputError("A report needs one run folder or more.")
    opened = [run if isinstance(run, Run) else load_run(run, allow_plugins=allow_plugins) for run in runs]
    found, problems = (list(comparisons), []) if comparisons is not None else compared(opened)
    name = title or (f"Run {opened[0].name}" if len(opened) == 1 else f"{len(opened)} runs")
    parts = [note(notes)]
    for one in found:
        parts += _comparison(one)
    if problems:
        parts += [heading("What could not be compared"), *map(paragraph, problems)]
    if cka is not None:
        parts += _similarity(cka)
    parts += _overview(opened)
    for run in opened:
        if detailed is None or run.name in detailed:
            parts += _run(run)
    if commands:
        parts += [heading("To do it again"), listing(commands)]
    parts.append(
        paragraph(f"Written by root_gnn {__version__}. What the figures mean is in docs/statistics.md.", "source")
    )
    write_text(out, page(name, parts))
    log.info("%s: one page about %d %s", out, len(opened), "run" if len(opened) == 1 else "runs")
    return out


def _overview(runs: Sequence[Run]) -> list[str]:
    metrics = [metric for metric in reported_metrics() if "report" in metric.shown_in]
    titles = [title for metric in metrics for title in metric.cells({})]
    header = ("run", "how", "training events", "test events", *titles, "best epoch", "training time")
    rows = [
        (name, how(run), f"{run.plan['events']['train']:,}", *_figures(run, metrics))
        for name, run in zip(run_labels(runs), runs, strict=True)
    ]
    return [heading("Every run"), table(header, rows), paragraph(HOW_ERRORS)]


def how(run: Run) -> str:
    """How a run was trained, in a few words: scratch, finetuned or frozen from which run, and the seed."""
    source = f" from {run.plan['source']}" if run.plan["source"] else ""
    return f"{run.plan['mode']}{source}, seed {run.recipe.seed}"


def _figures(run: Run, metrics: Sequence[Metric]) -> tuple[str, ...]:
    """Test figures of a run as text, one for each of the last columns of the overview.

    Dashes stand for all of them where the run is not finished.
    """
    finished = (run.folder / "metrics.json").exists()
    content: Mapping[str, Any] = run.metrics if finished else {"splits": {}}
    test: Mapping[str, Any] = content["splits"].get("test", {})
    n_event = f"{test['n_events']:,}" if "n_events" in test else UNDEFINED
    return (
        n_event if finished else "not finished",
        *(cell for metric in metrics for cell in metric.cells(metric.columns(test)).values()),
        str(content.get("best_epoch", UNDEFINED)),
        f"{content['seconds']:,.0f} s" if "seconds" in content else UNDEFINED,
    )


def _comparison(found: Comparison) -> list[str]:
    parts = [
        heading(f"Comparison: {found.title}"),
        paragraph(f"{found.n_test:,} test events. {HOW_COMPARED}"),
        table(*found.figures()),
    ]
    parts += [table(*one) for one in found.paired()]
    points = {
        group.name: plots.Interval(group.auc.mean, group.auc.low, group.auc.high) for group in found.groups if group.auc
    }
    if points:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "comparison.svg"
            plots.comparison({"": points}, path)
            parts.append(
                picture(path, "Test AUC of each group, mean over seeds with 68 % interval over events and seeds.")
            )
    return parts


def _similarity(folder: Path) -> list[str]:
    path = folder / "cka.json"
    if not path.is_file():
        raise InputError(f"{folder} has no cka.json; make it with `root-gnn cka RUN RUN --out {folder}`.")
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    names = ", ".join(f"{one} and {other}" for one, other in (pair["runs"] for pair in found["pairs"]))
    return [
        heading("Similarity of representations"),
        paragraph(HOW_SIMILAR),
        picture(
            folder / "cka.png",
            f"CKA ({found['estimator']}) on {found['n_events']:,} events, with errors over events: {names}.",
        ),
    ]


def _run(run: Run) -> list[str]:
    return [
        heading(run.name),
        paragraph(_sentence(run)),
        heading("Data", 3),
        *_data(run),
        heading("Training", 3),
        table(("parameters of", "number", "learning rate", "weight decay"), _groups(run)),
        pictures(
            [
                *(picture(run.folder / "plots" / f"{name}.png", caption) for name, caption in CAPTIONS.items()),
                *_embeddings(run),
            ]
        ),
        paragraph(_versions(run), "source"),
    ]


def _sentence(run: Run) -> str:
    plan, recipe = run.plan, run.recipe
    kind = type(recipe.objective).__module__.rpartition(".")[2]
    encoder = type(recipe.model).__module__.rpartition(".")[2]
    start = (
        f"The encoder started from the run {plan['source']} ({len(plan['loaded'])} tensors loaded, "
        f"{len(plan['skipped'])} left behind); {len(plan['initialised'])} tensors of the head are new."
        if plan["source"]
        else "All weights started from random values."
    )
    frozen = " The backbone was frozen." if plan["frozen"] else ""
    return (
        f"Objective {kind}, encoder {encoder}, {plan['n_parameters']:,} parameters, mode {plan['mode']}, seed "
        f"{recipe.seed}. {start}{frozen} At most {recipe.train.max_epochs} epochs in batches of "
        f"{recipe.train.batch_size}, best epoch by {recipe.train.monitor}."
    )


def _data(run: Run) -> Iterator[str]:
    data, events = run.recipe.data, run.plan["events"]
    rows = [(name, ", ".join(files)) for name, files in data.classes.items()] or [("all", ", ".join(data.files))]
    yield table(("class", "files"), rows)
    limit = f" At most {data.max_events:,} events of each class were read." if data.max_events else ""
    subset = " The training events are a balanced subset drawn by the seed." if data.train_events else ""
    yield paragraph(
        f"{events['train']:,} events to train, {events['validation']:,} to validate, {events['test']:,} to test; the "
        f"split is a hash of the event id ({data.split.train:.0%}, {data.split.validation:.0%}, "
        f"{data.split.test:.0%}), the same in every run.{limit}{subset}"
    )


def _groups(run: Run) -> list[tuple[str, ...]]:
    return [
        (row["name"], f"{row['n_parameters']:,}", f"{row['lr']:.2e}", f"{row['weight_decay']:g}")
        for row in run.plan["groups"]
    ]


def _embeddings(run: Run) -> Iterator[str]:
    """A picture for each method that there is."""
    for path in sorted((run.folder / "embedding").glob("test_*.json")):
        found = json.loads(path.read_text(encoding="utf-8"))
        caption = (
            f"Representations of {found['n_events']:,} test events ({found['method']}). Mean cosine similarity "
            f"{format_number(found['mean_cosine'], digits=3)}, effective rank "
            f"{format_number(found['effective_rank'], digits=1)}."
        )
        yield picture(path.with_suffix(".png"), caption)


def _versions(run: Run) -> str:
    path = run.folder / "versions.json"
    known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return ", ".join(f"{name} {value}" for name, value in known.items() if value is not None)
