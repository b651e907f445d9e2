"""A training in words, and its energy."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from root_gnn.study.execution.training import Training, joules_of


def test_the_command_says_what_is_run() -> None:
    task = Training("r", "WHvsZH", ("seed=2",), "finetuned", "deep", 50, folder="d")
    assert " ".join(task.command(Path("runs"), Path("data"))) == (
        "root-gnn finetune --task WHvsZH --mode finetuned --from runs/deep --train-events 50 --set seed=2 "
        "--data-dir data/d --run-dir runs/r"
    )
    assert Training("r", "recipe").command() == ["root-gnn", "train", "recipe", "--run-dir", "runs/r"]


def test_energy_is_known_where_it_was_written(tmp_path: Path) -> None:
    run: Any = SimpleNamespace(folder=tmp_path)
    assert joules_of(run) is None
    (tmp_path / "energy.json").write_text(json.dumps({"joules": 12.5, "seconds": 1.0}))
    assert joules_of(run) == 12.5
