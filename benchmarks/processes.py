"""Training with two processes beside one, a thread each: the same recipe, the same batches, the same steps.

    python benchmarks/processes.py --out processes.json

`root-gnn train` on WH and ZH events, resampled, with the published event network (hidden 64, 4 layers). A step has the same events
whether one process takes them or two: 2,048, so that each of two has as many as one usually has, and 1,024. What is compared is training's
own events per second, start-up left out; that both reach the same validation loss is asserted in a round before the first that counts, and
in each.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import torch
from graph_networks import PUBLISHED
from resample import resample, simulated_files

from root_gnn.atomic import write_json
from root_gnn.bench.case import Bench, agree, main
from root_gnn.bench.row import Row
from root_gnn.bench.timing import Spread
from root_gnn.run import Run

CLASSES = ("WH", "ZH")
TOLERANCE = 1e-3
TARGETS = {2048: 1.7, 1024: None}  # by graphs of a step


def write_recipe(folder: Path, *, batch: int, dim: int, n_layer: int) -> Path:
    """The recipe, beside its files."""
    content = {
        "name": "processes", "seed": 1, "data": {"spec": "events", "classes": {name: f"{name}.root" for name in CLASSES}},
        "model": {"name": "encode_process_decode", "dim": dim, "n_layer": n_layer, **PUBLISHED},
        "objective": {"name": "multiclass", "head": {"name": "mlp", "dropout": 0.0}}, "optim": {"lr": 1e-3},
        "train": {"max_epochs": 2, "batch_size": batch},
    }  # fmt: skip
    path = folder / "processes.yaml"
    write_json(path, content)  # JSON is YAML
    return path


def train(recipe: Path, n_process: int, folder: Path) -> tuple[float, float]:
    """Events per second, and the validation loss of the last epoch."""
    command = [sys.executable, "-m", "root_gnn.cli", "train", str(recipe), "--quiet", "--data-dir", str(recipe.parent)]
    subprocess.run([*command, "--run-dir", str(folder), "--set", f"train.devices={n_process}", "--overwrite"], check=True)
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    return float(metrics["events_per_second"]), float(Run(folder).history["val/loss"][-1, 2])


def results(bench: Bench) -> Iterator[Row]:
    """A row for each size of a step."""
    n_event = 300 if bench.quick else bench.options.events
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for place, process in enumerate(CLASSES):
            resample(simulated_files(bench.data_dir, [process]), folder / f"{process}.root", n_event, seed=place + 1)
        for batch, target in TARGETS.items():
            recipe = write_recipe(folder, batch=64 if bench.quick else batch, dim=8 if bench.quick else 64, n_layer=4)
            yield compared(bench, recipe, f"data-parallel training, {batch:,} graphs a step", target)


def compared(bench: Bench, recipe: Path, what: str, target: float | None) -> Row:
    """Rounds of one and of two processes, by turns."""
    rates: dict[int, list[float]] = {1: [], 2: []}
    difference = 0.0
    for place in range(bench.rounds + 1):
        losses = {}
        for n_process in (1, 2) if place % 2 else (2, 1):
            rate, losses[n_process] = train(recipe, n_process, recipe.parent / f"run_{n_process}")
            if place:  # the first round is there to be compared
                rates[n_process].append(rate)
        apart = agree("validation loss of one and two processes", torch.tensor(losses[1]), torch.tensor(losses[2]), TOLERANCE)
        difference = max(difference, apart)
    names = {1: "one process", 2: "two processes"}
    each = {names[n_process]: Spread.of(values).median for n_process, values in rates.items()}
    return Row.spread(
        Spread.of([two / one for one, two in zip(rates[1], rates[2], strict=True)]), what=what, ours=names[2],
        reference=names[1], target=target, unit="events/s", rates=each, max_difference=difference,
    )  # fmt: skip


def arguments(parser: argparse.ArgumentParser) -> None:
    """How much there is to train on."""
    parser.add_argument("--events", type=int, default=30_000, help="of each class")


if __name__ == "__main__":
    sys.exit(main(results, __doc__, n_core=2, arguments=arguments))
