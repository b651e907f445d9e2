"""Our Particle Transformer beside that of weaver-core: the same weights, the same jets.

    pip install weaver-core
    python benchmarks/particle_transformer.py --out particle_transformer.json

The network is the published one (8 + 2 blocks, width 128). Jets have Gamma-distributed numbers of constituents, mean 39
and standard deviation 19, 128 at most. Nine batches are gone through by turns, each padded to its own longest jet by
weaver, which trims its padding and embeds pairs sparsely, its fastest way. Asserted before anything is timed: the
outputs of all batches agree in double precision; in single precision ours are from what double precision makes of the
same rounded inputs by 1e-5 of the largest value at most, or by 1.5 times what weaver's are (which is more: masses of
pairs are small differences); the gradients of the training loss in all weights agree in double precision, with neither
dropout nor the batch norms' own statistics, which weaver takes over the padding too. In training itself both drop out
at random, and weaver some of the particles as well. A training step is forward, backward of a cross entropy, and fused
AdamW. Times are those of the processor, so that a busy machine does not count.
"""

from __future__ import annotations

import copy
import itertools
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from events import jet_sizes, pions
from torch import Tensor, nn

from root_gnn.bench.case import Bench, UnequalError, agree, installed, run_case
from root_gnn.bench.row import LeftOut, Row
from root_gnn.bench.timing import Run
from root_gnn.convert.weaver_weights import load_weaver, weaver_weights
from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.scaling import Scaling
from root_gnn.models.particle_transformer import Config, ParticleTransformer
from root_gnn.nn.token_inputs import TokenEmbedding

N_INPUT, N_CLASS, WARM_UP = 17, 10, 6
FEATURES = Features(nodes=("pt", "eta", "phi", "energy", "type"), n_type=1)
TOLERANCE, SINGLE, FURTHER = (
    1e-10,
    1e-5,
    1.5,
)  # of the largest value in double and in single precision; how much further than weaver's
LONGEST, N_POOL, N_SMALL_POOL = 128, 9, 2
SIZES = {64: 2.2, 128: 3.0}  # jets of a batch, and what is asked for inference
QUICK = {8: 2.2}
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


def make_pool(n_jet: int, n_batch: int) -> list[Jets]:
    """Batches of `n_jet` jets of at most 128 pions, in double precision."""
    rng = np.random.default_rng(1)  # with which jets of 128 are among those of every size of batch but the quick one
    return [make_jets(sizes, rng) for sizes in jet_sizes(n_batch * n_jet, LONGEST, rng).reshape(n_batch, n_jet)]


def make_jets(sizes: np.ndarray, rng: np.random.Generator) -> Jets:
    """Jets of `sizes (n_jet,)` pions, in double precision."""
    n_jet, longest, total = len(sizes), int(sizes.max()), int(sizes.sum())
    pt, eta, phi, energy = pions(total, rng)
    batch = Batch.of(torch.tensor(np.stack([pt, eta, phi, energy, np.zeros(total)], 1)), torch.tensor(sizes))
    inputs = torch.tensor(rng.normal(0.0, 1.0, (total, N_INPUT)))
    momenta = torch.tensor(np.stack([pt * np.cos(phi), pt * np.sin(phi), pt * np.sinh(eta), energy], 1))
    mask = torch.arange(longest) < batch.n_node[:, None]
    x, v = (torch.zeros(n_jet, longest, width, dtype=torch.float64) for width in (N_INPUT, 4))
    x[mask], v[mask] = inputs, momenta
    return Jets(batch, inputs, (x.transpose(1, 2).contiguous(), v.transpose(1, 2).contiguous(), mask.unsqueeze(1)))


Forward = Callable[[Jets], Tensor]


@dataclass(frozen=True)
class Pair:
    """Both networks, each with a last layer of its own; all weights are the same."""

    ours: ParticleTransformer
    theirs: nn.Module
    lasts: tuple[nn.Linear, nn.Linear]

    @classmethod
    def make(cls, dropout: float) -> Pair:
        """Seeded weights: the same for every `dropout`."""
        from weaver.nn.model.ParticleTransformer import ParticleTransformer as Weaver

        torch.manual_seed(1)
        rates = {"dropout": dropout, "attn_dropout": dropout, "activation_dropout": dropout}
        theirs, last = Weaver(N_INPUT, None, fc_params=None, trim=True, block_params=rates), nn.Linear(128, N_CLASS)
        ours = Config(preset="paper", dropout=dropout, attention_dropout=dropout).build(FEATURES, Scaling())
        ours.embed = TokenEmbedding(N_INPUT, (128, 512, 128), batch_norm=True)
        load_weaver(ours, theirs.state_dict())
        return cls(ours, theirs, (last, copy.deepcopy(last)))

    @property
    def modules(self) -> tuple[nn.Module, ...]:
        """All parts."""
        return (self.ours, self.theirs, *self.lasts)

    def mode(self, *, training: bool, dtype: torch.dtype = torch.float32) -> None:
        """Both in training or evaluation, and in a precision."""
        for module in self.modules:
            module.to(dtype).train(training)

    def tokens(self) -> tuple[Forward, Forward]:
        """The class tokens of jets `(n_jet, 128)`, ours and theirs."""
        return lambda jets: self.ours.states(jets.batch, jets.inputs)[1], lambda jets: self.theirs(*jets.padded)


def check(pair: Pair, pool: Sequence[Jets]) -> float:
    """The largest difference of class tokens in double precision.

    Raises UnequalError where tokens or gradients are wrong.
    """
    rounded = [
        jets.to(torch.float32) for jets in pool
    ]  # what single precision is given, whose masses are not those of the jets
    single, of_rounded, double = (
        outputs(pair, jets, dtype)
        for jets, dtype in ((rounded, torch.float32), (rounded, torch.float64), (pool, torch.float64))
    )
    differences = []
    for (mine, theirs), found, exact in zip(double, single, of_rounded, strict=True):
        scale = float(theirs.abs().max())
        differences.append(agree("class tokens in double precision", mine, theirs, TOLERANCE * scale))
        apart, allowed = (float((one - other).abs().max()) for one, other in zip(found, exact, strict=True))
        if not apart <= max(SINGLE * scale, FURTHER * allowed):
            raise UnequalError(
                f"class tokens in single precision are {apart:.1e} from the exact ones, weaver's {allowed:.1e}; "
                "nothing is timed"
            )
    check_gradients(pair, pool[0])
    return max(differences)


def outputs(pair: Pair, pool: Sequence[Jets], dtype: torch.dtype) -> list[tuple[Tensor, ...]]:
    """Our class tokens and weaver's of each batch, in evaluation, in a precision."""
    pair.mode(training=False, dtype=dtype)
    with torch.no_grad():
        return [tuple(forward(jets.to(dtype)) for forward in pair.tokens()) for jets in pool]


def check_gradients(pair: Pair, jets: Jets) -> None:
    """Raises UnequalError where the gradient of the training loss in any weight differs.

    Both in evaluation and double precision.
    """
    for forward, last in zip(pair.tokens(), pair.lasts, strict=True):
        loss(last(forward(jets))).backward()
    theirs = weaver_weights(
        {name: weight.grad for name, weight in pair.theirs.named_parameters() if weight.grad is not None}
    )
    ours = {name: weight.grad for name, weight in pair.ours.named_parameters() if weight.grad is not None}
    if set(ours) != set(theirs):
        raise UnequalError(
            f"only one of the two has a gradient in {sorted(set(ours) ^ set(theirs))[0]}; nothing is timed"
        )
    scale = max(float(gradient.abs().max()) for gradient in theirs.values())
    for name, gradient in ours.items():
        agree(f"gradients in {name}", gradient, theirs[name], TOLERANCE * scale)
    for module in pair.modules:
        module.zero_grad()


def loss(logits: Tensor) -> Tensor:
    """Cross entropy with classes that have nothing to do with the jets."""
    return nn.functional.cross_entropy(logits, torch.arange(len(logits)) % N_CLASS)


def trained(forward: Forward, network: nn.Module, last: nn.Linear) -> Callable[[Jets], None]:
    """A training step."""
    optimizer = torch.optim.AdamW([*network.parameters(), *last.parameters()], lr=1e-4, fused=True)

    def step(jets: Jets) -> None:
        loss(last(forward(jets))).backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


def by_turns(use: Callable[[Jets], object], pool: Sequence[Jets]) -> Run:
    """The next of the batches each time."""
    turns = itertools.cycle(pool)
    return lambda: use(next(turns))


def measure(
    bench: Bench, pool: Sequence[Jets], difference: float, dropout: float | None, target: float
) -> Iterator[Row]:
    """Without `dropout` inference, else training."""
    pair, n_jet = Pair.make(dropout or 0.0), pool[0].batch.n_graph
    pair.mode(training=dropout is not None)
    uses: dict[str, Callable[[Jets], object]] = dict(zip(("root_gnn", "weaver"), pair.tokens(), strict=True))
    if dropout is not None:
        networks = zip(uses, pair.tokens(), (pair.ours, pair.theirs), pair.lasts, strict=True)
        uses = {name: trained(forward, network, last) for name, forward, network, last in networks}
    lengths, n_node = [jets.padded[2].shape[2] for jets in pool], sum(jets.batch.total_node for jets in pool)
    with torch.no_grad():
        for _ in range(WARM_UP):  # weaver begins to trim after five passes
            pair.theirs(*pool[0].padded)
    with torch.set_grad_enabled(dropout is not None):
        yield from bench.compare(
            f"{'inference' if dropout is None else f'training, dropout {dropout:g}'}, batch {n_jet}",
            {name: by_turns(use, pool) for name, use in uses.items()},
            ours=["root_gnn"],
            amount=n_jet,
            unit="jets",
            difference=difference,
            targets=target,
            note=f"{n_node / (n_jet * len(pool)):.0f} constituents, longest of a batch {min(lengths)} to "
            f"{max(lengths)}",
        )


def results(bench: Bench) -> Iterator[Row | LeftOut]:
    """Inference and training for each size of batch."""
    if not installed("weaver"):
        yield LeftOut(what="the comparison with weaver-core", reason="weaver-core is not installed")
        return
    for n_jet, target in (QUICK if bench.quick else SIZES).items():
        pool = make_pool(n_jet, N_SMALL_POOL if bench.quick else N_POOL)
        difference = check(Pair.make(0.0), pool)
        single = [jets.to(torch.float32) for jets in pool]
        for dropout, asked in ((None, target), (0.1, TRAINING_TARGET), (0.0, TRAINING_TARGET)):
            yield from measure(bench, single, difference, dropout, asked)


if __name__ == "__main__":
    sys.exit(run_case(results, __doc__))
