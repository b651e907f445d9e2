"""Subjets of many jets at once: the constituents reclustered with a small radius (FastJet 2012, arXiv:1111.6097).

Cambridge/Aachen (Dokshitzer, Leder, Moretti, Webber 1997, hep-ph/9707323) as in J-JEPA (arXiv:2412.05333), or anti-kT.
"""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from typing import Any, Literal, Self

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from root_gnn.clustering.jets import _fastjet, _without_banner
from root_gnn.typing import AnyFloats, Index, Singles

Algorithm = Literal["cambridge", "antikt"]
MOST_REMEMBERED = 200_000_000  # particles in the cache
MOST_PARTICLES = 255  # of a cached jet, so that the number of a subjet fits into a byte


def subjets(
    kinematics: AnyFloats,
    counts: Index,
    *,
    algorithm: Algorithm = "cambridge",
    radius: float = 0.2,
    jobs: int = 1,
) -> Index:
    """The subjet of each particle, `(n_particle,)`: 0 is the hardest of its jet, by vectorial pt.

    Removing a whole subjet leaves the others as they are. Raises MissingExtraError without FastJet.

    Args:
        kinematics: pt, eta, phi, energy of the particles, `(n_particle, 4)`, GeV and radians, jet after jet.
        counts: number of particles of each jet, `(n_jet,)`.
        algorithm: the clustering algorithm.
        radius: the radius parameter R of the subjets.
        jobs: number of processes that share the jets.
    """
    counts = np.asarray(counts, dtype=np.int64)
    if jobs == 1 or len(counts) < 2 * jobs:
        return _subjets(kinematics, counts, algorithm, radius)
    ends = np.cumsum(counts)
    cuts = np.linspace(0, len(counts), jobs + 1).astype(np.int64)
    rows = np.concatenate([[0], ends])[cuts]
    pieces = [
        (kinematics[rows[k] : rows[k + 1]], counts[cuts[k] : cuts[k + 1]], algorithm, radius) for k in range(jobs)
    ]
    with ProcessPoolExecutor(jobs, mp_context=multiprocessing.get_context("spawn")) as pool:
        return np.concatenate(list(pool.map(_subjets, *zip(*pieces, strict=True))))


def _subjets(kinematics: AnyFloats, counts: Index, algorithm: Algorithm, radius: float) -> Index:
    if not len(kinematics):
        return np.zeros(0, dtype=np.int64)
    fastjet = _fastjet()
    pt, eta, phi, energy = np.asarray(kinematics, dtype=np.float64).T
    momenta = ak.zip({"px": pt * np.cos(phi), "py": pt * np.sin(phi), "pz": pt * np.sinh(eta), "E": energy})
    filled = counts > 0
    definition = fastjet.JetDefinition(getattr(fastjet, f"{algorithm}_algorithm"), radius)
    with _without_banner():
        sequence = fastjet.ClusterSequence(ak.unflatten(momenta, counts[filled]), definition)
        jets, members = sequence.inclusive_jets(), sequence.constituent_index()
    order = ak.argsort(np.hypot(jets.px, jets.py), axis=1, ascending=False, stable=True)
    members = members[order]
    rank = ak.flatten(ak.broadcast_arrays(ak.local_index(members, axis=1), members)[0], axis=None)
    particle = ak.flatten(members + (np.cumsum(counts[filled]) - counts[filled]), axis=None)
    result = np.zeros(len(kinematics), dtype=np.int64)
    result[ak.to_numpy(particle)] = ak.to_numpy(rank)
    return result


class SubjetCache:
    """`subjets` with a cache of the subjets of each jet, by the id of the jet.

    A jet that comes again with the same transverse momenta, or with some of them only, is not clustered again:
    rotations, shifts and reflections change no subjet, and neither does removing whole subjets. A jet with other
    transverse momenta is clustered each time. The cache takes five bytes a particle; copies of an encoder share it.
    """

    def __init__(self, *, algorithm: Algorithm = "cambridge", radius: float = 0.2, jobs: int = 1) -> None:
        self.options: dict[str, Any] = {"algorithm": algorithm, "radius": radius, "jobs": jobs}
        self.known: dict[bytes, tuple[Singles, NDArray[np.uint8]]] = {}  # pts ascending, and the subjet of each
        self.n_known = 0
        self.n_clustered = 0

    def __deepcopy__(self, memo: Any) -> Self:
        return self

    def __call__(self, kinematics: AnyFloats, counts: Index, ids: NDArray[np.int64] | None = None) -> Index:
        """As `subjets`, with numbers that may have gaps; jets without `ids (n_jet, n_id)` are not cached."""
        counts = np.asarray(counts, dtype=np.int64)
        if ids is None:
            self.n_clustered += len(counts)
            return subjets(kinematics, counts, **self.options)
        pt = np.ascontiguousarray(kinematics[:, 0], dtype=np.float32)
        result = np.zeros(len(pt), dtype=np.int64)
        ends = np.cumsum(counts)
        keys = [row.tobytes() for row in np.ascontiguousarray(ids, dtype=np.int64)]
        new = np.array(
            [
                not self._recall(key, pt[end - n : end], result[end - n : end])
                for key, n, end in zip(keys, counts, ends, strict=True)
            ],
            dtype=bool,
        )
        if new.any():
            self.n_clustered += int(new.sum())
            rows = np.repeat(new, counts)
            result[rows] = subjets(kinematics[rows], counts[new], **self.options)
        for k in np.flatnonzero(new):
            jet = slice(ends[k] - counts[k], ends[k])
            self._remember(keys[k], pt[jet], result[jet])
        return result

    def _recall(self, key: bytes, pt: Singles, result: Index) -> bool:
        """Fills `result` if every one of the `pt` is in the cached jet of this id; returns whether it is."""
        if key not in self.known:
            return False
        pts, numbers = self.known[key]
        index = np.searchsorted(pts, pt)
        if len(pt) and (index.max() >= len(pts) or not np.array_equal(pts[index], pt)):
            return False
        result[:] = numbers[index]
        return True

    def _remember(self, key: bytes, pt: Singles, numbers: Index) -> None:
        if key in self.known or len(pt) > MOST_PARTICLES or self.n_known + len(pt) > MOST_REMEMBERED:
            return
        order = np.argsort(pt, kind="stable")
        self.known[key] = (pt[order], numbers[order].astype(np.uint8))
        self.n_known += len(pt)
