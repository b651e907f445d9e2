"""JEPA: what the encoder may see, how targets follow, and one test for each fault found in published J-JEPA code."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from root_gnn.data.events.loader import BatchSampler, EventLoader
from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.random_stream import RandomStream
from root_gnn.graph.scaling import Affine, Scaling
from root_gnn.graph.subgraph import subgraph
from root_gnn.nn.ema import Ema, cosine_momentum
from root_gnn.objectives.jepa import Config, Jepa
from root_gnn.protocols import STILL, Question
from root_gnn.testing import TinyEncoder, check_no_leak, check_objective, random_batch
from root_gnn.training.config import TrainConfig
from root_gnn.training.fit import fit
from root_gnn.training.optim import OptimConfig

SIZES = (12, 5, 1, 10, 0, 14, 2)
ALONE: dict[str, Any] = {
    "normalise": "token",
    "whole": 0.0,
    "variance": 0.0,
    "covariance": 0.0,
}  # no other graph matters
FORMS: dict[str, dict[str, Any]] = {
    "random nodes": {},
    "targets by themselves": ALONE,
    "a ball": {"hiding": {"region": "ball"}},
    "of the hardest": {"hiding": {"hardest": 4, "exactly": 2}},
    "targets alone, all terms": {"target_sees": "targets", "whole": 1.0, "variance": 1.0, "covariance": 0.5},
    "subjets": {"tokens": {"name": "subjets", "radius": 0.8}},
    "subjets, targets alone": {"tokens": {"name": "subjets", "radius": 0.8}, "target_sees": "targets"},
    "paper": {"preset": "paper", "hiding": {"fewest": 2}},
}


def build(**keys: Any) -> Jepa:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return Config.model_validate(keys).build(TinyEncoder(Features()), Question())


def jets(*sizes: int) -> Batch:
    return random_batch(Features(), sizes or SIZES, seed=3)


@pytest.mark.parametrize("keys", FORMS.values(), ids=FORMS)
def test_nothing_hidden_reaches_the_encoder_and_no_gradient_the_target(keys: dict[str, Any]) -> None:
    if "subjets" in str(keys) or "paper" in str(keys):
        pytest.importorskip("fastjet")
    check_objective(Config.model_validate(keys).build)


class Leaky(Jepa):  # type: ignore[misc]
    """As in the published code, the encoder reads the whole jet, and the context is cut out of its output."""

    def forward(self, batch: Batch, draws: RandomStream = STILL) -> dict[str, Tensor]:
        own, hide = self.encoder.forward, self.mask(batch, draws)
        leaky: Any = lambda shown: subgraph(own(batch), ~hide).replace(globals=own(batch).globals)  # noqa: E731
        self.encoder.forward = leaky  # type: ignore[method-assign]
        try:
            return super().forward(batch, draws)
        finally:
            self.encoder.forward = own  # type: ignore[method-assign]


def test_the_leak_test_finds_the_published_leak() -> None:
    with pytest.raises(AssertionError, match="with respect to masked nodes"):
        check_no_leak(lambda encoder, question: Leaky(Config(), encoder, question))


class Trained(Jepa):  # type: ignore[misc]
    """The target encoder is trained along."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.target.requires_grad_(True)


class Shared(Jepa):  # type: ignore[misc]
    """The target encoder is the encoder."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.target.network = self.encoder


@pytest.mark.parametrize(("kind", "message"), [(Trained, "require gradients"), (Shared, "called 2 times")])
def test_the_leak_test_finds_a_target_that_is_trained(kind: type[Jepa], message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check_no_leak(lambda encoder, question: kind(Config(), encoder, question))


def test_coordinates_are_the_same_for_context_and_targets_and_nothing_is_changed_in_place() -> None:
    """J-JEPA added 3 to eta in place: the context encoder read eta + 3, the target encoder eta + 6."""
    seen: list[Tensor] = []
    objective, batch = build().eval(), jets()
    hooks = [
        net.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0].nodes))
        for net in (objective.encoder, objective.target.network)
    ]
    before = batch.nodes.clone()
    losses = [objective(batch)["loss"] for _ in range(2)]
    for hook in hooks:
        hook.remove()
    assert torch.equal(batch.nodes, before) and torch.equal(losses[0], losses[1])
    hide = objective.mask(batch)
    assert all(torch.equal(nodes, before[~hide]) for nodes in seen[0::2]) and all(
        torch.equal(nodes, before) for nodes in seen[1::2]
    )


@pytest.mark.parametrize("keys", [{}, {"tokens": {"name": "subjets", "radius": 0.8}}], ids=["nodes", "subjets"])
def test_each_graph_is_asked_for_its_own_targets(keys: dict[str, Any]) -> None:
    """J-JEPA paired tokens and masks of different jets; here a batch's loss is that of its single graphs."""
    if keys:
        pytest.importorskip("fastjet")
    objective, batch = build(**ALONE, **keys).eval(), jets()
    whole, total, n_hidden = objective(batch)["loss"], 0.0, 0
    for graph in range(batch.n_graph):
        alone = batch.select(torch.tensor([graph]))
        tokens = objective.tokens(alone)
        n = int(objective._chosen(tokens, STILL).sum())
        total += float(objective(alone)["loss"].detach()) * n if alone.total_node else 0.0
        n_hidden += n
    assert float(whole.detach()) == pytest.approx(total / n_hidden, rel=1e-5)


def test_targets_are_real_nodes_in_the_published_numbers() -> None:
    objective, batch = build(hiding={"exactly": 6, "hardest": 10, "fewest": 10}), jets(12, 5, 1, 10, 0, 14, 30)
    hide = objective.mask(batch)
    counts = torch.zeros_like(batch.n_node).index_add(0, batch.graph_index, hide.long())
    assert counts.tolist() == [6, 0, 0, 6, 0, 6, 6]
    for graph in (0, 3, 5, 6):
        rows = batch.graph_index == graph
        tenth = batch.nodes[rows, 0].sort(descending=True).values[9]
        assert bool((batch.nodes[rows & hide, 0] >= tenth).all())


def test_targets_in_the_default_numbers() -> None:
    batch = jets(1, 2, 3, 10, 100, 0)
    for keys, expected in (({}, [0, 1, 2, 5, 50, 0]), ({"hiding": {"ratio": 0.3, "at_most": 21}}, [0, 1, 1, 3, 21, 0])):
        counts = torch.zeros_like(batch.n_node).index_add(0, batch.graph_index, build(**keys).mask(batch).long())
        assert counts.tolist() == expected


def test_targets_change_with_the_epoch() -> None:
    objective, batch = build(), jets(20, 30)
    first, again, later = (objective.mask(batch, RandomStream(seed=1, epoch=epoch)) for epoch in (0, 0, 1))
    assert torch.equal(first, again) and not torch.equal(first, later)


def test_a_ball_is_the_nearest_of_one_of_them() -> None:
    objective, batch = build(hiding={"region": "ball"}), jets(20)
    hide = objective.mask(batch)
    eta, phi = batch.nodes[:, 1], batch.nodes[:, 2]
    found = False
    for seed in torch.nonzero(hide).flatten().tolist():
        dphi = torch.remainder(phi - phi[seed] + math.pi, 2 * math.pi) - math.pi
        near = ((eta - eta[seed]).square() + dphi.square()).argsort()[: int(hide.sum())]
        found |= set(near.tolist()) == set(torch.nonzero(hide).flatten().tolist())
    assert found and int(hide.sum()) == 6


def test_targets_are_what_the_average_encoder_makes_of_the_whole_graph() -> None:
    objective, batch = build(**ALONE).eval(), jets()
    hide, answers = objective.mask(batch), []
    hook = objective.predictor.register_forward_hook(lambda module, inputs, output: answers.append(output))
    loss = objective(batch)["loss"]
    hook.remove()
    wanted = F.layer_norm(objective.target.network(batch).nodes[hide], (16,))
    error = (answers[0] - wanted).detach().abs()
    assert float(loss.detach()) == pytest.approx(
        float(torch.where(error < 1, 0.5 * error**2, error - 0.5).mean()), rel=1e-5
    )


def test_globals_of_the_whole_graph_do_not_tell_what_is_hidden() -> None:
    features = Features(globals=("n_node", "jet_pt"))
    question = Question(features=features, scaling=Scaling(globals={"jet_pt": Affine("linear", 500.0, 100.0)}))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        objective = Config().build(TinyEncoder(features), question).eval()
    batch = random_batch(features, SIZES, seed=1)
    other = batch.replace(globals=batch.globals * torch.tensor([1.0, 7.0]))
    assert torch.equal(objective(batch)["loss"], objective(other)["loss"])


def test_the_average_moves_by_its_formula_once() -> None:
    """J-JEPA's schedule moved twice a step and was over at half of the training; its weights went along."""
    objective = build(momentum=(0.9, 1.0))
    start = [value.clone() for value in objective.target.parameters()]
    with torch.no_grad():
        for parameter in objective.encoder.parameters():
            parameter.add_(1.0)
    objective.after_step(0.25)
    momentum = 1.0 - 0.1 * (1.0 + math.cos(math.pi * 0.25)) / 2.0
    for old, new, own in zip(start, objective.target.parameters(), objective.encoder.parameters(), strict=True):
        torch.testing.assert_close(new, momentum * old + (1.0 - momentum) * own)


def test_the_momentum_reaches_its_end_at_the_end() -> None:
    assert cosine_momentum(0.99, 1.0, 0.0) == pytest.approx(0.99) and cosine_momentum(0.99, 1.0, 0.5) == pytest.approx(
        0.995
    )
    assert cosine_momentum(0.99, 1.0, 1.0) == 1.0 == cosine_momentum(0.99, 1.0, 1.5)


def test_the_average_stays_in_evaluation_mode_and_copies_buffers() -> None:
    network = torch.nn.Sequential(torch.nn.BatchNorm1d(3), torch.nn.Dropout(0.5))
    average = Ema(network).train()
    assert not any(part.training for part in average.network.modules())
    network(torch.randn(8, 3, generator=torch.Generator().manual_seed(1)))
    average.advance(network, 1.0)
    assert torch.equal(average.network[0].running_mean, network[0].running_mean)


def test_a_preset_is_what_is_not_given() -> None:
    config = Config.model_validate({"preset": "paper", "hiding": {"fewest": 2}, "loss": "smooth_l1"})
    assert (
        config.hiding.fewest == 2
        and config.hiding.exactly == 6
        and config.loss == "smooth_l1"
        and config.normalise == "none"
    )
    assert config.tokens.name == "subjets" and config.momentum == (0.99, 1.0)
    assert Config.model_validate(config.model_dump(mode="json")) == config


SETTINGS: list[dict[str, Any]] = [
    {"loss": "mse"},
    {"normalise": "none"},
    {"target_sees": "targets"},
    {"whole": 0.5},
    {"variance": 1.0},
    {"covariance": 1.0},
    {"hiding": {"ratio": 0.6}},
    {"hiding": {"at_most": 1}},
    {"hiding": {"region": "ball"}},
    {"hiding": {"hardest": 3}},
    {"predictor": {"n_scale": 3}},
    {"predictor": {"depth": 1}},
]


@pytest.mark.parametrize("keys", SETTINGS, ids=str)
def test_a_setting_is_applied_and_not_only_written_down(keys: dict[str, Any]) -> None:
    """J-JEPA logged the kind of its position embedding and used another."""
    batch, plain = jets(), {**ALONE, "whole": 1.0}
    losses = [build(**settings).eval()(batch)["loss"] for settings in (plain, {**plain, **keys})]
    assert float(losses[0].detach()) != float(losses[1].detach())


class Events(Dataset[Batch]):
    """Six graphs for six rows."""

    def __getitem__(self, rows: NDArray[np.int64]) -> Batch:
        return random_batch(Features(), [6, 9, 4, 5, 7, 3], seed=int(rows[0]))


class Counting(Jepa):  # type: ignore[misc]
    """Writes down when its target moves, and may be killed."""

    def __init__(self, *args: Any, kill_at: int | None = None) -> None:
        super().__init__(*args)
        self.progress: list[float] = []
        self.was_training: list[bool] = []
        self.kill_at = kill_at

    def after_step(self, progress: float) -> None:
        super().after_step(progress)
        self.progress.append(progress)
        self.was_training.append(self.encoder.training and self.predictor.training and not self.target.network.training)
        if len(self.progress) == self.kill_at:
            raise KeyboardInterrupt


def run(folder: Path, *, accumulate: int = 1, kill_at: int | None = None, resume: bool = False) -> Counting:
    folder.mkdir(exist_ok=True)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        objective = Counting(Config(momentum=(0.5, 1.0)), TinyEncoder(Features()), Question(), kill_at=kill_at)
    loader = EventLoader(
        Events(), batch_size=None, sampler=BatchSampler(np.arange(24), 6, seed=1), generator=torch.Generator()
    )
    held: DataLoader[Batch] = DataLoader(Events(), batch_size=None, sampler=[np.arange(6)])
    train = TrainConfig(max_epochs=3, batch_size=6 * accumulate, accumulate=accumulate, monitor="ssl/effective_rank")
    fit(
        objective,
        lambda rank, world: loader,
        held,
        train=train,
        optim=OptimConfig(lr=1e-2),
        augmentations=(),
        seed=1,
        folder=folder,
        name="jepa",
        n_graph=24,
        resume=resume,
    )
    return objective


def last(folder: Path) -> dict[str, Tensor]:
    state: dict[str, Tensor] = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)["state_dict"]
    return state


@pytest.mark.parametrize(("accumulate", "n_step"), [(1, 12), (2, 6)])
def test_the_target_moves_once_per_optimiser_step(accumulate: int, n_step: int, tmp_path: Path) -> None:
    trained = run(tmp_path / "run", accumulate=accumulate)
    assert trained.progress == pytest.approx([(step + 1) / n_step for step in range(n_step)])
    assert all(trained.was_training)  # J-JEPA stayed in evaluation mode after its first validation


def test_killed_and_resumed_equals_unbroken_bit_for_bit(tmp_path: Path) -> None:
    run(tmp_path / "unbroken")
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        run(tmp_path / "killed", kill_at=6)
    resumed = run(tmp_path / "killed", resume=True)
    assert resumed.progress[-1] == 1.0 and len(resumed.progress) < 12
    one, other = last(tmp_path / "unbroken"), last(tmp_path / "killed")
    assert any(name.startswith("objective.target.") for name in one)
    assert all(torch.equal(one[name], other[name]) for name in one)
