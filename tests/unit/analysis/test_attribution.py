"""Integrated gradients against formulas whose contributions are known, and completeness of real networks."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from root_gnn.analysis.attribution import _with_energy, _with_ratio, contributions, integrated_gradients
from root_gnn.errors import InputError
from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.scaling import Scaling
from root_gnn.graph.segment import segment_sum
from root_gnn.heads.linear import Config as Linear
from root_gnn.models.encode_process_decode import Config as GraphNetwork
from root_gnn.models.particle_transformer import Config as ParticleTransformer
from root_gnn.objectives.multiclass import Config as Multiclass
from root_gnn.protocols import Supervised
from root_gnn.testing import QUESTION, TinyEncoder, collimated, random_batch

SIZES = (4, 1, 3, 0, 5, 2)


class Quadratic(Supervised):
    """One yes-or-no question: sum over nodes of a x + b x^2 of pt, and three times the number of nodes."""

    link: Any = "sigmoid"

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Identity()  # type: ignore[assignment]
        self.head = Linear().build(1, 1)

    def head_outputs(self, batch: Batch) -> Tensor:
        pt = batch.nodes[:, :1]
        return segment_sum(0.5 * pt + 0.01 * pt**2, batch.graph_index, batch.n_graph) + 3.0 * batch.globals[:, :1]

    def losses(self, answers: Tensor, batch: Batch) -> dict[str, Tensor]:
        return {"loss": answers.mean()}

    def outputs(self) -> tuple[str, ...]:
        return ("found",)


def network(encoder: Any = None) -> Supervised:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        scaling = Scaling.fit([random_batch(Features(), (6,) * 50, seed=2)], Features())
        built = TinyEncoder(Features()) if encoder is None else encoder.build(Features(), scaling)
        return Multiclass(head=Linear()).build(built, QUESTION).double().eval()


def events(seed: int = 1) -> Batch:
    batch = random_batch(Features(), SIZES, seed=seed, question=QUESTION)
    return batch.replace(nodes=batch.nodes.double(), globals=batch.globals.double())


def test_contributions_of_a_formula_are_exact() -> None:
    batch = events()
    baseline = batch.replace(nodes=0.5 * batch.nodes, globals=torch.zeros_like(batch.globals))
    nodes, globals_, gap = integrated_gradients(Quadratic(), batch, baseline, Features(), output=0, n_step=4)
    pt = batch.nodes[:, 0]
    torch.testing.assert_close(nodes[:, 0], 0.5 * (pt - 0.5 * pt) + 0.01 * (pt**2 - (0.5 * pt) ** 2))
    assert not nodes[:, 1:].any()
    torch.testing.assert_close(globals_[:, 0], 3.0 * batch.globals[:, 0])
    torch.testing.assert_close(gap, torch.zeros_like(gap), atol=1e-9, rtol=0.0)


@pytest.mark.parametrize(
    "encoder",
    [
        None,
        GraphNetwork(dim=8, n_steps=1),
        ParticleTransformer(dim=16, n_block=1, n_head=2),
    ],
    ids=["tiny", "graph network", "transformer"],
)
def test_contributions_add_up_to_the_difference_of_the_answers(encoder: Any) -> None:
    objective, batch, other = network(encoder), collimated(events(), Features()), collimated(events(seed=3), Features())
    baseline = batch.replace(
        nodes=torch.cat([other.nodes[:, :6], batch.nodes[:, 6:]], dim=1), globals=0.9 * batch.globals
    )
    nodes, globals_, gap = integrated_gradients(objective, batch, baseline, Features(), output=1, n_step=64)

    def log_odds(of: Batch) -> Tensor:
        p = torch.softmax(objective.logits(of).double(), dim=1)[:, 1]
        return torch.log(p / (1.0 - p)).detach()

    total = segment_sum(nodes, batch.graph_index, batch.n_graph).sum(dim=1) + globals_.sum(dim=1)
    difference = log_odds(batch) - log_odds(baseline)
    torch.testing.assert_close(gap, total - difference, atol=1e-6, rtol=0.0)
    assert float(gap.abs().max()) < 0.02 * float(difference.abs().max())


def test_no_mass_is_imaginary_on_the_way() -> None:
    features = Features()
    start, stop = (random_batch(features, (50,), seed=seed).nodes.double() for seed in (1, 2))
    torch.testing.assert_close(_with_energy(_with_ratio(start, features), features), start)
    for share in torch.linspace(0.0, 1.0, 11):
        nodes = _with_energy(
            torch.lerp(_with_ratio(start, features), _with_ratio(stop, features), share.double()), features
        )
        assert bool((nodes[:, 3] >= nodes[:, 0] * torch.cosh(nodes[:, 1]) * (1.0 - 1e-6)).all())


def test_pt_moves_the_energy_along() -> None:
    batch = collimated(events(), Features())
    scaled = torch.cat(
        [0.5 * batch.nodes[:, :1], batch.nodes[:, 1:3], 0.5 * batch.nodes[:, 3:4], batch.nodes[:, 4:]], dim=1
    )
    nodes, _, _ = integrated_gradients(network(), batch, batch.replace(nodes=scaled), Features(), output=1)
    assert float(nodes[:, 0].abs().max()) > 1e-4
    assert float(nodes[:, 1:].abs().max()) < 1e-6


def test_contributions_are_summed_by_type_and_averaged_with_weights() -> None:
    both, features = [events(), events(seed=3)], Features()
    column, pt = features.column("type"), features.column("pt")
    for one in both:
        one.nodes[one.nodes[:, column] == 2, pt] = 40.0
    found = contributions(Quadratic(), both, features, n_step=4)
    rows = {(one.name, one.node_type): one for one in found.inputs}
    assert {name for name, _ in rows} == {*features.nodes, "n_node"} - {"type"}
    assert rows["pt", 2].size.value == pytest.approx(0.0, abs=1e-9), "any other node of the type is the same"
    assert rows["eta", 1].size.value == 0.0
    assert rows["pt", 1].size.value > abs(rows["pt", 1].shift.value) > 0.0
    assert rows["n_node", None].size.value > 0.0
    assert found.gap < 1e-9
    assert found.n_event == 12
    only = [one.replace(weights=(torch.arange(6) == 4).double()) for one in both[:1]]
    alone = {(one.name, one.node_type): one for one in contributions(Quadratic(), only, features, n_step=4).inputs}
    assert alone["n_node", None].size.error is None, "one event has a value and no error"


def test_a_class_is_asked_for_by_name() -> None:
    objective, batch = network(), events()
    first, last = (contributions(objective, [batch], Features(), output=name, n_step=8) for name in ("first", "third"))
    assert first.inputs[0] != last.inputs[0]
    assert contributions(objective, [batch], Features(), n_step=8) == last
    with pytest.raises(InputError, match="nothing called forth"):
        contributions(objective, [batch], Features(), output="forth")
    with pytest.raises(InputError, match="got none"):
        contributions(objective, [], Features())


def test_the_network_is_left_as_it_was() -> None:
    objective = network().train()
    contributions(objective, [events()], Features(), n_step=2)
    assert objective.training
    assert all(parameter.grad is None for parameter in objective.parameters())
