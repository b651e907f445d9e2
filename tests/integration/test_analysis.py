"""What a user types after a training: evaluate, embed, cka, report, on runs of one short epoch."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from root_gnn.cli import app as cli

CLASSES = "data.classes={WH: WH.root, ZH: ZH.root, ttbar: ttbar.root}"
TINY = (
    "--set",
    "model.dim=8",
    "--set",
    "model.n_steps=1",
    "--set",
    "train.max_epochs=1",
    "--set",
    "data.max_events=100",
)
SHORT = ("--train-events", "60", "--set", "train.max_epochs=1", "--set", "data.max_events=150")
SCRIPT = Path(__file__).parents[2] / "scripts" / "compare_cka.py"


def root_gnn(
    *arguments: str, folder: Path, program: tuple[str, ...] = ("-m", "root_gnn")
) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "ROOT_GNN_DATA": str(folder / "data")}
    return subprocess.run(
        [sys.executable, *program, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def workplace(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Path:
    """A folder with data, a pretrained run, and a finetuned run and one from scratch after it."""
    folder = tmp_path_factory.mktemp("workplace")
    (folder / "data").mkdir()
    for path in data_dir.glob("*.root"):
        shutil.copy(path, folder / "data")
    for line in (
        ("train", "pretrain_multiclass", "--set", CLASSES, *TINY),
        ("finetune", "--task", "WHvsZH", "--from", "runs/pretrain_multiclass", *SHORT),
        ("finetune", "--task", "WHvsZH", "--mode", "scratch", *SHORT),
    ):
        done = root_gnn(*line, folder=folder)
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr and "Warning" not in done.stderr
    return folder


@pytest.fixture(scope="module")
def runs(workplace: Path) -> list[str]:
    return ["runs/WHvsZH_finetuned_n60_s1", "runs/WHvsZH_scratch_n60_s1"]


def test_evaluate_writes_the_same_figures_again(workplace: Path, runs: list[str]) -> None:
    path = workplace / runs[0] / "metrics.json"
    before = json.loads(path.read_text())
    done = root_gnn("evaluate", runs[0], "--split", "test", folder=workplace)
    assert done.returncode == 0, done.stderr
    assert json.loads(path.read_text()) == before


def test_embed_writes_a_file_and_a_picture_and_says_the_figures(workplace: Path) -> None:
    done = root_gnn("embed", "runs/pretrain_multiclass", folder=workplace)
    assert done.returncode == 0, done.stderr
    assert "mean cosine similarity" in done.stderr and "effective rank" in done.stderr
    folder = workplace / "runs" / "pretrain_multiclass"
    written, predictions = (
        pq.read_table(folder / name) for name in ("embedding/test_pca.parquet", "predictions/test.parquet")
    )
    assert written["eventNumber"].to_pylist() == predictions["eventNumber"].to_pylist()
    assert (folder / "embedding" / "test_pca.png").exists()


def test_cka_and_the_script_agree(workplace: Path, runs: list[str]) -> None:
    done = root_gnn("cka", *runs, "--events", "40", folder=workplace)
    assert done.returncode == 0, done.stderr
    found = json.loads((workplace / "cka" / "cka.json").read_text())
    assert found["runs"] == [Path(run).name for run in runs]
    assert found["layers"] == ["encoder", "step_1", "step_2", "step_3", "decoder"]
    assert found["n_events"] == 40 and found["estimator"] == "debiased_linear"
    assert (workplace / "cka" / "cka.png").exists()
    if not SCRIPT.is_file():
        pytest.skip("the tests run outside the checkout, without scripts/")
    done = root_gnn(*runs, "--events", "40", "--out", "by_script", folder=workplace, program=(str(SCRIPT),))
    assert done.returncode == 0, done.stderr
    assert json.loads((workplace / "by_script" / "cka.json").read_text()) == found


def test_report_writes_one_page(workplace: Path, runs: list[str]) -> None:
    done = root_gnn("report", *runs, folder=workplace)
    assert done.returncode == 0, done.stderr
    text = (workplace / "report.html").read_text(encoding="utf-8")
    assert "Comparison: WH against ZH" in text and "too few seeds" in text


def test_wrong_input_leaves_with_2_and_one_paragraph(workplace: Path) -> None:
    done = root_gnn("embed", "runs/pretrain_multiclas", folder=workplace)
    assert done.returncode == 2
    assert (
        "did you mean pretrain_multiclass" in done.stderr
        and "Traceback" not in done.stderr
        and done.stderr.count("\n") == 1
    )


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("cka {0}", "two runs or more and got 1"),
        ("report data", "data is no run folder"),
        ("cka {0} {1} --events 2", "four events"),
    ],
)
def test_wrong_input_in_this_process(
    workplace: Path,
    runs: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    line: str,
    words: str,
) -> None:
    monkeypatch.chdir(workplace)
    before = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(SystemExit) as left:
            cli.main(line.format(*runs).split())
    finally:
        signal.signal(signal.SIGTERM, before)
    assert left.value.code == 2 and words in capsys.readouterr().err
