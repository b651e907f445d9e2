"""Event weights in the loss: signed or absolute, the same total for every class's events."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from root_gnn.data.events.table import EventTable
from root_gnn.errors import InputError

BLOCK = 2**20  # rows in memory at a time


def training_weights(
    table: EventTable, train_index: NDArray[np.int64], policy: Literal["signed", "abs"]
) -> NDArray[np.float32]:
    """Weights of all rows of the table, `(n_event,)`, such that those of each class's training rows have the mean 1.

    `abs` takes the absolute value of every weight first. Raises InputError where the training weights of a class do not
    add up to something positive: nothing sensible can be learned from them as they are.
    """
    classes = table.classes or ("all events",)
    total, count = np.zeros(len(classes)), np.zeros(len(classes), dtype=np.int64)
    for start in range(0, len(train_index), BLOCK):
        rows = train_index[start : start + BLOCK]
        weight, label = _weights(table, rows, policy), table.label[rows]
        for place in range(len(classes)):
            of_class = weight[label == place] if table.classes else weight
            total[place] += float(of_class.sum())
            count[place] += len(of_class)
    for place, name in enumerate(classes):
        if count[place] and not total[place] > 0:
            advice = (
                "Set data.weights: abs to train with absolute weights."
                if policy == "signed"
                else "Leave the weight out of the spec."
            )
            raise InputError(
                f"The {count[place]:,} training weights of {name} add up to {total[place]:g}; a positive sum is needed. {advice}"
            )
    factor = np.divide(count, total, out=np.ones(len(classes)), where=count > 0)
    result = np.empty(len(table.label), dtype=np.float32)
    for start in range(0, len(result), BLOCK):
        part = slice(start, start + BLOCK)
        result[part] = _weights(table, part, policy) * factor[table.label[part]]
    return result


def _weights(table: EventTable, rows: NDArray[np.int64] | slice, policy: str) -> NDArray[np.float64]:
    weight: NDArray[np.float64] = table.weight[rows]
    return np.abs(weight) if policy == "abs" else weight
