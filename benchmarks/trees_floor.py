"""The floor: gradient-boosted trees on engineered features, beside the network pretrained, finetuned and from scratch.

    root-gnn simulate --process WH --process ZH --events 30000 --out data --jobs 2      (ggF VBF singletop_t: 29500)
    root-gnn simulate --process ttH --process ttbar --events 72000 --out data --jobs 2
    python benchmarks/trees_floor.py --data-dir data --out floor

Every model of a row sees the same training subset for the same seed, is chosen on the same validation events and is
measured on the same test events. Errors are 68 % intervals over test events and seeds. Finished trainings are reused.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from root_gnn.analysis.event_features import event_features
from root_gnn.atomic import write_json
from root_gnn.config.loader import load
from root_gnn.config.shipped import find
from root_gnn.console import log, set_verbosity
from root_gnn.data.events.splits import split_table, subset
from root_gnn.data.events.table import EventTable, open_table
from root_gnn.metrics.bootstrap import paired_difference, seed_mean
from root_gnn.runs.run import Run
from root_gnn.runs.task import Task
from root_gnn.runs.train import finetune, train

LEAVES = (8, 16, 31)


@dataclass(frozen=True)
class Row:
    """One comparison: a task, training events in total, and which network."""

    task: str
    n_train: int
    mode: str

    @property
    def overrides(self) -> list[str]:
        """Fewer passes over more events; the rest is `configs/finetune.yaml`."""
        if self.n_train >= 100_000:
            return ["train.max_epochs=10", "train.batch_size=256"]
        return ["train.max_epochs=16", "train.batch_size=256"] if self.n_train >= 10_000 else []


ROWS = (
    Row("WHvsZH", 1_000, "finetuned"),
    Row("WHvsZH", 20_000, "finetuned"),
    Row("ttHvsttbar", 1_000, "finetuned"),
    Row("ttHvsttbar", 20_000, "finetuned"),
    Row("ttHvsttbar", 100_000, "scratch"),
)


class TreeBench:
    """Trees on one task's events, their size chosen on validation as the networks' best epoch is."""

    def __init__(self, task: str, data_dir: Path) -> None:
        self.config = load(Task, find(task, "task")).data
        self.table: EventTable = open_table(self.config, data_dir)
        self.splits = split_table(self.table, self.config.split)
        self.features = event_features(self.table.gather(np.arange(len(self.table))), self.table.features)

    def scores(self, n_train: int, seed: int) -> NDArray[np.float64]:
        """Scores of the test events, `(n_test,)`, of the best of a few tree sizes with early stopping."""
        rows = subset(self.table, self.splits.train, n_train, seed)
        label = self.table.label
        varies = np.array([len(np.unique(column[np.isfinite(column)])) > 1 for column in self.features[rows].T])
        features, held = self.features[:, varies], self.splits.validation  # binning fails on a column of one value
        best: tuple[float, HistGradientBoostingClassifier] | None = None
        for leaves in LEAVES:
            trees = HistGradientBoostingClassifier(
                learning_rate=0.05,
                max_iter=1000,
                max_leaf_nodes=leaves,
                l2_regularization=1.0,
                early_stopping=True,
                n_iter_no_change=30,
                random_state=seed,
            ).fit(features[rows], label[rows], X_val=features[held], y_val=label[held])
            loss = -float(np.max(trees.validation_score_))
            if best is None or loss < best[0]:
                best = (loss, trees)
        assert best is not None
        return np.asarray(best[1].decision_function(features[self.splits.test]), dtype=np.float64)


def network_scores(run: Run, data_dir: Path) -> NDArray[np.float64]:
    """Signal scores of the test events, in the table's order."""
    answers = run.answers("test", data_dir=data_dir)
    return np.log(answers.probabilities[:, 1]) - np.log(answers.probabilities[:, 0])


def compare(
    row: Row, trees: TreeBench, pretrained: Run | None, *, seeds: list[int], data_dir: Path, out: Path
) -> dict[str, Any]:
    """Both models on one row, seed by seed."""
    networks, floors = [], []
    for seed in seeds:
        folder = out / f"{row.task}_{row.mode}_n{row.n_train}_s{seed}"
        run = finetune(
            row.task,
            run=pretrained,
            mode=row.mode,
            train_events=row.n_train,  # type: ignore[arg-type]
            overrides=[f"seed={seed}", *row.overrides],
            data_dir=data_dir,
            run_dir=folder,
            resume=True,
        )
        networks.append(network_scores(run, data_dir))
        floors.append(trees.scores(row.n_train, seed))
    label, weight = trees.table.label[trees.splits.test], trees.table.weight[trees.splits.test]
    network, floor = seed_mean(networks, label, weight), seed_mean(floors, label, weight)
    difference = paired_difference(networks, floors, label, weight)
    assert network is not None and floor is not None and difference is not None
    return {
        "task": row.task,
        "n_train": row.n_train,
        "mode": row.mode,
        "network": network._asdict(),
        "trees": floor._asdict(),
        "difference": difference._asdict(),
    }


def line(found: dict[str, Any]) -> str:
    """One row of the table."""

    def interval(entry: dict[str, Any]) -> str:
        return (
            f"{entry['mean']:.4f} [{entry['low']:.4f}, {entry['high']:.4f}] "
            f"({', '.join(f'{value:.4f}' for value in entry['per_seed'])})"
        )

    return (
        f"| {found['task']} | {found['n_train']:,} | {found['mode']} | {interval(found['network'])} | "
        f"{interval(found['trees'])} | "
        f"{interval(found['difference'])} | {'yes' if found['difference']['excludes_zero'] else 'no'} |"
    )


def main() -> int:
    """Runs all rows and prints a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("runs/trees_floor"))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--pretrain-events", type=int, default=20_000, help="training events per class in pretraining")
    parser.add_argument("--row", type=int, action="append", help="only these rows (from 0)")
    options = parser.parse_args()
    set_verbosity(0)
    rows = [ROWS[place] for place in options.row or range(len(ROWS))]
    pretrained = None
    if any(row.mode != "scratch" for row in rows):
        pretrained = train(
            "pretrain_multiclass",
            overrides=[f"data.train_events={7 * options.pretrain_events}", "train.max_epochs=15"],
            data_dir=options.data_dir,
            run_dir=options.out / "pretrained",
            resume=True,
        )
    header = (
        "| task | training events | network | network AUC (per seed) | trees AUC (per seed) | difference (per "
        "seed) | excludes 0 |"
    )
    lines = [header, "|---|---|---|---|---|---|---|"]
    benches: dict[str, TreeBench] = {}
    for row in rows:
        if row.task not in benches:
            benches[row.task] = TreeBench(row.task, options.data_dir)
        source = None if row.mode == "scratch" else pretrained
        found = compare(
            row,
            benches[row.task],
            source,
            seeds=list(range(1, options.seeds + 1)),
            data_dir=options.data_dir,
            out=options.out,
        )
        write_json(options.out / f"{row.task}_{row.mode}_n{row.n_train}.json", found)
        lines.append(line(found))
        log.info("%s", lines[-1])
    sys.stdout.write("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
