"""The published pretraining and its tasks as recipes: simulated under the names they read, prepared, trained one
epoch.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

pytest.importorskip("pythia8mc")
pytest.importorskip("fastjet")

from root_gnn.config.loader import load
from root_gnn.config.shipped import find
from root_gnn.runs.recipe import Recipe
from root_gnn.runs.train import finetune, train
from root_gnn.simulation.simulate import simulate

pytestmark = pytest.mark.pythia
ALL = "pretrain_multiclass_12"
TINY = ("model.dim=8", "model.n_steps=1", "train.max_epochs=1", "train.batch_size=64")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Path:
    """A few dozen events of each process, by the files' names."""
    folder = tmp_path_factory.mktemp("twelve")
    for path in data_dir.glob("*.root"):
        shutil.copy(path, folder)
    classes = {*load(Recipe, find(ALL, "recipe")).data.classes, "STOP"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("root_gnn.simulation.hard_file.find_program", lambda: None)
        simulate(
            [name for name in sorted(classes) if not (folder / f"{name}.root").exists()],
            events=40,
            out=folder,
            params={"mpi": "off"},
        )
    return folder


def test_pretraining(data: Path, tmp_path: Path) -> None:
    run = train(ALL, overrides=(*TINY, "data.max_events=40"), data_dir=data, run_dir=tmp_path / "run")
    assert {"tHjb", "ttW", "ttyy", "ttt", "tttt"} < set(run.recipe.data.classes) and len(run.recipe.data.classes) == 12
    assert run.metrics["best_epoch"] >= 0


@pytest.mark.parametrize(
    ("task", "background", "signal"),
    [
        ("FCNCvstHjb", "tHjb", "FCNC"),
        ("STOPvsttH", "ttH", "STOP"),
        ("ttWvsttt", "ttt", "ttW"),
    ],
)
def test_tasks(data: Path, tmp_path: Path, task: str, background: str, signal: str) -> None:
    run = finetune(
        task, mode="scratch", overrides=(*TINY, "data.max_events=40"), data_dir=data, run_dir=tmp_path / task
    )
    assert list(run.recipe.data.classes) == [background, signal]
    assert 0.0 <= run.metrics["splits"]["test"]["auc"] <= 1.0
