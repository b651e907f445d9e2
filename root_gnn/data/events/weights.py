"""Event weights in the loss: signed or absolute, normalised to the same mean for every class."""

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
    """Returns weights of all rows, `(n_event,)`, scaled such that the training rows `(n,)` of each class have mean 1.

    The policy `abs` takes absolute values first. Raises InputError if the sum of the training weights of a class is not
    positive.
    """
    classes = table.classes or ("all events",)
    total, count = np.zeros(len(classes)), np.zeros(len(classes), dtype=np.int64)
    # In blocks, since the weights of a large sample lie on disk.
    for start in range(0, len(train_index), BLOCK):
        rows = train_index[start : start + BLOCK]
        weight, label = _weights(table, rows, policy), table.label[rows]
        for i_class in range(len(classes)):
            of_class = weight[label == i_class] if table.classes else weight
            total[i_class] += float(of_class.sum())
            count[i_class] += len(of_class)
    for i_class, name in enumerate(classes):
        if count[i_class] and not total[i_class] > 0:
            advice = (
                "Set data.weights: abs to train with absolute weights."
                if policy == "signed"
                else "Leave the weight out of the spec."
            )
            raise InputError(
                f"The {count[i_class]:,} training weights of {name} add up to {total[i_class]:g}; "
                f"a positive sum is needed. {advice}"
            )
    # A class without training events keeps its weights: it is in no loss.
    factor = np.divide(count, total, out=np.ones(len(classes)), where=count > 0)
    result = np.empty(len(table.label), dtype=np.float32)
    for start in range(0, len(result), BLOCK):
        part = slice(start, start + BLOCK)
        result[part] = _weights(table, part, policy) * factor[table.label[part]]
    return result


def _weights(table: EventTable, rows: NDArray[np.int64] | slice, policy: str) -> NDArray[np.float64]:
    weight: NDArray[np.float64] = table.weight[rows]
    return np.abs(weight) if policy == "abs" else weight
