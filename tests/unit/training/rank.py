"""One of several processes that each compute on a part of a batch; test_processes.py starts them.

Usage: rank.py FOLDER RANK WORLD
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor

from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.random_stream import RandomStream
from root_gnn.heads.mlp import Config as Head
from root_gnn.nn.distributed import gathered, n_process
from root_gnn.nn.nt_xent import nt_xent
from root_gnn.nn.spread import covariance_term, even_features, variance_term
from root_gnn.objectives import contrastive, jepa, masked_particles, masked_types, multiclass
from root_gnn.protocols import ObjectiveConfig, Question
from root_gnn.testing import TinyEncoder, random_batch
from root_gnn.training.processes import from_all

SIZES = (3, 9, 4, 1, 6, 2, 7, 5, 8, 3, 2)  # an odd number of graphs: two processes have different numbers of them
QUESTION = Question(classes=("a", "b", "c"), features=Features())
OBJECTIVES: dict[str, ObjectiveConfig] = {
    "supervised": multiclass.Config(head=Head(dropout=0.0)),
    "supervised, counted": multiclass.Config(head=Head(dropout=0.0)),
    "contrastive": contrastive.Config(),
    "contrastive, without the positive": contrastive.Config(positive_in_denominator=False),
    "jepa": jepa.Config(),
    "masked particles": masked_particles.Config(),
    "masked types": masked_types.Config(),
}


def part(batch: Batch, rank: int, world: int) -> Batch:
    return batch.select(torch.arange(rank, batch.n_graph, world))


def losses_and_gradients(rank: int, world: int) -> dict[str, Tensor]:
    """Losses and gradients by name, as averaged over the processes as DDP does it."""
    values: dict[str, Tensor] = {}
    batch = part(random_batch(QUESTION.features, SIZES, seed=2, question=QUESTION).double(), rank, world)
    for name, config in OBJECTIVES.items():
        torch.manual_seed(1)
        objective = config.build(TinyEncoder(QUESTION.features), QUESTION).double()
        part_of_batch = batch.replace(n_graph_all=len(SIZES)) if name.endswith("counted") else batch
        loss = objective(part_of_batch, RandomStream(seed=1, epoch=2))["loss"]
        loss.backward()
        values[name] = loss.detach()
        values |= {f"{name}: {key}": p.grad for key, p in objective.named_parameters() if p.grad is not None}
    values |= terms(rank, world)
    if world > 1:
        for value in values.values():
            dist.all_reduce(value)
            value /= world
    return values


def terms(rank: int, world: int) -> dict[str, Tensor]:
    """Gradients of the parts of losses with respect to a matrix that every process has."""
    generator = torch.Generator().manual_seed(3)
    rows, other = (torch.randn(len(SIZES), 4, generator=generator, dtype=torch.float64) for _ in range(2))
    values: dict[str, Tensor] = {}
    parts: dict[str, Callable[[Tensor], Tensor]] = {
        "variance": lambda x: variance_term(0.3 * x, together=True),
        "covariance": lambda x: covariance_term(x, together=True),
        "nt_xent": lambda x: nt_xent(x, other[rank::world], temperature=0.1, positive_in_denominator=True),
        "gathered": lambda x: (gathered(x).rows.square().sum() + 1.0).log(),
    }
    for name, term in parts.items():
        matrix = torch.eye(4, dtype=torch.float64, requires_grad=True)
        value = term(rows[rank::world] @ matrix)
        (gradient,) = torch.autograd.grad(value, matrix)
        values |= {name: value.detach(), f"{name}: gradient": gradient}
    even = torch.zeros_like(rows)
    even[rank::world] = world * even_features(rows[rank::world], together=True)
    return {**values, "even features": even}


def with_the_others(folder: Path, rank: int, world: int) -> dict[str, Tensor]:
    """Joins a process group that meets in `folder`, and returns the values averaged over its processes."""
    meeting = f"file://{folder / 'meeting'}"
    dist.init_process_group("gloo", init_method=meeting, rank=rank, world_size=world, timeout=timedelta(seconds=60))
    try:
        assert n_process() == world and from_all(rank) == list(range(world))
        return losses_and_gradients(rank, world)
    finally:
        dist.destroy_process_group()


def main() -> None:
    with_the_others(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))


if __name__ == "__main__":
    main()
