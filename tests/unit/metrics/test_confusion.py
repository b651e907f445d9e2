from __future__ import annotations

import numpy as np
from sklearn.metrics import confusion_matrix as reference

from root_gnn.metrics.confusion import confusion_matrix


def test_equals_scikit_learn_normalised_by_truth():
    generator = np.random.default_rng(0)
    labels, probabilities = generator.integers(0, 4, 300), generator.dirichlet(np.ones(4), 300)
    weights = generator.exponential(size=300)
    expected = reference(labels, probabilities.argmax(axis=1), sample_weight=weights, normalize="true")
    np.testing.assert_allclose(confusion_matrix(probabilities, labels, weights), expected, atol=1e-12)


def test_signed_weights_subtract_and_rows_sum_to_one():
    probabilities = [[0.9, 0.1], [0.9, 0.1], [0.1, 0.9], [0.1, 0.9]]
    found = confusion_matrix(probabilities, [0, 0, 0, 1], [2.0, 1.0, -1.0, 1.0])
    np.testing.assert_allclose(found, [[1.5, -0.5], [0.0, 1.0]])


def test_an_absent_class_is_a_blank_row():
    found = confusion_matrix([[0.9, 0.1]], [0])
    assert found[0].tolist() == [1.0, 0.0]
    assert np.all(np.isnan(found[1]))
    assert np.all(np.isnan(confusion_matrix(np.zeros((0, 2)), [])))
