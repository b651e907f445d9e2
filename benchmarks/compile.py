"""The event network through `torch.compile` (`train.compile`) beside plain PyTorch and the compiled operator.

Same weights.

    python benchmarks/compile.py --out compile.json

A training step (forward, backward, fused AdamW; no collation) of the graph network of `benchmarks/graph_network.py` on
batches of other sizes each time, and on batches padded to one shape (`train.static_shapes`), for which `torch.compile`
makes other kernels. Kernels are made before any time is taken. Gradients are compared before.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator

import torch
from events import EVENTS, poisson_events
from graph_networks import Contender, Size, forms, ours
from torch import Tensor

from root_gnn.bench.case import Bench, agree, run_case
from root_gnn.bench.row import LeftOut, Row
from root_gnn.bench.timing import Run
from root_gnn.errors import InputError
from root_gnn.graph.batch import Batch
from root_gnn.graph.static import Shape, padded
from root_gnn.training.compiled import compiled

SIZE, N_GRAPH = Size(64, 4), 1024
QUICK_SIZE, N_QUICK = Size(16, 2), 16
N_BATCH = 8
PLAIN, OPERATOR = "native", "compiled"
TOLERANCE = 1e-3  # of the size of the gradient: a ReLU close to 0 falls on either side


def batches(n_graph: int, *, one_shape: bool) -> list[tuple[Batch, Tensor]]:
    """Some batches of random events with their labels."""
    events = poisson_events(N_BATCH * n_graph, seed=1)
    found = [events.select(torch.arange(k * n_graph, (k + 1) * n_graph)) for k in range(N_BATCH)]
    labelled = [(batch, batch.labels["label"]) for batch in found]
    if not one_shape:
        return labelled
    shape = Shape.of(events.n_node, n_graph)
    return [(padded(batch, shape), label) for batch, label in labelled]


def stepper(contender: Contender, given: list[tuple[Batch, Tensor]], n_graph: int) -> Run:
    """A training step on the next batch; graphs that only fill up have no part in the loss."""
    network = contender.network.train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.0, fused=True)  # so that all go through the same numbers
    following = itertools.cycle(given)

    def step() -> Tensor:
        batch, label = next(following)
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(network(batch)[:n_graph], label).backward()
        optimizer.step()
        return torch.cat([weight.grad.flatten() for weight in network.parameters() if weight.grad is not None])

    return step


def gradients(step: Callable[[], Tensor]) -> Tensor:
    """Those of all batches, each divided by its size."""
    return torch.stack([found / found.norm() for found in (step() for _ in range(N_BATCH))])


def results(bench: Bench) -> Iterator[Row | LeftOut]:
    """Batches of any size, then of one."""
    size, n_graph = (QUICK_SIZE, N_QUICK) if bench.quick else (SIZE, N_GRAPH)
    events = poisson_events(n_graph, seed=1)
    for one_shape in (False, True):
        torch.compiler.reset()
        what = f"a training step of {n_graph} events, {'padded to one shape' if one_shape else 'any size'}"
        given = batches(n_graph, one_shape=one_shape)
        known = {name: form for name, form in forms().items() if name in (PLAIN, OPERATOR)}
        steps = {name: stepper(ours(size, events, EVENTS, form), given, n_graph) for name, form in known.items()}
        fast = ours(size, events, EVENTS, known[PLAIN])
        try:
            with compiled(fast.network.encoder, fixed_shapes=one_shape):
                steps = {"torch.compile": stepper(fast, given, n_graph), **steps}
                found = {name: gradients(step) for name, step in steps.items()}
                difference = max(agree(f"{what}, {name}", one, found[PLAIN], TOLERANCE) for name, one in found.items())
                yield from bench.compare(
                    what,
                    steps,
                    ours=["torch.compile"],
                    amount=n_graph,
                    unit="events",
                    difference=difference,
                )
        except InputError as error:
            yield LeftOut(what=what, reason=str(error))


if __name__ == "__main__":
    sys.exit(run_case(results, __doc__))
