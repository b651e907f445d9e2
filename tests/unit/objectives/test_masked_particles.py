"""Masked particle modelling: losses by hand, tokens of a codebook saved with the weights, no leak."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from root_gnn.errors import InputError
from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.scaling import Affine, Scaling
from root_gnn.nn.codebook import Codebook
from root_gnn.objectives.masked_particles import Config, MaskedParticles
from root_gnn.protocols import Question
from root_gnn.testing import TinyEncoder, check_objective, random_batch

SCALING = Scaling(
    nodes={"pt": Affine("log", 4.0, 0.5), "charge": Affine("linear", 0.1, 2.0)},
    edges={"delta_eta": Affine("linear", 0.0, 2.0), "delta_phi": Affine("linear", 0.0, 1.5)},
)


def build(**keys: Any) -> MaskedParticles:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return Config.model_validate(keys).build(TinyEncoder(Features()), Question(scaling=SCALING)).eval()


def batch() -> Batch:
    return random_batch(Features(), (6, 1, 9, 0, 4), seed=2)


def answered(objective: MaskedParticles, events: Batch) -> tuple[dict[str, Tensor], Tensor]:
    answers: list[Tensor] = []
    hook = objective.predictor.register_forward_hook(lambda module, inputs, output: answers.append(output.detach()))
    losses = objective(events)
    hook.remove()
    return losses, answers[0]


FORMS: list[dict[str, Any]] = [
    {},
    {"asked_by": "place"},
    {"tokens": 8},
    {"types": 0.0, "features": ["btag"]},
    {"hiding": {"region": "ball"}},
]


@pytest.mark.parametrize("keys", FORMS, ids=str)
def test_the_contract_and_the_leak_test(keys: dict[str, Any]) -> None:
    check_objective(Config.model_validate(keys).build)


def test_the_loss_is_that_of_a_loop() -> None:
    objective, events = build(types=0.5), batch()
    losses, answers = answered(objective, events)
    hide = objective.mask(events)
    features = types = 0.0
    rows = torch.nonzero(hide).flatten().tolist()
    for answer, row in zip(answers, rows, strict=True):
        node, own = events.nodes[row], (events.graph_index == events.graph_index[row]) & ~hide
        known = events.nodes[own]
        hardest = known[known[:, 0].argmax()]
        dphi = float(torch.remainder(node[2] - hardest[2] + torch.pi, 2 * torch.pi) - torch.pi)
        wanted = [
            (float(node[0].log()) - 4.0) / 0.5,
            float(node[4]),
            (float(node[5]) - 0.1) / 2.0,
            float(node[1] - hardest[1]) / 2.0,
        ]
        errors = [float(a) - b for a, b in zip(answer[:4], wanted, strict=True)]
        turn = float(answer[4]) * 1.5 - dphi
        errors.append((turn - 2 * torch.pi * round(turn / (2 * torch.pi))) / 1.5)
        features += sum(0.5 * e * e if abs(e) < 1 else abs(e) - 0.5 for e in errors) / 5
        types += float(F.cross_entropy(answer[5:], node[6].long()))
    assert float(losses["features"]) == pytest.approx(features / len(rows), rel=1e-4)
    assert float(losses["types"]) == pytest.approx(types / len(rows), rel=1e-4)
    assert float(losses["loss"].detach()) == pytest.approx((features + 0.5 * types) / len(rows), rel=1e-4)


def test_turning_the_event_about_the_beam_changes_no_answer_asked_for() -> None:
    objective, events = build(), batch()
    nodes = events.nodes.clone()
    nodes[:, 2] = torch.remainder(nodes[:, 2] + 2.0 + torch.pi, 2 * torch.pi) - torch.pi
    hide = objective.mask(events)
    from root_gnn.objectives.parts.masking import MaskedParts

    first, second = (objective._values(MaskedParts.of(one, hide)) for one in (events, events.replace(nodes=nodes)))
    torch.testing.assert_close(first[:, :-1], second[:, :-1])
    difference = (first[:, -1] - second[:, -1]) * 1.5
    torch.testing.assert_close(torch.cos(difference), torch.ones_like(difference))


def test_the_codebook_is_fitted_once_and_travels_with_the_weights() -> None:
    objective, other = build(tokens=6), build(tokens=6)
    assert objective.codebook is not None and not bool(objective.codebook.is_fitted)
    objective.prepare([random_batch(Features(), (8,) * 40, seed=seed) for seed in range(3)])
    assert bool(objective.codebook.is_fitted)
    other.load_state_dict(objective.state_dict(), strict=True)
    events = batch()
    assert torch.equal(objective(events)["loss"], other(events)["loss"])
    losses, answers = answered(objective, events)
    assert answers.shape[1] == 6 + Features().n_type and 0.0 < float(losses["features"]) < 10.0


def test_k_means_finds_clusters_that_are_there() -> None:
    generator = torch.Generator().manual_seed(1)
    centres = torch.tensor([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    rows = centres.repeat(50, 1) + 0.1 * torch.randn(150, 2, generator=generator)
    book = Codebook(3, 2)
    book.fit(rows)
    code = book(rows)
    assert all(len(code[k::3].unique()) == 1 for k in range(3)) and len(code.unique()) == 3
    torch.testing.assert_close(book.centres[book(centres)], centres, atol=0.1, rtol=0.0)


def test_more_codes_than_rows_are_fine() -> None:
    book = Codebook(8, 2)
    book.fit(torch.eye(2))
    assert bool(torch.isfinite(book.centres).all()) and book(torch.eye(2)).shape == (2,)


def test_an_unknown_feature_is_refused_by_name() -> None:
    with pytest.raises(InputError, match="btagg") as caught:
        build(features=["btagg"])
    assert "btag" in str(caught.value)


def test_the_published_preset_answers_with_tokens_and_given_keys_count_more() -> None:
    config = Config.model_validate({"preset": "paper", "hiding": {"ratio": 0.4}})
    assert (config.tokens, config.types, config.asked_by) == (512, 0.0, "rank")
    assert (config.hiding.ratio, config.hiding.at_most) == (0.4, None)
    objective = build(preset="paper", tokens=6)
    assert objective.codebook is not None and len(objective.codebook.centres) == 6 and objective.type_column is None
    assert Config.model_validate(config.model_dump(mode="json")) == config and Config().tokens == 0
