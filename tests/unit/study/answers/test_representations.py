"""Representations of events by group."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from root_gnn.study.answers import representations
from root_gnn.study.answers.representations import embedded_points


@pytest.fixture(autouse=True)
def pca() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(representations, "_methods", lambda _: ("pca",))
        yield


def test_the_layer_before_the_decoder_is_taken_and_pictures_hold_at_most_a_thousand() -> None:
    generator = np.random.default_rng(0)
    label = np.repeat([0, 1], 1200)
    z = generator.normal(size=(2400, 3)).astype(np.float32)
    z[:, 0] += 20.0 * label
    layers = {"a": [{"first": np.zeros((2400, 2), np.float32), "last": z, "decoder": np.zeros((2400, 1), np.float32)}]}
    embedded = embedded_points(layers, label)
    points = embedded.points["pca"]["a"]
    assert points.shape == (800, 2) and embedded.label.tolist() == label[::3].tolist()
    low, high = points[embedded.label == 0, 0], points[embedded.label == 1, 0]
    assert max(low.max(), high.max()) - min(low.min(), high.min()) > 15.0 and (low.max() < high.min()) != (
        high.max() < low.min()
    )
    separation = embedded.fisher["a"]
    assert separation is not None and separation.value > 10.0 and embedded.redundancy["a"].n_feature == 3
