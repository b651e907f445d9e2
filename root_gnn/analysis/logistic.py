"""Multinomial logistic regression on standardised features, its L2 strength chosen on validation events."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from root_gnn.metrics.cross_entropy import cross_entropy
from root_gnn.typing import Floats

STRENGTHS = (1.0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5)
MOST_STEPS = 1000
CONSTANT = 1e-9  # a spread below this part of the largest value is rounding


class ProbeSample(NamedTuple):
    """Features `rows (n_event, dim)`, `label (n_event,)` from 0, and signed `weight (n_event,)`."""

    rows: Floats
    label: NDArray[np.int64]
    weight: Floats


@dataclass(frozen=True)
class LinearModel:
    """A fitted model; its penalty, added to the weighted mean loss, is `strength / 2 |coefficient|^2`."""

    mean: Floats
    scale: Floats
    coefficient: Floats
    intercept: Floats
    strength: float
    converged: bool

    def probabilities(self, rows: Floats) -> Floats:
        """Returns the probability of each class, `(n_event, n_class)`, for features `(n_event, dim)`."""
        logits = (rows - self.mean) * self.scale @ self.coefficient.T + self.intercept
        if logits.shape[1] == 1:
            logits = np.concatenate([np.zeros_like(logits), logits], axis=1)
        found: Floats = softmax(logits, axis=1)
        return found


def fit_logistic(train: ProbeSample, validation: ProbeSample, *, most_steps: int = MOST_STEPS) -> LinearModel:
    """Fits one model for each strength in STRENGTHS and returns the one with the smallest validation cross entropy.

    Of equal ones the stronger penalty wins. Features are standardised with the mean and deviation of the training
    events; a feature that is constant there is left out. Every class has to be among the training events. `converged`
    says whether the chosen fit ended before `most_steps` steps of L-BFGS.
    """
    mean, spread = train.rows.mean(axis=0), train.rows.std(axis=0)
    is_constant = spread <= CONSTANT * np.abs(train.rows).max(axis=0)
    scale = np.where(is_constant, 0.0, 1.0 / np.where(is_constant, 1.0, spread))

    def loss(found: LinearModel) -> float:
        measured = cross_entropy(found.probabilities(validation.rows), validation.label, validation.weight)
        return math.inf if measured is None else measured.value

    return min(_path(train, mean, scale, most_steps), key=loss)


def _path(train: ProbeSample, mean: Floats, scale: Floats, most_steps: int) -> list[LinearModel]:
    """Fits each strength in turn, each starting where the next stronger one ended."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    rows, total = (train.rows - mean) * scale, float(np.sum(train.weight))
    estimator = LogisticRegression(max_iter=most_steps, warm_start=True)
    models = []
    for strength in STRENGTHS:
        estimator.set_params(C=1.0 / (strength * total))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # said by `converged`
            estimator.fit(rows, train.label, sample_weight=train.weight)
        n_step = int(np.max(estimator.n_iter_))
        models.append(
            LinearModel(mean, scale, estimator.coef_.copy(), estimator.intercept_.copy(), strength, n_step < most_steps)
        )
    return models
