from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from root_gnn.analysis.logistic import STRENGTHS, ProbeSample, fit_logistic


def gaussians(seed: int, n_event: int, n_class: int = 2, *, dim: int = 4, apart: float = 2.0) -> ProbeSample:
    """Classes at the corners of a simplex, `apart` deviations from each other, seen through a matrix that mixes
    scales.
    """
    generator = np.random.default_rng(seed)
    label = np.arange(n_event) % n_class
    rows = generator.normal(size=(n_event, dim)) + apart / np.sqrt(2.0) * np.eye(n_class, dim)[label]
    mixed = rows @ np.random.default_rng(99).normal(size=(dim, dim)) * 10.0 ** np.arange(dim) + 5.0
    return ProbeSample(mixed, label, np.ones(n_event))


def test_two_gaussians_are_told_apart_as_well_as_can_be() -> None:
    test = gaussians(3, 20_000)
    chances = fit_logistic(gaussians(1, 4000), gaussians(2, 2000)).probabilities(test.rows)
    assert chances.shape == (20_000, 2) and chances.sum(axis=1) == pytest.approx(1.0)
    assert np.mean(chances.argmax(axis=1) == test.label) == pytest.approx(norm.cdf(1.0), abs=0.01)
    assert roc_auc_score(test.label, chances[:, 1]) == pytest.approx(norm.cdf(np.sqrt(2.0)), abs=0.01)


@pytest.mark.parametrize("n_class", [2, 3])
def test_it_is_the_best_of_scikit_learns_pipelines(n_class: int) -> None:
    train, validation, test = (gaussians(seed, n, n_class, dim=30) for seed, n in ((1, 120), (2, 400), (3, 50)))
    pipelines = [
        make_pipeline(StandardScaler(), LogisticRegression(C=1.0 / (one * 120), tol=1e-8, max_iter=10_000))
        for one in STRENGTHS
    ]
    losses = [
        log_loss(validation.label, one.fit(train.rows, train.label).predict_proba(validation.rows)) for one in pipelines
    ]
    best = int(np.argmin(losses))
    found = fit_logistic(train, validation)
    assert 0 < best < len(STRENGTHS) - 1, "the list holds strengths on either side"
    assert found.strength == STRENGTHS[best] and found.converged
    assert found.probabilities(test.rows) == pytest.approx(pipelines[best].predict_proba(test.rows), abs=0.02)


def test_an_event_of_negative_weight_takes_its_twin_away() -> None:
    train, validation = gaussians(1, 200), gaussians(2, 200)
    intruders = train.rows[:20] + 3.0
    rows = np.concatenate([train.rows, intruders, intruders])
    label = np.concatenate([train.label, 1 - train.label[:20], 1 - train.label[:20]])
    signed = ProbeSample(rows, label, np.concatenate([np.ones(200), np.full(20, 1.0), np.full(20, -1.0)]))
    alone = fit_logistic(train, validation)
    scaled = fit_logistic(ProbeSample(rows, label, np.concatenate([np.ones(200), np.zeros(40)])), validation)
    assert fit_logistic(signed, validation).probabilities(validation.rows) == pytest.approx(
        scaled.probabilities(validation.rows), abs=0.02
    )
    assert (
        np.mean(
            np.abs(
                fit_logistic(signed, validation).probabilities(validation.rows) - alone.probabilities(validation.rows)
            )
        )
        < 0.05
    )


def test_a_constant_feature_is_left_out() -> None:
    train, validation = gaussians(1, 200), gaussians(2, 200)

    def widened(sample: ProbeSample, value: float) -> ProbeSample:
        return sample._replace(rows=np.concatenate([sample.rows, np.full((200, 1), value)], axis=1))

    expected = fit_logistic(train, validation).probabilities(validation.rows)
    other = widened(validation, 7.0)
    assert fit_logistic(widened(train, 1e6 / 3.0), other).probabilities(other.rows) == pytest.approx(expected, abs=1e-6)


def test_a_fit_that_was_stopped_says_so() -> None:
    assert not fit_logistic(gaussians(1, 400, 3), gaussians(2, 400, 3), most_steps=1).converged
