"""Boosted trees against scikit-learn's, fitted by hand."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import log_loss

from root_gnn.analysis import trees
from root_gnn.analysis.logistic import ProbeSample
from root_gnn.errors import InputError


@pytest.fixture(autouse=True)
def _few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trees, "MOST_TREES", 8)
    monkeypatch.setattr(trees, "LEAVES", (4, 8))


def sample(n: int, seed: int, *, n_class: int = 2) -> ProbeSample:
    generator = np.random.default_rng(seed)
    rows = generator.normal(size=(n, 4))
    label = np.digitize(rows[:, 0] + 0.5 * generator.normal(size=n), [0.0, 0.8][: n_class - 1])
    rows[generator.random((n, 4)) < 0.1] = np.nan
    rows[:, 3] = 1.0
    return ProbeSample(rows, label.astype(np.int64), generator.uniform(0.5, 1.5, n))


def codes(rows: np.ndarray, of: np.ndarray) -> np.ndarray:
    """How many of the 254 quantiles of a column are below a value, one by one."""
    found = np.full(rows.shape, np.nan)
    for k in range(rows.shape[1]):
        edges = np.nanquantile(of[:, k], np.arange(1, 255) / 255)
        for i in np.flatnonzero(~np.isnan(rows[:, k])):
            found[i, k] = sum(edges < rows[i, k])
    return found


@pytest.mark.parametrize("n_class", [2, 3])
def test_they_are_those_of_scikit_learn_that_are_best_on_validation(n_class: int) -> None:
    train, validation, test = (sample(n, seed, n_class=n_class) for n, seed in ((300, 1), (150, 2), (100, 3)))
    found = trees.fit_trees(train, validation, seed=5)
    shown, held, judged = (codes(one.rows[:, :3], train.rows[:, :3]) for one in (train, validation, test))
    losses = {}
    for leaves in (4, 8):
        for n_tree in range(1, 9):
            model = HistGradientBoostingClassifier(
                learning_rate=0.05,
                max_iter=n_tree,
                max_leaf_nodes=leaves,
                l2_regularization=1.0,
                early_stopping=False,
                random_state=5,
            ).fit(shown, train.label, sample_weight=train.weight)
            loss = log_loss(validation.label, model.predict_proba(held), sample_weight=validation.weight)
            losses[loss] = (leaves, n_tree, model.predict_proba(judged))
    leaves, n_tree, expected = losses[min(losses)]
    assert (found.model.max_leaf_nodes, found.n_tree) == (leaves, n_tree)
    np.testing.assert_allclose(found.probabilities(test.rows), expected, rtol=1e-12)


def test_a_negative_weight_takes_an_event_back() -> None:
    """Events of the wrong class and the same ones with weights of minus one leave what the others say."""
    train, validation, test = sample(400, 1), sample(200, 2), sample(150, 3)
    wrong = sample(150, 4)
    wrong = ProbeSample(wrong.rows, 1 - wrong.label, np.full(150, 2.0))
    rows, label = (
        np.concatenate([train.rows, wrong.rows, wrong.rows]),
        np.concatenate([train.label, wrong.label, wrong.label]),
    )
    signed = ProbeSample(rows, label, np.concatenate([train.weight, wrong.weight, -wrong.weight]))
    unsigned = ProbeSample(rows, label, np.abs(signed.weight))
    expected, found, without_sign = (
        trees.fit_trees(one, validation, seed=1).probabilities(test.rows)[:, 1] for one in (train, signed, unsigned)
    )
    assert np.corrcoef(found, expected)[0, 1] > 0.97
    assert np.abs(found - expected).mean() < 0.5 * np.abs(without_sign - expected).mean()


def test_validation_needs_a_positive_sum_of_weights() -> None:
    train, validation = sample(100, 1), sample(50, 2)
    with pytest.raises(InputError, match="50 validation events add up to"):
        trees.fit_trees(train, validation._replace(weight=-validation.weight), seed=1)
