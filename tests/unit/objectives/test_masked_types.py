"""Masked type prediction: kinds by type and by flags, the loss by hand, no leak."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from root_gnn.errors import InputError
from root_gnn.graph.features import Features
from root_gnn.objectives.masked_types import Config
from root_gnn.protocols import Question
from root_gnn.testing import TinyEncoder, check_objective, random_batch

JET = Features(nodes=("pt", "eta", "phi", "energy", "isPhoton", "isMuon", "isolation"), n_type=1)


def test_the_contract_and_the_leak_test() -> None:
    check_objective(Config().build)
    check_objective(Config().build, question=Question(features=JET))


def test_flags_tell_the_kind_and_none_is_another() -> None:
    objective = Config().build(TinyEncoder(JET), Question(features=JET))
    batch = random_batch(JET, (4,), seed=1)
    nodes = batch.nodes.clone()
    nodes[:, 4:6] = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0], [0.4, 0.2]])
    assert objective.n_kind == 3 and objective.kinds(batch.replace(nodes=nodes)).tolist() == [0, 1, 2, 2]


def test_the_loss_is_the_mean_cross_entropy_of_hidden_nodes() -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        objective = Config().build(TinyEncoder(Features()), Question()).eval()
    batch, answers = random_batch(Features(), (6, 9, 1, 0, 3), seed=1), []
    hook = objective.predictor.register_forward_hook(lambda module, inputs, output: answers.append(output))
    loss = objective(batch)["loss"]
    hook.remove()
    kinds = batch.nodes[objective.mask(batch), 6].long()
    torch.testing.assert_close(loss, F.cross_entropy(answers[0], kinds))


def test_one_kind_only_and_unknown_flags_are_refused() -> None:
    one = Features(nodes=("pt", "eta", "phi", "energy", "type"), n_type=1)
    with pytest.raises(InputError, match="several types"):
        Config().build(TinyEncoder(one), Question(features=one))
    with pytest.raises(InputError, match="isPhoton"):
        Config(flags=("isPhotom",)).build(TinyEncoder(JET), Question(features=JET))
