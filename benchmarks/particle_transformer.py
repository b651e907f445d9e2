"""Our Particle Transformer beside that of weaver-core: the same weights, the same jets, in one process, turn by turn.

    pip install weaver-core
    python benchmarks/particle_transformer.py --out particle_transformer

The network is the published one (8 + 2 blocks, width 128). Jets have Gamma-distributed numbers of constituents, mean 39
and standard deviation 19. Weaver trims its padding and embeds pairs sparsely, its fastest way. That outputs agree is
asserted before anything is timed; in training they are not compared, since both drop out at random, and weaver some of the
particles as well. A ratio is the median over rounds of the two times of a round, with the smallest and the largest. With one
thread, times are those of the processor, so that a busy machine does not count.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from root_gnn.atomic import write_json
from root_gnn.graph.batch import Batch
from root_gnn.graph.features import Features
from root_gnn.graph.scaling import Scaling
from root_gnn.models.particle_transformer import Config, ParticleTransformer
from root_gnn.nn.token_inputs import TokenEmbedding
from root_gnn.nn.weaver_weights import load_weaver

MEAN, SPREAD, PION, N_INPUT, N_CLASS, WARM_UP = 39.0, 19.0, 0.13957, 17, 10, 6
FEATURES = Features(nodes=("pt", "eta", "phi", "energy", "type"), n_type=1)
TOLERANCE = 1e-4


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
    """Pions around an axis, `n_jet` jets of at most `longest` of them, in double precision."""
    rng = np.random.default_rng(seed)
    sizes = rng.gamma((MEAN / SPREAD) ** 2, SPREAD**2 / MEAN, n_jet).round().clip(1, longest).astype(int)
    total = int(sizes.sum())
    pt, eta, phi = np.exp(rng.normal(1.5, 1.0, total)), rng.normal(0.5, 0.3, total), rng.normal(0.0, 0.3, total)
    energy = np.sqrt((pt * np.cosh(eta)) ** 2 + PION**2)
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
    """The largest difference of the class tokens in double precision; raises SystemExit where it is not small."""
    both = jets.to(torch.float64)
    with torch.no_grad():
        apart = (ours.double().eval().states(both.batch, both.inputs)[1] - theirs.double().eval()(*both.padded)).abs().max()
    ours.float(), theirs.float()
    if not float(apart) < TOLERANCE:
        raise SystemExit(f"the outputs differ by {float(apart):.1e}; nothing is timed")
    return float(apart)


def seconds(run: Callable[[], Any]) -> float:
    """Time of one call: of the processor with one thread, else of the clock."""
    clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
    start = clock()
    run()
    return clock() - start


def step(network: Callable[[], Tensor], last: nn.Linear, modules: list[nn.Module], truth: Tensor) -> Callable[[], None]:
    """Forward and backward of a cross entropy."""

    def run() -> None:
        for module in modules:
            module.zero_grad()
        nn.functional.cross_entropy(last(network()), truth).backward()

    return run


def measure(n_jet: int, longest: int, dropout: float | None, rounds: int) -> dict[str, Any]:
    """Jets per second of both, and the ratio; without `dropout` for inference, else for training."""
    jets = make_jets(n_jet, longest, seed=1)
    ours, theirs, last = make_networks(dropout or 0.0)
    apart = difference(ours, theirs, jets)
    jets = jets.to(torch.float32)
    for module in (ours, theirs):
        module.train(dropout is not None)
    truth = torch.arange(n_jet) % N_CLASS
    forwards = {"ours": lambda: ours.states(jets.batch, jets.inputs)[1], "weaver": lambda: theirs(*jets.padded)}
    runs: dict[str, Callable[[], Any]] = dict(forwards)
    if dropout is not None:
        runs = {name: step(forward, last, [ours, theirs, last], truth) for name, forward in forwards.items()}
    with torch.set_grad_enabled(dropout is not None):
        with torch.no_grad():
            for _ in range(WARM_UP):  # weaver begins to trim after five passes
                theirs(*jets.padded)
        runs["ours"](), runs["weaver"]()
        times = [{name: seconds(run) for name, run in runs.items()} for _ in range(rounds)]
    ratios = sorted(pair["weaver"] / pair["ours"] for pair in times)
    return {
        "what": "inference" if dropout is None else f"training, dropout {dropout:g}", "batch": n_jet, "longest": longest,
        "constituents": int(jets.batch.total_node), "difference": apart, "rounds": rounds,
        "jets_per_second": {name: n_jet / float(np.median([pair[name] for pair in times])) for name in runs},
        "ratio": {"median": float(np.median(ratios)), "min": ratios[0], "max": ratios[-1]},
    }


def table(rows: list[dict[str, Any]]) -> str:
    """Markdown."""
    lines = ["| | batch, longest | weaver jets/s | ours jets/s | ratio |", "|---|---|---|---|---|"]
    for row in rows:
        rate, ratio = row["jets_per_second"], row["ratio"]
        lines.append(
            f"| {row['what']} | {row['batch']}, {row['longest']} | {rate['weaver']:.0f} | {rate['ours']:.0f} "
            f"| {ratio['median']:.2f} [{ratio['min']:.2f}..{ratio['max']:.2f}] |"
        )
    return "\n".join(lines)


def main() -> None:
    """Runs all cases and writes `<out>.json` and `<out>.md`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="name of the results, without an ending")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--quick", action="store_true", help="the smaller batch alone")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(1)
    sizes = ((64, 88),) if arguments.quick else ((64, 88), (128, 128))
    rows = [measure(n_jet, longest, dropout, arguments.rounds) for n_jet, longest in sizes for dropout in (None, 0.1, 0.0)]
    result = {"torch": torch.__version__, "threads": arguments.threads, "rows": rows}
    write_json(arguments.out.with_suffix(".json"), result)
    arguments.out.with_suffix(".md").write_text(table(rows) + "\n", encoding="utf-8")
    print(table(rows))


if __name__ == "__main__":
    main()
