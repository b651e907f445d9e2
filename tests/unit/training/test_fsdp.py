"""Which parts FSDP shards: every block, every encoder, and the rest. (Trainings on two processes: test_processes.)"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from root_gnn.graph.features import Features
from root_gnn.graph.scaling import Scaling
from root_gnn.heads import linear
from root_gnn.models import graph_transformer
from root_gnn.nn.attention import Block
from root_gnn.objectives import multiclass
from root_gnn.protocols import Encoder, Objective, Question, Supervised
from root_gnn.training import fsdp


def objective() -> Objective:
    with torch.random.fork_rng(devices=[]):
        network = graph_transformer.Config(dim=16, n_block=2, n_head=2).build(Features(), Scaling())
        section = multiclass.Config(head=linear.Config())
        return section.build(network, Question(classes=("b", "s"), features=Features()))


def test_blocks_come_before_the_encoder_and_all_forward_methods_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    sharded: list[nn.Module] = []
    registered: list[tuple[nn.Module, str]] = []

    def fully_shard(part: nn.Module, *, mesh: Any) -> nn.Module:
        sharded.append(part)
        return part

    monkeypatch.setattr(fsdp, "fully_shard", fully_shard)
    monkeypatch.setattr(fsdp, "register_fsdp_forward_method", lambda part, name: registered.append((part, name)))
    whole = objective()
    fsdp.shard(whole, mesh=None)
    kinds = [
        "block" if isinstance(part, Block) else "encoder" if isinstance(part, Encoder) else "whole" for part in sharded
    ]
    assert kinds == ["block", "block", "encoder", "whole"] and sharded[-1] is whole
    assert all(callable(getattr(part, name)) for part, name in registered)
    assert isinstance(whole, Supervised) and (whole, "head_outputs") in registered
