"""Data-parallel training (DDP): every process holds all weights, and gradients are averaged over the processes.

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
    """Returns Lightning's DDP strategy without needless waiting or copies; `batches` are those of one process."""
    changes = any(isinstance(module, nn.modules.batchnorm._BatchNorm) for module in objective.modules())
    return DDPStrategy(
        find_unused_parameters=_leaves_out(objective, batches),
        forward_sync_buffers=changes,  # averages of batch norms; all other buffers are the same from the start
        gradient_as_bucket_view=True,
    )


def _leaves_out(objective: Objective, batches: DataLoader[Batch]) -> bool:
    """Returns whether a step leaves some weights without gradient, which DDP would wait for.

    An example is the encoder's globals where the loss reads only nodes.
    """
    batch = batches.dataset[next(iter(batches.sampler))]
    was_training = objective.training
    loss = objective.eval()(batch)["loss"]
    trained = [parameter for parameter in objective.parameters() if parameter.requires_grad]
    gradients = torch.autograd.grad(loss, trained, allow_unused=True)
    objective.train(was_training)
    return any(gradient is None for gradient in gradients)
