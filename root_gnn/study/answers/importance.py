"""How much each input matters, by permutation and by integrated gradients per node type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from numpy import int64
from numpy.typing import NDArray

from root_gnn import plots
from root_gnn.analysis.attribution import Contributions, contributions
from root_gnn.analysis.cka import drawn
from root_gnn.analysis.permutation import Importance, permutation_importance
from root_gnn.data.events.loader import evaluation_loader
from root_gnn.data.events.table import EventTable
from root_gnn.data.events.whole_events import WholeEvents
from root_gnn.data.spec.spec import Spec
from root_gnn.pages.html import picture, pictures, said
from root_gnn.plots import Interval
from root_gnn.protocols import Supervised
from root_gnn.runs.run import Run
from root_gnn.study.answer import Answer, StudyQuestion

BATCH_SIZE, N_REPEAT, N_REPLICA, N_STEP = 256, 3, 100, 16
N_IMPORTANCE_EVENT = 500


class Config(Answer):
    """Feature importance for the first seed of each group at the largest size, on some test events."""

    title: ClassVar[str] = "{question}: what the inputs are worth"
    order: ClassVar[int] = 60

    def of_question(self, question: StudyQuestion) -> dict[str, Worth | None]:
        """By group; None for networks that tell no classes apart."""
        recipe, table = question.largest.members["scratch"][0].recipe, question.table
        whole = WholeEvents.of(table) if recipe.objective.whole_events else None
        index = drawn(question.test_index if whole is None else whole.leading(question.test_index), N_IMPORTANCE_EVENT)
        return {name: worth(runs[0], table, index, whole) for name, runs in question.largest.members.items()}

    def question_content(self, value: Any) -> dict[str, Any]:
        """Under `worth`."""
        return {"worth": value}

    def question_section(self, question: StudyQuestion, folder: Path) -> Iterator[str]:
        """Bars of both kinds."""
        yield from _importance(question, folder)


@dataclass(frozen=True)
class Worth:
    """The feature importance of one network.

    `shuffled` holds the drop of the AUC for each input that is shuffled, `contributions` those to the logits by node
    type.
    """

    shuffled: tuple[Importance, ...]
    contributions: Contributions


def worth(run: Run, table: EventTable, index: NDArray[int64], whole: WholeEvents | None = None) -> Worth | None:
    """Measures feature importance on the events `index (n,)`; returns None for a network that tells no classes apart.

    Args:
        run: a trained network.
        table: the open events.
        index: rows of the table.
        whole: the events of several graphs that the rows lead, where a head answers for whole events.
    """
    objective = run.objective
    if not isinstance(objective, Supervised) or objective.link != "softmax":
        return None
    batches, features = list(evaluation_loader(table, index, BATCH_SIZE, whole=whole)), table.features
    shuffled = permutation_importance(objective, batches, features, n_repeat=N_REPEAT, n_replica=N_REPLICA)
    return Worth(shuffled, contributions(objective, batches, features, n_step=N_STEP))


def drops(found: Mapping[str, Worth | None]) -> dict[str, dict[str, Interval]]:
    """Returns the drop of the AUC when an input is permuted among events, with its interval, by group and input.

    Groups that tell no classes apart (None) and inputs without a drop are left out.
    """
    return {
        group: {
            one.name: Interval(one.drop.mean, one.drop.low, one.drop.high)
            for one in of.shuffled
            if one.drop is not None
        }
        for group, of in found.items()
        if of is not None
    }


def sizes(found: Mapping[str, Worth | None], spec: Spec) -> dict[str, dict[str, Interval]]:
    """By group and input of a node type, the mean absolute contribution.

    Inputs that contribute nothing in any group are left out.
    """
    names = {collection.type: name for name, collection in spec.nodes.items()}
    every = {
        group: {
            f"{'graph' if one.node_type is None else names[one.node_type]} {one.name}": one.size
            for one in of.contributions.inputs
        }
        for group, of in found.items()
        if of is not None
    }
    used = {name for rows in every.values() for name, size in rows.items() if size is not None and size.value > 0.0}
    return {
        group: {
            name: Interval(size.value, size.value - (size.error or 0.0), size.value + (size.error or 0.0))
            for name, size in rows.items()
            if name in used and size is not None
        }
        for group, rows in every.items()
    }


def _importance(question: StudyQuestion, folder: Path) -> Iterator[str]:
    cell, importance = question.largest_cell, question.value("importance")
    spec = question.largest.members["scratch"][0].spec
    pictured = {
        "drops": (
            drops(importance),
            "Drop of the test AUC",
            "how much worse it is when one input comes from other events",
        ),
        "sizes": (
            sizes(importance, spec),
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
