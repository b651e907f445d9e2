"""What a recipe needs of its files is checked before a run folder is written."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import uproot

from root_gnn.config.yaml import dump_yaml
from root_gnn.errors import InputError
from root_gnn.runs.train import train


@pytest.fixture
def partly_without_truth(ntuples: Path, tmp_path: Path) -> Path:
    """A folder with WH, and ZH without its truth columns."""
    folder = tmp_path / "data"
    folder.mkdir()
    shutil.copy(ntuples / "WH.root", folder)
    with uproot.open(ntuples / "ZH.root") as file:
        names = [name for name in file["Events"].keys(recursive=False) if not name.startswith(("higgs", "top", "n_"))]
        columns = file["Events"].arrays(names, library="ak")
    with uproot.recreate(folder / "ZH.root") as file:
        file.mktree("Events", {name: columns[name].type.content for name in columns.fields})
        file["Events"].extend({name: columns[name] for name in columns.fields})
    return folder


def recipe_of(objective: dict[str, object], folder: Path) -> Path:
    recipe = {
        "name": "tiny",
        "data": {"spec": "events", "classes": {"WH": "WH.root", "ZH": "ZH.root"}, "max_events": 60},
        "model": {"name": "encode_process_decode", "dim": 8, "n_steps": 1},
        "objective": objective,
        "optim": {"lr": 1e-3},
        "train": {"max_epochs": 1, "batch_size": 32},
    }
    path = folder / "tiny.yaml"
    path.write_text(dump_yaml(recipe))
    return path


def test_truth_that_a_file_lacks_stops_before_anything_is_written(partly_without_truth: Path, tmp_path: Path) -> None:
    labels = recipe_of({"name": "multilabel", "head": "mlp", "slots": ["higgs"]}, tmp_path)
    with pytest.raises(InputError, match=r"needs the truth columns higgs_exists, .* or a file lacks"):
        train(labels, data_dir=partly_without_truth, run_dir=tmp_path / "labels")
    assert not (tmp_path / "labels").exists()
    classes = recipe_of({"name": "multiclass", "head": "mlp"}, tmp_path)
    train(classes, data_dir=partly_without_truth, run_dir=tmp_path / "classes")  # nothing asks for truth here
    assert (tmp_path / "classes" / "metrics.json").is_file()
