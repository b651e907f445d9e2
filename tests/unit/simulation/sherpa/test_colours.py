"""Colour lines: whole in every event, and drawn as the colour-ordered amplitudes of top pair and Higgs boson draw
them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from root_gnn.simulation.matrix_elements.phase_space import N_RANDOM, sample
from root_gnn.simulation.matrix_elements.tth import squared
from root_gnn.simulation.sherpa.cards import FOUR_TOPS, T_H_J, T_W, THREE_TOPS, TT_W, TT_Z
from root_gnn.simulation.sherpa.colours import antennas, connections, draw_colours
from root_gnn.typing import AnyFloats, Integers

REACTIONS: list[tuple[list[int], Collection[str], int]] = [  # particles, pairs apart, number of ways to join them
    ([2, 5, 6, 1, 25], T_H_J.apart, 1),
    ([-5, -1, -6, -2, 25], T_H_J.apart, 1),
    ([2, -1, 6, -5, 25], T_H_J.apart, 1),
    ([21, 5, 6, -24], T_W.apart, 1),
    ([-5, 21, -6, 24], T_W.apart, 1),
    ([2, -1, 6, -6, 24], TT_W.apart, 1),
    ([-2, 1, 6, -6, -24], TT_W.apart, 1),
    ([21, 21, 6, -6, 23], TT_Z.apart, 2),
    ([5, -5, 6, -6, 23], TT_Z.apart, 1),
    ([21, 5, 6, 6, -6, -24], THREE_TOPS.apart, 4),
    ([2, 5, 6, 6, -6, 1], THREE_TOPS.apart, 4),
    ([2, -1, 6, 6, -6, -5], THREE_TOPS.apart, 4),
    ([21, 21, 6, -6, 6, -6], FOUR_TOPS.apart, 12),
    ([1, -1, 6, -6, 6, -6], FOUR_TOPS.apart, 4),
]


def some_momenta(rng: np.random.Generator, n_event: int, n_leg: int) -> AnyFloats:
    p = rng.normal(size=(n_event, n_leg, 3)) * 100.0
    return np.concatenate((p, np.sqrt((p**2).sum(axis=2, keepdims=True) + 10.0)), axis=2)


def carried(code: int) -> tuple[bool, bool]:
    """Whether a particle of this code has colour, anticolour."""
    return code == 21 or 1 <= code <= 6, code == 21 or -6 <= code <= -1


def assert_whole(pdg: Integers, colours: Integers) -> None:
    """Every line is that of a colour and an anticolour once all are seen going out, and each particle has those of
    its kind.
    """
    for codes, lines in zip(pdg, colours, strict=True):
        ends: Counter[tuple[int, bool]] = Counter()
        for place, (code, pair) in enumerate(zip(codes, lines, strict=True)):
            assert tuple(pair > 0) == carried(code)
            for is_anticolour, line in enumerate(pair):
                if line:
                    ends[int(line), bool(is_anticolour) != (place < 2)] += 1
            assert pair[0] != pair[1] or pair[0] == 0
        assert set(ends.values()) <= {1}
        assert (
            {line for line, _ in ends} == {line for line, out in ends if out} == {line for line, out in ends if not out}
        )


@pytest.mark.parametrize(("codes", "apart", "n_way"), REACTIONS)
def test_lines_are_whole(codes: list[int], apart: Collection[str], n_way: int) -> None:
    rng = np.random.default_rng(2)
    pdg = np.tile(codes, (40, 1))
    colours = draw_colours(pdg, some_momenta(rng, 40, len(codes)), apart, rng)
    assert_whole(pdg, colours)
    assert len(connections(np.array(codes), apart)[1]) == n_way


def test_quarks_that_meet_in_a_w_keep_their_colour_and_those_that_meet_in_a_gluon_do_not() -> None:
    rng = np.random.default_rng(2)
    u, b, t, d = draw_colours(np.array([[2, 5, 6, 1, 25]]), some_momenta(rng, 1, 5), T_H_J.apart, rng)[0, :4, 0]
    assert u == d != b == t
    (u, _), (_, anti_d), (t, _), (_, anti_t) = draw_colours(
        np.array([[2, -1, 6, -6, 24]]), some_momenta(rng, 1, 5), TT_W.apart, rng
    )[0, :4]
    assert u == t != anti_d == anti_t


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.lists(st.integers(0, len(REACTIONS) - 1), min_size=1, max_size=6))
def test_events_of_all_kinds_are_drawn_on_their_own(seed: int, which: list[int]) -> None:
    several = [REACTIONS[i][0] for i in which if len(REACTIONS[i][0]) == 6]
    if several:
        rng = np.random.default_rng(seed)
        pdg = np.array(several)
        assert_whole(pdg, draw_colours(pdg, some_momenta(rng, len(pdg), 6), (), rng))


def test_no_lines_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"no colour lines are possible for the particles \[2, -2, 11, -11\]"):
        connections(np.array([2, -2, 11, -11]), ("qq",))


def test_drawn_as_the_colour_ordered_amplitudes_draw() -> None:
    """Against our own amplitudes of gluons to top pair and Higgs boson, which know the true share of each of the two
    flows.
    """
    rng = np.random.default_rng(5)
    point = sample(rng.random((600, N_RANDOM)), 13000.0).point
    amplitude = squared(point, 0.0)
    legs = (point.first, point.second, point.top, point.antitop, point.higgs)
    starts, ways = connections(np.array([21, 21, 6, -6, 25]), ())
    chance = antennas(np.stack([np.roll(leg, -1, axis=1) for leg in legs], axis=1), starts, ways)
    near = ways[:, starts.tolist().index(2)] == 0  # the top carries on the colour of the first gluon
    share = chance[:, near].sum(axis=1) / chance.sum(axis=1)
    assert share.std() > 0.2 and np.corrcoef(share, amplitude.first_near)[0, 1] > 0.95
    assert np.abs(share - amplitude.first_near).mean() < 0.1
