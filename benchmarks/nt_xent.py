"""The contrastive loss beside its published form, which broadcasts all pairs of rows (JetCLR, arXiv:2108.04253).

    python benchmarks/nt_xent.py --out nt_xent.json

Forward and backward of views of 128 numbers, time at 256 pairs and peak memory at 512, each in a process of its own.
Loss and gradient are compared before.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from root_gnn.bench.case import Bench, agree, run_case
from root_gnn.bench.memory import peak, watched
from root_gnn.bench.row import LeftOut, Row
from root_gnn.nn.nt_xent import nt_xent

DIM, TEMPERATURE = 128, 0.1
N_TIME, N_MEMORY, N_SMALL = 256, 512, 16
LEAST = 4096  # bytes: a page, below which resident memory does not tell


def broadcast(first: Tensor, second: Tensor) -> Tensor:
    """The loss from a tensor of all pairs of rows, `(2 n, 2 n, dim)`, as JetCLR's code has it."""
    n = len(first)
    rows = torch.cat([first, second])
    similarity = F.cosine_similarity(rows.unsqueeze(1), rows.unsqueeze(0), dim=2)
    positive = torch.cat([torch.diag(similarity, n), torch.diag(similarity, -n)])
    others = (~torch.eye(2 * n, dtype=torch.bool)).float() * torch.exp(similarity / TEMPERATURE)
    return -torch.log(torch.exp(positive / TEMPERATURE) / others.sum(dim=1)).sum() / (2 * n)


def ours(first: Tensor, second: Tensor) -> Tensor:
    """The same from one matrix of similarities."""
    return nt_xent(first, second, temperature=TEMPERATURE, positive_in_denominator=True)


FORMS = {"root_gnn": ours, "broadcast": broadcast}


def views(n_pair: int) -> tuple[Tensor, Tensor]:
    """Two views of each object, near each other."""
    generator = torch.Generator().manual_seed(1)
    first = torch.randn(n_pair, DIM, generator=generator)
    second = first + 0.3 * torch.randn(n_pair, DIM, generator=generator)
    return first.requires_grad_(), second.requires_grad_()


def answer(name: str, pair: tuple[Tensor, Tensor]) -> Tensor:
    """The loss and its gradient, one vector; as a step has them."""
    for view in pair:
        view.grad = None
    loss = FORMS[name](*pair)
    loss.backward()
    return torch.cat([loss.detach().reshape(1), *(view.grad.flatten() for view in pair if view.grad is not None)])


def memory(name: str, n_pair: int) -> int:
    """Bytes that forward and backward take at most; runs in a process of its own."""
    torch.set_num_threads(1)
    answer(name, views(8))
    pair = views(n_pair)
    return peak(lambda: answer(name, pair))


def results(bench: Bench) -> Iterator[Row | LeftOut]:
    """Time, then memory."""
    n_time, n_memory = (N_SMALL, N_SMALL) if bench.quick else (N_TIME, N_MEMORY)
    pair = views(n_time)
    difference = agree("loss and gradient", answer("root_gnn", pair), answer("broadcast", pair), 1e-5)
    yield from bench.compare(
        f"loss and gradient of {n_time} pairs",
        {name: partial(answer, name, pair) for name in FORMS},
        ours=["root_gnn"],
        amount=n_time,
        unit="pairs",
        difference=difference,
        targets=250.0,
    )
    if not sys.platform.startswith("linux"):
        yield LeftOut(what="peak memory", reason="it is read from /proc")
        return
    taken = {name: max(watched(memory, name, n_memory).result, LEAST) / 2**20 for name in FORMS}
    ratio = taken["broadcast"] / taken["root_gnn"]
    yield Row(
        what=f"peak memory of {n_memory} pairs",
        reference="broadcast",
        ratio=ratio,
        low=ratio,
        high=ratio,
        quartiles=(ratio, ratio),
        target=100.0,
        unit="MiB",
        rates=taken,
        max_difference=difference,
    )


if __name__ == "__main__":
    sys.exit(run_case(results, __doc__))
