"""How alike are the layers of two trainings that differ in their seed only?

Trains two small networks on the files of the tests and compares them layer by layer with debiased linear CKA
(Kornblith et al. 2019, arXiv:1905.00414): 1 where two layers hold the same up to rotation and scale, 0 where they are
unrelated. `root-gnn cka RUN RUN` does the comparison for runs that you have.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import root_gnn as rg

TOP = Path(__file__).resolve().parents[1]
DATA = TOP / "tests" / "data"
SETTINGS = [
    "data.classes={WH: WH.root, ttH: ttH.root}",
    "model={name: encode_process_decode, dim: 16, n_steps: 2}",
    "train.max_epochs=2",
    "train.batch_size=32",
]


def main(folder: Path) -> None:
    """Trains with two seeds below `folder`, and prints CKA of each layer with the same layer of the other run."""
    runs = [
        rg.train(
            "pretrain_multiclass", overrides=[*SETTINGS, f"seed={seed}"], data_dir=DATA, run_dir=folder / f"seed_{seed}"
        )
        for seed in (1, 2)
    ]
    spec = runs[0].spec
    batch = rg.build_graphs(rg.read(DATA / "ZH.root", spec), spec)  # events that neither has trained on
    first, second = (run.encoder.layers(batch) for run in runs)
    for name in first:
        print(name, f"{rg.cka(first[name], second[name]):.3f}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as name:
            main(Path(name))
