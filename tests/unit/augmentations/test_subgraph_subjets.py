"""Subjets are cones around the hardest constituents, and are left out whole."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from root_gnn.augmentations.subgraph_subjets import Config
from root_gnn.graph.features import Features
from root_gnn.graph.random_stream import RandomStream
from root_gnn.testing import check_augmentation, collimated, random_batch

SIZES = (4, 1, 0, 6, 25, 3, 0)
DRAWS = RandomStream(seed=1, epoch=2)


def naive_cones(rows: list[list[float]], radius: float, most: int) -> list[int]:
    owner = list(range(len(rows)))
    free = set(owner)
    for _ in range(most):
        if not free:
            break
        middle = min(free, key=lambda k: (-rows[k][0], k))
        inside = {
            k
            for k in free
            if math.hypot(rows[k][1] - rows[middle][1], math.remainder(rows[k][2] - rows[middle][2], 2 * math.pi))
            <= radius
        }
        for k in inside:
            owner[k] = middle
        free -= inside
    return owner


@settings(max_examples=20)
@given(seed=st.integers(0, 1000), radius=st.sampled_from([0.2, 0.4]), most=st.sampled_from([1, 3, 30]))
def test_cones_are_those_of_a_loop(seed: int, radius: float, most: int) -> None:
    batch = collimated(random_batch(Features(), SIZES, seed=seed), Features())
    batch.nodes[::3, 0] = 5.0  # some are equally hard: the first counts
    cones = Config(radius=radius, max_subjets=most).build(Features()).cones(batch).tolist()
    first = 0
    for rows in torch.split(batch.nodes, list(SIZES)):
        assert [k - first for k in cones[first : first + len(rows)]] == naive_cones(rows.tolist(), radius, most)
        first += len(rows)


def test_subjets_go_whole_and_one_stays() -> None:
    batch = collimated(random_batch(Features(), SIZES * 40, seed=1), Features())
    augmentation = Config(fraction=0.5).build(Features())
    cones = augmentation.cones(batch)
    out = augmentation(batch, DRAWS).check()
    kept = torch.isin(batch.nodes[:, 0], out.nodes[:, 0])
    assert torch.equal(kept, kept[cones])
    assert torch.equal(out.n_node > 0, batch.n_node > 0)
    middles = kept[torch.unique(cones)]
    assert 0.45 < float(middles.double().mean()) < 0.6  # half, and those that stay so that something is left
    assert torch.equal(out.nodes, batch.nodes[kept])


def test_some_jets_stay_whole() -> None:
    batch = collimated(random_batch(Features(), (25,) * 200, seed=2), Features())
    out = Config(fraction=0.9, probability=0.5).build(Features())(batch, DRAWS)
    assert math.isclose(float((out.n_node == 25).double().mean()), 0.5, abs_tol=0.12)


def test_no_nodes_at_all() -> None:
    assert Config().build(Features())(random_batch(Features(), (0, 0), seed=1), DRAWS).check().total_node == 0


@pytest.mark.parametrize("algorithm", ["cambridge", "antikt"])
def test_clustered_subjets_go_whole_too(algorithm: str) -> None:
    pytest.importorskip("fastjet")
    from root_gnn.clustering.subjets import subjets

    config = Config.model_validate({"algorithm": algorithm, "fraction": 0.4})
    check_augmentation(config.build)
    batch = collimated(random_batch(Features(), SIZES * 10, seed=3), Features())
    out = config.build(Features())(batch, DRAWS).check()
    kept = torch.isin(batch.nodes[:, 0], out.nodes[:, 0])
    place = subjets(batch.nodes[:, :4].double().numpy(), batch.n_node.numpy(), algorithm=algorithm, radius=0.2)
    fate: dict[tuple[int, int], set[bool]] = {}
    for graph, subjet, stays in zip(batch.graph_index.tolist(), place.tolist(), kept.tolist(), strict=True):
        fate.setdefault((graph, subjet), set()).add(stays)
    assert all(len(stays) == 1 for stays in fate.values())
    assert 0.55 < sum(True in stays for stays in fate.values()) / len(fate) < 0.8
