"""What every centred representation promises: terms add up to the dependence, which is symmetric and keeps to its
events.
"""

from __future__ import annotations

import numpy as np
import pytest

from root_gnn.similarity.gram import GramView
from root_gnn.similarity.linear import LinearView
from root_gnn.similarity.view import View
from root_gnn.typing import Floats

RNG = np.random.default_rng(3)
X, Y = RNG.normal(size=(20, 3)), RNG.normal(size=(20, 5))


def views(kind: str) -> tuple[View, View]:
    make = {
        "linear": lambda rows: LinearView.of(rows, is_debiased=False),
        "debiased": lambda rows: LinearView.of(rows, is_debiased=True),
        "gram": GramView.linear,
        "rbf": GramView.rbf,
    }[kind]
    return make(X), make(Y)


@pytest.mark.parametrize("kind", ["linear", "debiased", "gram", "rbf"])
def test_terms_add_up_and_the_dependence_is_symmetric(kind: str) -> None:
    x, y = views(kind)
    assert x.n_event == 20
    assert x.dependence(y) == pytest.approx(y.dependence(x), rel=1e-12)
    terms: Floats = x.terms(y)
    assert terms.shape == (20,)
    assert terms.sum() == pytest.approx(x.dependence(y), rel=1e-9)


@pytest.mark.parametrize("kind", ["linear", "debiased", "gram", "rbf"])
def test_the_same_order_for_both_changes_nothing_and_another_one_does(kind: str) -> None:
    x, y = views(kind)
    order = RNG.permutation(20)
    assert x.permuted(order).dependence(y.permuted(order)) == pytest.approx(x.dependence(y), rel=1e-9)
    assert x.permuted(order).dependence(y) != pytest.approx(x.dependence(y), rel=1e-3)
