from __future__ import annotations

import json

import numpy as np
import pytest

from root_gnn.errors import InputError
from root_gnn.metrics.accuracy import accuracy
from root_gnn.metrics.auc import auc, auc_multiclass
from root_gnn.metrics.rejection import rejection
from root_gnn.metrics.significance import significance
from root_gnn.metrics.summary import summary

KEYS = {
    "n_events",
    "sum_of_weights",
    "loss",
    "accuracy",
    "accuracy_error",
    "auc",
    "auc_error",
    "rejection",
    "significance",
}


def binary(n_event=400):
    generator = np.random.default_rng(0)
    labels = generator.integers(0, 2, n_event)
    score = 1.0 / (1.0 + np.exp(-generator.normal(size=n_event) - labels))
    return np.stack([1.0 - score, score], axis=1), labels, generator.normal(1.0, 0.7, size=n_event)


def test_binary_entry_holds_each_metric():
    probabilities, labels, weights = binary()
    found = summary(probabilities, labels, weights, n_class=2, lumi_weights=0.1 * weights)
    assert set(found) == KEYS
    assert found["n_events"] == 400
    assert found["sum_of_weights"] == pytest.approx(weights.sum())
    assert (found["auc"], found["auc_error"]) == auc(probabilities[:, 1], labels, weights)
    assert (found["accuracy"], found["accuracy_error"]) == accuracy(probabilities, labels, weights)
    expected = rejection(probabilities[:, 1], labels, weights, signal_efficiency=0.3)
    assert found["rejection"]["0.3"] == pytest.approx(expected._asdict())
    assert set(found["rejection"]) == {"0.3", "0.5"}
    assert found["significance"] == significance(probabilities[:, 1], labels, 0.1 * weights)._asdict()
    assert json.loads(json.dumps(found, allow_nan=False)) == found, "plain Python numbers"


def test_more_classes_have_macro_auc_and_neither_rejection_nor_significance():
    generator = np.random.default_rng(1)
    labels, probabilities = generator.integers(0, 3, 200), generator.dirichlet(np.ones(3), 200)
    found = summary(probabilities, labels, n_class=3)
    assert set(found) == KEYS
    assert found["auc"] == auc_multiclass(probabilities, labels).value
    assert found["rejection"] is None
    assert found["significance"] is None


@pytest.mark.parametrize("n_event", [0, 1, 3])
def test_what_is_not_defined_is_null(n_event):
    found = summary(np.full((n_event, 2), 0.5), np.ones(n_event, int), n_class=2, lumi_weights=np.ones(n_event))
    assert set(found) == KEYS
    assert found["auc"] is None
    assert found["auc_error"] is None
    assert found["rejection"] == dict.fromkeys(("0.3", "0.5"), dict.fromkeys(("value", "error", "low", "high")))
    assert found["significance"] is None
    assert (found["loss"] is None) == (n_event == 0)
    json.dumps(found, allow_nan=False)


def test_weights_that_sum_to_nothing_are_null_not_nan():
    found = summary([[0.4, 0.6], [0.7, 0.3]], [0, 1], [1.0, -1.0], n_class=2)
    assert found["sum_of_weights"] == 0.0
    assert [found[key] for key in ("loss", "accuracy", "accuracy_error", "auc", "auc_error")] == [None] * 5


def test_a_wrong_number_of_columns_is_refused():
    with pytest.raises(InputError, match="3 classes and got 2"):
        summary([[0.4, 0.6]], [0], n_class=3)
