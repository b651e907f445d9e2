"""What is built before the first step: splits, scaling, weights of the loss, and what is refused."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import uproot

from root_gnn.config.yaml import dump_yaml
from root_gnn.errors import InputError
from root_gnn.runs.setup import TrainingSetup
from root_gnn.runs.task import finetuning_recipe
from root_gnn.runs.train import train


def setup(ntuples: Path, *overrides: str, train_events: int | None = 40, **keys: Any) -> TrainingSetup:
    recipe = finetuning_recipe(
        "WHvsZH", mode="scratch", model=None, train_events=train_events, overrides=("model.dim=8", *overrides)
    )
    return TrainingSetup(recipe, data_dir=ntuples, **keys)


def test_the_training_subset_is_balanced_and_apart_from_the_rest(ntuples: Path) -> None:
    built = setup(ntuples)
    train, rest = built.indices["train"], np.concatenate([built.indices["validation"], built.indices["test"]])
    assert np.bincount(built.table.label[train]).tolist() == [20, 20]
    assert len(np.intersect1d(train, rest)) == 0 and set(train) <= set(built.splits.train)


def test_weights_of_a_class_average_to_one(ntuples: Path) -> None:
    built = setup(ntuples)
    batches = list(built.training_batches())
    label = np.concatenate([batch.labels["label"].numpy() for batch in batches])
    weight = np.concatenate([batch.weights.numpy() for batch in batches if batch.weights is not None])
    for k in (0, 1):
        assert weight[label == k].mean() == pytest.approx(1.0, rel=1e-5)


def test_scaling_is_fitted_to_training_events_alone(ntuples: Path) -> None:
    built = setup(ntuples)
    nodes = np.concatenate([batch.nodes.numpy() for batch in built.training_batches()])
    column = built.spec.features().nodes.index("eta")
    assert built.scaling.nodes["eta"].mean == pytest.approx(float(nodes[:, column].mean(dtype=np.float64)), rel=1e-4)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("train.monitor=val/acu", "did you mean val/auc"),
        ("data.split={train: 0.8, validation: 0.2, test: 0.0}", "the test split has no events; there are"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_the_first_step(ntuples: Path, override: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        setup(ntuples, override)


def test_it_writes_down_what_repeats_it(ntuples: Path, tmp_path: Path) -> None:
    setup(ntuples).write_down(tmp_path / "run")
    assert {path.name for path in (tmp_path / "run").iterdir()} == {
        *("config.yaml", "plan.json", "scaling.json", "spec.yaml", "versions.json")
    }


def test_validation_has_all_its_events_with_their_signs(ntuples: Path) -> None:
    built = setup(ntuples)
    weight = np.concatenate([b.weights.numpy() for b in built.validation_batches() if b.weights is not None])
    np.testing.assert_array_equal(np.sign(weight), np.sign(built.table.weight[built.indices["validation"]]))


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
