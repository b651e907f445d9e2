"""Fitted scaling against NumPy on everything at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from root_gnn.graph.batch import concatenate
from root_gnn.graph.features import Features
from root_gnn.graph.scaling import SMALLEST, TRANSFORMS, Affine, Scaling
from root_gnn.kinematics.pairs import PAIR_FEATURES, pair_features
from root_gnn.testing import random_batch

FEATURES = Features()
PARTS = [random_batch(FEATURES, (5, 0, 1, 7), seed=seed) for seed in range(4)]


def numbers(affine: Affine) -> tuple[float, float]:
    return affine.mean, affine.std


def test_fit_is_numpy_on_all_at_once() -> None:
    scaling, whole = Scaling.fit(PARTS, FEATURES), concatenate(PARTS)
    nodes = whole.nodes.numpy().astype(np.float64)
    for k, name in enumerate(FEATURES.nodes):
        column = np.log(np.maximum(nodes[:, k], SMALLEST)) if name in ("pt", "energy") else nodes[:, k]
        assert scaling.nodes[name].transform == ("log" if name in ("pt", "energy") else "linear")
        assert numbers(scaling.nodes[name]) == pytest.approx((column.mean(), column.std()), rel=1e-5, abs=1e-6)
    senders, receivers = whole.edge_index()
    pairs = pair_features(whole.nodes[senders, :4], whole.nodes[receivers, :4]).numpy().astype(np.float64)
    for k, name in enumerate(PAIR_FEATURES):
        assert numbers(scaling.edges[name]) == pytest.approx(
            (pairs[:, k].mean(), pairs[:, k].std()), rel=1e-5, abs=1e-6
        )
    count = whole.n_node.numpy()
    assert numbers(scaling.globals["n_node"]) == pytest.approx((count.mean(), count.std()))


def test_constant_features_come_out_as_zero_and_nothing_as_itself() -> None:
    batch = random_batch(FEATURES, (3, 4), seed=1)
    nodes = batch.nodes.clone()
    nodes[:, FEATURES.column("btag")] = 1.0
    assert numbers(Scaling.fit([batch.replace(nodes=nodes)], FEATURES).nodes["btag"]) == (1.0, 1.0)
    assert numbers(Scaling.fit([], FEATURES).nodes["pt"]) == (0.0, 1.0)
    lonely = Scaling.fit([random_batch(FEATURES, (1, 0, 1), seed=1)], FEATURES)
    assert numbers(lonely.edges["delta_r"]) == (0.0, 1.0)


def test_saved_scaling_comes_back_equal(tmp_path: Path) -> None:
    scaling = Scaling.fit(PARTS, FEATURES)
    scaling.save(tmp_path / "scaling.json")
    assert Scaling.load(tmp_path / "scaling.json") == scaling


def test_transforms_are_finite_everywhere() -> None:
    extreme = torch.tensor([-1e30, -1.0, 0.0, 1e-30, 1.0, 1e30])
    for transform in TRANSFORMS.values():
        assert bool(torch.isfinite(transform(extreme)).all())
    assert float(TRANSFORMS["log"](torch.tensor(0.0))) == pytest.approx(np.log(SMALLEST))
