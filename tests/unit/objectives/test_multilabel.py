"""The multilabel loss against its formula in float64, by event and slot; its symmetry; its reference azimuth."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from root_gnn.errors import InputError
from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.heads.linear import Config as Linear
from root_gnn.objectives.multilabel import ETA_SCALE, PT_SCALE, Config, Multilabel, hardest_phi
from root_gnn.protocols import Question
from root_gnn.testing import QUESTION, TinyEncoder, random_batch

SLOTS = ("higgs", "W")
SIZES = (3, 1, 0, 4, 2, 6)


def objective(kinematics: float = 0.7) -> Multilabel:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return Config(head=Linear(), slots=SLOTS, kinematics=kinematics).build(TinyEncoder(Features()), QUESTION)


def batch() -> Batch:
    return random_batch(Features(), SIZES, seed=1, question=QUESTION)


def loop_hardest_phi(batch: Batch) -> list[float]:
    picked, start = [], 0
    for count in batch.n_node.tolist():
        rows = batch.nodes[start : start + count].tolist()
        start += count
        picked.append(max(rows, key=lambda row: row[0])[2] if rows else 0.0)  # the first of equals
    return picked


def huber(x: float) -> float:
    return 0.5 * x * x if abs(x) <= 1 else abs(x) - 0.5


@pytest.mark.parametrize("weighted", [True, False])
def test_loss_is_the_formula(weighted: bool) -> None:
    this, events = objective(), batch()
    weights = events.weights.tolist() if weighted else [1.0] * events.n_graph
    if not weighted:
        events = events.replace(weights=None)
    answers = this.head(this.encoder(events)).view(events.n_graph, len(SLOTS), 5).tolist()
    reference = loop_hardest_phi(events)
    existence = kinematics = n_exist = 0.0
    for event in range(events.n_graph):
        for k, slot in enumerate(SLOTS):
            truth = {name: float(events.labels[f"{slot}_{name}"][event]) for name in ("exists", "pt", "eta", "phi")}
            logit, ln_pt, eta, cos, sin = answers[event][k]
            existence += weights[event] * (math.log1p(math.exp(logit)) - truth["exists"] * logit)
            if truth["exists"] == 0:
                continue
            n_exist += 1
            angle = truth["phi"] - reference[event]
            error = huber(ln_pt - math.log(max(truth["pt"], 1.0) / PT_SCALE)) + huber(eta - truth["eta"] / ETA_SCALE)
            error += 1 - (cos * math.cos(angle) + sin * math.sin(angle)) / math.hypot(cos, sin)
            kinematics += weights[event] * error
    assert 0 < n_exist < events.n_graph * len(SLOTS)
    existence, kinematics = existence / (events.n_graph * len(SLOTS)), kinematics / n_exist
    losses = this(events)
    assert float(losses["existence"]) == pytest.approx(existence, rel=1e-5, abs=1e-6)
    assert float(losses["kinematics"]) == pytest.approx(kinematics, rel=1e-5, abs=1e-6)
    assert losses["loss"].item() == pytest.approx(existence + 0.7 * kinematics, rel=1e-5, abs=1e-6)


def test_motion_of_what_does_not_exist_is_not_asked_for() -> None:
    this, events = objective(), batch()
    moved = dict(events.labels)
    for slot in SLOTS:
        absent = moved[f"{slot}_exists"] == 0
        assert bool(absent.any())
        for name in ("pt", "eta", "phi"):
            moved[f"{slot}_{name}"] = torch.where(absent, 3.0, moved[f"{slot}_{name}"])
    assert torch.equal(this(events.replace(labels=moved))["loss"], this(events)["loss"])
    nothing = {name: torch.zeros_like(value) for name, value in events.labels.items()}
    losses = this(events.replace(labels=nothing))
    assert float(losses["kinematics"]) == 0.0 and math.isfinite(losses["loss"].item())


def test_target_azimuth_turns_with_the_event() -> None:
    """The target is the angle to the hardest object, so that a common rotation of event and truth changes nothing."""
    this, events = objective(), batch()
    this.encoder.node.weight.data[:, 2] = 0.0  # blind to the absolute azimuth, as the default encoder is
    turned = events.nodes.clone()
    turned[:, 2] += 0.9
    labels = {name: value + 0.9 if name.endswith("_phi") else value for name, value in events.labels.items()}
    full = torch.tensor([0, 1, 3, 4, 5])  # a graph without nodes has no hardest object
    torch.testing.assert_close(
        this(events.replace(nodes=turned, labels=labels).select(full))["loss"], this(events.select(full))["loss"]
    )


@settings(max_examples=25, deadline=None)
@given(sizes=st.lists(st.integers(0, 5), min_size=1, max_size=6), equal=st.booleans())
def test_hardest_phi_is_the_loop(sizes: list[int], equal: bool) -> None:
    events = random_batch(Features(), sizes, seed=len(sizes))
    if equal:
        events.nodes[:, 0] = 50.0
    got = hardest_phi(events, 0, 2)
    assert got.tolist() == pytest.approx(loop_hardest_phi(events))


def test_outputs_are_the_existence_of_each_slot() -> None:
    assert objective().outputs() == ("higgs_exists", "W_exists")
    assert objective().link == "sigmoid"
    assert objective().logits(batch()).shape == (6, 2)


def test_missing_truth_is_named() -> None:
    with pytest.raises(InputError, match="higgs_eta"):
        Config(head=Linear(), slots=("higgs",)).build(
            TinyEncoder(Features()), Question(truth=("higgs_exists", "higgs_pt", "higgs_phi"))
        )
