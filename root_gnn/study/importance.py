"""What the inputs are worth to the networks of a study, by permutation and by integrated gradients per node type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from numpy import int64
from numpy.typing import NDArray

from root_gnn.analysis.attribution import Contributions, contributions
from root_gnn.analysis.permutation import Importance, permutation_importance
from root_gnn.data.events.loader import evaluation_loader
from root_gnn.data.events.table import EventTable
from root_gnn.data.events.whole_events import WholeEvents
from root_gnn.data.spec.spec import Spec
from root_gnn.plots import Interval
from root_gnn.protocols import Supervised
from root_gnn.runs.run import Run

BATCH_SIZE, N_REPEAT, N_REPLICA, N_STEP = 256, 3, 100, 16


@dataclass(frozen=True)
class Worth:
    """Of one network: the drop of the AUC for each input that is shuffled, and the contributions to its answers by node type."""

    shuffled: tuple[Importance, ...]
    contributions: Contributions


def worth(run: Run, table: EventTable, index: NDArray[int64], whole: WholeEvents | None = None) -> Worth | None:
    """From the events `index (n,)`, rows that lead `whole` events where it is given; None for a network that tells no classes apart."""
    objective = run.objective
    if not isinstance(objective, Supervised) or objective.link != "softmax":
        return None
    batches, features = list(evaluation_loader(table, index, BATCH_SIZE, whole=whole)), table.features
    shuffled = permutation_importance(objective, batches, features, n_repeat=N_REPEAT, n_replica=N_REPLICA)
    return Worth(shuffled, contributions(objective, batches, features, n_step=N_STEP))


def drops(found: Mapping[str, Worth | None]) -> dict[str, dict[str, Interval]]:
    """By group and input, the drop of the AUC."""
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
    """By group and input of a node type, the mean absolute contribution; what contributes nothing anywhere is left out."""
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
