"""Where the networks place events: two components, how far apart classes are, how features go together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from root_gnn import plots
from root_gnn.analysis.cka import Layers
from root_gnn.analysis.embed import AXES, Method, reduced
from root_gnn.metrics.formatting import UNDEFINED, format_number
from root_gnn.pages.html import paragraph, picture, said, table
from root_gnn.similarity.separation import Separation, fisher, silhouette
from root_gnn.study.answer import Answer, StudyQuestion
from root_gnn.study.redundancy import Redundancy, redundancy
from root_gnn.typing import Floats

FAR = "distances between far points and sizes of clusters mean nothing"


WAYS = {"pca": "the two directions of largest variance", "tsne": f"t-SNE; {FAR}", "umap": f"UMAP; {FAR}"}


N_EVENT = 1000
FEWEST_FOR_NEIGHBOURS = 200
DECODER = "decoder"


class Config(Answer):
    """What the heads read at the largest size, of the first seed of each group."""

    title: ClassVar[str] = "{question}: representations"
    order: ClassVar[int] = 50

    def of_question(self, question: StudyQuestion) -> EmbeddedPoints:
        """Embeddings, separation of classes and correlations of features by group."""
        layers = question.layers[question.largest_cell.train_events]
        return embedded_points(layers, question.table.label[question.drawn_index].astype(np.int64))

    def question_content(self, value: Any) -> dict[str, Any]:
        """The separation of the classes (`fisher`, `silhouette`) and the mean `correlation`, without the points."""
        strength = {name: one.strength for name, one in value.redundancy.items()}
        return {"fisher": value.fisher, "silhouette": value.silhouette, "correlation": strength}

    def question_section(self, question: StudyQuestion, folder: Path) -> Iterator[str]:
        """Pictures of the points, tables, and a picture of the correlations."""
        yield from _representations(question, folder)


@dataclass(frozen=True)
class EmbeddedPoints:
    """Test events at the largest size as the network of the first seed of each group represents them.

    `label (n_event,)` holds their classes; `points` are by method and group, `(n_event, 2)` each.
    """

    label: NDArray[np.int64]
    points: dict[Method, dict[str, Floats]]
    fisher: dict[str, Separation | None]
    silhouette: dict[str, Separation | None]
    redundancy: dict[str, Redundancy]


def embedded_points(layers: Mapping[str, Sequence[Layers]], label: NDArray[np.int64]) -> EmbeddedPoints:
    """What heads read of events with `label (n_event,)`, by group; the pictures hold at most 1,000 of them."""
    z = {name: np.asarray(_representation(one[0]), dtype=np.float64) for name, one in layers.items()}
    step = max(1, -(-len(label) // N_EVENT))
    points = {
        method: {name: reduced(one[::step], method)[0] for name, one in z.items()} for method in _methods(len(label))
    }
    return EmbeddedPoints(
        label[::step],
        points,
        {name: fisher(one, label) for name, one in z.items()},
        {name: silhouette(one, label) for name, one in z.items()},
        {name: redundancy(one) for name, one in z.items()},
    )


def _representation(layers: Layers) -> NDArray[np.float32]:
    return next(layers[name] for name in reversed(layers) if name != DECODER)


def _methods(n_event: int) -> tuple[Method, ...]:
    if n_event < FEWEST_FOR_NEIGHBOURS:
        return ("pca",)
    try:
        import umap  # noqa: F401
    except ImportError:
        return ("tsne",)
    return ("tsne", "umap")


def _representations(question: StudyQuestion, folder: Path) -> Iterator[str]:
    embedded: EmbeddedPoints = question.value("representations")
    classes = question.classes
    for method, points in embedded.points.items():
        path = folder / f"{method}.svg"
        plots.embeddings(points, embedded.label, classes, path, axis_names=AXES[method])
        what = (
            f"what the head reads of {len(embedded.label):,} test events, by {WAYS[method]}. First seed of each group."
        )
        yield picture(path, f"{question.largest_cell.title}: {what}")
    if "pca" in embedded.points:
        yield said("Too few test events for pictures by t-SNE and UMAP, which show neighbours.")
    elif "umap" not in embedded.points:
        yield said("No picture by UMAP: its package is not installed (the extra embed).")
    yield paragraph(
        "How far apart the classes are there: Fisher's separation (0: not at all), silhouette (0: overlapping, 1: "
        "apart)."
    )
    yield table(
        ("group", "Fisher", "silhouette"),
        [
            (name, _separation(embedded.fisher[name]), _separation(embedded.silhouette[name]))
            for name in embedded.fisher
        ],
    )
    plots.correlations({name: one.matrix for name, one in embedded.redundancy.items()}, folder / "correlations.svg")
    yield picture(
        folder / "correlations.svg",
        f"{question.largest_cell.title}: Pearson correlation of the features that the head reads, those "
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
            for name, one in embedded.redundancy.items()
        ],
    )


def _separation(found: Separation | None) -> str:
    return "not defined" if found is None else format_number(found.value, found.error, digits=3)
