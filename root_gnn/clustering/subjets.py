"""Subjets of many jets at once: the constituents reclustered with a small radius (FastJet 2012, arXiv:1111.6097).

Cambridge/Aachen (Dokshitzer, Leder, Moretti, Webber 1997, hep-ph/9707323) as in J-JEPA (arXiv:2412.05333), or anti-kT.
"""

from __future__ import annotations

import hashlib
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from typing import Any, Literal

import awkward as ak
import numpy as np
from numpy.typing import NDArray

from root_gnn.clustering.jets import Floats, _fastjet, _without_banner

Algorithm = Literal["cambridge", "antikt"]
Index = NDArray[np.int64]
MOST_REMEMBERED = 100_000_000  # particles, one byte each


def subjets(
    kinematics: Floats, counts: Index, *, algorithm: Algorithm = "cambridge", radius: float = 0.2, jobs: int = 1,
) -> Index:
    """The subjet of each particle, `(n_particle,)`: 0 is the hardest of its jet, by vectorial pt.

    `kinematics (n_particle, 4)` has pt, eta, phi, energy (GeV, radians), jet after jet with `counts (n_jet,)` particles each.
    `jobs` processes share the jets. Taking away a whole subjet leaves the others as they are.
    Raises MissingExtra without FastJet.
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


def _subjets(kinematics: Floats, counts: Index, algorithm: Algorithm, radius: float) -> Index:
    if not len(kinematics):
        return np.zeros(0, dtype=np.int64)
    fastjet = _fastjet()
    pt, eta, phi, energy = np.asarray(kinematics, dtype=np.float64).T
    momenta = ak.zip({"px": pt * np.cos(phi), "py": pt * np.sin(phi), "pz": pt * np.sinh(eta), "E": energy})
    filled = counts > 0
    definition = fastjet.JetDefinition(getattr(fastjet, f"{algorithm}_algorithm"), radius)
    with _without_banner():
        sequence = fastjet.ClusterSequence(ak.unflatten(momenta, counts[filled]), definition)
        found, members = sequence.inclusive_jets(), sequence.constituent_index()
    order = ak.argsort(np.hypot(found.px, found.py), axis=1, ascending=False, stable=True)
    members = members[order]
    place = ak.flatten(ak.broadcast_arrays(ak.local_index(members, axis=1), members)[0], axis=None)
    particle = ak.flatten(members + (np.cumsum(counts[filled]) - counts[filled]), axis=None)
    result = np.zeros(len(kinematics), dtype=np.int64)
    result[ak.to_numpy(particle)] = ak.to_numpy(place)
    return result


class SubjetCache:
    """`subjets`, remembering what it found for a jet, by its id and the pts of its particles.

    Turning, shifting or mirroring a jet leaves its subjets as they are, so that augmented jets are found again. What is
    remembered takes a byte per particle; after a hundred million nothing is added.
    """

    def __init__(self, *, algorithm: Algorithm = "cambridge", radius: float = 0.2, jobs: int = 1) -> None:
        self.options: dict[str, Any] = {"algorithm": algorithm, "radius": radius, "jobs": jobs}
        self.known: dict[bytes, NDArray[np.uint8]] = {}
        self.n_known = 0
        self.n_clustered = 0

    def __call__(self, kinematics: Floats, counts: Index, ids: NDArray[np.int64] | None = None) -> Index:
        """As `subjets`; `ids (n_jet, n_id)` name the jets, without which nothing is remembered."""
        if ids is None:
            self.n_clustered += len(counts)
            return subjets(kinematics, counts, **self.options)
        ends = np.cumsum(counts)
        keys = self._keys(kinematics[:, 0], ends - counts, ends, ids)
        new = np.array([key not in self.known for key in keys], dtype=bool)
        result = np.empty(len(kinematics), dtype=np.int64)
        if new.any():
            self.n_clustered += int(new.sum())
            rows = np.repeat(new, counts)
            result[rows] = subjets(kinematics[rows], np.asarray(counts)[new], **self.options)
        for k, key in enumerate(keys):
            jet = slice(ends[k] - counts[k], ends[k])
            if not new[k]:
                result[jet] = self.known[key]
            elif self.n_known < MOST_REMEMBERED and counts[k] < 256:
                self.known[key] = result[jet].astype(np.uint8)
                self.n_known += int(counts[k])
        return result

    @staticmethod
    def _keys(pt: Floats, starts: Index, ends: Index, ids: NDArray[np.int64]) -> list[bytes]:
        text, name = np.ascontiguousarray(pt, dtype=np.float32), np.ascontiguousarray(ids, dtype=np.int64)
        return [
            hashlib.blake2b(name[k].tobytes() + text[starts[k] : ends[k]].tobytes(), digest_size=16).digest() for k in range(len(starts))
        ]
