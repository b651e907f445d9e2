"""Subjets against the algorithms written out, and the cache that remembers them."""

from __future__ import annotations

import copy
import math

import numpy as np
import pytest
from numpy.typing import NDArray

from root_gnn.clustering.subjets import Algorithm, SubjetCache, subjets

pytest.importorskip("fastjet")
Floats = NDArray[np.float64]
RADIUS = 0.2


def jets(*counts: int, seed: int = 1) -> tuple[Floats, NDArray[np.int64]]:
    rng = np.random.default_rng(seed)
    n = sum(counts)
    pt, eta, phi = rng.exponential(10.0, n) + 0.1, rng.normal(0.3, 0.3, n), rng.normal(3.1, 0.3, n)
    phi = np.angle(np.exp(1j * phi))
    return np.stack([pt, eta, phi, pt * np.cosh(eta)], 1), np.array(counts)


def naive(rows: Floats, algorithm: Algorithm) -> list[int]:
    """Sequential recombination of one jet, smallest distance first, momenta added."""
    clusters = [
        ([k], *(pt * np.array([math.cos(phi), math.sin(phi), math.sinh(eta)])), e)
        for k, (pt, eta, phi, e) in enumerate(rows)
    ]
    done = []
    while clusters:
        momenta = [
            (math.hypot(x, y), 0.5 * math.log((e + z) / (e - z)), math.atan2(y, x)) for _, x, y, z, e in clusters
        ]
        power = 0 if algorithm == "cambridge" else -2
        best = min((pt**power, k, k) for k, (pt, _, _) in enumerate(momenta))
        for i, (pt, y, phi) in enumerate(momenta):
            for j in range(i):
                dphi = math.remainder(phi - momenta[j][2], 2 * math.pi)
                distance = min(pt**power, momenta[j][0] ** power) * ((y - momenta[j][1]) ** 2 + dphi**2) / RADIUS**2
                best = min(best, (distance, i, j))
        _, i, j = best
        if i == j:
            done.append(clusters.pop(i))
        else:
            a, b = clusters.pop(i), clusters.pop(j)
            clusters.append((a[0] + b[0], a[1] + b[1], a[2] + b[2], a[3] + b[3], a[4] + b[4]))
    done.sort(key=lambda cluster: -math.hypot(cluster[1], cluster[2]))
    place = {particle: k for k, cluster in enumerate(done) for particle in cluster[0]}
    return [place[k] for k in range(len(rows))]


@pytest.mark.parametrize("algorithm", ["cambridge", "antikt"])
def test_subjets_are_those_of_the_algorithm(algorithm: Algorithm) -> None:
    rows, counts = jets(12, 0, 1, 25, 7)
    found = subjets(rows, counts, algorithm=algorithm, radius=RADIUS)
    starts = np.cumsum(counts) - counts
    wanted = [
        place for start, n in zip(starts, counts, strict=True) for place in naive(rows[start : start + n], algorithm)
    ]
    assert found.tolist() == wanted and found.max() > 3


@pytest.mark.parametrize("algorithm", ["cambridge", "antikt"])
def test_taking_a_subjet_away_leaves_the_others(algorithm: Algorithm) -> None:
    rows, counts = jets(40)
    found = subjets(rows, counts, algorithm=algorithm, radius=RADIUS)
    keep = ~np.isin(found, [0, 2])
    left = subjets(rows[keep], np.array([keep.sum()]), algorithm=algorithm, radius=RADIUS)
    _, consecutive = np.unique(found[keep], return_inverse=True)
    assert left.tolist() == consecutive.tolist()


def test_no_particles_no_subjets() -> None:
    assert subjets(np.zeros((0, 4)), np.array([0, 0])).tolist() == []
    assert subjets(np.zeros((0, 4)), np.zeros(0, dtype=np.int64)).shape == (0,)


def test_the_cache_gives_what_clustering_gives_and_clusters_once() -> None:
    rows, counts = jets(12, 0, 30, 7)
    ids, cache = np.arange(4)[:, None], SubjetCache(radius=RADIUS)
    wanted = subjets(rows, counts, radius=RADIUS)
    assert cache(rows, counts, ids).tolist() == wanted.tolist() == cache(rows, counts, ids).tolist()
    assert cache.n_clustered == 4
    order = np.array([3, 2])
    other = np.concatenate([rows[42:], rows[12:42]])
    assert cache(other, counts[order], ids[order]).tolist() == [*wanted[42:], *wanted[12:42]]
    turned = rows.copy()
    turned[:, 2] = np.angle(np.exp(1j * (rows[:, 2] + 1.0)))
    assert cache(turned, counts, ids).tolist() == wanted.tolist()
    keep = np.array([True] * 12 + [False, True] * 15 + [True] * 7)
    assert cache(rows[keep], np.array([12, 0, 15, 7]), ids).tolist() == wanted[keep].tolist()
    assert cache.n_clustered == 4 and copy.deepcopy(cache) is cache


def test_the_cache_clusters_what_has_other_momenta_or_no_id() -> None:
    rows, counts = jets(12, 9)
    ids, cache = np.arange(2)[:, None], SubjetCache(radius=RADIUS)
    cache(rows, counts, ids)
    other, _ = jets(12, 9, seed=2)
    assert (
        cache(other, counts, ids).tolist() == subjets(other, counts, radius=RADIUS).tolist() and cache.n_clustered == 4
    )
    cache(rows, counts)
    assert cache.n_clustered == 6 and cache.n_known == 21


@pytest.mark.slow
def test_processes_share_the_jets() -> None:
    rows, counts = jets(12, 0, 30, 7, 9)
    assert subjets(rows, counts, jobs=2).tolist() == subjets(rows, counts).tolist()
