"""Training weights: mean one for each class, negative ones kept or made positive."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from root_gnn.data.events import weights
from root_gnn.data.events.weights import training_weights
from root_gnn.errors import InputError


def table(weight: list[float], label: list[int], classes: tuple[str, ...] = ("a", "b")) -> Any:
    return SimpleNamespace(weight=np.array(weight), label=np.array(label), classes=classes)


def test_each_class_has_mean_one_over_its_training_events() -> None:
    events = table([2.0, -1.0, 5.0, 100.0, 300.0, 7.0], [0, 0, 0, 1, 1, 1])
    train = np.array([0, 1, 3, 4])
    signed = training_weights(events, train, "signed")
    assert signed.tolist() == pytest.approx([4, -2, 10, 0.5, 1.5, 0.035])
    assert signed.dtype == np.float32
    absolute = training_weights(events, train, "abs")
    assert absolute[train[:2]].mean() == pytest.approx(1)
    assert (absolute > 0).all()


def test_a_sum_that_is_not_positive_is_refused() -> None:
    events = table([1.0, -3.0, 1.0], [0, 0, 1])
    with pytest.raises(InputError, match=r"2 training weights of a add up to -2; .* data.weights: abs"):
        training_weights(events, np.arange(3), "signed")
    assert training_weights(events, np.arange(3), "abs").tolist() == [0.5, 1.5, 1.0]
    with pytest.raises(InputError, match="Leave the weight out"):
        training_weights(table([0.0, 0.0], [0, 0]), np.arange(2), "abs")


def test_without_classes_and_with_a_class_not_trained() -> None:
    assert training_weights(table([2.0, 4.0], [0, 0], ()), np.arange(2), "signed").tolist() == pytest.approx(
        [2 / 3, 4 / 3]
    )
    assert training_weights(table([2.0, 4.0], [0, 1]), np.array([0]), "signed").tolist() == [1.0, 4.0]


def test_in_blocks_as_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    weight, label = rng.normal(1.0, 1.0, 100), rng.integers(0, 2, 100)
    events, train = table(weight.tolist(), label.tolist()), np.flatnonzero(rng.random(100) < 0.6)
    monkeypatch.setattr(weights, "BLOCK", 7)
    mean = [weight[train][label[train] == place].mean() for place in (0, 1)]
    assert training_weights(events, train, "signed").tolist() == pytest.approx(
        (weight / np.array(mean)[label]).tolist(), rel=1e-6
    )
