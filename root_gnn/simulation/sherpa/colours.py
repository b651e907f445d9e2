"""Colour lines for events without: drawn among the possible connections.

The probability of a connection is proportional to the product of 1 / (p . p') over the pairs of partons it joins, as in
squared colour-ordered amplitudes of soft or collinear gluons (Parke, Taylor 1986; Mangano, Parke 1991,
arXiv:hep-th/0509223).
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from root_gnn.typing import AnyFloats, Integers

_FIRST_LINE = 501
_GLUON, _N_INCOMING = 21, 2
_METRIC = np.array([-1.0, -1.0, -1.0, 1.0])


def draw_colours(
    pdg: Integers, momenta: AnyFloats, apart: Collection[str], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Colour and anticolour `(n_event, n_leg, 2)` of particles `pdg (n_event, n_leg)`, the first two incoming.

    `momenta (n_event, n_leg, 4)` are px, py, pz, E in GeV. `apart`: pairs of kinds of partons (g, b, t, q for lighter
    quarks) that no line joins. Raises ValueError where no connection is possible.
    """
    colours = np.zeros((*pdg.shape, 2), dtype=np.int64)
    uniform = rng.random(len(pdg))
    kinds, group = np.unique(pdg, axis=0, return_inverse=True)
    for i, codes in enumerate(kinds):
        events = np.flatnonzero(group.reshape(-1) == i)
        starts, ways = connections(codes, apart)
        chance = np.cumsum(antennas(momenta[events], starts, ways), axis=1)
        chosen = (chance <= uniform[events, None] * chance[:, -1:]).sum(axis=1)
        colours[events] = _lines(starts, ways[chosen], pdg.shape[1])
    return colours


def connections(codes: Integers, apart: Collection[str]) -> tuple[Integers, Integers]:
    """The legs where colour lines start `(n_line,)`, and all ways to end them `(n_way, n_line)`.

    Both are indices of the particles `codes (n_leg,)`. With all particles taken as outgoing, a quark (or an incoming
    antiquark) starts a line; a gluon starts one and ends another.
    """
    starts, ends = _ends(codes)
    pairs = {frozenset(pair) for pair in apart}
    kinds = [_kind(code) for code in codes]

    def possible(way: tuple[int, ...]) -> bool:
        joined = list(zip(starts, way, strict=True))
        return not _ring_of_gluons(joined, codes) and not any(
            frozenset((kinds[a], kinds[b])) in pairs for a, b in joined
        )

    ways = [way for way in permutations(ends) if possible(way)]
    if not ways:
        raise ValueError(f"no colour lines are possible for the particles {codes.tolist()}")
    return np.array(starts), np.array(ways)


def antennas(momenta: AnyFloats, starts: Integers, ways: Integers) -> AnyFloats:
    """The relative probability of each way `(n_event, n_way)`."""
    products = np.abs(np.einsum("nix,njx,x->nij", momenta, momenta, _METRIC))
    logarithms = np.log(products[:, starts[None, :], ways]).sum(axis=2)  # the chance of a way is one over the product
    weights: AnyFloats = np.exp(logarithms.min(axis=1, keepdims=True) - logarithms)
    return weights


def _ends(codes: Integers) -> tuple[list[int], list[int]]:
    starts, ends = [], []
    for leg, code in enumerate(codes):
        if code == _GLUON or (abs(code) <= 6 and (code > 0) == (leg >= _N_INCOMING)):
            starts.append(leg)
        if code == _GLUON or (abs(code) <= 6 and (code > 0) != (leg >= _N_INCOMING)):
            ends.append(leg)
    return starts, ends


def _kind(code: int) -> str:
    return {_GLUON: "g", 5: "b", 6: "t"}.get(abs(code), "q")


def _ring_of_gluons(joined: list[tuple[int, int]], codes: Integers) -> bool:
    """Whether gluons are joined to themselves or to each other alone."""
    after = dict(joined)
    for first in after:
        leg, steps = first, 0
        while codes[leg] == _GLUON and steps <= len(after):
            leg, steps = after[leg], steps + 1
        if steps > len(after):
            return True
    return False


def _lines(starts: Integers, ends: Integers, n_leg: int) -> Integers:
    """The lines `(n_event, n_leg, 2)` from `starts (n_line,)` to `ends (n_event, n_line)`, numbered from 501."""
    colours = np.zeros((len(ends), n_leg, 2), dtype=np.int64)
    event = np.arange(len(ends))
    for line, start in enumerate(starts):
        number = _FIRST_LINE + line
        colours[event, start, int(start < _N_INCOMING)] = number
        colours[event, ends[:, line], np.where(ends[:, line] < _N_INCOMING, 0, 1)] = number
    return colours
