"""The decoder head."""

from __future__ import annotations

import torch

from root_gnn.graph.batch import Batch
from root_gnn.heads.mlp import Config


def encoded() -> Batch:
    generator = torch.Generator().manual_seed(1)
    return Batch.of(
        torch.randn(7, 6, generator=generator), torch.tensor([4, 0, 3]), globals=torch.randn(3, 6, generator=generator)
    )


def test_logits_are_linear_in_hidden() -> None:
    head = Config().build(6, 4).eval()
    batch = encoded()
    hidden = head.features(batch)
    torch.testing.assert_close(head(batch), hidden @ head.out.weight.T + head.out.bias)
    torch.testing.assert_close(hidden, head.decode(batch.globals))


def test_width_is_the_representation_unless_told_otherwise() -> None:
    assert Config().build(6, 4).eval().features(encoded()).shape == (3, 6)
    assert Config(hidden=9).build(6, 4).eval().features(encoded()).shape == (3, 9)


def test_published_decoder_has_its_parameters() -> None:
    head = Config(n_layer=4, activation="relu", activate_last=True, dropout=0.0).build(64, 1)
    assert sum(p.numel() for p in head.parameters()) == 4 * (64 * 64 + 64) + 2 * 64 + 65


def test_dropout_acts_in_training_alone() -> None:
    head = Config(dropout=0.5).build(6, 4)
    with torch.random.fork_rng(devices=[]):
        assert not torch.equal(head(encoded()), head(encoded()))
    head.eval()
    assert torch.equal(head(encoded()), head(encoded()))
