"""What the page of a study says about one question: against training size, how fast, scores, similarity, embeddings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path

from root_gnn import plots
from root_gnn.analysis.comparison import Comparison
from root_gnn.analysis.embed import AXES
from root_gnn.analysis.predictions import read_predictions
from root_gnn.metrics.data_efficiency import DataEfficiency
from root_gnn.metrics.formatting import UNDEFINED, format_number
from root_gnn.metrics.rejection import SIGNAL_EFFICIENCIES
from root_gnn.metrics.seeds import OverSeeds
from root_gnn.pages.html import folded, heading, paragraph, picture, pictures, said, table
from root_gnn.pages.report import HOW_COMPARED, HOW_SIMILAR
from root_gnn.similarity.cka import LayerMatrix
from root_gnn.similarity.seed_baseline import SeedBaseline
from root_gnn.similarity.separation import Separation
from root_gnn.study.answers import QuestionAnswers
from root_gnn.study.importance import drops, sizes
from root_gnn.study.pictures import against_size, calibrations, draw_learning, draw_roc, similarity_along
from root_gnn.study.seed_figures import seed_metrics
from root_gnn.study.speed import learnings

FAR = "distances between far points and sizes of clusters mean nothing"
WAYS = {"pca": "the two directions of largest variance", "tsne": f"t-SNE; {FAR}", "umap": f"UMAP; {FAR}"}
HOW_FAST = (
    "Validation AUC, mean over seeds with the 68 % error of the mean; in brackets how many seeds got there, where not all did. Times are "
    "training alone, without reading, validation and evaluation."
)
HOW_EFFICIENT = (
    "How many times as many training events scratch needs for the same test AUC, read off between its own sizes; nothing is extrapolated. "
    "Intervals are 68 %, over events and seeds."
)
HOW_FLOOR = (
    "The floor: gradient-boosted trees (scikit-learn's HistGradientBoostingClassifier) on what an analysis would put into a table: counts, "
    "momenta, masses and distances of the hardest objects. They see the same training events with the same seeds; their size and number "
    "are the best on the same validation events. Differences are paired by test event and seed."
)
HOW_CALIBRATED = (
    "The expected calibration error is the mean distance of the curve from the diagonal. Even perfect probabilities give more than zero "
    "in a finite sample: 95 % of samples of such stay below the level beside it. First seed of each group."
)


def question_sections(name: str, found: QuestionAnswers, folder: Path) -> Iterator[str]:
    """All sections of a question; pictures pass through `folder`."""
    yield heading(f"{name}: against training size")
    yield paragraph(f"{found.last[1].comparison.n_test:,} test events. {HOW_COMPARED}")
    yield from _sizes(name, found, folder)
    yield heading(f"{name}: how fast")
    yield paragraph(HOW_FAST)
    yield from _speed(found, folder)
    yield heading(f"{name}: scores")
    yield from _scores(found, folder)
    yield heading(f"{name}: similarity of representations")
    yield from _similarity(found, folder)
    yield heading(f"{name}: representations")
    yield from _representations(found, folder)
    yield heading(f"{name}: what the inputs are worth")
    yield from _importance(found, folder)


def _sizes(name: str, found: QuestionAnswers, folder: Path) -> Iterator[str]:
    comparisons = {cell.train_events: answer.comparison for cell, answer in found.cells.items()}
    floors = {cell.train_events: answer.floor for cell, answer in found.cells.items() if answer.floor is not None}
    first = next(iter(comparisons.values()))
    drawn = []
    for at in (None, *map(str, SIGNAL_EFFICIENCIES)) if len(first.classes) == 2 else (None,):
        path = folder / f"size{at or ''}.svg"
        against_size(comparisons, path, signal_efficiency=at, floors=floors)
        what = "test AUC" if at is None else f"background rejection at {100 * float(at):.0f} % signal efficiency"
        drawn.append(
            picture(
                path,
                f"{name}: {what} against the number of training events, mean over seeds, and below the paired gain over "
                "scratch; 68 % intervals over events and seeds.",
            )
        )
    yield pictures(drawn)
    yield from _compared(comparisons)
    yield from _of_seeds(found)
    if floors:
        yield paragraph(HOW_FLOOR)
        yield from _compared(floors)
    if len(found.cells) == 1:
        yield said("One training size only, so nothing is said of how many fewer events give the same AUC.")
        return
    yield paragraph(HOW_EFFICIENT)
    rows = [
        (group, f"{one.size:,}", f"{one.figure:.3f}", factor_of(one))
        for group, each in found.efficiency.items()
        for one in each or ()
    ]
    yield table(("group", "training events", "test AUC", "data-efficiency factor [68 %]"), rows)


def _compared(comparisons: Mapping[int, Comparison]) -> Iterator[str]:
    """Tables of comparisons by training size: figures of the groups, and differences to the reference."""
    first = next(iter(comparisons.values()))
    yield table(first.figures()[0], [row for one in comparisons.values() for row in one.figures()[1]])
    for k, (header, _) in enumerate(first.paired()):
        rows = [(row[0], f"{size:,}", *row[1:]) for size, one in comparisons.items() for row in one.paired()[k][1]]
        yield table((header[0], "training events", *header[1:]), rows)


def _of_seeds(found: QuestionAnswers) -> Iterator[str]:
    """Accuracy and significance against training size."""
    every = [
        (group, f"{size:,}", figures) for size, groups in found.of_seeds.items() for group, figures in groups.items()
    ]
    for metric in seed_metrics():
        name = metric.name
        if all(figures[name].value is None for _, _, figures in every):
            yield said(f"Test {metric.title} is not defined for these runs{metric.requirement}.")
        else:
            yield table(
                (
                    "group",
                    "training events",
                    f"test {metric.title}",
                    "spread of the seeds",
                    "less that of scratch, seed by seed",
                ),
                [
                    (
                        group,
                        size,
                        mean_cell(figures[name].value),
                        _spread(figures[name].value),
                        "" if group == "scratch" else mean_cell(figures[name].gain),
                    )
                    for group, size, figures in every
                ],
            )


def _spread(found: OverSeeds | None) -> str:
    return UNDEFINED if found is None else format_number(found.spread, digits=3)


def factor_of(found: DataEfficiency) -> str:
    """A data-efficiency factor in words."""
    low, high = ("no limit" if end is None else f"{end:.1f}" for end in (found.low, found.high))
    kind = "" if found.kind == "measured" else f"{found.kind} "
    return f"{kind}{found.factor:.1f} [{low}, {high}]"


def _speed(found: QuestionAnswers, folder: Path) -> Iterator[str]:
    for cell in dict.fromkeys((next(iter(found.cells)), found.last[0])):
        curves = learnings(found.cells[cell].members)
        if curves:
            draw_learning(curves, folder / "learning.svg")
            yield picture(
                folder / "learning.svg",
                f"{cell.title}: validation AUC along the training; lines are means over seeds as far as "
                "all go, bands reach from the lowest seed to the highest.",
            )
    yield table(
        (
            "group",
            "training events",
            "AUC after epoch 5",
            "AUC at the end",
            "epochs to within 1 % of that",
            "seconds to 99.9 % of scratch's best",
            "seconds in all",
        ),
        [
            (
                group,
                f"{size:,}",
                *map(mean_cell, (one.immediate, one.ultimate, one.epochs, one.to_scratch, one.seconds)),
            )
            for size, groups in found.speed.items()
            for group, one in groups.items()
        ],
    )


def mean_cell(found: OverSeeds | None) -> str:
    """A mean over seeds with its error as a cell."""
    if found is None:
        return UNDEFINED
    text = format_number(found.mean, found.error, digits=3 if abs(found.mean) < 1.0 else 1)
    return text if found.n_defined == found.n_seed else f"{text} ({found.n_defined} of {found.n_seed})"


def _scores(found: QuestionAnswers, folder: Path) -> Iterator[str]:
    cell, answer = found.last
    classes = answer.comparison.classes
    binary = len(classes) == 2
    drawn = []
    if binary:
        draw_roc(answer.members, folder / "roc.svg")
        drawn.append(
            picture(
                folder / "roc.svg",
                f"{cell.title}: background rejection against signal efficiency, mean over seeds with the "
                "68 % band of events and seeds, and its ratio to scratch.",
            )
        )
    calibrations(
        found.calibration, folder / "calibration.svg", label=classes[-1] if binary else "the most probable class"
    )
    drawn.append(
        picture(folder / "calibration.svg", f"{cell.title}: calibration curves with 68 % errors of the events.")
    )
    yield pictures(drawn)
    yield paragraph(HOW_CALIBRATED)
    yield table(
        ("group", "expected calibration error", "95 % of perfect samples below"),
        [
            (name, UNDEFINED, UNDEFINED)
            if one is None
            else (name, format_number(one.ece, one.ece_error, digits=3), f"{one.null:.3f}")
            for name, one in found.calibration.items()
        ],
    )
    drawn = []
    for name, runs in answer.members.items():
        one = read_predictions(runs[0])
        probabilities = one.probabilities
        plots.scores(probabilities, one.label, one.weight, classes, folder / "scores.svg")
        drawn.append(picture(folder / "scores.svg", f"{cell.title}, {name}: scores of each true class, first seed."))
        if not binary:
            plots.confusion(probabilities, one.label, one.weight, classes, folder / "confusion.svg")
            drawn.append(
                picture(folder / "confusion.svg", f"{cell.title}, {name}: confusion of the classes, first seed.")
            )
    yield pictures(drawn)
    if binary:
        yield said("Two classes: a confusion matrix would hold one point of the ROC curve, and is left out.")


def _similarity(found: QuestionAnswers, folder: Path) -> Iterator[str]:
    one = found.similarity
    cell = found.last[0]
    yield paragraph(f"{HOW_SIMILAR} {one.n_event:,} test events, first seed of each group.")
    drawn = []
    if one.floor is None:
        yield said("One seed only, so there is no floor to compare with.")
    else:
        drawn.append(
            _matrix(
                "scratch",
                "scratch, other seeds",
                _as_matrix(one.floor),
                folder,
                f"The floor: two networks from scratch that differ by their seed (pairs: {one.floor.n_pair}).",
            )
        )
    drawn += [
        _matrix(a, b, matrix, folder, f"{cell.title}: {a} and {b}.")
        for (a, b), matrix in one.pairs.items()
        if a == "scratch"
    ]
    yield pictures(drawn)
    yield folded(
        "The other pairs of groups",
        [
            pictures(
                _matrix(a, b, one.pairs[a, b], folder, f"{cell.title}: {a} and {b}.")
                for a, b in combinations([name for name in found.last[1].members if name != "scratch"], 2)
            )
        ],
    )
    if len(one.by_size) > 1:
        similarity_along(one.by_size, folder / "by_size.svg", axis="Training events")
        yield picture(
            folder / "by_size.svg",
            "CKA of the last layer with that of scratch on the same training events, against their "
            "number; the floor is scratch with another seed.",
        )
    else:
        yield said("One training size only, so there is no course of CKA with it.")
    if one.by_epoch:
        similarity_along(one.by_epoch, folder / "by_epoch.svg", axis="Epoch")
        yield picture(
            folder / "by_epoch.svg",
            f"{cell.title}: CKA of the last layer after an epoch with that of scratch as it ended, "
            "against the epoch; the floor is scratch with another seed.",
        )
    else:
        yield said(
            "These runs kept the weights of their best and last epoch only, so there is no course of CKA with the epoch "
            "(train.keep_epochs keeps more)."
        )


def _as_matrix(floor: SeedBaseline) -> LayerMatrix:
    return LayerMatrix(floor.layers, floor.layers, floor.value, floor.error, floor.null)


def _matrix(a: str, b: str, matrix: LayerMatrix, folder: Path, caption: str) -> str:
    plots.similarity([(a, b, matrix)], folder / "cka.svg")
    return picture(folder / "cka.svg", f"CKA layer by layer with errors over events. {caption}")


def _representations(found: QuestionAnswers, folder: Path) -> Iterator[str]:
    places, classes = found.places, found.last[1].comparison.classes
    for method, points in places.points.items():
        path = folder / f"{method}.svg"
        plots.embeddings(points, places.label, classes, path, axis_names=AXES[method])
        what = f"what the head reads of {len(places.label):,} test events, by {WAYS[method]}. First seed of each group."
        yield picture(path, f"{found.last[0].title}: {what}")
    if "pca" in places.points:
        yield said("Too few test events for pictures by t-SNE and UMAP, which show neighbours.")
    elif "umap" not in places.points:
        yield said("No picture by UMAP: its package is not installed (the extra embed).")
    yield paragraph(
        "How far apart the classes are there: Fisher's separation (0: not at all), silhouette (0: overlapping, 1: apart)."
    )
    yield table(
        ("group", "Fisher", "silhouette"),
        [(name, _separation(places.fisher[name]), _separation(places.silhouette[name])) for name in places.fisher],
    )
    plots.correlations({name: one.matrix for name, one in places.redundancy.items()}, folder / "correlations.svg")
    yield picture(
        folder / "correlations.svg",
        f"{found.last[0].title}: Pearson correlation of the features that the head reads, those "
        "that go together side by side; constant features are left out. First seed of each group.",
    )
    yield table(
        ("group", "features", "of which vary", "mean absolute correlation", "of independent features"),
        [
            (
                name,
                str(one.n_feature),
                str(len(one.matrix)),
                UNDEFINED if one.strength is None else f"{one.strength:.3f}",
                f"{one.chance:.3f}",
            )
            for name, one in places.redundancy.items()
        ],
    )


def _importance(found: QuestionAnswers, folder: Path) -> Iterator[str]:
    cell, answer = found.last
    spec = answer.members["scratch"][0].spec
    pictured = {
        "drops": (
            drops(found.worth),
            "Drop of the test AUC",
            "how much worse it is when one input comes from other events",
        ),
        "sizes": (
            sizes(found.worth, spec),
            "Mean absolute contribution to the log-odds",
            "integrated gradients by node type, from an event of average objects",
        ),
    }
    drawn = []
    for name, (values, quantity, what) in pictured.items():
        if any(values.values()):
            plots.importance(values, folder / f"{name}.svg", quantity=quantity)
            drawn.append(
                picture(folder / f"{name}.svg", f"{cell.title}: {what}, with 68 % errors. First seed of each group.")
            )
    yield pictures(drawn) if drawn else said("The importance of inputs is not defined for these networks.")


def _separation(found: Separation | None) -> str:
    return "not defined" if found is None else format_number(found.value, found.error, digits=3)
