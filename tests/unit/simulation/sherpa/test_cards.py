"""Run cards of Sherpa."""

from __future__ import annotations

import pytest

from root_gnn.simulation.sherpa.cards import (
    FOUR_TOPS,
    HIGGS_MASS,
    T_H_J,
    T_W,
    THREE_TOPS,
    TOP_MASS,
    TT_PHOTONS,
    TT_W,
    TT_Z,
    W_MASS,
    Z_MASS,
    Card,
)

CARDS = (T_H_J, T_W, TT_W, TT_Z, TT_PHOTONS, THREE_TOPS, FOUR_TOPS)
SELF_CONJUGATE = (22, 23, 25, 93)


def _final(reaction: str) -> list[int]:
    return sorted(int(code) for code in reaction.split("->")[1].split())


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.reactions[0][0])
def test_reactions_come_with_their_conjugates(card: Card) -> None:
    finals = [_final(reaction) for reaction, _, _ in card.reactions]
    assert all(sorted(c if c in SELF_CONJUGATE else -c for c in final) in finals for final in finals)


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.reactions[0][0])
def test_a_tree_diagram_has_as_many_vertices_as_its_order(card: Card) -> None:
    """Two incoming and n outgoing particles need n cubic vertices, so n powers of couplings in the cross section."""
    for reaction, strong, weak in card.reactions:
        assert strong + weak == len(_final(reaction))


def test_text() -> None:
    text = T_W.text(events=70, seed=9, ecm=13600.0, name="out")
    assert {"EVENTS: 70", "RANDOM_SEED: 9", "BEAM_ENERGIES: 6800", "EVENT_OUTPUT: LHEF[out]"} <= set(text.splitlines())
    assert "- 93 93 -> 6 -24:\n    Order: {QCD: 1, EW: 1}\n" in text and "SELECTORS" not in text
    assert "- [PT, 22, 20, E_CMS]" in TT_PHOTONS.text(events=1, seed=1, ecm=13000.0, name="out")


@pytest.mark.pythia
def test_masses_are_pythias() -> None:
    pytest.importorskip("pythia8mc")
    from root_gnn.simulation.pythia import pythia8

    data = pythia8().Pythia("", False).particleData
    for code, mass in ((6, TOP_MASS), (25, HIGGS_MASS), (24, W_MASS), (23, Z_MASS)):
        assert data.m0(code) == pytest.approx(mass, abs=0.1)
