"""Run folders with weights as they were drawn: all that analysis needs, without training."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from root_gnn.runs.evaluate import evaluate
from root_gnn.runs.run import Run
from root_gnn.runs.setup import TrainingSetup
from root_gnn.runs.task import finetuning_recipe

Maker = Callable[..., Run]


@pytest.fixture(scope="session")
def ntuples(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Path:
    """A copy of the fixtures, so that caches are not written beside them."""
    folder = tmp_path_factory.mktemp("ntuples")
    for path in data_dir.glob("*.root"):
        shutil.copy(path, folder)
    return folder


@pytest.fixture(scope="session")
def make_run(tmp_path_factory: pytest.TempPathFactory, ntuples: Path) -> Maker:
    """Makes a run folder of the task WHvsZH, or another, with untrained weights and its predictions."""
    folder = tmp_path_factory.mktemp("runs")

    def make(name: str, *overrides: str, task: str = "WHvsZH", seed: int = 1, train_events: int | None = 100) -> Run:
        recipe = finetuning_recipe(
            task,
            mode="scratch",
            model=None,
            train_events=train_events,
            overrides=("model.dim=8", "model.n_steps=1", f"seed={seed}", *overrides),
        )
        bench = TrainingSetup(recipe, data_dir=ntuples)
        bench.write_down(folder / name)
        (folder / name / "checkpoints").mkdir()
        state = {f"objective.{key}": value for key, value in bench.objective.state_dict().items()}
        torch.save({"state_dict": state}, folder / name / "checkpoints" / "best.ckpt")
        (folder / name / "history.csv").write_text("epoch,step,tag,value\n0,4,train/loss,0.7\n0,4,val/loss,0.69\n")
        return evaluate(folder / name, data_dir=ntuples)

    return make


@pytest.fixture(scope="session")
def seeds(make_run: Maker) -> list[Run]:
    """Three runs that differ by their seed."""
    return [make_run(f"scratch_s{seed}", seed=seed) for seed in (1, 2, 3)]


@pytest.fixture(scope="session")
def deeper(make_run: Maker) -> list[Run]:
    """Three runs with one step more, on the same training events."""
    return [make_run(f"deeper_s{seed}", "model.n_steps=2", seed=seed) for seed in (1, 2, 3)]


@pytest.fixture
def one_run(seeds: list[Run], tmp_path: Path) -> Run:
    """A copy of a run that a test may change."""
    return Run(Path(shutil.copytree(seeds[0].folder, tmp_path / "one_run")))
