"""A run folder is read as it was written; names, checkpoints and near names lead to it."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from root_gnn.errors import InputError
from root_gnn.runs.run import Run, load_encoder, load_run, located, reading_spec, run_names


def test_what_the_folder_holds(one_run: Run) -> None:
    assert one_run.name == "one_run" and one_run.plan["mode"] == "scratch"
    np.testing.assert_array_equal(one_run.history["val/loss"], [[0.0, 4.0, 0.69]])
    assert set(one_run.metrics["splits"]) == {"validation", "test"}
    assert not one_run.objective.training
    assert all(not parameter.requires_grad for parameter in one_run.encoder.parameters())
    assert one_run.encoder.run_folder == one_run.folder


def test_a_run_is_found_by_name_path_and_checkpoint(
    one_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(one_run.folder, tmp_path / "runs" / "named")
    assert located("named") == Path("runs/named") and run_names(Path("runs")) == ["named"]
    digest = one_run.weights_digest
    for place in ("named", "runs/named", "runs/named/checkpoints/best.ckpt"):
        assert load_run(place).weights_digest == digest
    state = load_encoder("named").state_dict()
    assert all(torch.equal(state[name], value) for name, value in one_run.encoder.state_dict().items())
    with pytest.raises(InputError, match="did you mean named"):
        load_run("runs/name")
    with pytest.raises(InputError, match=r"config\.yaml says what the weights"):
        (tmp_path / "alone.ckpt").write_bytes(b"")
        load_run("alone.ckpt")


def test_a_run_without_weights_or_figures_says_so(one_run: Run) -> None:
    (one_run.folder / "checkpoints" / "best.ckpt").unlink()
    (one_run.folder / "metrics.json").unlink()
    run = Run(one_run.folder)
    with pytest.raises(InputError, match=r"no checkpoints/best\.ckpt yet"):
        _ = run.checkpoint
    with pytest.raises(InputError, match=r"no metrics\.json"):
        _ = run.metrics


def test_outputs_are_those_of_the_predictions(one_run: Run, ntuples: Path) -> None:
    import pyarrow.parquet as pq

    table = pq.read_table(one_run.folder / "predictions" / "test.parquet")
    outputs = one_run.answers("test", data_dir=ntuples)
    np.testing.assert_allclose(outputs.probabilities[:, 1], table.column(table.column_names[-1]).to_numpy(), rtol=1e-6)


def test_results_of_other_weights_do_not_belong_into_the_folder(one_run: Run) -> None:
    shutil.copy(one_run.checkpoint, one_run.folder / "checkpoints" / "last.ckpt")
    one_run.check_keeps_results()
    with pytest.raises(InputError, match="opened from one file"):
        load_run(one_run.folder / "checkpoints" / "last.ckpt").check_keeps_results()


def test_half_a_row_of_a_killed_training_is_left_out(one_run: Run) -> None:
    with (one_run.folder / "history.csv").open("a") as file:
        file.write("1,8,val/loss,0.6\n1,8,val/l")
    assert one_run.history["val/loss"][:, 2].tolist() == [0.69, 0.6] and set(one_run.history) == {
        *("train/loss", "val/loss")
    }


def test_files_are_read_with_a_spec_of_the_same_features(one_run: Run) -> None:
    assert reading_spec(one_run, None) is one_run.spec
    with pytest.raises(InputError, match="describes other node features than one_run was trained on"):
        reading_spec(one_run, "jetclass")


def test_kept_epochs_are_those_of_their_files(one_run: Run) -> None:
    assert not one_run.kept_epochs
    for epoch in (10, 2):
        shutil.copy(one_run.checkpoint, one_run.folder / "checkpoints" / f"epoch_{epoch}.ckpt")
    assert one_run.kept_epochs == (2, 10)
    state = one_run.objective_after(2).state_dict()
    assert all(torch.equal(state[name], value) for name, value in one_run.objective.state_dict().items())
