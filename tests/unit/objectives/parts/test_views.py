"""Two chains of augmentations draw numbers of their own, and one pass encodes both views."""

from __future__ import annotations

import dataclasses

import torch

from root_gnn.augmentations import drop_nodes, rotate_phi
from root_gnn.graph.features import Features
from root_gnn.graph.random_stream import RandomStream
from root_gnn.objectives.parts.views import Views, encoded
from root_gnn.testing import TinyEncoder, random_batch

FEATURES, STREAM = Features(), RandomStream(seed=1, epoch=0)
BATCH = random_batch(FEATURES, [5, 3, 4, 6], seed=1)


def test_the_same_chain_twice_gives_two_views_and_leaves_the_input() -> None:
    before = BATCH.nodes.clone()
    first, second = Views([(rotate_phi.Config(),), (rotate_phi.Config(),)], FEATURES)(BATCH, STREAM)
    assert not torch.equal(first.nodes, second.nodes) and torch.equal(BATCH.nodes, before)
    again = Views([(rotate_phi.Config(),), (rotate_phi.Config(),)], FEATURES)(BATCH, STREAM)
    assert torch.equal(first.nodes, again[0].nodes) and torch.equal(second.nodes, again[1].nodes)


def test_paired_views_are_the_two_halves() -> None:
    first, second = Views([(), ()], FEATURES, paired=True)(BATCH, STREAM)
    assert first.n_node.tolist() == [5, 3] and second.n_node.tolist() == [4, 6]


def test_one_pass_gives_what_two_give() -> None:
    encoder = TinyEncoder(FEATURES).eval()
    views = Views([(drop_nodes.Config(fraction=0.3),), ()], FEATURES)(BATCH, STREAM)
    together = encoded(encoder, views)
    for view, representation in zip(views, together, strict=True):
        torch.testing.assert_close(representation, encoder(view).globals)


def test_the_links_of_a_chain_draw_numbers_of_their_own() -> None:
    rotate = rotate_phi.Config()
    view, _ = Views([(rotate, rotate), ()], FEATURES)(BATCH, STREAM)
    expected = BATCH
    for position in (0, 1):
        expected = rotate.build(FEATURES)(expected, dataclasses.replace(STREAM, place=position))
    assert torch.equal(view.nodes, expected.nodes)
