"""Event weights in the loss: signed or absolute, the same total for every class's events."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from root_gnn.data.table import EventTable
from root_gnn.errors import InputError


def training_weights(table: EventTable, train_index: NDArray[np.int64], policy: Literal["signed", "abs"]) -> NDArray[np.float32]:
    """Weights of all rows of the table, `(n_event,)`, such that those of each class's training rows have the mean 1.

    `abs` takes the absolute value of every weight first. Raises InputError where the training weights of a class do not
    add up to something positive: nothing sensible can be learned from them as they are.
    """
    weight = np.abs(table.weight) if policy == "abs" else table.weight
    label, trained = table.label[train_index], weight[train_index]
    factor = np.ones(max(len(table.classes), 1))
    for place, name in enumerate(table.classes or ("all events",)):
        of_class = trained[label == place] if table.classes else trained
        if not len(of_class):
            continue
        total = float(of_class.sum())
        if not total > 0:
            advice = "Set data.weights: abs to train with absolute weights." if policy == "signed" else "Leave the weight out of the spec."
            raise InputError(f"The {len(of_class):,} training weights of {name} add up to {total:g}; a positive sum is needed. {advice}")
        factor[place] = len(of_class) / total
    return np.asarray(weight * factor[table.label], dtype=np.float32)
