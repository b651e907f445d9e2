"""How alike the representations are: CKA between groups, against training size and along the training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path
from typing import ClassVar

from root_gnn import plots
from root_gnn.pages.html import folded, paragraph, picture, pictures, said
from root_gnn.pages.report import HOW_SIMILAR
from root_gnn.plots import Interval
from root_gnn.similarity.cka import LayerMatrix
from root_gnn.similarity.seed_baseline import SeedBaseline
from root_gnn.study.answer import Answer, StudyQuestion
from root_gnn.study.cka import Similarity, along_training, study_similarity


class Config(Answer):
    """Centred kernel alignment of the first seed of each group on the same test events."""

    title: ClassVar[str] = "{question}: similarity of representations"
    order: ClassVar[int] = 40

    def of_question(self, question: StudyQuestion) -> Similarity:
        """From the layers of the networks."""
        scratch = question.layers[question.largest_cell.train_events]["scratch"][0]
        course = along_training(question.largest, question.table, question.drawn_index, scratch=scratch)
        return study_similarity(question.layers, course)

    def question_section(self, question: StudyQuestion, folder: Path) -> Iterator[str]:
        """Matrices layer by layer, and the last layer against training size and epoch."""
        yield from _similarity(question, folder)


def _similarity(question: StudyQuestion, folder: Path) -> Iterator[str]:
    one: Similarity = question.value("similarity")
    cell = question.largest_cell
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
                for a, b in combinations([name for name in question.largest.members if name != "scratch"], 2)
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
            "These runs kept the weights of their best and last epoch only, so there is no course of CKA with the "
            "epoch (train.keep_epochs keeps more)."
        )


def _as_matrix(floor: SeedBaseline) -> LayerMatrix:
    return LayerMatrix(floor.layers, floor.layers, floor.value, floor.error, floor.null)


def _matrix(a: str, b: str, matrix: LayerMatrix, folder: Path, caption: str) -> str:
    """A picture of the CKA of two networks, layer by layer.

    Args:
        a: name of the network of the rows.
        b: name of the network of the columns.
        matrix: CKA of each pair of layers.
        folder: for the picture.
        caption: of the picture, after what all have in common.
    """
    plots.similarity([(a, b, matrix)], folder / "cka.svg")
    return picture(folder / "cka.svg", f"CKA layer by layer with errors over events. {caption}")


def similarity_along(
    found: Mapping[int, Mapping[str, tuple[float | None, float | None]]], path: Path, *, axis: str
) -> None:
    """CKA with scratch of each group, and between seeds of scratch, against training size or epoch.

    `axis` says which of the two the numbers are.
    """
    curves: dict[str, dict[int, Interval]] = {}
    for size, groups in found.items():
        for name, (value, error) in groups.items():
            if value is not None:
                curves.setdefault(name, {})[size] = Interval(value, value - (error or 0.0), value + (error or 0.0))
    plots.training_size(curves, path, quantity="CKA with scratch, last layer", axis=axis)
