"""Training with two processes beside one, a thread each: the same recipe, the same batches, the same steps.

    python benchmarks/processes.py --out processes.json

`root-gnn train` with the published event network (hidden 64, 4 layers), 1,024 graphs a step whether one process takes
them or two: on events of as many objects as Poisson's distribution gives, 9 on average, which are simulated objects of
WH and ZH events drawn anew, and on simulated events of WH and ZH, which are smaller. What is compared is training's own
events per second, start-up left out; that both reach the same validation loss is asserted in a round before the first
that counts, and in each.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from events import FEWEST, MEAN, MOST
from graph_networks import PUBLISHED
from numpy.typing import NDArray
from resample import resample, simulated_files

from root_gnn.atomic import write_json
from root_gnn.bench.case import Bench, agree, run_case
from root_gnn.bench.row import Row
from root_gnn.bench.timing import Spread
from root_gnn.runs.run import Run

CLASSES = ("WH", "ZH")
TOLERANCE = 1e-3


def poisson(rng: np.random.Generator, n_event: int) -> NDArray[np.int64]:
    """How many objects events have."""
    return np.clip(rng.poisson(MEAN, n_event), FEWEST, MOST)


KINDS = (("multiplicities of Poisson(9) in 2 to 25", poisson, 0.5, 1.7), ("simulated events", None, 1.0, None))


def write_recipe(folder: Path, *, batch: int, dim: int, n_layer: int) -> Path:
    """The recipe, beside its files."""
    content = {
        "name": "processes",
        "seed": 1,
        "data": {"spec": "events", "classes": {name: f"{name}.root" for name in CLASSES}},
        "model": {"name": "encode_process_decode", "dim": dim, "n_layer": n_layer, **PUBLISHED},
        "objective": {"name": "multiclass", "head": {"name": "mlp", "dropout": 0.0}},
        "optim": {"lr": 1e-3},
        "train": {"max_epochs": 2, "batch_size": batch},
    }
    path = folder / "processes.yaml"
    write_json(path, content)  # JSON is YAML
    return path


def train(recipe: Path, n_process: int, folder: Path) -> tuple[float, float]:
    """Events per second, and the validation loss of the last epoch."""
    command = [
        sys.executable,
        "-m",
        "root_gnn",
        "train",
        str(recipe),
        "--quiet",
        "--data-dir",
        str(recipe.parent),
    ]
    subprocess.run(
        [*command, "--run-dir", str(folder), "--set", f"train.devices={n_process}", "--overwrite"], check=True
    )
    metrics = json.loads((folder / "metrics.json").read_text(encoding="utf-8"))
    return float(metrics["events_per_second"]), float(Run(folder).history["val/loss"][-1, 2])


def results(bench: Bench) -> Iterator[Row]:
    """A row for each kind of events."""
    for what, n_object, share, target in KINDS:
        n_event = 300 if bench.quick else int(share * bench.options.events)
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for place, process in enumerate(CLASSES):
                file = folder / f"{process}.root"
                resample(simulated_files(bench.data_dir, [process]), file, n_event, seed=place + 1, n_object=n_object)
            recipe = write_recipe(folder, batch=64 if bench.quick else 1024, dim=8 if bench.quick else 64, n_layer=4)
            yield compared(bench, recipe, f"data-parallel training, {what}", target)


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
        apart = agree(
            "validation loss of one and two processes", torch.tensor(losses[1]), torch.tensor(losses[2]), TOLERANCE
        )
        difference = max(difference, apart)
    names = {1: "one process", 2: "two processes"}
    each = {names[n_process]: Spread.of(values).median for n_process, values in rates.items()}
    return Row.spread(
        Spread.of([two / one for one, two in zip(rates[1], rates[2], strict=True)]),
        what=what,
        ours=names[2],
        reference=names[1],
        target=target,
        unit="events/s",
        rates=each,
        max_difference=difference,
    )


def arguments(parser: argparse.ArgumentParser) -> None:
    """How much there is to train on."""
    parser.add_argument("--events", type=int, default=30_000, help="of each class; half as many of the larger ones")


if __name__ == "__main__":
    sys.exit(run_case(results, __doc__, n_core=2, arguments=arguments))
