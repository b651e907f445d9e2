"""Gradient-boosted trees on a table of features, with size and number chosen on validation events."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from root_gnn.analysis.logistic import ProbeSample
from root_gnn.errors import InputError
from root_gnn.metrics.cross_entropy import cross_entropy
from root_gnn.typing import Floats

LEAVES = (8, 16, 31)
MOST_TREES = 300
N_BIN = 255


@dataclass(frozen=True)
class Inputs:
    """Bins of the features that vary: each value becomes the number of `edges (n_edge, n_column)` below it.

    scikit-learn makes bins from quantiles of weighted events, which do not exist for negative weights; these are
    quantiles of unweighted events, and no more of them than scikit-learn keeps.
    """

    varies: NDArray[np.bool_]
    edges: Floats

    @classmethod
    def of(cls, rows: Floats) -> Inputs:
        """Makes the bins from the features `(n_event, n_feature)` of the training events."""
        varies = np.array([len(np.unique(column[np.isfinite(column)])) > 1 for column in rows.T])
        return cls(varies, np.nanquantile(rows[:, varies], np.linspace(0.0, 1.0, N_BIN + 1)[1:-1], axis=0))

    def __call__(self, rows: Floats) -> Floats:
        """Returns the bin of each value of `rows (n_event, n_feature)`, NaN for missing ones: `(n_event, n_column)`."""
        kept = rows[:, self.varies]
        below = np.stack(
            [np.searchsorted(edges, column) for edges, column in zip(self.edges.T, kept.T, strict=True)], axis=1
        )
        return np.where(np.isnan(kept), np.nan, below)


@dataclass(frozen=True)
class Trees:
    """Fitted trees, of which the first `n_tree` are used."""

    inputs: Inputs
    model: HistGradientBoostingClassifier
    n_tree: int

    def probabilities(self, rows: Floats) -> Floats:
        """Returns the probability of each class, `(n_event, n_class)`, for features `(n_event, n_feature)`.

        Missing features are NaN.
        """
        stages = self.model.staged_predict_proba(self.inputs(rows))
        return np.asarray(next(islice(stages, self.n_tree - 1, None)), dtype=np.float64)


def fit_trees(train: ProbeSample, validation: ProbeSample, *, seed: int) -> Trees:
    """Fits trees and returns those with the smallest cross entropy on `validation`.

    The size is chosen among LEAVES, the number up to MOST_TREES. Weights are signed in both samples. Every class has to
    be among the training events.

    Raises:
        InputError: where the weights of the validation events don't add up to something positive.
    """
    inputs = Inputs.of(train.rows)
    shown, held = inputs(train.rows), inputs(validation.rows)
    best: tuple[float, Trees] | None = None
    for leaves in LEAVES:
        model = HistGradientBoostingClassifier(
            learning_rate=0.05,
            max_iter=MOST_TREES,
            max_leaf_nodes=leaves,
            l2_regularization=1.0,
            early_stopping=False,
            random_state=seed,
        ).fit(shown, train.label, sample_weight=train.weight)
        losses = [
            cross_entropy(found, validation.label, validation.weight) for found in model.staged_predict_proba(held)
        ]
        every = [np.inf if loss is None else loss.value for loss in losses]
        n_tree = int(np.argmin(every))
        if best is None or every[n_tree] < best[0]:
            best = every[n_tree], Trees(inputs, model, n_tree + 1)
    if best is None or not np.isfinite(best[0]):
        raise InputError(
            f"The weights of {len(validation.label):,} validation events add up to {validation.weight.sum():g}; trees "
            "are chosen by the loss on them, which takes a positive sum."
        )
    return best[1]
