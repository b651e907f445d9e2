"""Random batches for checks."""

from __future__ import annotations

import torch

from root_gnn.graph.features import Features
from root_gnn.kinematics.angles import delta_phi
from root_gnn.testing import QUESTION, SIZES, TinyEncoder, collimated, random_batch
from root_gnn.testing.batches import double_precision, random_representations, shuffled_nodes

FEATURES = Features()


def test_random_batches_repeat_and_hold_what_the_checks_need() -> None:
    batch = random_batch(Features(), SIZES * 3, seed=1, question=QUESTION)
    again = random_batch(Features(), SIZES * 3, seed=1, question=QUESTION)
    assert torch.equal(batch.nodes, again.nodes)
    assert not torch.equal(batch.nodes, random_batch(Features(), SIZES * 3, seed=2).nodes)
    assert batch.weights is not None and bool((batch.weights < 0).any())
    assert {0, 1} <= set(batch.n_node.tolist())
    assert set(batch.labels) == {"label", *QUESTION.truth}


def test_kinematics_are_physical_and_globals_count_the_nodes() -> None:
    batch = random_batch(FEATURES, (200, 0, 50), seed=1)
    pt, eta, phi, energy = (batch.nodes[:, FEATURES.column(name)].double() for name in ("pt", "eta", "phi", "energy"))
    assert bool((pt > 0).all()) and bool((phi.abs() <= torch.pi + 1e-6).all())
    assert bool((energy >= pt * eta.cosh() * (1.0 - 1e-6)).all()), "a mass below zero"
    assert batch.globals[:, 0].tolist() == [200.0, 0.0, 50.0]
    assert batch.ids is not None and len(torch.unique(batch.ids, dim=0)) == 3


def test_a_collimated_graph_is_as_narrow_as_a_jet() -> None:
    batch = random_batch(FEATURES, (30, 1, 0, 12), seed=1)
    narrow = collimated(batch, FEATURES, radius=0.4)
    assert torch.equal(narrow.nodes[:, FEATURES.column("pt")], batch.nodes[:, FEATURES.column("pt")])
    same = narrow.graph_index.unsqueeze(1) == narrow.graph_index.unsqueeze(0)
    eta, phi = narrow.nodes[:, FEATURES.column("eta")], narrow.nodes[:, FEATURES.column("phi")]
    distance = torch.hypot(eta.unsqueeze(1) - eta.unsqueeze(0), delta_phi(phi.unsqueeze(1), phi.unsqueeze(0)))
    assert float(distance[same].max()) <= 0.8 + 1e-5


def test_shuffling_stays_within_graphs() -> None:
    batch = random_batch(FEATURES, (6, 0, 1, 9), seed=1)
    order = shuffled_nodes(batch)
    assert torch.equal(batch.graph_index[order], batch.graph_index)
    assert sorted(order.tolist()) == list(range(16)) != order.tolist()


def test_representations_have_their_width_and_precision() -> None:
    batch = random_representations((3, 0, 2), 7)
    assert batch.nodes.shape == (5, 7) and batch.globals.shape == (3, 7)
    double = double_precision(batch)
    assert double.nodes.dtype == double.globals.dtype == torch.float64
    assert torch.equal(double.nodes.float(), batch.nodes)


def test_the_smallest_encoder_reads_the_mean_of_the_nodes() -> None:
    encoder, batch = TinyEncoder(FEATURES, dim=4), random_batch(FEATURES, (3,), seed=1)
    out = encoder(batch)
    nodes = torch.tanh(batch.nodes.asinh() @ encoder.node.weight.T + encoder.node.bias)
    both = torch.cat([nodes.mean(0, keepdim=True), batch.globals], dim=1)
    torch.testing.assert_close(out.globals, torch.tanh(both @ encoder.graph.weight.T + encoder.graph.bias))
    assert torch.equal(encoder.layers(batch)["graph"], out.globals)
