"""What a run folder is safe from, and what a run that was stopped between two of its stages still does."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch

from root_gnn import console
from root_gnn.data.events.splits import split_table
from root_gnn.errors import InputError
from root_gnn.runs import train as pipeline
from root_gnn.runs.evaluate import evaluate
from root_gnn.runs.run import Run, load_run
from root_gnn.runs.setup import TrainingSetup
from root_gnn.runs.train import finetune, train

OVERRIDES = (
    "data.classes={WH: WH.root, ZH: ZH.root}",
    "data.max_events=150",
    "model.dim=8",
    "model.n_steps=1",
    "train.max_epochs=2",
    "train.batch_size=64",
    "train.early_stopping=1",
)


class Killed(BaseException):
    """What SIGKILL would be in a process of its own."""


@pytest.fixture(scope="module")
def finished(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return train(
        "pretrain_multiclass",
        overrides=OVERRIDES,
        data_dir=data_dir,
        run_dir=tmp_path_factory.mktemp("runs") / "finished",
    )


@pytest.fixture
def run(finished: Run, tmp_path: Path) -> Run:
    """A copy that a test may change."""
    return Run(Path(shutil.copytree(finished.folder, tmp_path / "run")))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def again(folder: Path, data_dir: Path, *more: str, **keys: Any) -> Run:
    return train("pretrain_multiclass", overrides=(*OVERRIDES, *more), data_dir=data_dir, run_dir=folder, **keys)


@pytest.mark.parametrize(
    "names", [["thesis.tex"], ["config.yaml", "spec.yaml", "data.root"], ["config.yaml"], ["checkpoints/a.ckpt"]]
)
@pytest.mark.parametrize("how", ["overwrite", "resume"])
def test_a_folder_that_is_no_run_is_never_touched(how: str, names: list[str], data_dir: Path, tmp_path: Path) -> None:
    for name in names:
        (tmp_path / "mine" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "mine" / name).write_text("years of work", encoding="utf-8")
    before = contents(tmp_path / "mine")
    with pytest.raises(InputError, match="no run folder"):
        again(tmp_path / "mine", data_dir, **{how: True})
    assert contents(tmp_path / "mine") == before


def test_overwrite_keeps_what_no_run_wrote_and_all_of_it_where_the_new_run_cannot_start(
    run: Run, data_dir: Path, tmp_path: Path
) -> None:
    (run.folder / "notes.txt").write_text("mine", encoding="utf-8")
    (run.folder / "embedding").mkdir()
    before = contents(run.folder)
    with pytest.raises(InputError, match="does not exist"):
        again(run.folder, tmp_path / "nowhere", overwrite=True)
    with pytest.raises(InputError, match="one of the two"):
        again(run.folder, data_dir, overwrite=True, resume=True)
    with pytest.raises(InputError, match="pretrained run itself"):
        finetune("WHvsZH", run=run, data_dir=data_dir, run_dir=run.folder, overwrite=True)
    assert contents(run.folder) == before
    new = again(run.folder, data_dir, "train.max_epochs=1", overwrite=True)
    assert (run.folder / "notes.txt").exists() and not (run.folder / "embedding").exists()
    assert set(new.history["val/loss"][:, 0]) == {0.0} and new.metrics["best_epoch"] == 1


def test_a_file_in_place_of_the_folder_is_told(data_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "run").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match="is a file"):
        again(tmp_path / "run", data_dir)


def test_killed_between_training_and_metrics_it_only_evaluates(
    run: Run, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With early stopping and at the last epoch alike; a metrics.json by `evaluate` alone does not pass for a finished
    run.
    """
    metrics, kept = run.metrics, contents(run.folder / "checkpoints")
    scaling, history = run.scaling, (run.folder / "history.csv").read_bytes()
    (run.folder / "metrics.json").unlink()
    assert "best_epoch" not in evaluate(run.folder, data_dir=data_dir).metrics

    def step(*arguments: object) -> None:
        raise AssertionError("trained on")

    monkeypatch.setattr("root_gnn.training.module.TrainingModule.training_step", step)
    resumed = again(run.folder, data_dir, resume=True)
    assert resumed.metrics["splits"] == metrics["splits"] and resumed.metrics["best_epoch"] == metrics["best_epoch"]
    assert resumed.metrics["seconds"] == pytest.approx(metrics["seconds"])
    assert contents(run.folder / "checkpoints") == kept
    assert resumed.scaling == scaling and (run.folder / "history.csv").read_bytes() == history


def test_killed_while_it_writes_itself_down_it_starts_anew(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(path: Path, content: object) -> None:
        (tmp_path / "run" / ".versions.json.abc.json").write_text("", encoding="utf-8")
        raise Killed

    monkeypatch.setattr("root_gnn.runs.setup.write_json", write)
    with pytest.raises(Killed):
        again(tmp_path / "run", data_dir)
    monkeypatch.undo()
    assert (tmp_path / "run" / "spec.yaml").exists() and not (tmp_path / "run" / "config.yaml").exists()
    assert again(tmp_path / "run", data_dir, resume=True).metrics["best_epoch"] >= 1


def test_resume_names_what_differs(finished: Run, data_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"optim\.lr is 0\.001 there and 0\.5 here"):
        again(finished.folder, data_dir, "optim.lr=0.5", resume=True)


def test_a_run_from_before_a_key_existed_is_gone_on_with(run: Run, data_dir: Path) -> None:
    config = run.folder / "config.yaml"
    written = config.read_text(encoding="utf-8")
    older = "".join(line for line in written.splitlines(keepends=True) if "dropout" not in line)
    assert older != written
    config.write_text(older, encoding="utf-8")
    assert again(run.folder, data_dir, resume=True).metrics == run.metrics


def test_a_finetuning_is_resumed_from_its_own_backbone_only(finished: Run, data_dir: Path, tmp_path: Path) -> None:
    def tune(source: Run, mode: str = "finetuned", **keys: Any) -> Run:
        return finetune(
            "WHvsZH",
            run=source,
            mode=mode,
            train_events=60,
            data_dir=data_dir,
            run_dir=tmp_path / "tuned",
            overrides=("train.max_epochs=1", "data.max_events=150", "name=tuned"),
            **keys,
        )

    first = tune(finished)
    assert tune(finished, resume=True).metrics == first.metrics
    other = Run(Path(shutil.copytree(finished.folder, tmp_path / "other")))
    content = torch.load(other.checkpoint, weights_only=True)
    content["state_dict"] = {name: value + 1 for name, value in content["state_dict"].items()}
    torch.save(content, other.folder / "checkpoints" / "best.ckpt")
    with pytest.raises(InputError, match="other weights"):
        tune(other, resume=True)
    with pytest.raises(InputError, match=r"backbone_lr_scale"):
        tune(finished, "frozen", resume=True)


def test_figures_are_those_of_the_best_weights_on_events_that_never_trained(finished: Run, data_dir: Path) -> None:
    """J-JEPA reported the best validation figure of all epochs, JetCLR's linear test its training jets."""
    table = finished.table(data_dir)
    splits = split_table(table, finished.recipe.data.split)
    train_ids = {tuple(row) for row in table.ids[splits.train]}
    for split in ("validation", "test"):
        rows = pq.read_table(finished.folder / "predictions" / f"{split}.parquet").to_pydict()
        ids = list(zip(*(rows[name] for name in table.spec.id_names), strict=True))
        assert len(ids) == finished.metrics["splits"][split]["n_events"] and not train_ids & set(ids)
    best = torch.load(finished.checkpoint, weights_only=True)["state_dict"]
    assert all(torch.equal(value, best[f"objective.{name}"]) for name, value in finished.objective.state_dict().items())
    losses = finished.history["val/loss"]
    assert finished.metrics["best_epoch"] == losses[np.argmin(losses[:, 2]), 0] + 1
    assert set(finished.metrics) == {"best_epoch", "seconds", "events_per_second", "n_parameters", "device", "splits"}


def test_history_of_a_killed_run_is_read_up_to_its_last_whole_row(run: Run) -> None:
    whole = run.history
    with (run.folder / "history.csv").open("a", encoding="utf-8") as file:
        file.write("1,99,train/lo")
    assert (
        all(np.array_equal(run.history[tag], rows) for tag, rows in whole.items())
        and run.history.keys() == whole.keys()
    )


def test_validation_is_signed_where_training_is_absolute(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from root_gnn.config.loader import load
    from root_gnn.config.shipped import find
    from root_gnn.runs.recipe import Recipe

    recipe = load(Recipe, find("pretrain_multiclass", "recipe"), (*OVERRIDES, "data.weights=abs"))
    bench = TrainingSetup(recipe, data_dir=data_dir)
    bench.table.weight = np.where(np.arange(len(bench.table)) % 3 == 0, -1.0, 2.0)  # type: ignore[assignment]
    trained = torch.cat([batch.weights for batch in bench.training_batches() if batch.weights is not None])
    held = torch.cat([batch.weights for batch in bench.validation_batches() if batch.weights is not None])
    assert bool((trained > 0).all()) and float(trained.mean()) == pytest.approx(1.0)
    assert np.array_equal(held.numpy() < 0, bench.table.weight[bench.indices["validation"]] < 0) and bool(
        (held < 0).any()
    )


def test_a_plug_in_of_the_users_own_trains_to_the_end_and_is_refused_afterwards(
    data_dir: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "head.py").write_text(
        "from root_gnn.heads.linear import Config as Linear\n\n\nclass Config(Linear):\n    pass\n", encoding="utf-8"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    run = again(tmp_path / "run", data_dir, "objective.head=mine.head", "train.max_epochs=1")
    assert run.metrics["best_epoch"] == 1
    assert (
        again(tmp_path / "run", data_dir, "objective.head=mine.head", "train.max_epochs=1", resume=True).metrics
        == run.metrics
    )
    with pytest.raises(InputError, match=r"--allow-plugin mine\.head"):
        load_run(tmp_path / "run")


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), SystemExit(143)])
def test_stopped_outside_training_it_says_how_to_go_on(
    stop: BaseException,
    data_dir: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def stopped(*arguments: object, **keys: object) -> None:
        raise stop

    monkeypatch.setattr(console.log, "propagate", True)  # the command line turns it off
    monkeypatch.setattr(pipeline, "TrainingSetup", stopped)
    monkeypatch.setattr(sys, "argv", ["/somewhere/root-gnn", "train", "x y.yaml", "--overwrite", "--set", "seed=2"])
    with pytest.raises(type(stop)):
        again(tmp_path / "run", data_dir)
    assert "root-gnn train 'x y.yaml' --set seed=2 --resume" in caplog.text


def test_a_monitor_that_nothing_measures_is_refused_before_training(data_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"train\.monitor is val/acc.*val/accuracy"):
        again(tmp_path / "run", data_dir, "train.monitor=val/acc")
    assert not (tmp_path / "run").exists()


def test_only_the_first_process_of_all_nodes_writes(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second task that Slurm starts finds the folder that the first one wrote, and neither minds nor touches it."""
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "config.yaml").write_text("of the first process", encoding="utf-8")

    def fitted(*arguments: object, **keys: object) -> None:
        raise Killed

    monkeypatch.setattr(TrainingSetup, "fit", fitted)
    monkeypatch.setenv("SLURM_PROCID", "1")
    with pytest.raises(Killed):
        again(tmp_path / "run", data_dir)
    assert contents(tmp_path / "run") == {"config.yaml": b"of the first process"}


def test_overrides_reach_the_section_they_name(tmp_path: Path) -> None:
    """A task's own objective takes overrides too; a model that comes from the pretrained run takes none."""
    from root_gnn.runs.task import finetuning_recipe

    path = tmp_path / "task.yaml"
    path.write_text(
        "name: t\ndata: {spec: events, classes: {a: a.root, b: b.root}}\nobjective: {name: multiclass, head: linear}\n"
    )
    recipe = finetuning_recipe(
        str(path), mode="scratch", model=None, overrides=("objective.label_smoothing=0.25", "data.lumi=3")
    )
    dumped = json.loads(recipe.model_dump_json())
    assert dumped["objective"]["label_smoothing"] == 0.25 and dumped["data"]["lumi"] == 3
    for override in ("model.dim=8", "model={name: encode_process_decode}"):
        with pytest.raises(InputError, match="model is that of the pretrained run"):
            finetuning_recipe(str(path), mode="finetuned", model=recipe.model, overrides=(override,))
