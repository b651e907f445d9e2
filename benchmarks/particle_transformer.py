"""Our Particle Transformer beside that of weaver-core: the same weights, the same jets.

    pip install weaver-core
    python benchmarks/particle_transformer.py --out particle_transformer.json

The network is the published one (8 + 2 blocks, width 128). Jets have Gamma-distributed numbers of constituents, mean 39
and standard deviation 19. Weaver trims its padding and embeds pairs sparsely, its fastest way. That outputs agree is
asserted before anything is timed; in training they are not compared, since both drop out at random, and weaver some of the
particles as well. Training is the forward and backward pass of a cross entropy. Times are those of the processor, so that a busy
machine does not count.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from events import jet_sizes, pions
from torch import Tensor, nn

from root_gnn.bench.case import Bench, agree, installed, main
from root_gnn.bench.row import LeftOut, Row
from root_gnn.bench.timing import Run
from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.scaling import Scaling
from root_gnn.models.particle_transformer import Config, ParticleTransformer
from root_gnn.nn.token_inputs import TokenEmbedding
from root_gnn.nn.weaver_weights import load_weaver

N_INPUT, N_CLASS, WARM_UP = 17, 10, 6
FEATURES = Features(nodes=("pt", "eta", "phi", "energy", "type"), n_type=1)
TOLERANCE = 1e-4
SIZES = {(64, 88): 2.2, (128, 128): 3.0}  # batch and longest jet, and what is asked for inference
QUICK = {(8, 64): 2.2}
TRAINING_TARGET = 1.9


@dataclass(frozen=True)
class Jets:
    """The same jets as both want them: a ragged batch with its inputs, and padded arrays with a mask."""

    batch: Batch
    inputs: Tensor
    padded: tuple[Tensor, Tensor, Tensor]

    def to(self, dtype: torch.dtype) -> Jets:
        """The same in another precision."""
        batch = self.batch.replace(nodes=self.batch.nodes.to(dtype), globals=self.batch.globals.to(dtype))
        x, v, mask = self.padded
        return Jets(batch, self.inputs.to(dtype), (x.to(dtype), v.to(dtype), mask))


def make_jets(n_jet: int, longest: int, seed: int) -> Jets:
    """`n_jet` jets of at most `longest` pions, in double precision."""
    rng = np.random.default_rng(seed)
    sizes = jet_sizes(n_jet, longest, rng)
    total = int(sizes.sum())
    pt, eta, phi, energy = pions(total, rng)
    batch = Batch.of(torch.tensor(np.stack([pt, eta, phi, energy, np.zeros(total)], 1)), torch.tensor(sizes))
    inputs = torch.tensor(rng.normal(0.0, 1.0, (total, N_INPUT)))
    momenta = torch.tensor(np.stack([pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta), energy], 1))
    mask = torch.arange(longest) < batch.n_node[:, None]
    x, v = (torch.zeros(n_jet, longest, width, dtype=torch.float64) for width in (N_INPUT, 4))
    x[mask], v[mask] = inputs, momenta
    return Jets(batch, inputs, (x.transpose(1, 2).contiguous(), v.transpose(1, 2).contiguous(), mask.unsqueeze(1)))


def make_networks(dropout: float) -> tuple[ParticleTransformer, nn.Module, nn.Linear]:
    """Ours and weaver's with the same weights, and one last layer for both."""
    from weaver.nn.model.ParticleTransformer import ParticleTransformer as Weaver

    rates = {"dropout": dropout, "attn_dropout": dropout, "activation_dropout": dropout}
    theirs = Weaver(N_INPUT, None, fc_params=None, trim=True, block_params=rates)
    ours = Config(preset="paper", dropout=dropout, attention_dropout=dropout).build(FEATURES, Scaling())
    ours.embed = TokenEmbedding(N_INPUT, (128, 512, 128), batch_norm=True)
    load_weaver(ours, theirs.state_dict())
    return ours, theirs, nn.Linear(128, N_CLASS)


def difference(ours: ParticleTransformer, theirs: nn.Module, jets: Jets) -> float:
    """The largest difference of the class tokens in double precision."""
    both = jets.to(torch.float64)
    with torch.no_grad():
        mine, other = ours.double().eval().states(both.batch, both.inputs)[1], theirs.double().eval()(*both.padded)
    ours.float(), theirs.float()
    return agree("class tokens", mine, other, TOLERANCE)


def step(network: Callable[[], Tensor], last: nn.Linear, modules: list[nn.Module], truth: Tensor) -> Callable[[], None]:
    """Forward and backward of a cross entropy."""

    def run() -> None:
        for module in modules:
            module.zero_grad()
        nn.functional.cross_entropy(last(network()), truth).backward()

    return run


def measure(bench: Bench, n_jet: int, longest: int, dropout: float | None, target: float) -> Iterator[Row]:
    """Without `dropout` inference, else training."""
    jets = make_jets(n_jet, longest, seed=1)
    ours, theirs, last = make_networks(dropout or 0.0)
    apart = difference(ours, theirs, jets)
    jets = jets.to(torch.float32)
    for module in (ours, theirs):
        module.train(dropout is not None)
    truth = torch.arange(n_jet) % N_CLASS
    forwards: dict[str, Callable[[], Tensor]] = {
        "root_gnn": lambda: ours.states(jets.batch, jets.inputs)[1], "weaver": lambda: theirs(*jets.padded),
    }  # fmt: skip
    runs: dict[str, Run] = dict(forwards)
    if dropout is not None:
        runs = {name: step(forward, last, [ours, theirs, last], truth) for name, forward in forwards.items()}
    kind = "inference" if dropout is None else f"training, dropout {dropout:g}"
    with torch.no_grad():
        for _ in range(WARM_UP):  # weaver begins to trim after five passes
            theirs(*jets.padded)
    with torch.set_grad_enabled(dropout is not None):
        yield from bench.compare(
            f"{kind}, batch {n_jet}, longest {longest}", runs, ours=["root_gnn"], amount=n_jet, unit="jets", difference=apart,
            targets=target, note=f"{jets.batch.total_node} constituents",
        )  # fmt: skip


def results(bench: Bench) -> Iterator[Row | LeftOut]:
    """Inference and training for each size of batch."""
    if not installed("weaver"):
        yield LeftOut(what="the comparison with weaver-core", reason="weaver-core is not installed")
        return
    for (n_jet, longest), target in (QUICK if bench.quick else SIZES).items():
        for dropout, asked in ((None, target), (0.1, TRAINING_TARGET), (0.0, TRAINING_TARGET)):
            yield from measure(bench, n_jet, longest, dropout, asked)


if __name__ == "__main__":
    sys.exit(main(results, __doc__))
