"""Fully sharded training (FSDP2): every process holds a part of weights, gradients and optimiser state.

What FSDP is: Zhao et al. 2023 (arXiv:2304.11277). A block's weights are together only while the block computes, so that
an encoder may be as large as the memory of all processes; the losses and gradients are those of ordinary data-parallel
training.
"""

from __future__ import annotations

from typing import Any

from lightning.pytorch.strategies import ModelParallelStrategy, Strategy
from torch.distributed.device_mesh import DeviceMesh
from torch.distributed.fsdp import fully_shard, register_fsdp_forward_method

from root_gnn.nn.attention import Block
from root_gnn.protocols import Encoder, Objective, Supervised


def fsdp_strategy(n_process: int) -> Strategy:
    """Lightning's strategy for `n_process` processes in all; checkpoints are whole, as those of other trainings are."""
    return ModelParallelStrategy(
        data_parallel_size=n_process, tensor_parallel_size=1, save_distributed_checkpoint=False
    )


def shard(objective: Objective, mesh: DeviceMesh) -> None:
    """Shards the weights of `objective` over `mesh` in place: block by block, the rest of each encoder, the rest."""
    for part in list(objective.modules()):
        if isinstance(part, Block):
            fully_shard(part, mesh=mesh)
            register_fsdp_forward_method(part, "ask")
    for part in list(objective.modules()):
        if isinstance(part, Encoder):
            fully_shard(part, mesh=mesh)
    whole: Any = fully_shard(objective, mesh=mesh)
    if isinstance(objective, Supervised):
        register_fsdp_forward_method(whole, "head_outputs")
