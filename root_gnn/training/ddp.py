"""Ordinary data-parallel training: every process holds all weights, and gradients are averaged over the processes (DDP).

What DDP is: Li et al. 2020 (arXiv:2006.15704).
"""

from __future__ import annotations

import torch
from lightning.pytorch.strategies import DDPStrategy
from torch import nn
from torch.utils.data import DataLoader

from root_gnn.graph.batch import Batch
from root_gnn.protocols import Objective


def ddp_strategy(objective: Objective, batches: DataLoader[Batch]) -> DDPStrategy:
    """Lightning's strategy, which waits for nothing that does not come and copies nothing twice; `batches` are of one process."""
    changes = any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in objective.modules())
    return DDPStrategy(
        find_unused_parameters=_leaves_out(objective, batches),
        forward_sync_buffers=changes,  # averages of batch norms; all other buffers are the same from the start
        gradient_as_bucket_view=True,
    )


def _leaves_out(objective: Objective, batches: DataLoader[Batch]) -> bool:
    """Whether a step gives some weights no gradient, which DDP would wait for (an encoder's globals, where only nodes are asked about)."""
    batch = batches.dataset[next(iter(batches.sampler))]
    was_training = objective.training
    loss = objective.eval()(batch)["loss"]
    trained = [parameter for parameter in objective.parameters() if parameter.requires_grad]
    gradients = torch.autograd.grad(loss, trained, allow_unused=True)
    objective.train(was_training)
    return any(gradient is None for gradient in gradients)
